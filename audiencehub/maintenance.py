"""Maintenance: what keeps the stores in order between runs; with Prefect and without."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import timedelta

from audiencehub import landing
from audiencehub.compacting import compact
from audiencehub.hub import Hub
from audiencehub.ledger import Backup, Purged
from audiencehub.pipeline import Caller, SyncResult
from audiencehub.steps import alert

TAGS = ("maintain",)


@dataclass(frozen=True, slots=True)
class Kept:
    """What one maintenance came to."""

    backup: Backup
    purged: Purged
    swept: int
    """Landing files that no pull names, removed."""


def maintain_bare(hub: Hub) -> tuple[SyncResult, Kept]:
    """Maintenance in this process: the run's result, and what it did."""
    return maintain(hub, Caller())


def maintain(hub: Hub, call: Caller) -> tuple[SyncResult, Kept]:
    """Back up, purge, sweep, verify, alert. The result is failed when the audit's chain is broken:
    then nothing is purged, so that what is left of it can be compared with a backup."""
    result = SyncResult(hub.run_id)
    made = call("backup-ledger", TAGS, backup, hub)
    broken = call("verify-audit", TAGS, hub.ledger.audit.verify)
    purged = Purged() if broken else call("purge", TAGS, purge, hub)
    swept = call("sweep-landing", TAGS, sweep, hub)
    if broken:
        result.state = "failed"
        result.problems.append(
            f"The audit chain is broken at {len(broken)} entries."
            "\n  -> Run: audiencehub audit verify"
        )
    result.summary = {"swept": swept, "backup": asdict(made), "purged": asdict(purged)}
    hub.ledger.runs.finish(hub.run_id, result.state, hub.now, result.summary)
    call("alert", TAGS, alert.alert, hub)
    return result, Kept(made, purged, swept)


def backup(hub: Hub) -> Backup:
    """A dated backup of the ledger."""
    return hub.ledger.backup(hub.now, hub.settings.retention.backups)


def purge(hub: Hub) -> Purged:
    """Let go what is older than settings keep."""
    limits, ledger = hub.settings.retention, hub.ledger
    landed = compact(hub)
    rows = ledger.purging.rows(hub.now - timedelta(days=limits.row_log_days))
    who = f"run {hub.run_id}"
    record = ledger.purging.record(hub.now - timedelta(days=limits.audit_days), hub.now, who)
    return replace(
        rows,
        plans=record.plans,
        runs=record.runs,
        audit_entries=record.audit_entries,
        landed_files=landed.files,
    )


def sweep(hub: Hub) -> int:
    """Landing files that no manifest names, removed; how many."""
    return landing.sweep(hub.settings, hub.run_id, hub.ledger.manifests.files())
