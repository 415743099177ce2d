"""Membership: who is in which segment since when, and the log of every entering and leaving."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from audiencehub.ledger.db import Database
from audiencehub.ledger.stamps import instant, stamp


@dataclass(frozen=True, slots=True)
class Membership:
    """One current membership; since is aware, UTC."""

    since: datetime
    version: str
    reason: str


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of the log."""

    segment: str
    op: str
    """`entered` or `left`."""
    at: datetime
    run_id: str
    version: str | None
    reason: str


class Memberships:
    """The membership, membership_log and segment_bit tables."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def current(self, entity: str) -> dict[str, dict[int, Membership]]:
        """Segment to id to membership."""
        result: dict[str, dict[int, Membership]] = {}
        times: dict[str, datetime] = {}
        for segment, number, since, version, reason in self._db.rows(
            "SELECT segment, id, since, version, reason FROM membership WHERE entity=?", (entity,)
        ):
            at = times.get(since) or times.setdefault(since, instant(since))
            result.setdefault(segment, {})[number] = Membership(at, version, reason)
        return result

    def record(
        self,
        run_id: str,
        at: datetime,
        entered: Iterable[tuple[str, int, str, str, str]],
        left: Iterable[tuple[str, int, str, str]],
    ) -> None:
        """Enter (entity, id, segment, reason, version) and leave (entity, id, segment, reason).

        In one transaction; who is already in does not enter twice, who is out does not leave.
        """
        when = stamp(at)
        with self._db.transaction():
            for entity, number, segment, reason in left:
                if self._db.run(
                    "DELETE FROM membership WHERE entity=? AND segment=? AND id=?",
                    (entity, segment, number),
                ):
                    self._log(entity, number, segment, "left", when, run_id, None, reason)
            for entity, number, segment, reason, version in entered:
                if self._db.run(
                    "INSERT INTO membership VALUES(?,?,?,?,?,?) ON CONFLICT DO NOTHING",
                    (entity, segment, number, when, version, reason),
                ):
                    self._log(entity, number, segment, "entered", when, run_id, version, reason)

    def _log(self, *values: object) -> None:
        self._db.run(
            "INSERT INTO membership_log(entity, id, segment, op, at, run_id, version, reason)"
            " VALUES(?,?,?,?,?,?,?,?)",
            values,
        )

    def bits(self, entity: str, segments: Sequence[str]) -> dict[str, int]:
        """Each segment's bit, given once in the order asked, for ever."""
        with self._db.transaction():
            known = self._bits(entity)
            for segment in segments:
                if segment not in known:
                    known[segment] = max(known.values(), default=-1) + 1
                    self._db.run(
                        "INSERT INTO segment_bit VALUES(?,?,?)", (entity, segment, known[segment])
                    )
        return {segment: known[segment] for segment in segments}

    def _bits(self, entity: str) -> dict[str, int]:
        found = self._db.rows("SELECT segment, bit FROM segment_bit WHERE entity=?", (entity,))
        return {str(segment): int(bit) for segment, bit in found}

    def history(self, entity: str, number: int) -> list[Movement]:
        """Every entering and leaving of one person or account, oldest first."""
        found = self._db.rows(
            "SELECT segment, op, at, run_id, version, reason FROM membership_log"
            " WHERE entity=? AND id=? ORDER BY seq",
            (entity, number),
        )
        return [Movement(s, op, instant(at), run, v, why) for s, op, at, run, v, why in found]

    def movement(self, run_id: str) -> dict[str, tuple[int, int]]:
        """Per segment how many entered and how many left in a run; merges move nobody."""
        found = self._db.rows(
            "SELECT segment, sum(op='entered'), sum(op='left') FROM membership_log WHERE run_id=?"
            " AND reason <> 'unmerged' AND reason NOT LIKE 'merged_into %'"
            " AND reason NOT LIKE 'merged_from %' GROUP BY segment",
            (run_id,),
        )
        return {segment: (entered, left) for segment, entered, left in found}
