"""The digest of a run: who entered and left, what was sent, what waits for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

LONGEST = 10
"""Lines of one kind; Slack asks for texts below 4,000 characters (docs.slack.dev, chat.postMessage)
and folds long ones away."""


def digest(
    env: str, state: str, at: datetime, summary: Mapping[str, Any], labels: Mapping[str, str]
) -> str:
    """The message of one run, in Slack's marks but not escaped; empty when nothing happened that
    anybody would read about. Counts, segments and targets: nobody is named.
    """
    parts = {
        "Segments": _movement(summary.get("segment", {}), labels),
        "Sent": _sent(summary.get("pushed", [])),
        "Waiting for approval": _held(summary.get("plans", []), env),
        "Problems": [one.splitlines()[0] for one in summary.get("problems", [])],
    }
    if not any(parts.values()):
        return ""
    lines = [f"*[{env}] run {state}*, {at:%Y-%m-%d %H:%M} UTC"]
    for head, said in parts.items():
        lines += [f"*{head}*"] * bool(said) + _cut(said)
    return "\n".join(lines)


def _movement(found: Mapping[str, Any], labels: Mapping[str, str]) -> list[str]:
    """Segments that changed, those with the most movement first."""
    entered, left = found.get("entered", {}), found.get("left", {})
    moved = {name: (entered.get(name, 0), left.get(name, 0)) for name in [*entered, *left]}
    return [
        f"{labels.get(name, name)}: {_moved(into, out)}, now {found['sizes'].get(name, 0):,}"
        for name, (into, out) in sorted(moved.items(), key=lambda one: (-sum(one[1]), one[0]))
        if into or out
    ]


def _moved(into: int, out: int) -> str:
    return _counted((into, "entered"), (out, "left"))


def _counted(*counts: tuple[int, str]) -> str:
    return ", ".join(f"{count:,} {what}" for count, what in counts if count)


def _sent(pushed: Sequence[Mapping[str, Any]]) -> list[str]:
    kinds = ("confirmed", "rejected", "unknown", "held")
    return [
        f"{one['target']}: {_counted(*((one[kind], kind) for kind in kinds))}"
        for one in pushed
        if any(one[kind] for kind in kinds)
    ]


def _held(plans: Sequence[Mapping[str, Any]], env: str) -> list[str]:
    return [
        f"{one['target']}: {_counted((one['adds'], 'to add'), (one['removes'], 'to remove'))}"
        f" -> `audiencehub approve {one['plan_id']} --reason … --env {env}`"
        for one in plans
        if one["verdict"] == "hold"
    ]


def _cut(lines: Sequence[str]) -> list[str]:
    more = len(lines) - LONGEST
    shown = [f"• {one}" for one in lines[:LONGEST]]
    return [*shown, f"• and {more:,} more"] if more > 0 else shown
