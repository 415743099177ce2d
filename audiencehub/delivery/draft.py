"""Draft: one target's plans, judged and stored: consent removals apart from the rest."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import Any

from audiencehub.delivery import crash, gates, guards
from audiencehub.delivery.columns import emptied
from audiencehub.delivery.cost import cost
from audiencehub.delivery.desired import Desired
from audiencehub.delivery.diff import REPLACED, counted, held_now, plan_hash
from audiencehub.delivery.differences import Planning, entry_of, listed, tags
from audiencehub.delivery.guards import GuardResult
from audiencehub.delivery.movement import Movement, movements
from audiencehub.delivery.places import Place
from audiencehub.delivery.quota import Budget
from audiencehub.delivery.trust import trust
from audiencehub.ledger import Believed, Lease, Ledger, Plan, PlanChange
from audiencehub.ledger.plans import Kind

__all__ = ["PlanSummary", "Planning", "draft"]


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
    writes: int
    """Rows that are sent, each of which earns one verdict: records on tag targets; on lists people
    added and removed, and twice those whose identifiers are replaced."""
    replaced: int
    """People on lists whose identifiers are others by now: each is removed and added."""
    verdict: str
    """`go`, `approved` or `hold`."""
    guards: list[GuardResult]
    hash: str
    calls: int
    """At most so many API calls, logins, looks before writing and read-backs included."""
    excluded: dict[str, int]
    """Reason to number of memberships left out."""
    kind: str = "change"
    """`consent` plans are never held."""
    segments: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Segment to how many enter and leave."""
    movement: list[Movement] = field(default_factory=list)
    """The same with the clauses that did it."""
    quota: dict[str, Any] | None = None
    """What the destination's API allows (`Budget.shown`)."""
    members: int = 0
    """How many a list will have."""
    advice: list[str] = field(default_factory=list)
    """What to know before it is sent: a list too small to be used, a name the platform blocks."""


def draft(planning: Planning, place: Place, budget: Budget, lease: Lease) -> list[PlanSummary]:
    """Plans of one target, stored under its lease: the consent removals (if any), and the rest."""
    ledger, target = planning.ledger, place.target
    found = gates.sources(
        ledger,
        planning.settings.sources,
        planning.settings.guards_of(target.id),
        target.id,
        stale=gates.staleness(planning.settings, planning.now),
    )
    trusted = trust(ledger, target, budget.destination.can)
    found += trusted.results(target.id)
    if planning.rules is not None:
        found += emptied(planning.connection, ledger, planning.rules, target.id)
    keep = trusted.adds_only or any(one.verdict == "defer" for one in found)
    believed = ledger.delivery.believed(target.id)
    skip = {one.member for one in ledger.delivery.unsettled(target.id)}
    if target.kind == "tag":
        desired, diff = tags(planning, place, believed, skip, keep)
    else:
        desired, diff = listed(planning, place, budget.destination, lease, skip, keep)
        believed = ledger.delivery.believed(target.id)
    excluded = Counter(desired.excluded)
    changes = _without_quarantined(ledger, target.id, diff.changes, excluded)
    changes = trusted.permitted(changes, believed, excluded)
    excluded["deferred"] = diff.deferred.total()
    crash.point("plan_drafted")
    results = []
    with ledger.leases.fenced(lease):
        ledger.targets.keep(target)
        ledger.delivery.abandon(target.id)
        notes = _withdrawn(ledger, target.id, desired)
        plan = _plan(planning, place, budget, "consent", diff.consent, believed)
        plan = ledger.plans.store(plan, diff.consent, notes)
        if diff.consent:
            budget.promise(plan.calls)
            results.append(_summary(planning, place, budget, plan))
        plan = _plan(planning, place, budget, "change", changes, believed, +excluded)
        plan = _judged(planning, place, budget, plan, changes, [*found], desired, believed)
        plan = ledger.plans.store(plan, changes, notes)
        if plan.released:
            budget.promise(plan.calls)
        results.append(_advised(_summary(planning, place, budget, plan), place, budget, desired))
    return results


def _withdrawn(ledger: Ledger, target: str, desired: Desired) -> list[str]:
    """What to say of the plan before, where people in it may not be sent any more."""
    old = ledger.plans.open(target, "change")
    if old is None or old.state != "open":
        return []
    people = {one.person for one in ledger.plans.changes(old.plan_id) if one.enters}
    count = len(people & desired.refused)
    return [f"{count:,} of its people may not be sent any more"] if count else []


def _without_quarantined(
    ledger: Ledger, target: str, changes: Sequence[PlanChange], excluded: Counter[str]
) -> list[PlanChange]:
    aside = ledger.quarantine.refused(target)
    kept = [one for one in changes if (one.member, one.value_hash, one.op) not in aside]
    # Whose old identifiers cannot be taken out keeps them: they would be forgotten for the new.
    replaced = {one.member for one in changes if one.phase == REPLACED}
    stuck = replaced - {one.member for one in kept if one.phase == REPLACED}
    kept = [one for one in kept if one.member not in stuck]
    excluded["quarantined"] = len(changes) - len(kept)
    return kept


def _plan(
    planning: Planning,
    place: Place,
    budget: Budget,
    kind: Kind,
    changes: Sequence[PlanChange],
    believed: Mapping[str, Believed],
    excluded: Mapping[str, int] | None = None,
) -> Plan:
    enters, leaves = counted(changes)
    target = place.target
    resync = kind == "change" and planning.ledger.resyncs.under_way(target.id)
    calls = cost(budget.destination, target, changes, believed, resync=resync)
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
        excluded=dict(excluded or {}),
        versions=place.versions,
        calls=calls if changes or kind == "change" else 0,
        writes=len(changes),
        basis=_basis(planning, place),
    )


def _basis(planning: Planning, place: Place) -> dict[str, str]:
    """The settings that a plan rests on, as digests: a plan under others is another decision."""
    settings, target = planning.settings, place.target.id
    limits: dict[str, Any] = {"": settings.guards_of(target).model_dump()}
    for name, own in place.activations.items():
        most = (own.max_removals_share, own.max_removals_count)
        limits[name] = [settings.guards_of(target, name).model_dump(), *most]
    entry = entry_of(planning, place).model_dump()
    return {"the destination's settings": _digest(entry), "the guards": _digest(limits)}


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=lambda one: type(one).__name__)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _judged(
    planning: Planning,
    place: Place,
    budget: Budget,
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
    results += _volume(planning, place, fresh, desired, believed)
    first = not ledger.plans.ever_released(target.id)
    live = entry_of(planning, place).mode == "live"
    limits = planning.settings.guards_of(target.id)
    results.append(guards.first_run(limits, first=first, live=live, changes=len(fresh)))
    results.append(guards.rejects(limits, *ledger.delivery.last_reject_share(target.id)))
    results.append(budget.judge(plan.calls if changes else 0))
    own = planning.settings.targets.get(target.id)
    hours = own.freeze_hours if own else 0
    verdict = guards.verdict(results) if changes else "go"
    frozen = planning.now + timedelta(hours=hours) if hours and verdict == "hold" else None
    return replace(
        plan, verdict=verdict, guards=[asdict(one) for one in results], frozen_until=frozen
    )


def _volume(
    planning: Planning,
    place: Place,
    fresh: Sequence[PlanChange],
    desired: Desired,
    believed: Mapping[str, Believed],
) -> list[GuardResult]:
    """The guards that count what moves."""
    settings, target = planning.settings, place.target
    limits = settings.guards_of(target.id)
    enters, leaves = counted(fresh)
    own = {name: settings.guards_of(target.id, name) for name in enters.keys() | leaves.keys()}
    held = held_now(target.place, target.kind, believed)
    results = guards.volume(limits, place.activations, held, enters, leaves, own)
    if target.kind == "tag":
        results.append(guards.field_share(limits, len(fresh), desired.records))
    return results


def _advised(one: PlanSummary, place: Place, budget: Budget, desired: Desired) -> PlanSummary:
    """The summary with what the destination says of a list of that size; nothing of an empty one,
    and nothing where no segment goes any more."""
    members = len(desired.identifiers)
    if place.target.kind != "list" or not place.segments or not members:
        return one
    told = list(budget.destination.advice(place.target, members))
    return replace(one, members=members, advice=told)


def _summary(planning: Planning, place: Place, budget: Budget, plan: Plan) -> PlanSummary:
    ledger = planning.ledger
    changes = ledger.plans.changes(plan.plan_id) if plan.plan_id else []
    moved = movements(planning.connection, ledger, place, changes)
    fields: list[dict[str, Any]] = [dict(one) for one in plan.guards]
    return PlanSummary(
        plan_id=plan.plan_id,
        target=place.target.id,
        adds=plan.adds,
        removes=plan.removes,
        sets=plan.sets,
        writes=plan.writes,
        replaced=sum(1 for one in changes if one.phase == REPLACED),
        verdict=plan.verdict,
        guards=[GuardResult(**one) for one in fields],
        hash=plan.hash,
        calls=plan.calls,
        excluded=dict(plan.excluded),
        kind=plan.kind,
        segments={one.segment: (one.enters, one.leaves) for one in moved},
        movement=moved,
        quota=budget.shown(),
    )
