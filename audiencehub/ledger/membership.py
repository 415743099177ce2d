"""Membership: who is in which segment since when, and the log of every entering and leaving."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from audiencehub.ledger.db import Database
from audiencehub.ledger.stamps import document, instant, stamp


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

    def segments(self, entity: str) -> list[str]:
        """The segments that have a member, by name."""
        found = self._db.rows(
            "SELECT DISTINCT segment FROM membership WHERE entity=? ORDER BY segment", (entity,)
        )
        return [str(segment) for (segment,) in found]

    def of_segment(self, entity: str, segment: str) -> dict[int, Membership]:
        """Id to membership, in the order of ids."""
        found = self._db.rows(
            "SELECT id, since, version, reason FROM membership WHERE entity=? AND segment=?"
            " ORDER BY id",
            (entity, segment),
        )
        return {number: Membership(instant(since), v, why) for number, since, v, why in found}

    def members(self, entity: str, segment: str) -> list[int]:
        """The ids in a segment."""
        found = self._db.rows(
            "SELECT id FROM membership WHERE entity=? AND segment=?", (entity, segment)
        )
        return [number for (number,) in found]

    def one(self, entity: str, number: int, segment: str) -> Membership | None:
        """One membership; None for who is not in."""
        row = self._db.row(
            "SELECT since, version, reason FROM membership WHERE entity=? AND segment=? AND id=?",
            (entity, segment, number),
        )
        return Membership(instant(row[0]), row[1], row[2]) if row else None

    def since(self, entity: str, segment: str, number: int) -> datetime | None:
        """Since when someone is in a segment; None for who is not."""
        found = self.one(entity, number, segment)
        return found.since if found else None

    def log_mark(self, seq: int | None = None) -> tuple[int, str]:
        """A line of the log (the last, or that one): its number and what tells it from the line
        that another ledger has there. (0, "") when there is none."""
        row = self._db.row(
            "SELECT seq, run_id, entity, id, segment FROM membership_log"
            " WHERE seq = coalesce(?, (SELECT max(seq) FROM membership_log))",
            (seq,),
        )
        return (int(row[0]), "/".join(str(one) for one in row[1:])) if row else (0, "")

    def moved_since(self, seq: int) -> list[tuple[str, int, str, bool]]:
        """(entity, id, segment, whether they are in now) of all that the log has after a line."""
        found = self._db.rows(
            "SELECT DISTINCT l.entity, l.id, l.segment, m.id IS NOT NULL FROM membership_log l"
            " LEFT JOIN membership m ON m.entity=l.entity AND m.segment=l.segment AND m.id=l.id"
            " WHERE l.seq > ?",
            (seq,),
        )
        return [(entity, int(n), segment, bool(inside)) for entity, n, segment, inside in found]

    def merged_since(self, seq: int) -> list[tuple[str, int, str]]:
        """(entity, survivor, segment) of what merges handed over after a line of the log."""
        found = self._db.rows(
            "SELECT DISTINCT entity, CAST(substr(reason, 13) AS INTEGER), segment"
            " FROM membership_log WHERE seq > ? AND reason LIKE 'merged_into %'",
            (seq,),
        )
        return [(entity, int(number), segment) for entity, number, segment in found]

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

    def all_bits(self, entity: str) -> dict[str, int]:
        """The bit of every segment there has ever been."""
        return self._bits(entity)

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

    def left_because(self, entity: str, segment: str, ids: Iterable[int]) -> dict[int, str]:
        """Of these, those who are out, each with the reason noted when they left last."""
        found = self._db.rows(
            "SELECT id, reason, max(seq) FROM membership_log l WHERE entity=?1 AND segment=?2"
            " AND op='left' AND id IN (SELECT value FROM json_each(?3)) AND NOT EXISTS (SELECT 1"
            " FROM membership m WHERE m.entity=?1 AND m.segment=?2 AND m.id=l.id) GROUP BY id",
            (entity, segment, document(sorted(ids))),
        )
        return {int(number): str(reason) for number, reason, _ in found}

    def movement(self, run_id: str) -> dict[str, tuple[int, int]]:
        """Per segment how many entered and how many left in a run; merges move nobody."""
        found = self._db.rows(
            "SELECT segment, sum(op='entered'), sum(op='left') FROM membership_log WHERE run_id=?"
            " AND reason <> 'unmerged' AND reason NOT LIKE 'merged_into %'"
            " AND reason NOT LIKE 'merged_from %' GROUP BY segment",
            (run_id,),
        )
        return {segment: (entered, left) for segment, entered, left in found}
