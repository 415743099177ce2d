"""One profile at a time, in plain Python, clause by clause: the language's definition as code.

Shares nothing with `compile`: it is also the oracle that the compiled SQL is held against.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from audiencehub.rules.book import Segment
from audiencehub.rules.judge import Judge
from audiencehub.rules.language.form import (
    DAY,
    All,
    Any_,
    FieldTest,
    MatchAll,
    Node,
    Not,
    Rows,
    SegmentRef,
)
from audiencehub.rules.language.profile import Profile, Row
from audiencehub.rules.plain.clause import Clause

_PRECISION = Decimal("0.000001")


def matches(segment: Segment, profile: Profile, clock: datetime, zone: ZoneInfo) -> bool:
    """Whether the rule holds for the profile at the clock."""
    return evaluate(segment, profile, clock, zone).verdict


def evaluate(segment: Segment, profile: Profile, clock: datetime, zone: ZoneInfo) -> Clause:
    """The rule's tree with the verdict of every clause; no clause is skipped."""
    return Evaluation(profile, clock, zone).node(segment.when)


class Evaluation:
    """One profile at one clock."""

    def __init__(self, profile: Profile, clock: datetime, zone: ZoneInfo) -> None:
        self.profile = profile
        self.clock = clock.astimezone(UTC)
        self.zone = zone
        self.today = clock.astimezone(zone).date()
        self.judge = Judge(self.clock, zone)

    def node(self, node: Node) -> Clause:
        """One node judged, with all its parts."""
        if isinstance(node, All | Any_):
            parts = tuple(self.node(part) for part in node.parts)
            verdicts = [part.verdict for part in parts]
            verdict = all(verdicts) if isinstance(node, All) else any(verdicts)
            return Clause(node, verdict, parts=parts)
        if isinstance(node, Not):
            part = self.node(node.part)
            return Clause(node, not part.verdict, parts=(part,))
        if isinstance(node, MatchAll):
            return Clause(node, True)
        if isinstance(node, SegmentRef):
            return Clause(node, node.segment in self.profile.segments)
        if isinstance(node, FieldTest):
            return self._field(node)
        if isinstance(node, Rows):
            return self._rows(node)
        raise NotImplementedError(type(node).__name__)

    def _field(self, node: FieldTest) -> Clause:
        record = self.profile.account if node.scope == "account" else self.profile.contact
        if node.trait:
            record = self.profile.traits
        value = None if record is None else record.get(node.field)
        return Clause(node, self.judge.tests(node.tests, value, node.type), value)

    def _rows(self, node: Rows) -> Clause:
        rows = [] if self._cannot_reach(node) else list(self.profile.rows.get(node.table, ()))
        kept = [row for row in rows if self._exists(node.table, row) and self._keeps(node, row)]
        value, row = self._aggregate(node, kept)
        verdict = self.judge.tests(node.aggregate.tests, value, node.aggregate.type)
        return Clause(node, verdict, value, row or self._latest(node.table, kept), len(kept))

    def _cannot_reach(self, node: Rows) -> bool:
        return node.owner == "account" and self.profile.account is None

    def _exists(self, table: str, row: Row) -> bool:
        """What is dated after the clock has not happened yet; what has no date has."""
        if table == "intent_signal":
            first = row.get("period_start") or row.get("period_end")
            return first is None or first <= self.today
        name = {"deal": "created_at", "technology_install": "first_detected_at"}.get(table, "at")
        born = row.get(name)
        return born is None or utc(born) <= self.clock

    def _keeps(self, node: Rows, row: Row) -> bool:
        if node.where is not None and not self._row_node(node.where, row):
            return False
        if node.window is None:
            return True
        kind = "date" if node.table in ("intent_signal", "deal") else "instant"
        return self.judge.tests(node.window, self.date_of(node.table, row), kind)

    def _row_node(self, node: Node, row: Row) -> bool:
        if isinstance(node, All):
            return all(self._row_node(part, row) for part in node.parts)
        if isinstance(node, Any_):
            return any(self._row_node(part, row) for part in node.parts)
        if isinstance(node, Not):
            return not self._row_node(node.part, row)
        assert isinstance(node, FieldTest), "where holds fields only"
        return self.judge.tests(node.tests, row.get(node.field), node.type)

    def date_of(self, table: str, row: Row) -> Any:
        """The date or instant by which a window sees the row."""
        if table == "intent_signal":
            last = row.get("period_end") or row.get("period_start")
            return last if last is None else min(last, self.today)
        name = {"deal": "close_date", "technology_install": "first_detected_at"}.get(table, "at")
        return row.get(name)

    def _latest(self, table: str, rows: Sequence[Row]) -> Row | None:
        dated = [row for row in rows if self.date_of(table, row) is not None]
        if not dated:
            return rows[0] if rows else None
        return max(dated, key=lambda row: _sortable(self.date_of(table, row)))

    def _aggregate(self, node: Rows, rows: Sequence[Row]) -> tuple[Any, Row | None]:
        how, of = node.aggregate.how, node.aggregate.of
        if how == "count":
            return len(rows), None
        if how == "distinct":
            return self._distinct(node, rows), None
        known = [row for row in rows if row.get(of) is not None]
        if how in ("sum", "average"):
            return _total(how, (row[of] for row in known), node.aggregate.of_type), None
        if how in ("first", "last"):
            return self._end(node, known)
        if not known:
            return None, None
        pick = min if how == "min" else max
        row = pick(known, key=lambda one: _sortable(one[of]))
        return row[of], row

    def _distinct(self, node: Rows, rows: Sequence[Row]) -> int:
        of = node.aggregate.of
        if of == DAY:
            dates = (self.date_of(node.table, row) for row in rows)
            return len({self.judge.day(one) for one in dates if one is not None})
        return len({_sortable(row[of]) for row in rows if row.get(of) is not None})

    def _end(self, node: Rows, known: Sequence[Row]) -> tuple[Any, Row | None]:
        """The first or last row; rows of one instant are told apart by the value."""
        dates = {"deal": "close_date"}
        name = dates.get(node.table, "at")
        dated = [row for row in known if row.get(name) is not None]
        if not dated:
            return None, None
        pick = min if node.aggregate.how == "first" else max
        of = node.aggregate.of
        row = pick(dated, key=lambda one: (_sortable(one[name]), _sortable(one[of])))
        return row[of], row


def utc(moment: datetime) -> datetime:
    """An aware instant; naive ones are UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _sortable(value: Any) -> Any:
    return utc(value) if isinstance(value, datetime) else value


def _total(how: str, values: Iterable[Any], kind: str) -> Decimal | None:
    """Exact sum or average; the numbers of events are taken to six decimals."""
    exact = []
    for value in values:
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        if kind == "number":
            if not number.is_finite() or abs(number) >= Decimal(10) ** 22:
                continue
            number = number.quantize(_PRECISION)
        exact.append(number)
    total = sum(exact, Decimal(0))
    if how == "sum":
        return total
    return total / len(exact) if exact else None


__all__ = ["Clause", "Evaluation", "evaluate", "matches", "utc"]
