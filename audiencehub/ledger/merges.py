"""Merges: which person's records were found to be another's, by what evidence, and what was undone.

An id here is a record's own: the one it was given when it was first seen. A merge joins the record
`loser` to the person `survivor`; undoing an automatic one leaves a separation, which no rule joins
again until a person lifts it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from audiencehub.errors import ConfigError
from audiencehub.ledger.db import Database
from audiencehub.ledger.stamps import document, instant, maybe, stamp

Rule = Literal["automatic", "manual"]
COLUMNS = (
    "merge_id, entity, survivor, loser, rule, evidence, reason, actor, at, undone_at, undone_by,"
    " undone_reason"
)
NEWEST = "(SELECT coalesce(max(manifest_id), 0) FROM manifest)"
"""What had been landed when a person decided: a decision holds for what is landed after it, so that
a rebuild comes by the same persons as the runs did."""
MANY = 20_000
"""From here on everything is read at once instead of by id."""


@dataclass(frozen=True, slots=True)
class Merge:
    """One line of the journal."""

    merge_id: int
    entity: str
    survivor: int
    loser: int
    rule: Rule
    evidence: Sequence[Mapping[str, Any]]
    """What joined them: kind of key, a keyed digest of its value, and the record it is shared
    with; never the value."""
    reason: str
    actor: str
    at: datetime
    undone_at: datetime | None
    undone_by: str | None
    undone_reason: str | None


@dataclass(frozen=True, slots=True)
class Separation:
    """`goes` may not be joined to `keeps` by any rule."""

    keeps: int
    goes: int
    merge_id: int
    reason: str
    actor: str
    at: datetime


class Merges:
    """The merge_journal, separation and person_alias tables."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def record(
        self,
        entity: str,
        rule: Rule,
        actor: str,
        at: datetime,
        rows: Iterable[tuple[int, int, Any, str]],
    ) -> None:
        """Write (survivor, loser, evidence, reason) into the journal."""
        with self._db.transaction():
            self._db.many(
                "INSERT INTO merge_journal(entity, survivor, loser, rule, evidence, reason,"
                f" actor, at, after_manifest) VALUES(?,?,?,?,?,?,?,?, CASE WHEN ? THEN {NEWEST}"
                " ELSE 0 END)",
                [
                    (
                        entity,
                        survivor,
                        loser,
                        rule,
                        document(evidence),
                        reason,
                        actor,
                        stamp(at),
                        rule == "manual",
                    )
                    for survivor, loser, evidence, reason in rows
                ],
            )

    def join(self, entity: str, one: int, other: int, actor: str, at: datetime, reason: str) -> int:
        """A person says that both are one; the merge's id. Separations between the two end.

        `one` and `other` are persons as they stand. Raises ConfigError when they already are one.
        """
        low, high = sorted((self.person(entity, one), self.person(entity, other)))
        both = {one, other, low, high, *self.owns(entity, low), *self.owns(entity, high)}
        apart = [found for found in self.separations(entity) if {found.keeps, found.goes} <= both]
        if low == high and apart:
            # Undone, and no run since: the persons still stand as one.
            low, high = sorted((one, other))
        waiting = {(survivor, loser) for _, survivor, loser in self.manual(entity)}
        if low == high or (low, high) in waiting:
            raise ConfigError(
                f"{one} and {other} are one {entity} already.",
                hint=f"Run: audiencehub identity why {low}",
            )
        with self._db.transaction():
            self._db.many(
                f"UPDATE separation SET lifted_at=?, lifted_after={NEWEST} WHERE entity=?"
                " AND keeps=? AND goes=? AND lifted_at IS NULL",
                [(stamp(at), entity, pair.keeps, pair.goes) for pair in apart],
            )
            self.record(entity, "manual", actor, at, [(low, high, [{"kind": "manual"}], reason)])
            (found,) = self._db.rows("SELECT max(merge_id) FROM merge_journal")
        return int(found[0])

    def undo(self, merge_id: int, actor: str, at: datetime, reason: str) -> Merge:
        """End a merge; an automatic one leaves a separation. ConfigError for an ended one."""
        with self._db.transaction():
            found = self.get(merge_id)
            if found is None or found.undone_at is not None:
                raise ConfigError(
                    f"Merge {merge_id} is {'undone already' if found else 'not known'}.",
                    hint="Run: audiencehub identity merges",
                )
            self.close([merge_id], actor, at, reason)
            self._db.run(
                f"UPDATE merge_journal SET undone_after={NEWEST} WHERE merge_id=?", (merge_id,)
            )
            if found.rule == "automatic":
                self._db.run(
                    "INSERT INTO separation(entity, keeps, goes, merge_id, reason, actor, at,"
                    f" after_manifest) VALUES(?,?,?,?,?,?,?,{NEWEST})",
                    (
                        found.entity,
                        found.survivor,
                        found.loser,
                        merge_id,
                        reason,
                        actor,
                        stamp(at),
                    ),
                )
        return found

    def close(self, merge_ids: Iterable[int], actor: str, at: datetime, reason: str) -> None:
        """Note that these no longer hold."""
        with self._db.transaction():
            self._db.many(
                "UPDATE merge_journal SET undone_at=?, undone_by=?, undone_reason=?"
                " WHERE merge_id=? AND undone_at IS NULL",
                [(stamp(at), actor, reason, one) for one in merge_ids],
            )

    def get(self, merge_id: int) -> Merge | None:
        """One line of the journal."""
        return next(iter(self._merges("merge_id=?", (merge_id,))), None)

    def all(self, entity: str | None = None, n: int = 1 << 60) -> list[Merge]:
        """The journal, newest first; what was undone stands in it too."""
        where, values = ("entity=?", (entity,)) if entity else ("1", ())
        return self._merges(f"{where} ORDER BY merge_id DESC LIMIT {int(n)}", values)

    def of(self, entity: str, owns: Collection[int]) -> list[Merge]:
        """Everything in the journal about these records, oldest first."""
        chosen = "(SELECT value FROM json_each(?2))"
        return self._merges(
            f"entity=?1 AND (survivor IN {chosen} OR loser IN {chosen}) ORDER BY merge_id",
            (entity, document(sorted(owns))),
        )

    def open(
        self, entity: str, losers: Collection[int] | None = None, upto: int | None = None
    ) -> list[Merge]:
        """Merges that hold, of these losers; of all when none are named.

        For `upto` see `manual`.
        """
        some: str = ""
        values: tuple[str, ...] = ()
        if losers is not None and len(losers) <= MANY:
            some, values = (
                " AND loser IN (SELECT value FROM json_each(?))",
                (document(sorted(losers)),),
            )
        if upto is None:
            return self._merges(
                f"entity=? AND undone_at IS NULL{some} ORDER BY merge_id", (entity, *values)
            )
        # One question for each index: what stands, and what was undone since.
        found = self._merges(
            f"entity=? AND undone_at IS NULL AND after_manifest < ?{some}", (entity, upto, *values)
        ) + self._merges(
            f"entity=? AND undone_after >= ? AND after_manifest < ?{some}",
            (entity, upto, upto, *values),
        )
        return sorted(found, key=lambda one: one.merge_id)

    def manual(self, entity: str, upto: int | None = None) -> list[tuple[int, int, int]]:
        """(merge id, survivor, loser) of every merge that a person made and nobody undid.

        `upto`: as it was decided when this manifest was landed; else as it is now.
        """
        where, values = _holds("undone", upto)
        return [
            (int(merge_id), int(survivor), int(loser))
            for merge_id, survivor, loser in self._db.rows(
                "SELECT merge_id, survivor, loser FROM merge_journal WHERE entity=?"
                f" AND rule='manual' AND {where} ORDER BY merge_id",
                (entity, *values),
            )
        ]

    def separations(self, entity: str, upto: int | None = None) -> list[Separation]:
        """Those that hold, sorted by their records. For `upto` see `manual`."""
        where, values = _holds("lifted", upto)
        found = self._db.rows(
            "SELECT keeps, goes, merge_id, reason, actor, at FROM separation"
            f" WHERE entity=? AND {where} ORDER BY keeps, goes, n",
            (entity, *values),
        )
        return [Separation(*(*row[:5], instant(row[5]))) for row in found]

    def alias(self, entity: str, owns: Collection[int] | None = None) -> dict[int, int]:
        """Record's own id to its person's, where they differ; of all when none are named."""
        if owns is None or len(owns) > MANY:
            found = self._db.rows("SELECT own, id FROM person_alias WHERE entity=?", (entity,))
        else:
            found = self._db.rows(
                "SELECT own, id FROM person_alias WHERE entity=?"
                " AND own IN (SELECT value FROM json_each(?))",
                (entity, document(sorted(owns))),
            )
        return {int(own): int(person) for own, person in found}

    def person(self, entity: str, own: int) -> int:
        """Whose the record with this own id is."""
        return self.alias(entity, [own]).get(own, own)

    def owns(self, entity: str, person: int) -> list[int]:
        """Own ids of the records that were joined to a person, besides the person's."""
        found = self._db.rows(
            "SELECT own FROM person_alias WHERE entity=? AND id=? ORDER BY own", (entity, person)
        )
        return [int(row[0]) for row in found]

    def set_alias(self, entity: str, changed: Mapping[int, int]) -> None:
        """Own id to person's id for these records; equal ones end the alias."""
        with self._db.transaction():
            self._db.many(
                "DELETE FROM person_alias WHERE entity=? AND own=?",
                [(entity, own) for own, person in changed.items() if own == person],
            )
            self._db.many(
                "INSERT INTO person_alias VALUES(?,?,?) ON CONFLICT DO UPDATE SET id=excluded.id",
                [(entity, own, person) for own, person in changed.items() if own != person],
            )

    def _merges(self, where: str, values: Sequence[Any]) -> list[Merge]:
        found = self._db.rows(f"SELECT {COLUMNS} FROM merge_journal WHERE {where}", values)
        return [
            Merge(
                *(
                    *row[:5],
                    json.loads(row[5]),
                    *row[6:8],
                    instant(row[8]),
                    maybe(row[9]),
                    *row[10:],
                )
            )
            for row in found
        ]


def _holds(end: str, upto: int | None) -> tuple[str, tuple[int, ...]]:
    """SQL and values of what nobody had ended when manifest `upto` was landed."""
    if upto is None:
        return f"{end}_at IS NULL", ()
    return f"after_manifest < ? AND ({end}_at IS NULL OR {end}_after >= ?)", (upto, upto)
