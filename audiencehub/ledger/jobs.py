"""Jobs: what a platform works on after it took a batch."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from audiencehub.ledger.db import Database
from audiencehub.ledger.stamps import document, instant, stamp
from audiencehub.model import Processed

FIRST_LOOK = timedelta(minutes=30)
"""Data Manager API, "Check request status": not asked for earlier; then ever more seldom."""
LONGEST = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Job:
    """One batch that the platform took, and what is known of it."""

    target: str
    job: str
    rows: int
    sent_at: datetime
    state: str
    asked: int = 0
    """How often it was asked for."""
    ended_at: datetime | None = None
    rejected: Mapping[str, int] = field(default_factory=dict)
    match: tuple[float, float] | None = None


_COLUMNS = "target, job, rows, sent_at, state, asked, ended_at, rejected, match_low, match_high"


class Jobs:
    """The job table."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, target: str, taken: Mapping[str, int], at: datetime) -> None:
        """Job to rows, as the receipts of one batch name them; one that is known stays as it is."""
        self._db.many(
            "INSERT INTO job(target, job, rows, sent_at, state, next_at)"
            " VALUES(?,?,?,?,'running',?) ON CONFLICT DO NOTHING",
            [(target, job, n, stamp(at), stamp(at + FIRST_LOOK)) for job, n in taken.items()],
        )

    def due(self, at: datetime) -> list[Job]:
        """Those to be asked for now, the oldest first."""
        return self._jobs("next_at<=? ORDER BY sent_at, job", (stamp(at),))

    def of(self, target: str, since: datetime) -> list[Job]:
        """A target's jobs sent since, the newest first."""
        return self._jobs(
            "target=? AND sent_at>=? ORDER BY sent_at DESC, job", (target, stamp(since))
        )

    def running(self, target: str) -> int:
        """How many of a target's jobs are not done."""
        row = self._db.row("SELECT count(*) FROM job WHERE target=? AND state='running'", (target,))
        return int(row[0]) if row else 0

    def drop(self, target: str, at: datetime) -> None:
        """Ask no more for what runs: the list that it was for is given up."""
        self._db.run(
            "UPDATE job SET state='gone', next_at=NULL, ended_at=? WHERE target=?"
            " AND state='running'",
            (stamp(at), target),
        )

    def told(self, one: Job, found: Processed, at: datetime) -> None:
        """What the platform said of a job; one that runs is asked again later and later."""
        low, high = found.match or (None, None)
        over = found.state != "running"
        wait = min(FIRST_LOOK * 2 ** min(one.asked, 10), LONGEST)
        self._db.run(
            "UPDATE job SET state=?, asked=asked+1, next_at=?, ended_at=?, rejected=?,"
            " match_low=?, match_high=? WHERE target=? AND job=?",
            (
                found.state,
                None if over else stamp(at + wait),
                stamp(at) if over else None,
                document(dict(found.rejected)),
                low,
                high,
                one.target,
                one.job,
            ),
        )

    def rejected(self, target: str, since: datetime) -> Counter[str]:
        """The platform's reason to rows that it refused, of the jobs sent since."""
        found: Counter[str] = Counter()
        for one in self.of(target, since):
            found.update(one.rejected)
        return found

    def _jobs(self, where: str, values: tuple[str, ...]) -> list[Job]:
        found = self._db.rows(f"SELECT {_COLUMNS} FROM job WHERE {where}", values)
        return [
            Job(
                target,
                job,
                rows,
                instant(sent),
                state,
                asked,
                instant(ended) if ended else None,
                json.loads(rejected),
                None if low is None else (low, high),
            )
            for target, job, rows, sent, state, asked, ended, rejected, low, high in found
        ]
