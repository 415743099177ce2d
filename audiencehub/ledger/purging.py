"""Purging: rows that are older than settings keep, and that nothing is decided by any more.

What stays, however old: what is open or in doubt; what is believed, and for each member that was
ever sent the intent and the identifiers it takes to remove them; consent, suppression and
tombstones; the log of memberships, which rules read; decisions about identity; one ended plan of
each target, for its first run is over; merges.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from audiencehub.ledger.audit import Audit
from audiencehub.ledger.db import Database
from audiencehub.ledger.stamps import stamp

ENDED = "('confirmed','rejected','quarantined','superseded')"
NEEDED = (
    "EXISTS(SELECT 1 FROM plan p WHERE p.plan_id=i.plan_id AND p.state IN ('open','applying'))"
    " OR (i.state='confirmed' AND i.op<>'remove' AND i.seq=(SELECT max(n.seq) FROM intent n"
    " WHERE n.target=i.target AND n.member=i.member AND n.state='confirmed')"
    " AND (EXISTS(SELECT 1 FROM believed b WHERE b.target=i.target AND b.member=i.member)"
    " OR EXISTS(SELECT 1 FROM sent_identifier s WHERE s.target=i.target AND s.member=i.member)))"
    " OR (i.op='add' AND i.seq=(SELECT max(n.seq) FROM intent n WHERE n.target=i.target"
    " AND n.member=i.member AND n.op='add')"
    " AND EXISTS(SELECT 1 FROM sent_identifier s WHERE s.target=i.target AND s.member=i.member))"
)
"""Of the intent `i`: its plan is under way; it is what last proved a member in; or it is the last
word on identifiers that are kept."""


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows went, by kind."""

    intents: int = 0
    replies: int = 0
    planned_changes: int = 0
    settled_rows: int = 0
    """Of quarantine and of hand edits."""
    plans: int = 0
    runs: int = 0
    audit_entries: int = 0
    landed_files: int = 0


class Purging:
    """Deletes from the row log and the audit."""

    def __init__(self, db: Database, audit: Audit) -> None:
        self._db, self._audit = db, audit

    def rows(self, before: datetime) -> Purged:
        """Let go what each row came to: intents, replies, changes of ended plans, what was settled
        in quarantine and by hand."""
        at = stamp(before)
        with self._db.transaction():
            intents = self._db.run(
                "DELETE FROM intent WHERE seq IN (SELECT i.seq FROM intent i WHERE i.at<?"
                f" AND i.state IN {ENDED} AND NOT ({NEEDED}))",
                (at,),
            )
            replies = self._db.run("DELETE FROM reply WHERE at<?", (at,))
            changes = self._db.run(
                "DELETE FROM plan_change WHERE plan_id IN (SELECT plan_id FROM plan WHERE at<?"
                " AND state IN ('done','void')) AND NOT EXISTS(SELECT 1 FROM intent i"
                " WHERE i.plan_id=plan_change.plan_id AND i.member=plan_change.member)",
                (at,),
            )
            settled = self._db.run(
                "DELETE FROM quarantine WHERE resolved=1 AND at<? AND (manifest_id=0 OR manifest_id"
                " IN (SELECT manifest_id FROM manifest WHERE purged_at IS NOT NULL))",
                (at,),
            ) + self._db.run("DELETE FROM hand_edit WHERE state='reverted' AND found_at<?", (at,))
        return Purged(intents, replies, changes, settled)

    def record(self, before: datetime, now: datetime, who: str) -> Purged:
        """Let go heads of plans, runs and audit entries; the chain stays one that verifies."""
        at = stamp(before)
        with self._db.transaction():
            plans = self._db.run(
                "DELETE FROM plan WHERE at<? AND state IN ('done','void') AND n NOT IN (SELECT"
                " max(n) FROM plan WHERE state='done' GROUP BY target, kind) AND NOT EXISTS(SELECT"
                " 1 FROM plan_change c WHERE c.plan_id=plan.plan_id)",
                (at,),
            )
            runs = self._db.run(
                "DELETE FROM run WHERE finished_at<? AND rowid>(SELECT min(rowid) FROM run)", (at,)
            )
            entries = self._audit.cut(before)
            if entries:
                detail = {"entries": entries, "before": at}
                self._audit.record(now, who, "purge", "audit", detail)
        return Purged(plans=plans, runs=runs, audit_entries=entries)
