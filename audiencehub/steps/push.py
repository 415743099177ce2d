"""Push: bring one target to what its released plans say, and prove it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from audiencehub.connector import Destination
from audiencehub.delivery import crash, quota
from audiencehub.delivery.batching import Loader
from audiencehub.delivery.courier import Courier
from audiencehub.delivery.drift import sweep
from audiencehub.delivery.places import may_send, places
from audiencehub.delivery.trust import (
    recalled,
    refuse,
    sent_before,
    sent_whole,
    trust,
    witnessed,
)
from audiencehub.delivery.wire import Wire
from audiencehub.disk import demand_space, kept
from audiencehub.errors import ConfigError
from audiencehub.http import metered
from audiencehub.hub import Hub
from audiencehub.ledger import Lease, Plan
from audiencehub.ledger.leases import REQUEST_TIMEOUT
from audiencehub.model import Target
from audiencehub.opening import open_destination
from audiencehub.settings import DestinationEntry


@dataclass(frozen=True, slots=True)
class Pushed:
    """What one push came to, in rows."""

    target: str
    confirmed: int = 0
    """Proven by a reply, or by reading back."""
    rejected: int = 0
    unknown: int = 0
    """Still without an answer; the next run settles them first."""
    held: int = 0
    """Waiting in a plan that is not released, or not sent because nothing may be."""
    calls: int = 0
    """Batches sent."""
    api_calls: int = 0
    """Requests made: logins, looks before writing and read-backs too, and every repeated try."""
    plans: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Each plan that was sent: verdict (`confirmed`, `rejected`, …) to rows, of all its pushes."""
    drifted: int = 0
    """Records found edited by hand."""
    superseded: int = 0
    """Not sent because consent was withdrawn or a person suppressed since the plan."""
    false_confirms: int = 0
    """Confirmed by the destination and yet unchanged when read back; planned again."""
    verified: int = 0
    """Records read back."""
    dry_run: bool = False


@kept
def push(hub: Hub, target_id: str, *, consent_only: bool = False) -> Pushed:
    """Deliver the released plans of a target, consent removals first; then read back.

    `consent_only`: the plan of consent removals, and nothing else.

    Raises Wait when another process holds the target's lease or the destination asks for time,
    Stop when a person must act, ConfigError for a target nobody planned. What was sent before is
    recorded in every case.
    """
    target = hub.ledger.targets.get(target_id)
    entry = hub.settings.destinations.get(target.destination) if target else None
    if target is None or entry is None:
        known = ", ".join(one.id for one in hub.ledger.targets.all()) or "none yet"
        raise ConfigError(f"There is no target {target_id}.", hint=f"Planned targets: {known}")
    if not may_send(entry, hub.endpoints, dry_run=hub.dry_run):
        waiting = sum(len(hub.ledger.plans.changes(one.plan_id)) for one in _plans(hub, target_id))
        return Pushed(target_id, held=waiting, dry_run=True)
    demand_space(hub.settings.folder)
    with hub.ledger.leases.held(target_id, hub.run_id) as lease:
        crash.point("after_lease")
        if lease.taken_from is not None:
            # Its last request may still be on the wire; ours must not be overtaken by it.
            hub.extra.get("pause", time.sleep)(REQUEST_TIMEOUT)
        with metered() as meter:
            done = _push(hub, target, entry, lease, consent_only)
        return replace(done, api_calls=meter.requests)


def _push(
    hub: Hub, target: Target, entry: DestinationEntry, lease: Lease, consent_only: bool
) -> Pushed:
    ledger = hub.ledger
    plans = _plans(hub, target.id)
    released = [one for one in plans if one.released]
    if consent_only:
        released = [one for one in released if one.kind == "consent"]
    destination = open_destination(hub, target.destination)
    if released or ledger.delivery.unsettled(target.id):
        target = _ready(hub, target, entry, destination, released)
        if not recalled(ledger, destination, target):
            refuse(ledger)
    trusted = trust(ledger, target, destination.can)
    if trusted.held:
        released = [one for one in released if one.kind == "consent"]
    wire = Wire(ledger, lease, destination, target, hub.run_id, hub.now, hub.extra.get("pause"))
    loader = Loader(wire, entry.drift, trusted.adds_only)
    courier = Courier(wire, loader, hub.settings.guards_of(target.id), hub.progress)
    waiting = [one for one in plans if not one.released or (trusted.held and one.kind == "change")]
    held = sum(len(ledger.plans.changes(one.plan_id)) for one in waiting)
    with witnessed(wire, begun=bool(released)):
        if not trusted.held:
            courier.recover()
        if trusted.resync and not held and not consent_only:
            sent_before(wire)
        for plan in released:
            if not courier.deliver(plan):
                total = len(ledger.plans.changes(plan.plan_id))
                held += total - len(ledger.delivery.ended(plan.plan_id))
    if not trusted.adds_only:
        sweep(wire, loader, ledger.delivery.wrote(target.id, hub.run_id))
    unknown = len(ledger.delivery.unsettled(target.id))
    if trusted.resync and not unknown and not held and not consent_only:
        sent_whole(wire)
    counts = dict(wire.tally)
    if wire.tally["calls"]:
        quota.read(ledger, target.destination, destination, hub.now)
        detail = {**counts, "unknown": unknown, "plans": [one.plan_id for one in released]}
        ledger.audit.record(hub.now, f"run {hub.run_id}", "send", target.id, detail)
    crash.point("after_push")
    tally = wire.tally
    return Pushed(
        target=target.id,
        confirmed=tally["confirmed"],
        rejected=tally["rejected"],
        unknown=unknown,
        held=held,
        calls=tally["calls"],
        plans={one.plan_id: ledger.delivery.counts(one.plan_id) for one in released},
        drifted=tally["drifted"],
        superseded=tally["superseded"],
        false_confirms=tally["false_confirms"],
        verified=tally["verified"],
    )


def _plans(hub: Hub, target_id: str) -> list[Plan]:
    found = [
        hub.ledger.plans.open(target_id, "consent"),
        hub.ledger.plans.open(target_id, "change"),
    ]
    return [one for one in found if one is not None]


def _ready(
    hub: Hub,
    target: Target,
    entry: DestinationEntry,
    destination: Destination,
    released: list[Plan],
) -> Target:
    """The place made ready, and what the destination answered remembered."""
    known = hub.ledger.targets.all()
    served = places(
        hub.rules,
        target.destination,
        entry,
        destination.can,
        [t for t in known if t.id == target.id],
    )
    place = next(one for one in served if one.target.id == target.id)
    held: set[str] = set()
    if target.kind == "tag":
        for one in hub.ledger.delivery.believed(target.id).values():
            held |= one.tags
        for plan in released:
            for change in hub.ledger.plans.changes(plan.plan_id):
                held.update(change.enters)
    crash.point("before_ensure")
    remote = destination.ensure(place.target, place.options(held) if target.kind == "tag" else [])
    crash.point("after_ensure")
    with hub.ledger.transaction():
        hub.ledger.targets.remember(target, remote)
    return replace(place.target, remote=remote)
