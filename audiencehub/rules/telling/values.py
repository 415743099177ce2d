"""Values and tests in words a person reads."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from audiencehub.rules.language.form import Check, Tests

SIGNS = {
    "is": "is",
    "is_not": "is not",
    "any_of": "is one of",
    "none_of": "is none of",
    "at_least": "at least",
    "more_than": "more than",
    "at_most": "at most",
    "less_than": "less than",
    "between": "between",
    "contains": "contains",
    "starts_with": "starts with",
    "ends_with": "ends with",
    "matches": "matches",
    "before": "before",
    "after": "after",
    "within": "within the last",
    "older_than": "older than",
    "next": "in the next",
}


def value_text(value: Any, zone: ZoneInfo | None = None) -> str:
    """A value as a person writes it; unknown for None; instants in the zone, to the minute."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value
        return aware.astimezone(zone or UTC).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, Decimal | float | int):
        exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        return f"{exact.quantize(Decimal('0.01')):f}" if exact % 1 else f"{exact:.0f}"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(value_text(one) for one in value) or "none"
    return str(value)


def check_text(check: Check) -> str:
    """`at least 1000`, `is one of fintech, banking`."""
    if check.op == "known":
        return "is known" if check.value is True else "is unknown"
    if check.op == "between" and isinstance(check.value, tuple):
        low, high = check.value
        return f"between {value_text(low)} and {value_text(high)}"
    return f"{SIGNS[check.op]} {value_text(check.value)}"


def tests_text(tests: Tests) -> str:
    """All checks, and what happens to unknown values where that is said."""
    text = " and ".join(check_text(one) for one in tests.checks)
    return f"{text}, or is unknown" if tests.or_unknown else text


def age_text(then: datetime | date | None, clock: datetime, zone: ZoneInfo) -> str:
    """`3 days ago`, in calendar days of the zone; empty when there is no date."""
    if then is None:
        return ""
    if isinstance(then, datetime):
        aware = then.replace(tzinfo=UTC) if then.tzinfo is None else then
        then = aware.astimezone(zone).date()
    days = (clock.astimezone(zone).date() - then).days
    if days == 0:
        return "today"
    unit = f"{abs(days)} day{'s' * (abs(days) != 1)}"
    return f"{unit} ago" if days > 0 else f"in {unit}"
