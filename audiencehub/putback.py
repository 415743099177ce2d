"""After the ledger was lost or put back: the other two stores follow what it still knows."""

from __future__ import annotations

import hashlib
from datetime import datetime

from audiencehub.landing import compacted, landing
from audiencehub.ledger import FileEntry, Ledger
from audiencehub.settings import Settings
from audiencehub.warehouse import Warehouse

MARK = "ledger"


def follow(
    settings: Settings, ledger: Ledger, warehouse: Warehouse, now: datetime, who: str
) -> bool:
    """Put a restore on record, and make the warehouse anew from what this ledger has landed.

    The warehouse numbers people as the ledger did that sent last; an older copy would give the same
    numbers to others. Whether it was made anew; the run's first steps fill it.
    """
    ledger.custody.note(now, who)
    found = ledger.custody.restored()
    mark = f"{ledger.id}:{found.n if found else 0}"
    kept = warehouse.get(MARK)
    if kept == mark:
        return False
    if found is None and kept is None:
        warehouse.set(MARK, mark)
        return False
    _let_go(settings, ledger, now)
    draft = warehouse.draft()
    draft.set(MARK, mark)
    warehouse.adopt(draft)
    return True


def _let_go(settings: Settings, ledger: Ledger, now: datetime) -> None:
    """Pulls whose pages are no longer there are not read again; their streams begin anew."""
    root, gone = landing(settings), []
    for manifest in ledger.manifests.after(0):
        for file in manifest.files:
            if (root / file.path).exists():
                continue
            left = compacted(root / file.path)
            if not left.exists():
                gone.append(manifest.manifest_id)
                continue
            # Since the backup it was compacted: what is left of it is what a rebuild needs.
            digest = hashlib.sha256(left.read_bytes()).hexdigest()
            new = FileEntry(str(left.relative_to(root)), file.rows, digest)
            ledger.erasing.rewritten(file, new, ())
            ledger.manifests.compacted(manifest.manifest_id, now)
    ledger.manifests.let_go(gone, now, rewind=True)
