"""The log as stays: who was in a segment from when until when, through merges and undone ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from audiencehub.ledger.carry import UNMERGED
from audiencehub.ledger.db import Database
from audiencehub.ledger.stamps import instant, stamp

_INTO = "merged_into "
_FROM = "merged_from "
_NOW = "coalesce(p.id, l.id)"
"""Whom a line of the log is about, as persons now stand."""
_LOG = (
    "FROM membership_log l LEFT JOIN person_alias p ON p.entity=l.entity AND p.own=l.id"
    " WHERE l.entity=? AND l.segment IN ({marks})"
)


@dataclass(frozen=True, slots=True)
class Stay:
    """One person or account in one segment; aware instants, None while it lasts."""

    id: int
    segment: str
    entered_at: datetime
    left_at: datetime | None


class Stays:
    """The membership_log table, read as stays."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def of(
        self, entity: str, segments: Collection[str], moved_since: datetime | None = None
    ) -> list[Stay]:
        """All stays in these segments, by segment, id and time, of the persons as they now stand.

        What merged persons had is the survivor's, and stays that touch are one. Merges and undone
        merges are no entering and no leaving. `moved_since` (aware): only of persons who left one
        of the segments then or later, so that few moves cost little among many members.
        """
        wanted = sorted(segments)
        marks = ", ".join("?" * len(wanted))
        log, values = _LOG.format(marks=marks), [entity, *wanted]
        among = ""
        if moved_since is not None:
            among = f" AND {_NOW} IN (SELECT {_NOW} {log} AND l.op='left' AND l.at>=?)"
            values += [*values, stamp(moved_since)]
        rows = self._db.rows(
            f"SELECT l.segment, l.id, l.op, l.at, l.reason {log}{among} ORDER BY l.seq", values
        )
        replays: dict[str, _Replay] = {}
        for segment, number, op, at, reason in rows:
            replays.setdefault(segment, _Replay()).take(number, op, instant(at), reason)
        alias = dict(self._db.rows("SELECT own, id FROM person_alias WHERE entity=?", (entity,)))
        return [
            Stay(number, segment, *times)
            for segment in sorted(replays)
            for number, times in replays[segment].stays(alias)
        ]


@dataclass(slots=True)
class _Replay:
    """The log of one segment, line by line."""

    since: dict[int, datetime] = field(default_factory=dict)
    """Who is in, since when."""
    before: dict[int, datetime] = field(default_factory=dict)
    """Since when merged persons had been in, should their merge be undone."""
    ended: list[tuple[int, datetime, datetime]] = field(default_factory=list)

    def take(self, number: int, op: str, at: datetime, reason: str) -> None:
        """One line of the log."""
        if op == "entered":
            if reason == UNMERGED:
                self.since[number] = self.before.pop(number, at)
            elif not reason.startswith(_FROM):
                self.since.setdefault(number, at)
            return
        began = self.since.pop(number, None)
        if began is None or reason == UNMERGED:
            return
        if reason.startswith(_INTO):
            survivor = int(reason.removeprefix(_INTO))
            self.before[number] = began
            self.since[survivor] = min(began, self.since.get(survivor, began))
        else:
            self.ended.append((number, began, at))

    def stays(
        self, alias: dict[int, int]
    ) -> Iterable[tuple[int, tuple[datetime, datetime | None]]]:
        """(person now, (entered, left)), those that touch joined, in order."""
        found: dict[int, list[tuple[datetime, datetime | None]]] = {}
        for number, began, end in self.ended:
            found.setdefault(alias.get(number, number), []).append((began, end))
        for number, began in self.since.items():
            found.setdefault(alias.get(number, number), []).append((began, None))
        for number in sorted(found):
            yield from ((number, times) for times in _joined(found[number]))


def _joined(
    times: list[tuple[datetime, datetime | None]],
) -> list[tuple[datetime, datetime | None]]:
    result: list[tuple[datetime, datetime | None]] = []
    for began, end in sorted(times, key=lambda one: one[0]):
        if result and (result[-1][1] is None or began < result[-1][1]):
            first, last = result[-1]
            result[-1] = (first, None if last is None or end is None else max(last, end))
        else:
            result.append((began, end))
    return result
