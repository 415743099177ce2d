"""Dates in examples, relative to the clock."""

from __future__ import annotations

from typing import Any

from audiencehub.rules.language.profile import Ago
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.literals import literal
from audiencehub.rules.load.tree import Map

AGO = ("days_ago", "hours_ago", "days_ahead")


def read_ago(desk: Desk, node: Map) -> Ago | None:
    """`{days_ago: 3}` or `{days_ahead: 1}`, or None and faults."""
    desk.only(node, "a relative date", AGO)
    counts = {key.text: literal(desk, value, "integer") for key, value in node.entries}
    return as_ago(counts) if any(name in counts for name in AGO) else None


def as_ago(counts: dict[str, Any]) -> Ago:
    """The numbers beside a row or a date; those left out are nought."""
    days = (counts.get("days_ago") or 0) - (counts.get("days_ahead") or 0)
    return Ago(days, counts.get("hours_ago") or 0)
