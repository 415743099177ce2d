"""The order of the steps: the same with Prefect and without. `call` runs one step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import zip_longest
from typing import Any, NamedTuple

from audiencehub import connector, landing, rebuild
from audiencehub.delivery.places import may_send
from audiencehub.errors import ConfigError, HubError
from audiencehub.hub import Hub
from audiencehub.ledger import Plan
from audiencehub.steps import (
    adopt,
    alert,
    follow,
    land,
    normalize,
    plan,
    pull,
    push,
    record,
    resolve,
    segment,
)


class Job(NamedTuple):
    """One step to run: its name and tags as people see them, and the call itself."""

    name: str
    tags: Sequence[str]
    function: Callable[..., Any]
    args: Sequence[Any]


class Caller:
    """Runs steps one after the other, in this process. Flows bring their own, with tasks."""

    def __call__(
        self, name: str, tags: Sequence[str], function: Callable[..., Any], *args: Any
    ) -> Any:
        """Run one step and return what it returns."""
        return self.run(Job(name, tags, function, args))

    def run(self, job: Job) -> Any:
        """Run one job."""
        return job.function(*job.args)

    def many(self, jobs: Sequence[Job]) -> list[Any]:
        """Run jobs that do not need each other; a job that fails on purpose yields its HubError."""
        results: list[Any] = []
        for job in jobs:
            try:
                results.append(self.run(job))
            except HubError as error:
                results.append(error)
        return results


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """What a sync is asked to do."""

    only: tuple[str, ...] = ()
    """Settings entries to pull from and push to; empty: all."""
    full: bool = False
    """Pull everything instead of what changed, and compare with an evaluation of everyone."""
    dry_run: bool = False
    """Plan, and send nothing."""
    targets: tuple[str, ...] = ()
    """Targets to push to, of those that `only` leaves; empty: all."""


@dataclass(slots=True)
class SyncResult:
    """What a run came to, small enough to be shown anywhere."""

    run_id: str
    state: str = "completed"
    """completed, held, incomplete or failed."""
    held: list[str] = field(default_factory=list)
    """Ids of plans that wait for approval."""
    problems: list[str] = field(default_factory=list)
    """One instruction each."""
    summary: dict[str, Any] = field(default_factory=dict)
    report: str = ""
    """Path of the HTML report."""

    @property
    def exit_code(self) -> int:
        """0 done, 1 failed or not read to the end, 3 held for approval."""
        return {"failed": 1, "incomplete": 1, "held": 3}.get(self.state, 0)


def run_sync(hub: Hub, options: SyncOptions, call: Caller) -> SyncResult:
    """Pull, land, normalize, resolve, segment, plan, push, record."""
    result = SyncResult(hub.run_id)
    read(hub, options, call, result)
    evaluate(hub, options, call, result)
    deliver(hub, options, call, result)
    if not (options.dry_run or hub.dry_run):
        result.summary["followed"] = asdict(call("follow", ["record"], follow.follow, hub))
    return finish(hub, call, result)


def evaluate(hub: Hub, options: SyncOptions, call: Caller, result: SyncResult) -> None:
    """Evaluate the rules on what changed; a full run evaluates everyone too and compares.

    A difference is a fault of the hub: it is a problem of the run and an alert, and the full answer
    is what is delivered.
    """
    done = call("segment", ["segment"], segment.segment, hub)
    result.summary["segment"] = asdict(done)
    if not options.full or done.whole:
        return
    again = call("segment-full", ["segment"], segment.recheck, hub)
    differing = {
        name: [again.entered.get(name, 0), again.left.get(name, 0)]
        for name in sorted(again.entered.keys() | again.left.keys())
        if again.entered.get(name, 0) or again.left.get(name, 0)
    }
    result.summary["recheck"] = {"differing": differing}
    if not differing:
        return
    result.summary["segment"] = {**asdict(again), "models": done.models}
    told = ", ".join(f"{name} +{into:,} −{out:,}" for name, (into, out) in differing.items())
    result.problems.append(
        f"The full evaluation differs from the one by changes in {len(differing):,} segments: "
        f"{told}. The full one stands and was used."
        "\n  -> A fault of audiencehub: keep this run's folder, and report it"
    )


def run_apply(hub: Hub, plan_ids: Sequence[str], call: Caller) -> SyncResult:
    """Push exactly the plans that a person approved; what does not stand any more is refused."""
    result = SyncResult(hub.run_id)
    wanted: dict[str, str] = {}
    for plan_id in plan_ids:
        found = hub.ledger.plans.get(plan_id)
        fault = _not_to_send(plan_id, found)
        if fault:
            result.problems.append(fault)
        elif found is not None and found.state != "done":
            wanted[found.target] = plan_id
    if wanted:
        call("refresh", ["plan"], rebuild.refresh, hub)
        call("plan", ["plan"], plan.plan, hub, list(wanted))
    _push(hub, [target for target in wanted if _stands(hub, wanted[target], result)], call, result)
    return finish(hub, call, result)


def _not_to_send(plan_id: str, found: Plan | None) -> str:
    if found is None:
        return f"There is no plan {plan_id}.\n  -> audiencehub plan lists them"
    if found.state == "void":
        why = found.ended or "a newer plan stands in its place"
        return f"Plan {plan_id} is void: {why}.\n  -> Look again: audiencehub plan"
    if not found.released:
        return f"Plan {plan_id} is held.\n  -> audiencehub approve {plan_id} --reason …"
    return ""


def _stands(hub: Hub, plan_id: str, result: SyncResult) -> bool:
    """Whether the plan outlived being planned anew; what an interrupted one left does."""
    found = hub.ledger.plans.get(plan_id)
    if found is None or found.state == "done":
        rest = hub.ledger.plans.open(found.target, found.kind) if found else None
        return rest is not None and rest.state == "applying"
    fault = _not_to_send(plan_id, found)
    if fault:
        result.problems.append(fault)
    return not fault


def read(hub: Hub, options: SyncOptions, call: Caller, result: SyncResult) -> None:
    """From the sources to profiles; enrichers are asked once the accounts are known."""
    check_names(hub, options)
    landing.sweep(hub.settings, hub.run_id, hub.ledger.manifests.files())
    chosen = [name for name in hub.settings.sources if not options.only or name in options.only]
    if options.only and not chosen:
        rebuild.refresh(hub)
        return
    enrichers = [name for name in chosen if _enriches(hub, name)]
    _gather(hub, [name for name in chosen if name not in enrichers], options, call, result)
    _profiles(hub, call, result)
    if enrichers:
        _gather(hub, enrichers, options, call, result)
        _profiles(hub, call, result)


def check_names(hub: Hub, options: SyncOptions) -> None:
    """Refuse an `only` that names nothing."""
    known = {*hub.settings.sources, *hub.settings.destinations}
    wrong = [name for name in options.only if name not in known]
    if wrong:
        raise ConfigError(
            f"No source or destination is called {', '.join(wrong)}.",
            hint=f"Use --only with one of: {', '.join(sorted(known))}",
        )


def deliver(hub: Hub, options: SyncOptions, call: Caller, result: SyncResult) -> None:
    """Plan every target, then push those that no guard holds."""
    planned = call("plan", ["plan"], plan.plan, hub)
    result.problems += planned.problems
    call("publish", ["record"], record.publish, hub)
    chosen = [
        one
        for one in planned.plans
        if (not options.only or one.target.partition("/")[0] in options.only)
        and (not options.targets or one.target in options.targets)
    ]
    unknown = set(options.targets) - {one.target for one in planned.plans}
    if unknown:
        known = ", ".join(dict.fromkeys(one.target for one in planned.plans)) or "none yet"
        raise ConfigError(
            f"There is no target {', '.join(sorted(unknown))}.", hint=f"Planned targets: {known}"
        )
    result.problems += _put_back(hub, [one.target for one in chosen])
    result.summary["plans"] = [asdict(one) for one in chosen]
    result.held = [one.plan_id for one in chosen if one.verdict == "hold"]
    if not (options.dry_run or hub.dry_run):
        ready = dict.fromkeys(one.target for one in chosen if one.verdict in ("go", "approved"))
        _push(hub, list(ready), call, result)


def _put_back(hub: Hub, targets: Sequence[str]) -> list[str]:
    """What to say while targets are held because the ledger is not the one that sent last."""
    held = [one for one in dict.fromkeys(targets) if hub.ledger.custody.state(one) == "held"]
    found = hub.ledger.custody.restored()
    if not held or found is None:
        return []
    text = found.text[:1].upper() + found.text[1:]
    return [f"{text}; {len(held):,} targets are held.\n  -> audiencehub adopt"]


def send_whole(
    hub: Hub,
    options: SyncOptions,
    who: str,
    call: Caller,
    result: SyncResult,
    *,
    anew: bool = False,
) -> None:
    """Have targets sent whole by what follows: those that are asked for, else all that send; with
    `anew` their lists are made again."""
    wanted = options.targets or [
        one.target.id
        for one in adopt.targets(hub)
        if (not options.only or one.target.destination in options.only)
        and may_send(hub.settings.destinations[one.target.destination], hub.endpoints)
    ]
    found = result.summary.setdefault("resync", {})
    for name in wanted:
        job = Job(
            f"resync-{name.replace('/', '-')}", ["push"], adopt.resync, (hub, name, who, anew)
        )
        (outcome,) = call.many([job])
        if isinstance(outcome, HubError):
            result.problems.append(f"{name}: {outcome}")
        else:
            found[name] = asdict(outcome)


def _push(hub: Hub, targets: Sequence[str], call: Caller, result: SyncResult) -> None:
    """Destinations side by side, the targets of one after the other: they share its quota."""
    pushed = result.summary.setdefault("pushed", [])
    queues: dict[str, list[str]] = {}
    for target in dict.fromkeys(targets):
        queues.setdefault(target.partition("/")[0], []).append(target)
    for turn in zip_longest(*queues.values()):
        now = [target for target in turn if target is not None]
        jobs = [
            Job(
                f"push-{one.replace('/', '-')}",
                ["push", one.partition("/")[0]],
                push.push,
                (hub, one),
            )
            for one in now
        ]
        for target, outcome in zip(now, call.many(jobs), strict=True):
            if isinstance(outcome, HubError):
                result.problems.append(f"{target}: {outcome}")
            else:
                pushed.append(asdict(outcome))


def _gather(
    hub: Hub, names: Sequence[str], options: SyncOptions, call: Caller, result: SyncResult
) -> None:
    jobs = [
        Job(f"pull-{name}", ["pull", f"source:{name}"], pull.pull, (hub, name, options.full))
        for name in names
    ]
    landed = result.summary.setdefault("sources", {})
    for name, outcome in zip(names, call.many(jobs), strict=True):
        if isinstance(outcome, HubError):
            result.problems.append(f"{name}: {outcome}")
            call(f"land-{name}", ["land", f"source:{name}"], land.land, hub, name)
            continue
        done = call(f"land-{name}", ["land", f"source:{name}"], land.land, hub, name)
        landed[name] = {
            "rows": done.rows,
            "streams": {one.stream: one.rows for one in outcome.streams},
            "forgotten": sum(one.forgotten for one in outcome.streams),
            "incomplete": list(done.incomplete),
        }
        result.problems += [f"{name} is incomplete: {why}" for why in done.incomplete]


def _profiles(hub: Hub, call: Caller, result: SyncResult) -> None:
    rebuild.catch_up(hub)
    done = call("normalize", ["normalize"], normalize.normalize, hub)
    sums: dict[str, Any] = result.summary.setdefault(
        "normalize", {"records": 0, "rows": {}, "quarantined": 0, "uncleaned": {}}
    )
    sums["records"] += done.records
    sums["quarantined"] += done.quarantined
    for part in ("rows", "uncleaned"):
        for key, count in getattr(done, part).items():
            sums[part][key] = sums[part].get(key, 0) + count
    result.summary["resolve"] = asdict(call("resolve", ["resolve"], resolve.resolve, hub))


def _enriches(hub: Hub, name: str) -> bool:
    return connector.spec(hub.settings.sources[name].connector).enricher is not None


def finish(hub: Hub, call: Caller, result: SyncResult) -> SyncResult:
    """Name the state of the run and record it."""
    incomplete = any(one.get("incomplete") for one in _sources(result.summary).values())
    hard = [one for one in result.problems if " is incomplete: " not in one]
    if hard:
        result.state = "failed"
    elif result.held:
        result.state = "held"
    elif incomplete:
        result.state = "incomplete"
    result.summary["problems"] = result.problems
    result.report = call("record", ["record"], record.record, hub, result.state, result.summary)
    call("alert", ["record"], alert.alert, hub)
    call("digest", ["record"], alert.digest, hub, result.state, result.summary)
    return result


def _sources(summary: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = summary.get("sources", {})
    return found
