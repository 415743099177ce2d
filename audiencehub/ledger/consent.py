"""Consent decisions and suppression: what people said, kept for ever; unknown is no."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from audiencehub.ledger.db import Database
from audiencehub.ledger.stamps import instant, stamp
from audiencehub.model import Need
from audiencehub.privacy.consent import Decision, ruling

DecisionRow = tuple[Any, ...]
"""(person_id, purpose, channel, status, source, at, proof), and the source's record where several
records of one source are merged into one person."""

_SAID = (
    "coalesce(a.id, d.person_id) AS person, purpose, channel, status, d.at, source,"
    " coalesce(nullif(record, ''), 'person ' || a.own, ''), proof"
)
_OF = "LEFT JOIN person_alias a ON a.entity='contact' AND a.own=d.person_id"
_SORTED = "ORDER BY person, d.at, d.person_id, purpose, channel, source, record, status"
# From the people asked for to their decisions, never the other way: this is asked for each batch
# that is sent, and a look at all decisions each time would make a push quadratic.
_THEIRS = (
    "WITH asked(id) AS MATERIALIZED (SELECT value FROM json_each(?)), theirs(own) AS MATERIALIZED"
    " (SELECT a.own FROM asked CROSS JOIN person_alias a ON a.entity='contact' AND a.id=asked.id"
    " UNION ALL SELECT id FROM asked WHERE NOT EXISTS"
    " (SELECT 1 FROM person_alias a WHERE a.entity='contact' AND a.own=asked.id))"
)
_OF_THESE = f"FROM theirs CROSS JOIN consent_decision d ON d.person_id=theirs.own {_OF}"


@dataclass(frozen=True, slots=True)
class Said:
    """One thing a person has said, as a source has it."""

    person_id: int
    decision: Decision
    proof: str | None


@dataclass(frozen=True, slots=True)
class Mark:
    """One suppressed identifier, which nobody can read from this."""

    kind: str
    """email, phone or external_id."""
    reason: str
    who: str
    at: datetime


class Consent:
    """The consent_decision, suppression and suppression_mark tables."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def record(self, rows: Iterable[DecisionRow]) -> None:
        """Keep these decisions; one that is already known changes nothing."""
        with self._db.transaction():
            self._db.many(
                "INSERT INTO consent_decision"
                "(person_id, purpose, channel, status, source, at, proof, record)"
                " VALUES(?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
                [(*row[:5], stamp(row[5]), row[6], *(row[7:] or ("",))) for row in rows],
            )

    def decisions(self, person_ids: Collection[int] | None = None) -> list[Said]:
        """Everything said, by person and time; of all people when no ids are given.

        A person has said what any record that is now theirs has said, before it was theirs too.
        """
        if person_ids is None:
            found = self._db.rows(f"SELECT {_SAID} FROM consent_decision d {_OF} {_SORTED}")
        else:
            asked = json.dumps(sorted(person_ids))
            found = self._db.rows(f"{_THEIRS} SELECT {_SAID} {_OF_THESE} {_SORTED}", (asked,))
        return [
            Said(row[0], Decision(*(*row[1:4], instant(row[4]), *row[5:7])), row[7])
            for row in found
        ]

    def allowed(
        self, need: Need, person_ids: Collection[int], *, now: datetime | None = None
    ) -> set[int]:
        """Of these people, those who may be sent where `need` applies; the suppressed never.

        The law is `privacy.consent`: silence is no, and one standing denial outweighs any grant.
        Grants dated after `now` do not count yet.
        """
        return set(person_ids) - self.refused(need, person_ids, now=now).keys()

    def refused(
        self, need: Need, person_ids: Collection[int], *, now: datetime | None = None
    ) -> dict[int, str]:
        """Of these people, those who may not be sent, each with why: `suppressed`,
        `consent_denied` (a denial stands) or `no_consent` (nobody knows of a grant that counts)."""
        said: dict[int, list[Decision]] = {}
        persons = self._persons("contact", person_ids)
        for one in self.decisions(set(persons.values())):
            said.setdefault(one.person_id, []).append(one.decision)
        barred = self.suppressed("contact")
        clock = now or datetime.max.replace(tzinfo=UTC)
        found: dict[int, str] = {}
        for asked, person in persons.items():
            if person in barred:
                found[asked] = "suppressed"
                continue
            told = ruling(said.get(person, ()), need, now=clock)
            if not told.allowed:
                found[asked] = "consent_denied" if told.denied else "no_consent"
        return found

    def _persons(self, entity: str, ids: Collection[int]) -> dict[int, int]:
        """Each id to the person it is now part of."""
        found = self._db.rows(
            "SELECT own, id FROM person_alias WHERE entity=?"
            " AND own IN (SELECT value FROM json_each(?))",
            (entity, json.dumps(sorted(ids))),
        )
        return {one: one for one in ids} | {int(own): int(person) for own, person in found}

    def suppress(
        self,
        entity: str,
        ids: Iterable[int],
        reason: str,
        who: str,
        at: datetime,
        *,
        hmacs: Iterable[str | None] | None = None,
    ) -> None:
        """Let these reach no destination; `hmacs` are tombstones that outlive their ids.

        It holds for every record that is theirs now, and stays with it when a merge is undone.
        """
        listed = list(ids)
        marks = list(hmacs) if hmacs is not None else [None] * len(listed)
        with self._db.transaction():
            self._db.many(
                "INSERT INTO suppression VALUES(?,?,?,?,?,?) ON CONFLICT DO NOTHING",
                [
                    (entity, own, reason, who, stamp(at), m)
                    for i, m in zip(listed, marks, strict=True)
                    for own in self._with_own(entity, i)
                ],
            )

    def mark(self, marks: Mapping[str, str], reason: str, who: str, at: datetime) -> int:
        """List identifiers (HMAC to kind) that may reach no destination; how many are new."""
        with self._db.transaction():
            return sum(
                self._db.run(
                    "INSERT INTO suppression_mark VALUES(?,?,?,?,?) ON CONFLICT DO NOTHING",
                    (mark, kind, reason, who, stamp(at)),
                )
                for mark, kind in marks.items()
            )

    def marks(self) -> dict[str, Mark]:
        """Every suppressed identifier by its HMAC."""
        found = self._db.rows("SELECT hmac, kind, reason, who, at FROM suppression_mark")
        return {mark: Mark(kind, why, who, instant(at)) for mark, kind, why, who, at in found}

    def unmark(self, marks: Collection[str]) -> tuple[int, int]:
        """Take identifiers off the list, and let go whom they alone suppressed; how many each."""
        asked = json.dumps(sorted(marks))
        with self._db.transaction():
            gone = self._db.run(
                "DELETE FROM suppression_mark WHERE hmac IN (SELECT value FROM json_each(?))",
                (asked,),
            )
            people = self._db.run(
                "DELETE FROM suppression WHERE hmac IN (SELECT value FROM json_each(?))"
                " AND hmac NOT IN (SELECT hmac FROM tombstone)",
                (asked,),
            )
        return gone, people

    def suppressed_for(self) -> dict[str, int]:
        """Reason to how many records are suppressed for it."""
        sql = "SELECT reason, count(*) FROM suppression GROUP BY reason ORDER BY reason"
        return {str(reason): int(count) for reason, count in self._db.rows(sql)}

    def _with_own(self, entity: str, number: int) -> list[int]:
        found = self._db.rows(
            "SELECT own FROM person_alias WHERE entity=? AND id=? ORDER BY own", (entity, number)
        )
        return [number, *(int(row[0]) for row in found)]

    def release(self, entity: str, ids: Iterable[int]) -> None:
        """Lift the suppression of these."""
        with self._db.transaction():
            self._db.many(
                "DELETE FROM suppression WHERE entity=? AND id=?",
                [(entity, own) for i in ids for own in self._with_own(entity, i)],
            )

    def suppressed(self, entity: str) -> set[int]:
        """Ids that may reach no destination; one suppressed record suppresses its person."""
        found = self._db.rows(
            "SELECT id FROM suppression WHERE entity=?1 UNION SELECT a.id FROM suppression s"
            " JOIN person_alias a ON a.entity=s.entity AND a.own=s.id WHERE s.entity=?1",
            (entity,),
        )
        return {int(row[0]) for row in found}
