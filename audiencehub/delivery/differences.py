"""Differences: what of a target is other than it should be, tags and lists each in their way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import duckdb

from audiencehub.connector import Capabilities, Destination
from audiencehub.delivery.audience import Listing, desired_list, member_of, number_of
from audiencehub.delivery.desired import Desired, desired_tags
from audiencehub.delivery.diff import (
    REPLACED,
    Diff,
    diff_list,
    diff_tags,
    merged,
    parted,
    renamed,
)
from audiencehub.delivery.places import Place, above, record_sources
from audiencehub.delivery.shared import left_over, pairs
from audiencehub.delivery.whole import whole
from audiencehub.ledger import Believed, Lease, Ledger, PlanChange
from audiencehub.privacy.identifiers import VALUE
from audiencehub.rules import RuleBook
from audiencehub.settings import DestinationEntry, Settings

RENEWED_AFTER = 0.8
"""The share of a membership's lifetime after which it is renewed: plans may be held for weeks."""


@dataclass(frozen=True, slots=True)
class Planning:
    """What planning reads, besides the place."""

    ledger: Ledger
    settings: Settings
    connection: duckdb.DuckDBPyConnection
    run_id: str
    now: datetime
    rules: RuleBook | None = None
    """The rule book; None: nobody asks which fields rules read."""


def tags(
    planning: Planning, place: Place, believed: Mapping[str, Believed], skip: set[str], keep: bool
) -> tuple[Desired, Diff]:
    """What a tag target should hold, and the changes that bring it there."""
    settings, target = planning.settings, place.target
    sources = record_sources(settings, target.destination)
    desired = desired_tags(
        place, planning.connection, planning.ledger, sources, settings.zone, believed
    )
    diff = diff_tags(
        desired,
        believed,
        planning.ledger.edits.of(target.id),
        skip=skip,
        keep=keep,
        with_reason=entry_of(planning, place).reason,
    )
    return desired, diff


def listed(
    planning: Planning,
    place: Place,
    destination: Destination,
    lease: Lease,
    skip: set[str],
    keep: bool,
) -> tuple[Desired, Diff]:
    """What a list should hold, and the changes that bring it there, identifiers sealed. Members
    who were merged or parted since are renamed first, under the lease."""
    ledger, target = planning.ledger, place.target
    believed = ledger.delivery.believed(target.id)
    listing = Listing(
        planning.connection,
        ledger,
        destination.can,
        entry_of(planning, place).options,
        planning.now,
        record_sources(planning.settings, target.destination),
    )
    desired = desired_list(place, listing, believed, _higher(planning, place, destination))
    digests = {m: _digest(ledger, values) for m, values in desired.identifiers.items()}
    fixed = skip | desired.barred
    with ledger.leases.fenced(lease):
        believed = _renamed(listing, target.id, desired, digests, believed, fixed)
    desired.barred &= believed.keys()
    diff = diff_list(
        target.place,
        desired,
        digests,
        believed,
        skip=skip,
        keep=keep,
        expiring=_expiring(planning, target.id, destination.can),
    )
    ever = dict[str, bytes]()
    if ledger.resyncs.under_way(target.id):
        ever = ledger.resyncs.ever_sent(target.id)
        said = ledger.resyncs.said(target.id)
        whole(
            diff,
            target.place,
            desired,
            digests,
            believed,
            ever,
            skip=skip,
            said=said,
            staying=keep and destination.can.replaces,
        )
    sealed = _sealer(ledger, target.id, desired, diff, ever)
    diff.consent = [sealed(one) for one in diff.consent]
    diff.changes = [sealed(one) for one in diff.changes]
    return desired, diff


def _renamed(
    listing: Listing,
    target: str,
    desired: Desired,
    digests: Mapping[str, str],
    believed: Mapping[str, Believed],
    fixed: set[str],
) -> dict[str, Believed]:
    """What is believed once members who were merged or parted since go by their new numbers."""
    ledger = listing.ledger

    def rename(pairs: Iterable[tuple[str, str]]) -> None:
        for old, new in pairs:
            ledger.delivery.rename(target, old, new, number_of(new))

    rename(merged(_alias(ledger, listing), believed, fixed))
    rename(renamed(digests, ledger.delivery.believed(target), fixed))
    rename(_parted(ledger, target, desired, fixed))
    return ledger.delivery.believed(target)


def _higher(planning: Planning, place: Place, destination: Destination) -> list[Place]:
    if planning.rules is None:
        return []
    return above(planning.rules, planning.settings, place, destination.can)


def _digest(ledger: Ledger, values: Mapping[str, str]) -> str:
    """Of what identifies the member: another worth is no reason to send anybody again."""
    return ledger.sealing.digest({k: v for k, v in values.items() if k != VALUE})


def _alias(ledger: Ledger, listing: Listing) -> dict[str, str]:
    """Member of the list to the member it was joined to."""
    entity = listing.can.members
    pairs = ledger.merges.alias(entity).items()
    return {member_of(entity, own): member_of(entity, to) for own, to in pairs}


def _expiring(planning: Planning, target: str, can: Capabilities) -> set[str]:
    """Members whom the platform will let go soon, where memberships end by themselves."""
    if can.lifetime is None:
        return set()
    before = planning.now - can.lifetime * RENEWED_AFTER
    return planning.ledger.delivery.confirmed_before(target, before)


def _sealer(
    ledger: Ledger, target: str, desired: Desired, diff: Diff, ever: Mapping[str, bytes]
) -> Callable[[PlanChange], PlanChange]:
    """Gives each change of a list the identifiers that go out with it, sealed; `ever` are those of
    members who are not believed any more."""
    # Who is said again for want of a whole source is none of the desired, either.
    there = [
        c.member
        for c in [*diff.consent, *diff.changes]
        if c.op == "remove" or c.member not in desired.identifiers
    ]
    sent = {**ever, **ledger.delivery.identifiers(target, there)}
    # Who is taken out to be added with other identifiers stays, and so do those.
    leaving = {
        c.member for c in [*diff.consent, *diff.changes] if c.op == "remove" and c.phase != REPLACED
    }
    shared = {
        pair
        for member, values in desired.identifiers.items()
        if member not in leaving
        for pair in pairs(values)
    }

    def sealed(change: PlanChange) -> PlanChange:
        if change.op == "add" and change.member in desired.identifiers:
            return replace(change, sealed=ledger.sealing.seal(desired.identifiers[change.member]))
        token = sent.get(change.member)
        if token is None or change.op == "add":
            return replace(change, sealed=token)
        # A value that somebody who stays also has would take that person out as well.
        own = desired.identifiers.get(change.member, {}) if change.phase == 1 else {}
        out = left_over(ledger.sealing.open(token), shared, own)
        return replace(change, sealed=ledger.sealing.seal(out))

    return sealed


def _parted(
    ledger: Ledger, target: str, desired: Desired, fixed: set[str]
) -> list[tuple[str, str]]:
    """Pairs of `parted` of a list, as it is believed to be by now."""
    believed = ledger.delivery.believed(target).keys()
    entering = {
        member: list(pairs(values))
        for member, values in desired.identifiers.items()
        if member not in believed and member not in fixed
    }
    gone = believed - desired.identifiers.keys() - fixed
    if not entering or not gone:
        return []
    leaving = {
        member: list(pairs(ledger.sealing.open(token)))
        for member, token in ledger.delivery.identifiers(target, sorted(gone)).items()
    }
    return parted(leaving, entering)


def entry_of(planning: Planning, place: Place) -> DestinationEntry:
    """The settings of the place's destination."""
    return planning.settings.destinations[place.target.destination]
