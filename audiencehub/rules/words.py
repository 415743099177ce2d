"""Clauses, tests and values in words a person reads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from audiencehub.rules.language.catalog import DATED, LEAF_OF, spoken
from audiencehub.rules.language.form import (
    All,
    Any_,
    Check,
    Contacts,
    FieldTest,
    MatchAll,
    Node,
    Not,
    Occasion,
    Rank,
    Rows,
    SegmentRef,
    Tests,
)
from audiencehub.rules.telling import contacts, occasion, rank

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


def field_text(node: FieldTest) -> str:
    """A field or a trait as a rule writes it."""
    return f"trait.{node.field}" if node.trait else f"{node.scope}.{spoken(node.field)}"


def node_text(node: Node) -> str:
    """One node in words."""
    if isinstance(node, FieldTest):
        return f"{field_text(node)} {tests_text(node.tests)}"
    told = _TOLD.get(type(node))
    if told is not None:
        return told(node)
    return "all of" if isinstance(node, All) else "any of"


def whole_text(node: Node) -> str:
    """A clause with everything below it, on one line."""
    if isinstance(node, All | Any_):
        word = " and " if isinstance(node, All) else " or "
        return word.join(
            f"({whole_text(one)})" if _joined(one) else whole_text(one) for one in node.parts
        )
    if isinstance(node, Not):
        inner = whole_text(node.part)
        return f"not ({inner})" if isinstance(node.part, All | Any_ | Not) else f"not {inner}"
    return node_text(node)


def _joined(node: Node) -> bool:
    return isinstance(node, All | Any_) and len(node.parts) > 1


def _rows_text(node: Rows) -> str:
    leaf, how = LEAF_OF[node.table], node.aggregate.how
    where = _where_text(node.where, top=True) if node.where is not None else ""
    window = f" {tests_text(node.window)}" if node.window else ""
    if how == "count":
        test = tests_text(node.aggregate.tests)
        said = f"{leaf}{where}{window}"
        return said if test == "at least 1" else f"{said}: {test}"
    of = "the date" if node.aggregate.of == DATED[node.table] else node.aggregate.of
    return f"{leaf}{where}{window}: {how} of {of} {tests_text(node.aggregate.tests)}"


def _where_text(node: Node, *, top: bool = False) -> str:
    if isinstance(node, All) and top:
        parts = [one for one in node.parts if not _implied(one)]
        return "".join(_where_text(one, top=True) for one in parts)
    if isinstance(node, All | Any_):
        word = " and " if isinstance(node, All) else " or "
        return f" ({word.join(_where_text(one).strip() for one in node.parts)})"
    if isinstance(node, Not):
        return f" not{_where_text(node.part)}"
    assert isinstance(node, FieldTest), "where holds fields only"
    if node.field in ("name", "technology", "topic") and node.tests.checks[0].op == "is":
        return f" {value_text(node.tests.checks[0].value)}"
    return f" {node.field} {tests_text(node.tests)}"


def _implied(node: Node) -> bool:
    return isinstance(node, FieldTest) and node.field == "is_live"


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


_TOLD: dict[type, Callable[[Any], str]] = {
    Rows: _rows_text,
    SegmentRef: lambda node: f"in segment {node.segment}",
    MatchAll: lambda node: "everyone",
    Not: lambda node: f"not on an earlier rung, {node.rung}" if node.rung else "not",
    Contacts: lambda node: contacts.text(node, whole_text),
    Rank: rank.text,
    Occasion: occasion.text,
}
"""How each kind of node is said, but for fields and for all and any."""
