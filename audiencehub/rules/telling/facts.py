"""Leaves over facts, told to people: in words, as seen, and what would turn them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from audiencehub.rules.language.catalog import DATED, LEAF_OF
from audiencehub.rules.language.form import (
    DAY,
    All,
    Any_,
    Check,
    FieldTest,
    Node,
    Not,
    Rows,
    Sequence,
    Step,
    Strength,
    Tests,
    Trend,
)
from audiencehub.rules.plain.clause import Clause
from audiencehub.rules.telling.change import Flip
from audiencehub.rules.telling.values import check_text, tests_text, value_text

_SHOWN = ("name", "technology", "topic")
"""Fields that name what a row is about: their value says enough."""
OverTests = Rows | Trend | Strength


def rows_text(node: Rows) -> str:
    """`event login within the last 30 days: at least 3`."""
    return f"{_aggregated(node)}{_tested(node)}"


def _aggregated(node: Rows) -> str:
    how = node.aggregate.how
    window = f" {tests_text(node.window)}" if node.window else ""
    said = f"{_rows(node.table, node.where)}{window}"
    if how == "count":
        return said
    of = "the date" if node.aggregate.of == DATED[node.table] else node.aggregate.of
    return f"{said}: {how} of {of}"


def _tested(node: Rows) -> str:
    test = tests_text(node.aggregate.tests)
    if node.aggregate.how == "count":
        return "" if test == "at least 1" else f": {test}"
    return f" {test}"


def trend_text(node: Trend) -> str:
    """`event login, change over 30 days: at most -50%`."""
    shown = ", ".join(_share(one) for one in node.tests.checks)
    return f"{_change(node)}: {shown}{', or is unknown' if node.tests.or_unknown else ''}"


def _change(node: Trend) -> str:
    of = "" if node.how == "count" else f" of the {node.how} of {node.of}"
    if node.how == "distinct" and node.of == DAY:
        of = " of the days"
    return f"{_rows(node.table, node.where)}, change{of} over {node.span}"


def _share(check: Check) -> str:
    return check_text(check) if check.op == "known" else f"{check_text(_hundred(check))}%"


def _hundred(check: Check) -> Check:
    """The same check on percent."""
    if check.op == "known":
        return check
    many = check.value if isinstance(check.value, tuple) else (check.value,)
    scaled = tuple(Decimal(one) * 100 for one in many)  # type: ignore[arg-type]
    return Check(check.op, scaled if isinstance(check.value, tuple) else scaled[0])


def strength_text(node: Strength) -> str:
    """`intent crm software, strength with half-life 14 days: at least 50`."""
    return f"{_fading(node)}: {tests_text(node.tests)}"


def _fading(node: Strength) -> str:
    window = f" {tests_text(node.window)}" if node.window else ""
    said = f"{_rows(node.table, node.where)}{window}"
    return f"{said}, strength with half-life {node.half_life} days"


def sequence_text(node: Sequence) -> str:
    """`event cart_updated within the last 30 days, then order, within 3 days`."""
    window = f" {tests_text(node.window)}" if node.window else ""
    word = "then no" if node.missing else "then"
    steps = "".join(f", {word} {_step(one)}" for one in node.then)
    stretch = f", within {node.within}" if node.within else ""
    return f"{_step(node.first)}{window}{steps}{stretch}"


def _step(step: Step) -> str:
    return _rows(step.table, step.where)


def _rows(table: str, where: Node | None) -> str:
    """`event login path starts with /pricing`."""
    said = _where(where, top=True) if where is not None else ""
    return f"{'dropped' if _dropped(table, where) else LEAF_OF[table]}{said}"


def _dropped(table: str, where: Node | None) -> bool:
    """The loader ends `uses` and `dropped` with what tells them apart."""
    last = where.parts[-1] if isinstance(where, All) else where
    return table == "technology_install" and _implied(last) and last.tests.checks[0].value is False  # type: ignore[union-attr]


def _where(node: Node, *, top: bool = False) -> str:
    if isinstance(node, All) and top:
        parts = [one for one in node.parts if not _implied(one)]
        return "".join(_where(one, top=True) for one in parts)
    if isinstance(node, All | Any_):
        word = " and " if isinstance(node, All) else " or "
        return f" ({word.join(_where(one).strip() for one in node.parts)})"
    if isinstance(node, Not):
        return f" not{_where(node.part)}"
    assert isinstance(node, FieldTest), "where holds fields only"
    if node.field in _SHOWN and node.tests.checks[0].op == "is":
        return f" {value_text(node.tests.checks[0].value)}"
    return f" {node.field} {tests_text(node.tests)}"


def _implied(node: Node | None) -> bool:
    return isinstance(node, FieldTest) and node.field == "is_live"


def seen(clause: Clause, zone: ZoneInfo) -> str:
    """The value that the tests were applied to, and over how many rows."""
    node = clause.node
    if isinstance(node, Rows) and node.aggregate.how == "count":
        return value_text(clause.value)
    rows = f"{clause.kept} row{'s' * (clause.kept != 1)}"
    if isinstance(node, Sequence):
        when = f", {value_text(clause.value, zone)}" if clause.value is not None else ""
        return f"{rows} to begin with{when}"
    if isinstance(node, Trend):
        shown = "unknown" if clause.value is None else f"{value_text(clause.value * 100)}%"
        return f"{shown}, {rows} in the last {node.span}"
    return f"{value_text(clause.value, zone)} over {rows}"


def subject(node: OverTests, value: Any) -> tuple[str, Tests, Any, str]:
    """What is tested, the tests, the value and its type, as a person reckons: shares in percent."""
    if isinstance(node, Trend):
        tests = replace(node.tests, checks=tuple(_hundred(one) for one in node.tests.checks))
        return f"{_change(node)}, in percent,", tests, _percent(value), "decimal"
    if isinstance(node, Strength):
        return _fading(node), node.tests, value, "decimal"
    name = _aggregated(node)
    name = f"number of: {name}" if node.aggregate.how == "count" else name
    return name, node.aggregate.tests, value, node.aggregate.type


def _percent(value: Any) -> Any:
    return None if value is None else value * 100


def flip(clause: Clause) -> Flip:
    """What a sequence lacks, or must not have."""
    node = clause.node
    assert isinstance(node, Sequence)
    said = sequence_text(node)
    if clause.verdict:
        return Flip(1.5, (f"no longer: {said}",))
    return Flip(1.5 if clause.kept else 2.0, (f"{said} (now {seen(clause, _UTC)})",))


_UTC = ZoneInfo("UTC")
