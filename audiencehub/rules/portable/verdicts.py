"""Tests on one value as SQL: true where they hold, false or null where they do not.

Null stands for false until a complement is taken (`tree.Tree`), as the language's two values ask.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from audiencehub.rules.language.form import Check, Span, Tests
from audiencehub.rules.portable.dialect import Dialect
from audiencehub.rules.portable.text import either, together
from audiencehub.rules.portable.values import (
    NOW,
    TODAY,
    TOMORROW,
    Day,
    Values,
    When,
    ago,
    ahead,
    back,
    hence,
    on,
    start_of,
)

_COMPARED = {
    "is": "=",
    "is_not": "<>",
    "at_least": ">=",
    "more_than": ">",
    "at_most": "<=",
    "less_than": "<",
}


class Verdicts:
    """Writes tests in one dialect, binding their literals."""

    def __init__(self, dialect: Dialect, values: Values) -> None:
        self.dialect, self.values = dialect, values

    def bind(self, value: Any, stem: str = "") -> str:
        """The mark of a value, or of what follows from the clock; `stem` names it."""
        return self.dialect.mark(self.values.name(self.dialect.value(value), stem))

    def tests(self, tests: Tests, value: str, kind: str, times: str = "") -> str:
        """All checks on a value of that type. `times` multiplies the literals, for averages."""
        found = together([self.check(one, value, kind, times) for one in tests.checks])
        return either([f"{value} IS NULL", found]) if tests.or_unknown else found

    def unknown(self, tests: Tests) -> str:
        """The tests on a value that is unknown for everyone."""
        known = all(one.op == "known" and one.value is False for one in tests.checks)
        return "TRUE" if tests.or_unknown or known else "FALSE"

    def check(self, check: Check, value: str, kind: str, times: str = "") -> str:
        """One check."""
        if check.op == "known":
            return f"{value} IS NOT NULL" if check.value is True else f"{value} IS NULL"
        if kind == "texts":
            wanted = [self.bind(one) for one in _many(check)]
            found = self.dialect.has_any(value, wanted)
            if check.op in ("is", "any_of"):
                return found
            return together([f"{value} IS NOT NULL", f"NOT ({found})"])
        if kind in ("date", "instant"):
            return self._time(check, value, kind)
        return self._plain(check, value, lambda one: self._literal(one, kind, times))

    def _literal(self, value: Any, kind: str, times: str) -> str:
        if kind == "boolean":
            return "TRUE" if value else "FALSE"
        if kind == "number":
            return self.bind(float(value))
        if kind in ("money", "decimal"):
            return self.bind(Decimal(value)) + times
        return self.bind(value) + times

    def _plain(self, check: Check, value: str, literal: Callable[[Any], str]) -> str:
        if check.op == "matches":
            found = self.dialect.pattern(str(check.value))
            return self.dialect.matches(value, self.bind(found, "pattern"))
        many = [literal(one) for one in _many(check)]
        if check.op == "between":
            return f"{value} BETWEEN {many[0]} AND {many[1]}"
        if check.op in ("any_of", "none_of"):
            return f"{value} {'IN' if check.op == 'any_of' else 'NOT IN'} ({', '.join(many)})"
        if check.op in _COMPARED:
            return f"{value} {_COMPARED[check.op]} {many[0]}"
        part = {
            "contains": self.dialect.contains,
            "starts_with": self.dialect.starts_with,
            "ends_with": self.dialect.ends_with,
        }[check.op]
        return either([part(value, one) for one in many])

    def _time(self, check: Check, value: str, kind: str) -> str:
        if check.op in ("within", "older_than", "next"):
            assert isinstance(check.value, Span), "the loader gives windows a span"
            return self._span(check.op, check.value, value, kind)
        days = [_date(one) for one in _many(check)]
        if check.op == "before":
            return f"{value} < {self._edge(on(days[0]), kind)}"
        if check.op == "after":
            return f"{value} >= {self._edge(on(days[0], 1), kind)}"
        if check.op == "between":
            return self._days(value, days[0], days[1], kind)
        found = either([self._days(value, one, one, kind) for one in days])
        return found if check.op in ("is", "any_of") else f"NOT ({found})"

    def _days(self, value: str, first: date, last: date, kind: str) -> str:
        if kind == "date":
            if first == last:
                return f"{value} = {self.bind(on(first))}"
            return f"{value} BETWEEN {self.bind(on(first))} AND {self.bind(on(last))}"
        start, end = (self.bind(start_of(one)) for one in (on(first), on(last, 1)))
        return together([f"{value} >= {start}", f"{value} < {end}"])

    def _span(self, op: str, span: Span, value: str, kind: str) -> str:
        if span.exact:
            return self._stretch(op, span, value)
        if op == "older_than":
            return f"{value} < {self._edge(back(span), kind)}"
        first, last = (back(span), TODAY) if op == "within" else (TOMORROW, ahead(span))
        if kind == "date":
            return f"{value} BETWEEN {self.bind(first)} AND {self.bind(last)}"
        after = TOMORROW if op == "within" else ahead(span, 1)
        start, end = self.bind(start_of(first)), self.bind(start_of(after))
        return together([f"{value} >= {start}", f"{value} < {end}"])

    def _stretch(self, op: str, span: Span, value: str) -> str:
        """Hours and minutes from the clock; the stretch behind it ends at the clock itself."""
        if op == "older_than":
            return f"{value} <= {self.bind(ago(span))}"
        start, end = (ago(span), NOW) if op == "within" else (NOW, hence(span))
        return together([f"{value} > {self.bind(start)}", f"{value} <= {self.bind(end)}"])

    def _edge(self, day: Day, kind: str) -> str:
        """A day to compare with: as the instant it begins where instants are compared."""
        edge: When = day if kind == "date" else start_of(day)
        return self.bind(edge)


def _many(check: Check) -> tuple[Any, ...]:
    return check.value if isinstance(check.value, tuple) else (check.value,)


def _date(value: object) -> date:
    assert isinstance(value, date), "the loader gives dates"
    return value
