"""A change between two windows, and intent that fades, for one profile."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import TYPE_CHECKING, Any

from audiencehub.rules.language.form import Aggregate, Check, Strength, Tests, Trend
from audiencehub.rules.language.profile import Row
from audiencehub.rules.plain.clause import Clause
from audiencehub.rules.plain.facts import date_of, kind_of, latest, rows_of, together

if TYPE_CHECKING:
    from audiencehub.rules.evaluate import Evaluation

_MILLIONTH = Decimal("0.000001")
_LARGEST = Decimal(10) ** 12


def judge_trend(node: Trend, at: Evaluation) -> Clause:
    """How much more or less the last window holds than the one before it, as a share."""
    if node.table in at.profile.unfilled:
        return Clause(node, at.judge.tests(node.tests, None, "decimal"))
    rows = rows_of(at, node.owner, node.table, node.where, None)
    new = [row for row in rows if _in_last(node, at, row)]
    old = [row for row in rows if _in_before(node, at, row)]
    last, before = _total(node, at, new), _total(node, at, old)
    value = None
    if last is not None and before:
        value = (Decimal(last) - Decimal(before)) / Decimal(before)
    verdict = at.judge.tests(node.tests, value, "decimal")
    return Clause(node, verdict, value, latest(at, node.table, new), len(new))


def _in_last(node: Trend, at: Evaluation, row: Row) -> bool:
    return _within(node, at, row, node.span.count)


def _in_before(node: Trend, at: Evaluation, row: Row) -> bool:
    return _within(node, at, row, 2 * node.span.count) and not _in_last(node, at, row)


def _within(node: Trend, at: Evaluation, row: Row, count: int) -> bool:
    span = type(node.span)(count, node.span.unit)
    window = Tests((Check("within", span),))
    return at.judge.tests(window, date_of(at, node.table, row), kind_of(node.table))


def _total(node: Trend, at: Evaluation, rows: list[Row]) -> Any:
    if node.of_type == "number":
        rows = [{**row, node.of: _number(row.get(node.of))} for row in rows]
    what = Aggregate(node.how, node.of, node.of_type, "decimal", node.tests)
    return together(at, node.table, what, rows)[0]


def _number(value: Any) -> Decimal | None:
    """A double as six decimals; infinities and what is beyond a million millions is unknown."""
    if value is None:
        return None
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite() or abs(number) >= _LARGEST:
        return None
    return number.quantize(_MILLIONTH)


def judge_strength(node: Strength, at: Evaluation) -> Clause:
    """The strongest signal, each halved for every half-life of its age."""
    if node.table in at.profile.unfilled:
        return Clause(node, at.judge.tests(node.tests, None, "decimal"))
    rows = rows_of(at, node.owner, node.table, node.where, node.window)
    found = [(_left(node, at, row), row) for row in rows]
    known = [(value, row) for value, row in found if value is not None]
    value, row = max(known, key=lambda one: one[0], default=(None, None))
    verdict = at.judge.tests(node.tests, value, "decimal")
    return Clause(node, verdict, value, row or latest(at, node.table, rows), len(rows))


def _left(node: Strength, at: Evaluation, row: Row) -> Decimal | None:
    day: date | None = date_of(at, node.table, row)
    score = _number(row.get("score"))
    if day is None or score is None:
        return None
    with localcontext() as context:
        context.prec = 40
        lives = Decimal((at.today - day).days) / Decimal(node.half_life)
        return score * (1 / Decimal(2) ** lives).quantize(_MILLIONTH, ROUND_HALF_UP)
