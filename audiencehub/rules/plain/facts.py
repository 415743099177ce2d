"""Which rows of an entity exist, when each is dated, and what they are together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from audiencehub.model import Entity
from audiencehub.rules.language.form import DAY, Aggregate, All, Any_, FieldTest, Node, Not, Rows
from audiencehub.rules.language.profile import Row
from audiencehub.rules.plain.clause import Clause

if TYPE_CHECKING:
    from audiencehub.rules.evaluate import Evaluation

_PRECISION = Decimal("0.000001")
_DATED = {
    "deal": "close_date",
    "technology_install": "first_detected_at",
    "ticket": "created_at",
    "subscription": "started_at",
}
_BORN = {**_DATED, "deal": "created_at"}
_ON_DAYS = ("intent_signal", "deal")


def judge(node: Rows, at: Evaluation) -> Clause:
    """A leaf over facts; nothing of a table that no source fills is known."""
    tests, kind = node.aggregate.tests, node.aggregate.type
    if node.table in at.profile.unfilled:
        return Clause(node, at.judge.tests(tests, None, kind))
    kept = rows_of(at, node.owner, node.table, node.where, node.window)
    value, row = together(at, node.table, node.aggregate, kept)
    verdict = at.judge.tests(tests, value, kind)
    return Clause(node, verdict, value, row or latest(at, node.table, kept), len(kept))


def rows_of(
    at: Evaluation, owner: Entity, table: str, where: Node | None, window: Any
) -> list[Row]:
    """The rows that exist at the clock, fulfil `where` and fall in the window."""
    if owner == "account" and at.profile.account is None:
        return []
    return [
        row
        for row in at.profile.rows.get(table, ())
        if exists(at, table, row)
        and (where is None or fulfils(at, where, row))
        and (window is None or at.judge.tests(window, date_of(at, table, row), kind_of(table)))
    ]


def kind_of(table: str) -> str:
    """Whether the table's rows are dated by days or by instants."""
    return "date" if table in _ON_DAYS else "instant"


def exists(at: Evaluation, table: str, row: Row) -> bool:
    """What is dated after the clock has not happened yet; what has no date has."""
    if table == "intent_signal":
        first = row.get("period_start") or row.get("period_end")
        return first is None or first <= at.today
    born = row.get(_BORN.get(table, "at"))
    return born is None or utc(born) <= at.clock


def fulfils(at: Evaluation, node: Node, row: Row) -> bool:
    """`where` on one row."""
    if isinstance(node, All):
        return all(fulfils(at, part, row) for part in node.parts)
    if isinstance(node, Any_):
        return any(fulfils(at, part, row) for part in node.parts)
    if isinstance(node, Not):
        return not fulfils(at, node.part, row)
    assert isinstance(node, FieldTest), "where holds fields only"
    return at.judge.tests(node.tests, row.get(node.field), node.type)


def date_of(at: Evaluation, table: str, row: Row) -> Any:
    """The date or instant by which a window sees the row."""
    if table == "intent_signal":
        last = row.get("period_end") or row.get("period_start")
        return last if last is None else min(last, at.today)
    return row.get(_DATED.get(table, "at"))


def moment_of(table: str, row: Row, zone: ZoneInfo) -> datetime | None:
    """The instant of a row: for a row dated by days, that day's midnight in the zone."""
    value: date | None = row.get(_DATED.get(table, "at"))
    if value is None or isinstance(value, datetime):
        return None if value is None else utc(value)
    return datetime(value.year, value.month, value.day, tzinfo=zone).astimezone(UTC)


def latest(at: Evaluation, table: str, rows: Sequence[Row]) -> Row | None:
    """The row dated last; any, where none is dated."""
    dated = [row for row in rows if date_of(at, table, row) is not None]
    if not dated:
        return rows[0] if rows else None
    return max(dated, key=lambda row: sortable(date_of(at, table, row)))


def together(
    at: Evaluation, table: str, aggregate: Aggregate, rows: Sequence[Row]
) -> tuple[Any, Row | None]:
    """The aggregate over the rows, and the row it comes from where it comes from one."""
    how, of = aggregate.how, aggregate.of
    if how == "count":
        return len(rows), None
    if how == "distinct":
        return _distinct(at, table, of, rows), None
    known = [row for row in rows if row.get(of) is not None]
    if how in ("sum", "average"):
        return total(how, (row[of] for row in known), aggregate.of_type), None
    if how in ("first", "last"):
        return _end(table, aggregate, known)
    if not known:
        return None, None
    pick = min if how == "min" else max
    row = pick(known, key=lambda one: sortable(one[of]))
    return row[of], row


def _distinct(at: Evaluation, table: str, of: str, rows: Sequence[Row]) -> int:
    if of == DAY:
        dates = (date_of(at, table, row) for row in rows)
        return len({at.judge.day(one) for one in dates if one is not None})
    return len({sortable(row[of]) for row in rows if row.get(of) is not None})


def _end(table: str, aggregate: Aggregate, known: Sequence[Row]) -> tuple[Any, Row | None]:
    """The first or last row; rows of one instant are told apart by the value."""
    name, of = _DATED.get(table, "at"), aggregate.of
    dated = [row for row in known if row.get(name) is not None]
    if not dated:
        return None, None
    pick = min if aggregate.how == "first" else max
    row = pick(dated, key=lambda one: (sortable(one[name]), sortable(one[of])))
    return row[of], row


def total(how: str, values: Iterable[Any], kind: str) -> Decimal | None:
    """Exact sum or average; the numbers of events are taken to six decimals."""
    exact = []
    for value in values:
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        if kind == "number":
            if not number.is_finite() or abs(number) >= Decimal(10) ** 22:
                continue
            number = number.quantize(_PRECISION)
        exact.append(number)
    found = sum(exact, Decimal(0))
    if how == "sum":
        return found
    return found / len(exact) if exact else None


def utc(moment: datetime) -> datetime:
    """An aware instant; naive ones are UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def sortable(value: Any) -> Any:
    """The value, comparable with others of its field."""
    return utc(value) if isinstance(value, datetime) else value
