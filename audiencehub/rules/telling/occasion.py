"""Occasions, in words."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from audiencehub.rules.evaluate import Evaluation
from audiencehub.rules.language.form import Check, Occasion
from audiencehub.rules.plain.clause import Clause
from audiencehub.rules.telling.change import Flip
from audiencehub.rules.telling.values import value_text

_UNKNOWN = {"holiday": "country", "yearly": "date", "local_time": "time zone"}


def text(node: Occasion) -> str:
    """`christmas_day in the next 14 days`, `it is locally monday, 09:00 to 17:00`."""
    if node.kind == "local_time":
        days = ", ".join(node.days) or "any day"
        hours = f", {_time(node.hours[0])} to {_time(node.hours[1])}" if node.hours else ""
        return f"it is locally {days}{hours}"
    assert node.window is not None, "the loader gives holidays and yearly dates a window"
    when = _when(node.window.checks[0])
    if node.kind == "holiday":
        place = f" of {node.country}" if node.country else ""
        return f"{' or '.join(node.names) or 'a public holiday'}{place} {when}"
    assert node.by is not None, "the loader gives a yearly date its field"
    return f"anniversary of {node.by.name} {when}"


def seen(clause: Clause, zone: ZoneInfo) -> str:
    """The value as text; what is unknown where it is."""
    node = clause.node
    assert isinstance(node, Occasion)
    return (
        value_text(clause.value, zone)
        if clause.value is not None
        else f"unknown {_UNKNOWN[node.kind]}"
    )


def flip(clause: Clause, at: Evaluation) -> Flip:
    """The occasion comes, or has passed: nothing that anyone can change but the calendar."""
    node = clause.node
    assert isinstance(node, Occasion)
    now = f"(now {seen(clause, at.zone)})"
    if clause.verdict:
        return Flip(2.0, (f"no longer {text(node)} {now}",))
    return Flip(2.0, (f"{text(node)} {now}",))


def _when(check: Check) -> str:
    if check.op == "next":
        return f"in the next {check.value}"
    return "today" if str(check.value) == "1 day" else f"within the last {check.value}"


def _time(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
