"""Follow: ask what became of lists after they were sent; each call is short, nobody waits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from audiencehub.connector import Destination
from audiencehub.delivery import outcomes
from audiencehub.delivery.places import may_send
from audiencehub.errors import HubError
from audiencehub.hub import Hub
from audiencehub.ledger import Job
from audiencehub.model import Figures, Target
from audiencehub.opening import open_destination

COUNTED_EVERY = timedelta(hours=20)
"""Platforms count about once a day; a list is asked for so often, and whenever a job ended."""


@dataclass(slots=True)
class Followed:
    """What the platforms said this time."""

    ended: dict[str, dict[str, int]] = field(default_factory=dict)
    """Target to the jobs that ended, by state."""
    rejected: dict[str, dict[str, int]] = field(default_factory=dict)
    """Target to rows that were refused after they had been taken, by the platform's reason."""
    running: int = 0
    """Jobs that are still worked on."""
    figures: dict[str, Figures] = field(default_factory=dict)
    """Target to what was told of the list."""
    again: list[str] = field(default_factory=list)
    """Targets of which a job failed: they are sent whole by the next sync."""
    problems: list[str] = field(default_factory=list)
    """Targets that could not be asked, each with the reason."""


def follow(hub: Hub) -> Followed:
    """Ask every platform once for what is due: the outcome of jobs, and the figures of lists.

    A job that failed as a whole leaves nobody knows what on the list, so that a resync is asked
    for. Nothing is raised for a platform that does not answer.
    """
    found, doors = Followed(), dict[str, Destination]()
    targets = {one.id: one for one in hub.ledger.targets.all() if one.kind == "list"}
    moved = set[str]()
    for job in hub.ledger.jobs.due(hub.now):
        target = targets.get(job.target)
        if target is not None and _reachable(hub, target):
            moved |= _asked(hub, target, job, _door(hub, doors, target), found)
    latest = hub.ledger.figures.latest()
    for target in targets.values():
        if not target.remote or not _reachable(hub, target):
            continue
        last = latest.get(target.id)
        due = last is None or hub.now - last.at >= COUNTED_EVERY or target.id in moved
        if due and _door(hub, doors, target).can.counts:
            _counted(hub, target, _door(hub, doors, target), found)
    found.running = sum(hub.ledger.jobs.running(one) for one in targets)
    return found


def _asked(
    hub: Hub, target: Target, job: Job, destination: Destination, found: Followed
) -> set[str]:
    """Ask for one job; the target when it ended."""
    hub.progress(f"follow {target.id}", 0, None)
    try:
        told = outcomes.ask(hub.ledger, destination, target, job, hub.run_id, hub.now)
    except HubError as error:
        found.problems.append(f"{target.id}: {error}")
        return set()
    if told.state == "failed":
        found.again.append(target.id)
    if told.state == "running":
        return set()
    ended = found.ended.setdefault(target.id, {})
    ended[told.state] = ended.get(told.state, 0) + 1
    if told.rejected:
        sums = Counter(found.rejected.get(target.id, {}))
        sums.update(told.rejected)
        found.rejected[target.id] = dict(sums)
    return {target.id}


def _counted(hub: Hub, target: Target, destination: Destination, found: Followed) -> None:
    try:
        told = destination.figures(target)
    except HubError as error:
        found.problems.append(f"{target.id}: {error}")
        return
    members = len(hub.ledger.delivery.believed(target.id))
    with hub.ledger.transaction():
        hub.ledger.figures.keep(target.id, members, told, hub.now)
    found.figures[target.id] = told


def _reachable(hub: Hub, target: Target) -> bool:
    entry = hub.settings.destinations.get(target.destination)
    return entry is not None and may_send(entry, hub.endpoints, dry_run=hub.dry_run)


def _door(hub: Hub, doors: dict[str, Destination], target: Target) -> Destination:
    if target.destination not in doors:
        doors[target.destination] = open_destination(hub, target.destination)
    return doors[target.destination]
