"""Land: make the spooled pages durable, then record them with the cursor in one transaction.

write, fsync, rename, fsync the folder; then the ledger. A file that no manifest names is swept.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from audiencehub.disk import kept
from audiencehub.hub import Hub
from audiencehub.landing import landing, noted, spool, sync
from audiencehub.ledger import FileEntry


@dataclass(frozen=True, slots=True)
class Landed:
    """What of one source is now durable."""

    source: str
    manifests: tuple[int, ...]
    rows: int
    incomplete: tuple[str, ...]
    """Streams whose pull was not proven complete, each with the reason."""


@kept
def land(hub: Hub, source: str) -> Landed:
    """Record this run's spooled pages of a source."""
    folder = spool(hub.settings, hub.run_id, source)
    manifests, rows, incomplete = [], 0, []
    for pulled in noted(folder):
        entry = _keep(hub, source, pulled.stream, folder, pulled.rows)
        manifests.append(
            hub.ledger.manifests.record(
                hub.run_id,
                source,
                pulled.stream,
                [entry],
                pulled.rows,
                pulled.complete,
                pulled.reason,
                pulled.full,
                pulled.cursor,
                hub.now,
            )
        )
        rows += pulled.rows
        if not pulled.complete:
            incomplete.append(f"{pulled.stream}: {pulled.reason}")
    shutil.rmtree(folder, ignore_errors=True)
    return Landed(source, tuple(manifests), rows, tuple(incomplete))


def _keep(hub: Hub, source: str, stream: str, folder: Path, rows: int) -> FileEntry:
    root = landing(hub.settings)
    spooled = folder / f"{stream}.jsonl.gz"
    final = root / source / stream / f"{hub.now:%Y%m%dT%H%M%S}-{hub.run_id}.jsonl.gz"
    final.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = hashlib.sha256(spooled.read_bytes()).hexdigest()
    spooled.chmod(0o600)
    sync(spooled)
    spooled.rename(final)
    sync(final.parent)
    return FileEntry(path=str(final.relative_to(root)), rows=rows, sha256=digest)
