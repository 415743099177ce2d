"""Guards: what holds a plan before anything of it is sent. Counted against believed. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from audiencehub.delivery.places import Activation
from audiencehub.settings import Guards

FEW_REJECTS = 10
"""Fewer rejected rows than this never hold a plan, whatever their share."""


@dataclass(frozen=True, slots=True)
class GuardResult:
    """One guard's verdict on one plan; `defer` leaves out removals and lets the rest go."""

    name: str
    verdict: Literal["ok", "hold", "defer"]
    message: str
    segment: str | None = None
    seen: float = 0
    limit: float = 0


def volume(
    guards: Guards,
    activations: Mapping[str, Activation],
    before: Counter[str],
    enters: Counter[str],
    leaves: Counter[str],
    segments: Mapping[str, Guards] | None = None,
) -> list[GuardResult]:
    """Removals, adds and falling to none, per segment that moves. `segments` has the limits of
    those that have their own; a rule's own `max_removals` counts before any setting."""
    results = []
    for segment in sorted(enters.keys() | leaves.keys()):
        held, into, out = before[segment], enters[segment], leaves[segment]
        limits = (segments or {}).get(segment, guards)
        share, count = limits.removals_share, limits.removals_count
        own = activations.get(segment)
        if own is not None and own.max_removals_share is not None:
            share = own.max_removals_share
        if own is not None and own.max_removals_count is not None:
            count = own.max_removals_count
        results += [
            _judged("removals", segment, out, held, share, count),
            _judged("adds", segment, into, held, limits.adds_share, limits.adds_count),
        ]
        if limits.segment_to_none and held and held + into - out <= 0:
            message = f"{segment} would fall from {held:,} to none"
            results.append(GuardResult("segment_to_none", "hold", message, segment, 0, 1))
    return results


def _judged(
    name: str, segment: str, moved: int, held: int, share: float, count: int
) -> GuardResult:
    hold = moved > share * held and moved > count
    message = f"{moved:,} {name} against {held:,} held"
    if hold:
        message += f", above {share:.0%} and {count:,}"
    return GuardResult(
        name, "hold" if hold else "ok", message, segment, moved, max(share * held, count)
    )


def field_share(guards: Guards, written: int, records: int) -> GuardResult:
    """How much of a CRM's records a plan touches."""
    limit = guards.field_share * records
    hold = written > limit
    message = f"{written:,} of {records:,} records would be written"
    if hold:
        message += f", above {guards.field_share:.0%}"
    return GuardResult("field_share", "hold" if hold else "ok", message, None, written, limit)


def first_run(guards: Guards, *, first: bool, live: bool, changes: int) -> GuardResult:
    """A target's first plan is looked at; on a live destination always."""
    hold = first and changes > 0 and (live or guards.first_run == "hold")
    message = "the first plan of this target" if first else "this target was pushed before"
    return GuardResult("first_run", "hold" if hold else "ok", message)


def rejects(guards: Guards, rejected: int, of: int) -> GuardResult:
    """How much the destination refused."""
    limit = max(guards.reject_share * of, FEW_REJECTS - 1)
    hold = rejected > limit
    message = f"{rejected:,} of {of:,} rows were rejected by the last push"
    return GuardResult("rejects", "hold" if hold else "ok", message, None, rejected, limit)


def verdict(results: Sequence[GuardResult]) -> Literal["go", "hold"]:
    """One guard that holds, holds the plan."""
    return "hold" if any(one.verdict == "hold" for one in results) else "go"
