"""Adopt: trust a target again after the ledger was lost or put back; resync: send it whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from audiencehub.delivery.batching import Loader
from audiencehub.delivery.courier import Courier
from audiencehub.delivery.outcomes import WHO
from audiencehub.delivery.places import Place, may_send, places, record_sources
from audiencehub.delivery.readback import Found, read_back, records
from audiencehub.delivery.wire import Wire
from audiencehub.errors import ConfigError
from audiencehub.hub import Hub
from audiencehub.ledger.custody import State
from audiencehub.opening import open_destination

HOW = {"whole": "accepted", "additive": "additive"}


@dataclass(frozen=True, slots=True)
class Adopted:
    """What became of one target."""

    target: str
    before: State
    state: State
    how: str
    """`read back`, `accepted`, `additive`, `resync` (to be sent whole), or `cannot be read`."""
    found: Found | None = None
    """What was read, where the destination can be read."""
    believed: int = 0
    """Members that the ledger believes to be there, now."""


def targets(hub: Hub) -> list[Place]:
    """Every place that segments go to, or that was ever sent to; sorted by id."""
    found = []
    for name, entry in hub.settings.destinations.items():
        destination = open_destination(hub, name)
        known = [one for one in hub.ledger.targets.all() if one.destination == name]
        found += places(hub.rules, name, entry, destination.can, known)
    return sorted(found, key=lambda one: one.target.id)


def adopt(hub: Hub, target_id: str, who: str) -> Adopted:
    """Read back what the target holds, and trust it again.

    One that cannot be read takes adds from now on, and no removal, until it is sent whole or
    accepted. Raises ConfigError for an unknown target, one that sends nothing, or one whose records
    nobody has pulled; Wait when it is being pushed; Stop when a person must act.
    """
    with _at(hub, target_id) as (place, wire):
        ledger, before = hub.ledger, hub.ledger.custody.state(target_id)
        if not _readable(wire):
            state: State = "additive" if before == "held" else before
            if before == "held":
                reason = "it cannot be read back"
                ledger.custody.settle(target_id, state, "additive", who, reason, hub.now)
            return _adopted(hub, target_id, before, state, "cannot be read")
        found = _read(hub, place, wire)
        reason = f"{found.read:,} records read, {found.agreed:,} as believed"
        ledger.custody.settle(target_id, "whole", "read back", who, reason, hub.now)
        return _adopted(hub, target_id, before, "whole", "read back", found)


def settle(hub: Hub, target_id: str, state: State, who: str, reason: str) -> Adopted:
    """Trust a target on a person's word: `whole` (what the ledger believes is what is there), or
    `additive`. Raises ConfigError without a reason, or for an unknown target."""
    if not reason.strip():
        raise ConfigError("It needs a reason.", hint='Add --reason "why this is right"')
    known = [one.target.id for one in targets(hub)]
    if target_id not in known:
        raise _unknown(target_id, known)
    before = hub.ledger.custody.state(target_id)
    hub.ledger.custody.settle(target_id, state, HOW[state], who, reason, hub.now)
    return _adopted(hub, target_id, before, state, HOW[state])


def resync(hub: Hub, target_id: str, who: str, anew: bool = False) -> Adopted:
    """Make ready that the next plan of this target brings it to what is desired, whatever the
    ledger believes: what can be read is read back; of a list everyone desired is said again and
    everyone ever sent is taken out.

    Tags that people added or removed by hand are written over, but for accepted edits. With
    `anew` what the destination called a list is forgotten, so that the push makes another.
    """
    with _at(hub, target_id, settled=not anew) as (place, wire):
        if anew and place.target.kind != "list":
            raise ConfigError(f"{target_id} is no list.", hint="Only lists are made anew")
        ledger, before = hub.ledger, hub.ledger.custody.state(target_id)
        if not _readable(wire):
            with ledger.leases.fenced(wire.lease):
                ledger.targets.keep(place.target)
                again = before != "whole" and not ledger.resyncs.vouched(target_id, WHO)
                ledger.resyncs.ask(target_id, who, hub.now, anew=again)
                if anew:
                    ledger.targets.remember(place.target, {})
                    ledger.jobs.drop(target_id, hub.now)
                    ledger.audit.record(hub.now, who, "anew", target_id, {})
            return _adopted(hub, target_id, before, before, "resync")
        found = _read(hub, place, wire)
        with ledger.leases.fenced(wire.lease):
            for edit in ledger.edits.of(target_id).values():
                if edit.state == "open":
                    ledger.edits.settle(target_id, edit.member, "reverted", who, hub.now)
            if before != "whole":
                ledger.custody.settle(target_id, "whole", "resynced", who, "read back", hub.now)
        return _adopted(hub, target_id, before, "whole", "resync", found)


@contextmanager
def _at(hub: Hub, target_id: str, *, settled: bool = True) -> Iterator[tuple[Place, Wire]]:
    """The place and the way there, under its lease, with nothing in doubt that can be settled; not
    `settled`: for a list that is to be made again, of which the old one cannot be asked."""
    found = {one.target.id: one for one in targets(hub)}
    place = found.get(target_id)
    if place is None:
        raise _unknown(target_id, list(found))
    entry = hub.settings.destinations[place.target.destination]
    if not may_send(entry, hub.endpoints, dry_run=hub.dry_run):
        raise ConfigError(
            f"{place.target.destination} is in mode {entry.mode}: it is neither read nor sent to.",
            hint=f'Set mode = "live" under [destinations.{place.target.destination}]',
        )
    destination = open_destination(hub, place.target.destination)
    with hub.ledger.leases.held(target_id, hub.run_id) as lease:
        pause = hub.extra.get("pause")
        wire = Wire(hub.ledger, lease, destination, place.target, hub.run_id, hub.now, pause)
        held = hub.ledger.custody.state(target_id) == "held"
        if settled and not held and hub.ledger.targets.get(target_id):
            limits = hub.settings.guards_of(target_id)
            Courier(wire, Loader(wire, entry.drift), limits, hub.progress).recover()
        yield place, wire


def _readable(wire: Wire) -> bool:
    return wire.target.kind == "tag" and wire.destination.can.reads


def _read(hub: Hub, place: Place, wire: Wire) -> Found:
    sources = record_sources(hub.settings, place.target.destination)
    persons = records(hub.warehouse.connection, place.target, sources)
    if not persons:
        raise ConfigError(
            f"No {place.target.place} of {place.target.destination} has been pulled yet, so that "
            "nobody knows which to look at.",
            hint=f"Run audiencehub pull, then: audiencehub adopt {place.target.id}",
        )
    hub.ledger.targets.keep(place.target)
    wire.destination.ensure(place.target, place.options(()))
    return read_back(wire, persons, hub.progress)


def _adopted(
    hub: Hub, target_id: str, before: State, state: State, how: str, found: Found | None = None
) -> Adopted:
    believed = len(hub.ledger.delivery.believed(target_id))
    return Adopted(target_id, before, state, how, found, believed)


def _unknown(target_id: str, known: list[str]) -> ConfigError:
    listed = ", ".join(known) or "none yet"
    return ConfigError(f"There is no target {target_id}.", hint=f"Targets: {listed}")
