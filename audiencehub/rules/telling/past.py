"""Earlier membership, in words."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from audiencehub.rules.evaluate import Evaluation
from audiencehub.rules.language.form import Past
from audiencehub.rules.plain.clause import Clause
from audiencehub.rules.telling.change import Flip
from audiencehub.rules.telling.values import tests_text, value_text

_SAID = {
    "was_in": ("was in segment {0}", "enter segment {0}", "in it since {1}", "never in it"),
    "entered": ("entered segment {0}", "enter segment {0}", "entered {1}", "never entered"),
    "left": ("left segment {0}", "leave segment {0}", "left {1}", "never left"),
}


def text(node: Past) -> str:
    """`was in segment x within the last 90 days`."""
    window = tests_text(node.window) if node.window else ""
    return f"{_SAID[node.event][0].format(node.segment)}{f' {window}' if window else ''}"


def seen(clause: Clause, zone: ZoneInfo) -> str:
    """`entered 2026-01-03 10:00`, or `never entered`."""
    node = clause.node
    assert isinstance(node, Past)
    _, _, known, never = _SAID[node.event]
    return (
        never
        if clause.value is None
        else known.format(node.segment, value_text(clause.value, zone))
    )


def flip(clause: Clause, at: Evaluation) -> Flip:
    """What would have to happen; time alone may do it where a window passes."""
    node = clause.node
    assert isinstance(node, Past)
    now = f"(now {seen(clause, at.zone)})"
    if not clause.verdict:
        return Flip(1.5, (f"{_SAID[node.event][1].format(node.segment)} {now}",))
    return Flip(2.0, (f"no longer: {text(node)} {now}",))
