"""Gates: whether the sources were read well enough to believe what is absent."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from statistics import median

from audiencehub.alerts.watch import stale_hours
from audiencehub.delivery.guards import GuardResult
from audiencehub.ledger import Ledger
from audiencehub.settings import Guards, Settings

PULLS = 5
Stale = Callable[[Ledger, str, str], float]
"""Ledger, source and stream to the hours since it was last read to its end; 0: not too long."""


def sources(
    ledger: Ledger,
    names: Collection[str],
    guards: Guards,
    target: str,
    *,
    stale: Stale | None = None,
) -> list[GuardResult]:
    """One result per stream that is not as it should be, else a single `ok`.

    A stream whose last pull is not proven complete, or was too long ago, defers every removal. A
    last full pull with too few rows holds the plan, until a person has approved one since.
    """
    results = []
    for source, stream in ledger.manifests.streams():
        if source not in names:
            continue
        latest = ledger.manifests.latest(source, stream)
        if latest is not None and not latest.complete:
            message = f"{source}/{stream} is incomplete: {latest.reason or 'no reason given'}"
            results.append(GuardResult("incomplete_source", "defer", message))
        elif latest is not None and (hours := stale(ledger, source, stream) if stale else 0):
            message = f"{source}/{stream} was last read to its end {hours:,.0f} hours ago"
            results.append(GuardResult("stale_source", "defer", message, None, hours))
        results += _dropped(ledger, source, stream, guards, target)
    return results or [GuardResult("sources", "ok", "every source was read to its end")]


def staleness(settings: Settings, now: datetime) -> Stale:
    """By the limits of the alerts: what is stale there is not believed here."""

    def hours(ledger: Ledger, source: str, stream: str) -> float:
        limit = stale_hours(settings, source, stream)
        at = ledger.manifests.last_complete(source, stream)
        age = (now - at) / timedelta(hours=1) if at is not None else 0.0
        return age if limit is not None and age > limit else 0.0

    return hours


def _dropped(
    ledger: Ledger, source: str, stream: str, guards: Guards, target: str
) -> list[GuardResult]:
    rows = ledger.manifests.recent_complete(source, stream, n=PULLS + 1)
    if len(rows) < 2:
        return []
    usual = median(rows[1:])
    limit = (1 - guards.source_drop_share) * usual
    if rows[0] >= limit:
        return []
    at = ledger.manifests.last_full(source, stream)
    if at is not None and ledger.plans.approved_since(target, at):
        return []
    message = f"{source}/{stream} has {rows[0]:,} rows where {usual:,.0f} are usual"
    return [GuardResult("source_rows", "hold", message, None, rows[0], limit)]
