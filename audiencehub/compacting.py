"""Compacting: landed pages that a later full pull superseded, down to what is still read of them.

A full pull says who is there. What it cannot say is what a source told once: that a record was
deleted, or merged into another. Such records stay, in a page of their own, so that the warehouse
can be made anew with the same people; everything else of the old pages goes.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from audiencehub.errors import SkipRow
from audiencehub.hub import Hub
from audiencehub.landing import compacted, landing, records, sync
from audiencehub.ledger import FileEntry, Manifest
from audiencehub.model import Stream
from audiencehub.opening import open_source


@dataclass(slots=True)
class Compacted:
    """What one compaction came to."""

    files: int = 0
    """Landed files that went."""
    kept: int = 0
    """Records that stay, in pages of their own."""


def compact(hub: Hub) -> Compacted:
    """Compact what is older than `retention.landing_days`. A crash leaves the old page or the new
    one in the ledger; the file of the other is swept."""
    before = hub.now - timedelta(days=hub.settings.retention.landing_days)
    old = set(hub.ledger.manifests.superseded(before, hub.warehouse.applied))
    result = Compacted()
    if not old:
        return result
    needed = _needed(hub, old)
    _let_go(hub, old - needed.keys(), result)
    for manifest in hub.ledger.manifests.after(0):
        if manifest.manifest_id in needed and manifest.source in hub.settings.sources:
            _rewrite(hub, manifest, needed[manifest.manifest_id], result)
    return result


def _needed(hub: Hub, ids: Collection[int]) -> dict[int, set[tuple[str, str]]]:
    """Pull to the rows, as (table, record id), that the warehouse has from it and no later one."""
    found: dict[int, set[tuple[str, str]]] = {}
    for table in hub.warehouse.tables:
        for number, source_id in hub.warehouse.connection.execute(
            f"SELECT manifest_id, source_id FROM source_{table} WHERE NOT absent"
            " AND manifest_id IN (SELECT unnest(?::BIGINT[]))",
            [sorted(ids)],
        ).fetchall():
            found.setdefault(int(number), set()).add((table, str(source_id)))
    return found


def _let_go(hub: Hub, ids: Collection[int], result: Compacted) -> None:
    gone = hub.ledger.manifests.let_go(ids, hub.now)
    for path in gone:
        (landing(hub.settings) / path).unlink(missing_ok=True)
    result.files += len(gone)


def _rewrite(
    hub: Hub, manifest: Manifest, needed: Collection[tuple[str, str]], result: Compacted
) -> None:
    root = landing(hub.settings)
    for entry in manifest.files:
        kept = _lines(hub, manifest, entry, needed)
        new = _write(root, entry, kept)
        dropped = set(range(1, entry.rows + 1)) - kept
        with hub.ledger.transaction():
            hub.ledger.erasing.rewritten(entry, new, dropped)
            hub.ledger.manifests.compacted(manifest.manifest_id, hub.now)
        (root / entry.path).unlink(missing_ok=True)
        result.files += 1
        result.kept += len(kept)


def _lines(
    hub: Hub, manifest: Manifest, entry: FileEntry, needed: Collection[tuple[str, str]]
) -> set[int]:
    """Numbers of the lines whose record is still read."""
    source, stream = open_source(hub, manifest.source), Stream(manifest.stream)
    kept = set()
    for number, record in records(hub.settings, entry.path):
        try:
            rows = list(source.rows(stream, record))
        except SkipRow:
            continue
        if any((row.table, row.source_id) in needed for row in rows):
            kept.add(number)
    return kept


def _write(root: Path, entry: FileEntry, kept: Collection[int]) -> FileEntry:
    """The page with empty lines in place of what goes: quarantine names records by their line."""
    old = root / entry.path
    final = compacted(old)
    final.unlink(missing_ok=True)
    final.touch(mode=0o600)
    with (
        gzip.open(old, "rt", encoding="utf-8") as lines,
        final.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=3, fileobj=raw, mtime=0) as out,
    ):
        for number, line in enumerate(lines, 1):
            out.write((line if number in kept else "\n").encode("utf-8"))
    sync(final)
    sync(final.parent)
    digest = hashlib.sha256(final.read_bytes()).hexdigest()
    return FileEntry(str(final.relative_to(root)), entry.rows, digest)
