"""Consent decisions and suppression: what people said, kept for ever; unknown is no."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from audiencehub.ledger.db import Database
from audiencehub.ledger.stamps import instant, stamp
from audiencehub.model import Need
from audiencehub.privacy.consent import Decision, allowed

DecisionRow = tuple[Any, ...]
"""(person_id, purpose, channel, status, source, at, proof), and the source's record where several
records of one source are merged into one person."""


@dataclass(frozen=True, slots=True)
class Said:
    """One thing a person has said, as a source has it."""

    person_id: int
    decision: Decision
    proof: str | None


class Consent:
    """The consent_decision and suppression tables."""

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
        """Everything said, by person and time; of all people when no ids are given."""
        chosen = (
            "" if person_ids is None else " WHERE person_id IN (SELECT value FROM json_each(?))"
        )
        found = self._db.rows(
            "SELECT person_id, purpose, channel, status, at, source, record, proof"
            f" FROM consent_decision{chosen} ORDER BY person_id, at",
            () if person_ids is None else (json.dumps(sorted(person_ids)),),
        )
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
        said: dict[int, list[Decision]] = {}
        for one in self.decisions(person_ids):
            said.setdefault(one.person_id, []).append(one.decision)
        barred = self.suppressed("contact")
        clock = now or datetime.max.replace(tzinfo=UTC)
        return {
            person
            for person, decisions in said.items()
            if person not in barred and allowed(decisions, need, now=clock)
        }

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
        """Let these reach no destination; `hmacs` are tombstones that outlive their ids."""
        listed = list(ids)
        marks = list(hmacs) if hmacs is not None else [None] * len(listed)
        with self._db.transaction():
            self._db.many(
                "INSERT INTO suppression VALUES(?,?,?,?,?,?) ON CONFLICT DO NOTHING",
                [
                    (entity, i, reason, who, stamp(at), m)
                    for i, m in zip(listed, marks, strict=True)
                ],
            )

    def release(self, entity: str, ids: Iterable[int]) -> None:
        """Lift the suppression of these."""
        with self._db.transaction():
            self._db.many(
                "DELETE FROM suppression WHERE entity=? AND id=?", [(entity, i) for i in ids]
            )

    def suppressed(self, entity: str) -> set[int]:
        """Ids that may reach no destination."""
        return {
            int(row[0])
            for row in self._db.rows("SELECT id FROM suppression WHERE entity=?", (entity,))
        }
