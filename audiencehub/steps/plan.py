"""Plan: per target what differs from what it is believed to hold; stored, judged, nothing sent."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

from audiencehub.connector import Destination
from audiencehub.delivery import crash
from audiencehub.delivery.batching import Loader
from audiencehub.delivery.courier import Courier
from audiencehub.delivery.draft import Planning, PlanSummary, draft
from audiencehub.delivery.places import Place, may_send, places
from audiencehub.delivery.quota import Budget
from audiencehub.delivery.suppression import withhold
from audiencehub.delivery.trust import recalled, trust
from audiencehub.delivery.wire import Wire
from audiencehub.errors import HubError, Stop, Wait
from audiencehub.hub import Hub
from audiencehub.ledger import Lease
from audiencehub.opening import open_destination
from audiencehub.settings import DestinationEntry


@dataclass(frozen=True, slots=True)
class RunPlan:
    """The plans of all targets, by destination and target; consent removals come first."""

    run_id: str
    plans: tuple[PlanSummary, ...]
    problems: tuple[str, ...] = ()
    """Targets of which something is in doubt and could not be settled now, each with the reason."""

    @property
    def held(self) -> tuple[PlanSummary, ...]:
        """Those that wait for approval."""
        return tuple(one for one in self.plans if one.verdict == "hold")


def plan(hub: Hub, only: Collection[str] | None = None) -> RunPlan:
    """Settle what earlier runs left open, then plan every target, or these, of all destinations.

    A plan that stands afterwards is one that says what rules, settings, data and consent say now;
    others are void, with the reason.

    What a destination does not let settle now stays in doubt, is left out of its plan, and is a
    problem of the run; the other targets proceed. Raises Wait when another process is pushing a
    target.
    """
    crash.point("before_plan")
    _ask_witnesses(hub)
    connection = hub.warehouse.connection
    planning = Planning(hub.ledger, hub.settings, connection, hub.run_id, hub.now, hub.rules)
    withhold(connection, hub.ledger, hub.now)
    found: list[PlanSummary] = []
    problems: list[str] = []
    for name, entry in hub.settings.destinations.items():
        destination = open_destination(hub, name)
        budget = Budget(hub.ledger, destination, hub.now)
        known = [one for one in hub.ledger.targets.all() if one.destination == name]
        for place in places(hub.rules, name, entry, destination.can, known):
            if not _concerns(hub, place) or (only is not None and place.target.id not in only):
                continue
            hub.progress(f"plan {place.target.id}", 0, None)
            with hub.ledger.leases.held(place.target.id, hub.run_id) as lease:
                if not trust(hub.ledger, place.target, destination.can).held:
                    problems += _recover(hub, place, destination, entry, lease)
                found += draft(planning, place, budget, lease)
    crash.point("after_plan")
    return RunPlan(hub.run_id, tuple(found), tuple(problems))


def _ask_witnesses(hub: Hub) -> None:
    """Whether any destination that can tell was last sent to by a later ledger than this one: a
    push asks its own again, but those that cannot tell must know before they are sent to."""
    for name, entry in hub.settings.destinations.items():
        destination = open_destination(hub, name)
        if not destination.can.remembers:
            continue
        if not may_send(entry, hub.endpoints, dry_run=hub.dry_run):
            continue
        known = [one for one in hub.ledger.targets.all() if one.destination == name]
        for place in places(hub.rules, name, entry, destination.can, known):
            # Where nothing answers now, the push will ask, and send nothing without an answer.
            with suppress(HubError):
                recalled(hub.ledger, destination, place.target)


def _concerns(hub: Hub, place: Place) -> bool:
    """A segment goes there, or something of an earlier one is still to be taken out or decided."""
    delivery, target = hub.ledger.delivery, place.target.id
    return bool(
        place.segments
        or delivery.believed(target)
        or delivery.unsettled(target)
        or hub.ledger.plans.open(target, "change")
        or hub.ledger.resyncs.under_way(target)
    )


def _recover(
    hub: Hub, place: Place, destination: Destination, entry: DestinationEntry, lease: Lease
) -> list[str]:
    """Settle what is in doubt; why that cannot be done now."""
    target = place.target
    if not hub.ledger.delivery.unsettled(target.id):
        return []
    if not may_send(entry, hub.endpoints, dry_run=hub.dry_run):
        return []
    wire = Wire(hub.ledger, lease, destination, target, hub.run_id, hub.now, hub.extra.get("pause"))
    limits = hub.settings.guards_of(target.id)
    try:
        Courier(wire, Loader(wire, entry.drift), limits, hub.progress).recover()
    except (Stop, Wait) as error:
        return [f"{target.id}: {error}"]
    return []
