"""Outcomes: what became of work that a platform does after it took a batch."""

from __future__ import annotations

from datetime import datetime

from audiencehub.connector import Destination
from audiencehub.ledger import Job, Ledger
from audiencehub.model import Processed, Target

WHO = "the platform"


def ask(
    ledger: Ledger, destination: Destination, target: Target, job: Job, run_id: str, now: datetime
) -> Processed:
    """Ask for one job and note what was told. Raises Stop, Wait.

    One that failed as a whole leaves nobody knows what on the list, so that a resync is asked for.
    """
    told = destination.processed(target, job.job)
    with ledger.transaction():
        ledger.jobs.told(job, told, now)
        if told.state == "failed":
            ledger.resyncs.ask(target.id, WHO, now, lost_at=job.sent_at)
        if told.state in ("failed", "partly"):
            detail = {"state": told.state, "rows": job.rows, "rejected": dict(told.rejected)}
            ledger.audit.record(now, f"run {run_id}", "follow", target.id, detail)
    return told
