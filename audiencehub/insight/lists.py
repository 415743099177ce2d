"""Lists for the report: what each platform told last, and how it was before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from audiencehub.ledger import Ledger
from audiencehub.ledger.figures import Told

LOOKED_BACK = timedelta(days=30)
MOST = 60
"""Figures of one list that are looked through: two a day."""
STATES = {"too_small": "too small to be used", "gone": "not there any more"}


@dataclass(frozen=True, slots=True)
class ListRow:
    """One list."""

    target: str
    label: str
    members: int
    """Whom the hub believes to be on it."""
    there: str
    """How many the platform counts; empty where it tells nothing."""
    found: str
    """The share that it recognized."""
    before: str
    """That share when it was first told of within the last thirty days, where it was another."""
    state: str
    rejected: int
    """Rows refused after they had been taken, within the last thirty days."""


def lists(ledger: Ledger, at: datetime) -> list[ListRow]:
    """Every list with a member, or of which its platform told; by target."""
    found = []
    for target in ledger.targets.all():
        if target.kind != "list":
            continue
        members = len(ledger.delivery.believed(target.id))
        history = ledger.figures.history(target.id, MOST)
        if not members and not history:
            continue
        recent = [one for one in history if at - one.at <= LOOKED_BACK]
        first, last = (recent[-1] if recent else None), (history[0] if history else None)
        now, then = _share(last), _share(first)
        state = last.figures.state if last else ""
        rejected = ledger.jobs.rejected(target.id, at - LOOKED_BACK).total()
        found.append(
            ListRow(
                target.id,
                target.label,
                members,
                _size(last),
                now,
                then if then != now else "",
                STATES.get(state, state),
                rejected,
            )
        )
    return found


def _size(one: Told | None) -> str:
    if one is None or one.figures.size is None:
        return ""
    low, high = one.figures.size
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _share(one: Told | None) -> str:
    if one is None or one.figures.match is None:
        return ""
    low, high = one.figures.match
    return f"{low:.0%}" if low == high else f"{low:.0%} to {high:.0%}"
