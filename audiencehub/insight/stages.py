"""The history of a ladder: who was on which rung from when to when, time on a rung, and moves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from audiencehub.ledger import Ledger
from audiencehub.rules.language.trait import Ladder


@dataclass(frozen=True, slots=True)
class Stage:
    """One stay on one rung; aware instants, None while it lasts."""

    rung: str
    label: str
    entered_at: datetime
    left_at: datetime | None


@dataclass(frozen=True, slots=True)
class Flow:
    """What a ladder did over time."""

    days: Mapping[str, float]
    """Rung to the median days of the stays on it that ended."""
    moves: Mapping[tuple[str, str], int]
    """(rung left, rung entered) to how often someone went that way; a break between counts too."""


def histories(
    ledger: Ledger, ladder: Ladder, moved_since: datetime | None = None
) -> dict[int, tuple[Stage, ...]]:
    """Person or account to the stages passed through, oldest first, as the membership log has them;
    what merged persons had is the survivor's. `moved_since` (aware): only who left a rung since."""
    labels = {one.segment: one for one in ladder.rungs}
    places = {one.segment: place for place, one in enumerate(ladder.rungs)}
    found: dict[int, list[tuple[datetime, int, Stage]]] = {}
    for stay in ledger.stays.of(ladder.of, labels, moved_since):
        rung = labels[stay.segment]
        stage = Stage(rung.id, rung.label, stay.entered_at, stay.left_at)
        found.setdefault(stay.id, []).append((stay.entered_at, places[stay.segment], stage))
    return {
        number: tuple(stage for _, _, stage in sorted(stages, key=lambda one: one[:2]))
        for number, stages in found.items()
    }


def flow(ledger: Ledger, ladder: Ladder, since: datetime | None = None) -> Flow:
    """Time on each rung and moves between rungs, of everyone who left one at `since` or later
    (aware); without it, over all time."""
    spent: dict[str, list[float]] = {}
    moves: Counter[tuple[str, str]] = Counter()
    for stages in histories(ledger, ladder, since).values():
        for place, stage in enumerate(stages):
            if stage.left_at is None or (since is not None and stage.left_at < since):
                continue
            length = (stage.left_at - stage.entered_at).total_seconds() / 86_400
            spent.setdefault(stage.rung, []).append(length)
            moves.update((stage.rung, one.rung) for one in stages[place + 1 : place + 2])
    return Flow({rung: median(days) for rung, days in spent.items()}, dict(moves))
