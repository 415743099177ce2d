"""SQL of the tests on one value. Everything here answers true or false, never null."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from audiencehub.rules.compile.bind import Binder, Day, Midnight, Moment, Recipe
from audiencehub.rules.language.form import Check, Span, Tests

TODAY = Day()
NOW = Moment()
_SIZE = {"at_least": ">=", "more_than": ">", "at_most": "<=", "less_than": "<"}
_PART = {
    "contains": "contains",
    "starts_with": "starts_with",
    "ends_with": "ends_with",
    "matches": "regexp_matches",
}


@dataclass(frozen=True, slots=True)
class Edges:
    """A stretch of time, from (inclusive) and until (exclusive); None is open."""

    start: Recipe | None = None
    end: Recipe | None = None
    open_start: bool = False
    """The start itself is outside: for spans of hours, which end at the clock."""
    closed_end: bool = False


def tests_sql(tests: Tests, value: str, kind: str, bind: Binder, times: str = "") -> str:
    """All checks on a SQL value of a type. `times` multiplies number literals (for averages)."""
    checks = " AND ".join(check_sql(one, value, kind, bind, times) for one in tests.checks)
    known = f"coalesce({checks}, false)"
    return f"({value} IS NULL OR {known})" if tests.or_unknown else known


def check_sql(check: Check, value: str, kind: str, bind: Binder, times: str = "") -> str:
    """One check; null where the value is, except for `known`."""
    if check.op == "known":
        return f"{value} IS {'NOT ' * (check.value is True)}NULL"
    if kind == "texts":
        return _texts(check, value, bind)
    if kind in ("date", "instant"):
        return _time(check, value, kind, bind)
    return _plain(check, value, _literal(kind, bind, times))


def _plain(check: Check, value: str, literal: Callable[[Any], str]) -> str:
    many = [literal(one) for one in _many(check)]
    if check.op == "between":
        return f"({value} >= {many[0]} AND {value} <= {many[1]})"
    if check.op in ("is", "any_of", "is_not", "none_of"):
        word = "IN" if check.op in ("is", "any_of") else "NOT IN"
        return f"{value} {word} ({', '.join(many)})"
    if check.op in _SIZE:
        return f"{value} {_SIZE[check.op]} {many[0]}"
    found = " OR ".join(f"{_PART[check.op]}({value}, {one})" for one in many)
    return f"({found})"


def _many(check: Check) -> tuple[Any, ...]:
    return check.value if isinstance(check.value, tuple) else (check.value,)


def _literal(kind: str, bind: Binder, times: str) -> Callable[[Any], str]:
    def literal(value: Any) -> str:
        if kind == "number":
            return bind(float(value))
        if kind in ("money", "decimal"):
            return bind(Decimal(value)) + times
        return bind(value)

    return literal


def _texts(check: Check, value: str, bind: Binder) -> str:
    found = f"list_has_any({value}, [{', '.join(bind(one) for one in _many(check))}])"
    wanted = found if check.op in ("is", "any_of") else f"NOT {found}"
    return f"CASE WHEN {value} IS NOT NULL THEN {wanted} END"


def _time(check: Check, value: str, kind: str, bind: Binder) -> str:
    if check.op in ("is", "any_of", "is_not", "none_of"):
        fixed = (_fixed(one) for one in _many(check))
        days = (Edges(Day(fixed=one), Day(fixed=one, plus=1)) for one in fixed)
        found = " OR ".join(_within(value, one, kind, bind) for one in days)
        return f"({found})" if check.op in ("is", "any_of") else f"NOT ({found})"
    return _within(value, edges(check), kind, bind)


def edges(check: Check) -> Edges:
    """The stretch of time that a check of time means; days are those of the company's zone."""
    value = check.value
    if check.op == "between" and isinstance(value, tuple):
        return Edges(Day(fixed=_fixed(value[0])), Day(fixed=_fixed(value[1]), plus=1))
    if check.op == "before":
        return Edges(end=Day(fixed=_fixed(value)))
    if check.op == "after":
        return Edges(Day(fixed=_fixed(value), plus=1))
    assert isinstance(value, Span), "the loader gives windows a span"
    if value.exact:
        back, ahead = Moment(value, -1), Moment(value, 1)
        return {
            "within": Edges(back, NOW, open_start=True, closed_end=True),
            "older_than": Edges(None, back, closed_end=True),
            "next": Edges(NOW, ahead, open_start=True, closed_end=True),
        }[check.op]
    start = Day(span=value, sign=-1, plus=1)
    return {
        "within": Edges(start, Day(plus=1)),
        "older_than": Edges(None, start),
        "next": Edges(Day(plus=1), Day(span=value, sign=1, plus=1)),
    }[check.op]


def point(recipe: Recipe, kind: str) -> Recipe:
    """A day as the instant it begins, where instants are compared."""
    return Midnight(recipe) if kind == "instant" and isinstance(recipe, Day) else recipe


def _within(value: str, edge: Edges, kind: str, bind: Binder) -> str:
    parts = []
    if edge.start is not None:
        parts.append(f"{value} {'>' if edge.open_start else '>='} {bind(point(edge.start, kind))}")
    if edge.end is not None:
        parts.append(f"{value} {'<=' if edge.closed_end else '<'} {bind(point(edge.end, kind))}")
    return f"({' AND '.join(parts)})"


def _fixed(value: object) -> date:
    assert isinstance(value, date), "the loader gives dates"
    return value


def holds_for_none(tests: Tests) -> bool:
    """Whether the tests hold on an unknown value."""
    return tests.or_unknown or all(c.op == "known" and c.value is False for c in tests.checks)


def holds_for_zero(tests: Tests) -> bool:
    """Whether the tests hold on the number nought, which counts and sums are without rows."""
    return all(_zero(one) for one in tests.checks)


def _zero(check: Check) -> bool:
    many = _many(check)
    answers: dict[str, Callable[[], Any]] = {
        "known": lambda: check.value is True,
        "is": lambda: many[0] == 0,
        "is_not": lambda: many[0] != 0,
        "any_of": lambda: 0 in many,
        "none_of": lambda: 0 not in many,
        "at_least": lambda: many[0] <= 0,
        "more_than": lambda: many[0] < 0,
        "at_most": lambda: many[0] >= 0,
        "less_than": lambda: many[0] > 0,
        "between": lambda: many[0] <= 0 <= many[-1],
    }
    return bool(answers[check.op]())
