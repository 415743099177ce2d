"""What is looked at: sources, held plans, rejects, the audit chain, expected runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from audiencehub import connector
from audiencehub.alerts.states import Level, Observation
from audiencehub.ledger import Ledger, Run
from audiencehub.settings import Settings

STALE, HELD = 2.0, 3.0
"""Times the limit from which a warning is critical."""


def sources(settings: Settings, ledger: Ledger, now: datetime) -> list[Observation]:
    """Every source of the settings: read to its end, and not too long ago?"""
    pulled: dict[str, list[str]] = {name: [] for name in settings.sources}
    for source, stream in ledger.manifests.streams():
        if source in pulled:
            pulled[source].append(stream)
    return [_source(settings, ledger, name, streams, now) for name, streams in pulled.items()]


def _source(
    settings: Settings, ledger: Ledger, name: str, streams: Sequence[str], now: datetime
) -> Observation:
    limits = {one: stale_hours(settings, name, one) for one in streams}
    cut, old, factor = [], [], 0.0
    for stream, limit in limits.items():
        latest = ledger.manifests.latest(name, stream)
        if latest is not None and not latest.complete:
            cut.append(stream)
        at = ledger.manifests.last_complete(name, stream) or ledger.runs.first()
        age = (now - at) / timedelta(hours=1) if at is not None else 0.0
        if limit is not None and age > limit:
            old.append(stream)
            factor = max(factor, age / limit)
    if not streams:
        return _never(settings, ledger, name, now)
    level: Level = "critical" if factor > STALE else "warning" if cut or old else "ok"
    found = []
    if cut:
        found.append(f"{_of(cut, streams)} not read to the end")
    if old:
        found.append(f"{_of(old, streams)} last read to the end too long ago")
    return Observation(
        "source",
        name,
        level,
        "; ".join(found) or "read to the end",
        f"Run audiencehub sync --only {name}; if it stays, audiencehub doctor. Limits: [alerts] "
        "stale_hours, and stale for one source or stream",
    )


def _of(some: Sequence[str], streams: Sequence[str]) -> str:
    return f"{len(some)} of {len(streams)} streams ({', '.join(some)})"


def _never(settings: Settings, ledger: Ledger, name: str, now: datetime) -> Observation:
    limit, first = stale_hours(settings, name, ""), ledger.runs.first()
    age = (now - first) / timedelta(hours=1) if first is not None else 0.0
    late = limit is not None and age > limit
    return Observation(
        "source",
        name,
        "warning" if late else "ok",
        "never read to the end" if late else "not read yet",
        f"Run audiencehub sync --only {name}; if it stays, audiencehub doctor",
    )


def stale_hours(settings: Settings, source: str, stream: str) -> float | None:
    """Hours after which a stream counts as stale; None: never."""
    own = settings.alerts.stale
    found = own.get(f"{source}/{stream}", own.get(source))
    if found is not None:
        return found
    enriches = connector.spec(settings.sources[source].connector).enricher is not None
    return None if enriches else settings.alerts.stale_hours


def plans(settings: Settings, ledger: Ledger, now: datetime) -> list[Observation]:
    """Every target whose plan waits for approval; plans of consent removals never wait."""
    found = []
    for plan in ledger.plans.held():
        hours = (now - ledger.plans.held_since(plan)) / timedelta(hours=1)
        limit = settings.alerts.held_hours
        level: Level = "critical" if hours > HELD * limit else "warning" if hours > limit else "ok"
        moves = f"{plan.adds:,} adds, {plan.removes:,} removals, {plan.sets:,} writes"
        found.append(
            Observation(
                "plan",
                plan.target,
                level,
                f"a plan of this target has waited {hours:,.0f} hours for approval: {moves}",
                f"Look: audiencehub plan; then audiencehub approve {plan.plan_id} --reason …, "
                "or correct the rule or source that moved it",
            )
        )
    return found


def rejects(
    settings: Settings, ledger: Ledger, limit: Callable[[str, int], float]
) -> list[Observation]:
    """Every target: how much its destination refused of the last push. `limit(target, of)` is the
    guard's own number of rows."""
    found = []
    for target in ledger.targets.all():
        rejected, of = ledger.delivery.last_reject_share(target.id)
        level: Level = "ok"
        if rejected > limit(target.id, of):
            level = "critical" if rejected >= settings.alerts.rejects_critical * of else "warning"
        found.append(
            Observation(
                "rejects",
                target.id,
                level,
                f"{rejected:,} of {of:,} rows were rejected by the last push",
                f"See why: audiencehub quarantine list --source {target.id}",
            )
        )
    return found


def lists(ledger: Ledger) -> list[Observation]:
    """Every list that its platform was asked of: can it be used? One that is gone is missed where
    somebody was believed to be on it."""
    found = []
    look = "Look at it there, and at: audiencehub audiences"
    for target, told in ledger.figures.latest().items():
        level: Level = "ok"
        state, text, do = told.figures.state, "the platform has the list", f"{look} {target}"
        if state == "blocked":
            level, text = "critical", "the platform does not use the list any more"
        elif state == "gone" and told.members:
            level, text = "critical", "the list is not at the platform any more"
            do += f"; to have it made again: audiencehub push --anew --target {target}"
        found.append(Observation("list", target, level, text, do))
    return found


RECENT = 200
"""Runs among which the last full evaluation is looked for: a week of hourly ones."""


def evaluations(ledger: Ledger) -> list[Observation]:
    """The last full evaluation: did it say the same as the one by changes?"""
    told = next(
        (one.summary["recheck"] for one in ledger.runs.last(RECENT) if "recheck" in one.summary),
        None,
    )
    if told is None:
        return []
    differing = sorted(told["differing"])
    return [
        Observation(
            "evaluation",
            "",
            "critical" if differing else "ok",
            f"the last full evaluation differed in {len(differing):,} segments: "
            f"{', '.join(differing)}; its answer was used"
            if differing
            else "the last full evaluation said what the changes had said",
            "A fault of audiencehub: report it; audiencehub sync --full evaluates everyone again",
        )
    ]


def audit(ledger: Ledger) -> list[Observation]:
    """The chain of the audit."""
    checked = ledger.audit.check()
    broken = len({one.row for one in checked.breaks})
    return [
        Observation(
            "audit",
            "",
            "critical" if broken else "ok",
            f"the audit chain is broken at {broken:,} of {checked.rows:,} rows"
            if broken
            else f"the audit chain is whole, {checked.rows:,} rows",
            "Run audiencehub audit verify; compare ledger.sqlite with a backup that verifies",
        )
    ]


@dataclass(frozen=True, slots=True)
class Due:
    """One schedule: the runs it asks for, and when the last ones were due."""

    name: str
    """Deployment and slug."""
    kind: str
    """The kind of run that the ledger notes for its flow."""
    full: bool
    only: tuple[str, ...]
    times: tuple[datetime, ...]
    """Newest first, aware; none that is still allowed to be late."""


def runs(ledger: Ledger, dues: Iterable[Due], now: datetime) -> list[Observation]:
    """Every schedule: was there a run since it was due? Times before the ledger's first run do not
    count. A later run makes up for those missed before, since each goes on from the cursors."""
    first = ledger.runs.first()
    found = []
    for due in dues:
        times = [at for at in due.times if first is not None and at >= first]
        missed = times
        if times:
            ends = [
                one.finished_at or now
                for one in ledger.runs.reaching(min(times))
                if _answers(one, due)
            ]
            last = max(ends, default=None)
            missed = [at for at in times if last is None or at > last]
        level: Level = "critical" if len(missed) > 1 else "warning" if missed else "ok"
        many = f"{len(missed)} runs" if len(missed) > 1 else "a run"
        text = f"{many} did not happen, the last one due at {missed[0]:%Y-%m-%d %H:%M %Z}" if (
            missed
        ) else "ran when it was due"  # fmt: skip
        found.append(
            Observation(
                "run",
                due.name,
                level,
                text,
                "Is audiencehub up (or your Prefect worker) running? audiencehub schedule shows "
                "what is due; audiencehub sync makes up for it",
            )
        )
    return found


def _answers(run: Run, due: Due) -> bool:
    """The run did what the schedule asks for, at least, and did not die of an error."""
    if run.kind != due.kind or run.state == "crashed" or "error" in run.summary:
        return False
    if run.args.get("dry_run") or (due.full and not run.args.get("full")):
        return False
    only = run.args.get("only") or ()
    return not only or (bool(due.only) and set(due.only) <= set(only))
