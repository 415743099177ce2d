"""The tests on one value, in plain Python."""

from __future__ import annotations

import calendar
import operator
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from audiencehub.rules.language.form import Check, Span, Tests
from audiencehub.rules.language.patterns import translate

_PLAIN: dict[str, Callable[[Any, Any], Any]] = {
    "is": operator.eq,
    "is_not": operator.ne,
    "at_least": operator.ge,
    "more_than": operator.gt,
    "at_most": operator.le,
    "less_than": operator.lt,
    "any_of": lambda value, many: value in many,
    "none_of": lambda value, many: value not in many,
    "between": lambda value, pair: pair[0] <= value <= pair[1],
    "contains": lambda value, many: any(one in value for one in _tuple(many)),
    "starts_with": lambda value, many: value.startswith(_tuple(many)),
    "ends_with": lambda value, many: value.endswith(_tuple(many)),
    "matches": lambda value, pattern: translate(pattern).search(value) is not None,
}


class Judge:
    """Applies tests at one clock, in one time zone."""

    def __init__(self, clock: datetime, zone: ZoneInfo) -> None:
        self.clock, self.zone = clock, zone
        self.today = clock.astimezone(zone).date()

    def tests(self, tests: Tests, value: Any, kind: str) -> bool:
        """All checks hold. An unknown value fails them, but for `known` and `or_unknown`."""
        if value is None and tests.or_unknown:
            return True
        return all(self.check(one, value, kind) for one in tests.checks)

    def check(self, check: Check, value: Any, kind: str) -> bool:
        """One check on one value."""
        if check.op == "known":
            return (value is not None) is check.value
        if value is None:
            return False
        if kind == "texts":
            common = bool(set(value) & set(_tuple(check.value)))
            return common if check.op in ("is", "any_of") else not common
        if kind in ("date", "instant"):
            return self._time(check, value)
        given, wanted = _alike(value, kind), _alike_all(check.value, kind)
        return bool(_PLAIN[check.op](given, wanted))

    def day(self, value: date) -> date:
        """The calendar day of a date, or of an instant in the company's time zone."""
        if isinstance(value, datetime):
            aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value
            return aware.astimezone(self.zone).date()
        return value

    def _time(self, check: Check, value: date) -> bool:
        wanted, day = check.value, self.day(value)
        if isinstance(wanted, Span):
            if wanted.unit in ("minute", "hour"):
                assert isinstance(value, datetime), "the loader refuses hours on dates"
                return self._instant(check.op, value, wanted)
            back = move(self.today, wanted, -1)
            return {
                "within": lambda: back < day <= self.today,
                "older_than": lambda: day <= back,
                "next": lambda: self.today < day <= move(self.today, wanted, 1),
            }[check.op]()
        if check.op == "before":
            return day < wanted  # type: ignore[operator]
        if check.op == "after":
            return day > wanted  # type: ignore[operator]
        return bool(_PLAIN[check.op](day, wanted))

    def _instant(self, op: str, value: datetime, span: Span) -> bool:
        aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value
        length = timedelta(minutes=span.count * (60 if span.unit == "hour" else 1))
        if op == "within":
            return self.clock - length < aware <= self.clock
        if op == "older_than":
            return aware <= self.clock - length
        return self.clock < aware <= self.clock + length


def move(day: date, span: Span, sign: int) -> date:
    """A day moved by days, weeks, months or years; the latter clipped to the month's end."""
    if span.unit in ("day", "week"):
        return day + sign * timedelta(days=span.count * (7 if span.unit == "week" else 1))
    months = sign * span.count * (12 if span.unit == "year" else 1)
    year = day.year + (day.month - 1 + months) // 12
    month = (day.month - 1 + months) % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _alike(value: Any, kind: str) -> Any:
    """Numbers as decimals, but those of `number` fields as the doubles they are stored as."""
    if kind == "number":
        return float(value)
    if kind in ("integer", "money", "decimal"):
        return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return value


def _alike_all(value: Any, kind: str) -> Any:
    if isinstance(value, tuple):
        return tuple(_alike(one, kind) for one in value)
    return _alike(value, kind)
