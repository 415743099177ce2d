"""The ledger: the one store that is never lost and never rebuilt (`ledger.sqlite`)."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

from audiencehub.ledger.alerts import Alert, AlertMessage, Alerts
from audiencehub.ledger.audit import Audit, AuditEntry
from audiencehub.ledger.backup import Backup, backup
from audiencehub.ledger.candidates import Candidate, Candidates
from audiencehub.ledger.carry import Carried, Carrying
from audiencehub.ledger.consent import Consent, Said
from audiencehub.ledger.custody import Custody, Restore
from audiencehub.ledger.db import Database, prepare
from audiencehub.ledger.delivery import Deliveries
from audiencehub.ledger.edits import HandEdit, HandEdits
from audiencehub.ledger.erasing import Erasing
from audiencehub.ledger.figures import FigureLog, Told
from audiencehub.ledger.forgotten import Forgetting, Forgotten
from audiencehub.ledger.jobs import Job, Jobs
from audiencehub.ledger.leases import Lease, Leases
from audiencehub.ledger.manifests import FileEntry, Manifest, Manifests
from audiencehub.ledger.membership import Membership, Memberships, Movement
from audiencehub.ledger.merges import Merge, Merges, Separation
from audiencehub.ledger.people import People
from audiencehub.ledger.plans import Plan, PlanChange, Plans
from audiencehub.ledger.purging import Purged, Purging
from audiencehub.ledger.quarantine import Quarantine, Quarantined
from audiencehub.ledger.quotas import Quotas, Reading
from audiencehub.ledger.resyncs import Resyncs
from audiencehub.ledger.runs import Run, Runs
from audiencehub.ledger.sealing import Sealing
from audiencehub.ledger.stays import Stay, Stays
from audiencehub.ledger.targets import Targets
from audiencehub.ledger.values import (
    Believed,
    Intent,
    tag_hash,
    tag_reasons,
    tag_text,
    tag_value,
)
from audiencehub.privacy.forgotten import Tombstones

__all__ = [
    "Alert", "AlertMessage", "AuditEntry", "Backup", "Believed", "Candidate", "Carried",
    "FileEntry", "Forgetting", "HandEdit", "Intent",
    "Job", "Lease", "Ledger", "Manifest", "Membership", "Merge", "Movement", "Plan", "PlanChange",
    "Purged", "Quarantined", "Reading", "Restore", "Run", "Said", "Separation", "Stay", "Told",
    "tag_hash", "tag_reasons", "tag_text", "tag_value",
]  # fmt: skip


class Ledger:
    """The open ledger; each attribute is one part of it, over the same connection."""

    def __init__(self, db: Database, sealing: Sealing) -> None:
        self._db = db
        self.sealing = sealing
        self.runs = Runs(db)
        self.manifests = Manifests(db)
        self.people = People(db)
        self.merges = Merges(db)
        self.candidates = Candidates(db)
        self.consent = Consent(db)
        self.membership = Memberships(db)
        self.carrying = Carrying(db)
        self.stays = Stays(db)
        self.quarantine = Quarantine(db)
        self.targets = Targets(db)
        self.leases = Leases(db)
        self.audit = Audit(db, sealing)
        self.custody = Custody(db, sealing, self.audit)
        self.plans = Plans(db, self.audit)
        self.delivery = Deliveries(db)
        self.resyncs = Resyncs(db)
        self.edits = HandEdits(db)
        self.alerts = Alerts(db)
        self.purging = Purging(db, self.audit)
        self.quotas = Quotas(db)
        self.jobs = Jobs(db)
        self.figures = FigureLog(db)
        self.forgotten = Forgotten(db)
        self.erasing = Erasing(db)

    @classmethod
    def open(cls, folder: Path) -> Ledger:
        """The ledger of that folder, made when absent, migrated when older.

        Other processes may read and write it meanwhile. One that was lost or put back is noticed
        here, and goes on record. Raises ConfigError when a newer version
        wrote it or the key beside it is gone.
        """
        sealing = Sealing(folder)
        made = cls(Database(prepare(folder)), sealing)
        made.custody.look()
        return made

    @property
    def id(self) -> str:
        """This ledger's own id, made with it."""
        found = self._db.row("SELECT value FROM meta WHERE key='uuid'")
        return str(found[0]) if found else ""

    def tombstones(self) -> Tombstones:
        """What recognizes forgotten people."""
        return Tombstones(self.forgotten.marks(), self.sealing.mark)

    def backup(self, at: datetime, keep: int) -> Backup:
        """A dated backup in the folder `backups`, of which the newest `keep` stay. Raises Stop."""
        return backup(self._db, at, keep)

    def transaction(self) -> AbstractContextManager[None]:
        """All of it or nothing; an inner transaction joins the outer one."""
        return self._db.transaction()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
