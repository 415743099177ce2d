"""Draft: one target's plans, judged and stored: consent removals apart from the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import duckdb

from audiencehub.connector import Destination
from audiencehub.delivery import crash, gates, guards
from audiencehub.delivery.desired import STRONG, Desired, desired_list, desired_tags
from audiencehub.delivery.diff import (
    Diff,
    counted,
    diff_list,
    diff_tags,
    held_now,
    merged,
    parted,
    plan_hash,
    renamed,
)
from audiencehub.delivery.guards import GuardResult
from audiencehub.delivery.places import Place, record_sources
from audiencehub.ledger import Believed, Lease, Ledger, Plan, PlanChange
from audiencehub.ledger.plans import Kind
from audiencehub.settings import DestinationEntry, Settings

ALL = 1 << 60


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """One plan, small enough to be shown; its changes are in the ledger under `plan_id`."""

    plan_id: str
    """Empty when nothing is to be done."""
    target: str
    adds: int
    """Memberships that enter: a tag on a record, a person on a list."""
    removes: int
    sets: int
    """Records that are written whole, on tag targets."""
    verdict: str
    """`go`, `approved` or `hold`."""
    guards: list[GuardResult]
    hash: str
    calls: int
    excluded: dict[str, int]
    """Reason to number of memberships left out."""
    kind: str = "change"
    """`consent` plans are never held."""
    segments: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Segment to how many enter and leave."""


@dataclass(frozen=True, slots=True)
class Planning:
    """What planning reads, besides the place."""

    ledger: Ledger
    settings: Settings
    connection: duckdb.DuckDBPyConnection
    run_id: str
    now: datetime


def draft(
    planning: Planning, place: Place, destination: Destination, lease: Lease
) -> list[PlanSummary]:
    """Plans of one target, stored under its lease: the consent removals (if any), and the rest."""
    ledger, target = planning.ledger, place.target
    limits = planning.settings.guards_of(target.id)
    found = gates.sources(ledger, planning.settings.sources, limits, target.id)
    keep = any(one.verdict == "defer" for one in found)
    believed = ledger.delivery.believed(target.id)
    skip = {one.member for one in ledger.delivery.unsettled(target.id)}
    if target.kind == "tag":
        desired, diff = _tags(planning, place, believed, skip, keep)
    else:
        desired, diff = _list(planning, place, destination, lease, skip, keep)
        believed = ledger.delivery.believed(target.id)
    excluded = Counter(desired.excluded)
    changes = _without_quarantined(ledger, target.id, diff.changes, excluded)
    excluded["deferred"] = diff.deferred.total()
    crash.point("plan_drafted")
    results = []
    with ledger.leases.fenced(lease):
        ledger.targets.keep(target)
        ledger.delivery.abandon(target.id)
        consent = _plan(planning, place, destination, "consent", diff.consent, Counter())
        consent = ledger.plans.store(consent, diff.consent)
        if diff.consent:
            results.append(_summary(ledger, target.id, consent))
        plan = _plan(planning, place, destination, "change", changes, +excluded)
        plan = _judged(planning, place, plan, changes, [*found], desired, believed)
        results.append(_summary(ledger, target.id, ledger.plans.store(plan, changes)))
    return results


def _tags(
    planning: Planning, place: Place, believed: Mapping[str, Believed], skip: set[str], keep: bool
) -> tuple[Desired, Diff]:
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
        with_reason=_entry(planning, place).reason,
    )
    return desired, diff


def _list(
    planning: Planning,
    place: Place,
    destination: Destination,
    lease: Lease,
    skip: set[str],
    keep: bool,
) -> tuple[Desired, Diff]:
    ledger, target = planning.ledger, place.target
    believed = ledger.delivery.believed(target.id)
    desired = desired_list(
        place,
        planning.connection,
        ledger,
        destination.can,
        _entry(planning, place).options,
        planning.now,
        believed,
    )
    digests = {m: ledger.sealing.digest(values) for m, values in desired.identifiers.items()}
    fixed = skip | desired.barred
    with ledger.leases.fenced(lease):
        for old, new in merged(ledger.merges.alias("contact"), believed, fixed):
            ledger.delivery.rename(target.id, old, new, int(new))
        believed = ledger.delivery.believed(target.id)
        for old, new in renamed(digests, believed, fixed):
            ledger.delivery.rename(target.id, old, new, int(new))
        for old, new in _parted(ledger, target.id, desired, fixed):
            ledger.delivery.rename(target.id, old, new, int(new))
    believed = ledger.delivery.believed(target.id)
    desired.barred &= believed.keys()
    diff = diff_list(target.place, desired, digests, believed, skip=skip, keep=keep)
    gone = [c.member for c in [*diff.consent, *diff.changes] if c.op == "remove"]
    sent = ledger.delivery.identifiers(target.id, gone)
    leaving = {c.member for c in [*diff.consent, *diff.changes] if c.phase != 1} & set(gone)
    shared = {
        pair
        for member, values in desired.identifiers.items()
        if member not in leaving
        for pair in values.items()
        if pair[0] in STRONG
    }

    def sealed(change: PlanChange) -> PlanChange:
        if change.op == "add":
            return replace(change, sealed=ledger.sealing.seal(desired.identifiers[change.member]))
        token = sent.get(change.member)
        if token is None:
            return change
        # A value that somebody who stays also has would take that person out as well.
        own = desired.identifiers.get(change.member, {}) if change.phase == 1 else {}
        mine = ledger.sealing.open(token)
        out = {k: v for k, v in mine.items() if (k, v) not in shared or own.get(k) == v}
        return replace(change, sealed=ledger.sealing.seal(out if STRONG & out.keys() else {}))

    diff.consent = [sealed(one) for one in diff.consent]
    diff.changes = [sealed(one) for one in diff.changes]
    return desired, diff


def _parted(
    ledger: Ledger, target: str, desired: Desired, fixed: set[str]
) -> list[tuple[str, str]]:
    """Pairs of `parted` of a list, as it is believed to be by now."""
    believed = ledger.delivery.believed(target).keys()
    entering = {
        member: {name: value for name, value in values.items() if name in STRONG}
        for member, values in desired.identifiers.items()
        if member not in believed and member not in fixed
    }
    gone = believed - desired.identifiers.keys() - fixed
    if not entering or not gone:
        return []
    leaving = {
        member: {
            name: value for name, value in ledger.sealing.open(token).items() if name in STRONG
        }
        for member, token in ledger.delivery.identifiers(target, sorted(gone)).items()
    }
    return parted(leaving, entering)


def _without_quarantined(
    ledger: Ledger, target: str, changes: Sequence[PlanChange], excluded: Counter[str]
) -> list[PlanChange]:
    aside = {(q.source_id, q.record_ref) for q in ledger.quarantine.list(source=target, limit=ALL)}
    kept = [one for one in changes if (one.member, one.value_hash) not in aside]
    excluded["quarantined"] = len(changes) - len(kept)
    return kept


def _plan(
    planning: Planning,
    place: Place,
    destination: Destination,
    kind: Kind,
    changes: Sequence[PlanChange],
    excluded: Mapping[str, int],
) -> Plan:
    enters, leaves = counted(changes)
    target = place.target
    return Plan(
        plan_id="",
        target=target.id,
        kind=kind,
        run_id=planning.run_id,
        at=planning.now,
        hash=plan_hash(target.id, place.versions, changes),
        adds=enters.total(),
        removes=leaves.total(),
        sets=len(changes) if target.kind == "tag" else 0,
        verdict="go",
        state="open",
        guards=[],
        excluded=dict(excluded),
        versions=place.versions,
        calls=destination.calls(target, len(changes)) if changes else 0,
    )


def _judged(
    planning: Planning,
    place: Place,
    plan: Plan,
    changes: Sequence[PlanChange],
    results: list[GuardResult],
    desired: Desired,
    believed: Mapping[str, Believed],
) -> Plan:
    """The plan with its guards' verdict. What an interrupted plan was released for is not judged
    again: a resumed run must end what a person approved."""
    ledger, target = planning.ledger, place.target
    before = ledger.plans.open(target.id, "change")
    resumed = before if before and before.state == "applying" and before.released else None
    covered = ledger.plans.keys(resumed.plan_id) if resumed else set()
    fresh = [one for one in changes if one.key not in covered]
    if resumed and not fresh:
        rest = GuardResult("resumed", "ok", f"the rest of {resumed.plan_id}, which was released")
        return replace(
            plan,
            verdict=resumed.verdict,
            state="applying",
            guards=[asdict(rest)],
            approved_by=resumed.approved_by,
            approved_at=resumed.approved_at,
            reason=resumed.reason,
        )
    limits = planning.settings.guards_of(target.id)
    enters, leaves = counted(fresh)
    held = held_now(target.place, target.kind, believed)
    results += guards.volume(limits, place.activations, held, enters, leaves)
    if target.kind == "tag":
        results.append(guards.field_share(limits, len(fresh), desired.records))
    first = not ledger.plans.ever_released(target.id)
    live = _entry(planning, place).mode == "live"
    results.append(guards.first_run(limits, first=first, live=live, changes=len(fresh)))
    results.append(guards.rejects(limits, *ledger.delivery.last_reject_share(target.id)))
    hours = planning.settings.targets[target.id].freeze_hours if _has(planning, target.id) else 0
    verdict = guards.verdict(results) if changes else "go"
    frozen = planning.now + timedelta(hours=hours) if hours and verdict == "hold" else None
    return replace(
        plan, verdict=verdict, guards=[asdict(one) for one in results], frozen_until=frozen
    )


def _has(planning: Planning, target: str) -> bool:
    return target in planning.settings.targets


def _entry(planning: Planning, place: Place) -> DestinationEntry:
    return planning.settings.destinations[place.target.destination]


def _summary(ledger: Ledger, target: str, plan: Plan) -> PlanSummary:
    enters, leaves = counted(ledger.plans.changes(plan.plan_id)) if plan.plan_id else counted([])
    fields: list[dict[str, Any]] = [dict(one) for one in plan.guards]
    return PlanSummary(
        plan_id=plan.plan_id,
        target=target,
        adds=plan.adds,
        removes=plan.removes,
        sets=plan.sets,
        verdict=plan.verdict,
        guards=[GuardResult(**one) for one in fields],
        hash=plan.hash,
        calls=plan.calls,
        excluded=dict(plan.excluded),
        kind=plan.kind,
        segments={
            name: (enters[name], leaves[name]) for name in sorted(enters.keys() | leaves.keys())
        },
    )
