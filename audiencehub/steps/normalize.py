"""Normalize: landed pages become canonical source rows; what cannot is set aside, never lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from audiencehub.canonical import Table
from audiencehub.cleaning import Unclean, clean
from audiencehub.cleaning.derive import derive
from audiencehub.connector import Enricher, Source
from audiencehub.delivery.places import record_sources
from audiencehub.disk import kept
from audiencehub.errors import SkipRow
from audiencehub.hub import Hub
from audiencehub.landing import records
from audiencehub.ledger import Manifest, Quarantined
from audiencehub.model import Row, Stream
from audiencehub.opening import open_source
from audiencehub.warehouse import stats
from audiencehub.warehouse.rows import absent, forget, upsert
from audiencehub.warehouse.schema import LINKS

BATCH = 20_000
LONGEST_RAW = 500
IDENTITY, REF = 2, 6
"""Where a quarantine entry has the id of its record, and the place."""
MALFORMED = (KeyError, TypeError, ValueError, AttributeError, IndexError)
"""What a mapping raises on a record whose shape is not the vendor's documented one."""
FIRST = ("country", "currency")
"""Fields that the cleaners of other fields need to know."""


@dataclass(slots=True)
class Normalized:
    """What was read since the last run."""

    records: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    """Rows by canonical table."""
    quarantined: int = 0
    uncleaned: Counter[str] = field(default_factory=Counter)
    """Values set aside, by table.field."""


@dataclass(slots=True)
class _Batch:
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    quarantine: list[tuple[Any, ...]] = field(default_factory=list)


@kept
def normalize(hub: Hub, upto: int | None = None) -> Normalized:
    """Apply every manifest that the warehouse has not seen, in order, each in one transaction.

    `upto` ends with that manifest. What a source left that the settings no longer name is dropped.
    """
    result = Normalized()
    with hub.warehouse.transaction():
        if forget(hub.warehouse.connection, hub.warehouse.tables, list(hub.settings.sources)):
            _resolve_anew(hub)
    for manifest in hub.ledger.manifests.after(hub.warehouse.applied):
        if upto is not None and manifest.manifest_id > upto:
            break
        if manifest.source in hub.settings.sources:
            _apply(hub, manifest, result)
        else:
            with hub.warehouse.transaction():
                hub.warehouse.set_applied(manifest.manifest_id, manifest.at)
    return result


def _apply(hub: Hub, manifest: Manifest, result: Normalized) -> None:
    source = open_source(hub, manifest.source)
    stream = _stream(source, manifest.stream)
    quarantine: list[tuple[Any, ...]] = []
    with hub.warehouse.transaction():
        batch, done = _Batch(), 0
        for entry in manifest.files:
            for number, record in records(hub.settings, entry.path):
                ref = f"{entry.path}:{number}"
                _read(hub, source, stream, record, ref, manifest, batch, result)
                done += 1
                if done % BATCH == 0:
                    quarantine += _store(hub, batch, keep_newer=not manifest.full)
                    batch = _Batch()
                    hub.progress(
                        f"normalize {manifest.source}/{manifest.stream}", done, manifest.rows
                    )
        quarantine += _store(hub, batch, keep_newer=not manifest.full)
        hub.progress(f"normalize {manifest.source}/{manifest.stream}", done, manifest.rows)
        if manifest.full and manifest.complete:
            pulled = (manifest.source, manifest.stream, manifest.manifest_id)
            unread = {str(row[IDENTITY]) for row in quarantine}
            absent(hub.warehouse.connection, hub.warehouse.tables, *pulled, unread)
            stats.record(hub.warehouse.connection, hub.warehouse.tables, *pulled)
        # Quarantine is idempotent by record reference, so it may go first: a crash in between
        # repeats the manifest and finds the same rows.
        _set_aside(hub, manifest, quarantine)
        hub.warehouse.set_applied(manifest.manifest_id, manifest.at)
    result.quarantined += len(quarantine)


def _set_aside(hub: Hub, manifest: Manifest, rows: list[tuple[Any, ...]]) -> None:
    """Each record once, however often its pull is replayed; a complete pull supersedes earlier
    ones, and what was let go because of a later pull is not taken up again."""
    if rows:
        later = _last_full(hub).get((manifest.source, manifest.stream), 0) > manifest.manifest_id
        known = hub.ledger.quarantine.seen(manifest.manifest_id) if later else set()
        hub.ledger.quarantine.add(row for row in rows if row[REF] not in known)
    if manifest.full and manifest.complete:
        hub.ledger.quarantine.supersede(manifest.source, manifest.stream, manifest.manifest_id)


def _stream(source: Source | Enricher, name: str) -> Stream:
    if isinstance(source, Enricher):
        return source.stream
    return next((one for one in source.streams if one.name == name), Stream(name))


def _read(
    hub: Hub,
    source: Source | Enricher,
    stream: Stream,
    record: dict[str, Any],
    ref: str,
    manifest: Manifest,
    batch: _Batch,
    result: Normalized,
) -> None:
    result.records += 1
    where = (manifest.source, manifest.stream)
    try:
        rows = list(source.rows(stream, record))
    except SkipRow as error:
        reason = (error.code, error.message)
    except MALFORMED as error:
        reason = (
            "malformed",
            f"The record is not of the documented shape ({type(error).__name__}).",
        )
    else:
        _take(hub, rows, manifest, batch, result)
        return
    identity = record.get("id") or record.get("Id") or ref
    batch.quarantine.append((*where, str(identity), *reason, manifest.manifest_id, ref, hub.now))


def _take(
    hub: Hub, rows: Iterable[Row], manifest: Manifest, batch: _Batch, result: Normalized
) -> None:
    for row in rows:
        table = hub.warehouse.tables[row.table]
        issues: list[tuple[str, Any, str]] = []
        values = _values(hub.warehouse.tables, table, row, issues)
        for name, _, _ in issues:
            result.uncleaned[f"{table.name}.{name}"] += 1
        observed = row.observed_at.replace(tzinfo=None) if row.observed_at else None
        batch.rows.setdefault(table.name, []).append(
            {
                "source": manifest.source,
                "source_id": row.source_id,
                "stream": manifest.stream,
                "observed_at": observed,
                "modified_at": observed,
                "manifest_id": manifest.manifest_id,
                "deleted": row.deleted,
                "absent": False,
                "merged_into": row.merged_into,
                "uncleaned": [
                    {"field": name, "raw": _raw(raw), "reason": reason}
                    for name, raw, reason in issues
                ],
                **values,
            }
        )
        result.rows[table.name] += 1


def _values(
    tables: Mapping[str, Table], table: Table, row: Row, issues: list[tuple[str, Any, str]]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for link in LINKS:
        raw = row.values.get(link)
        values[link] = str(raw) if raw not in (None, "") else None
    for name, of in (
        ("contact_email", tables["contact"].field("email")),
        ("account_domain", tables["account"].field("domain")),
    ):
        if values[name] and of:
            values[name] = _cleaned(of, values[name], values, issues)
    fields = sorted(table.fields, key=lambda one: one.name not in FIRST)
    for one in fields:
        values[one.name] = _cleaned(one, row.values.get(one.name), values, issues)
    for name, value in derive(table.name, values).items():
        if table.field(name) and values.get(name) is None:
            values[name] = value
    return values


def _cleaned(one: Any, raw: Any, known: dict[str, Any], issues: list[tuple[str, Any, str]]) -> Any:
    try:
        return clean(one, raw, known)
    except Unclean as error:
        issues.append((one.name, raw, error.reason))
        return None


def _raw(value: Any) -> str:
    """A value as it came, as far as it can be stored: what is no valid text is escaped."""
    return str(value)[:LONGEST_RAW].encode("utf-8", "backslashreplace").decode("utf-8")


def _store(hub: Hub, batch: _Batch, *, keep_newer: bool) -> list[tuple[Any, ...]]:
    written = {
        source
        for destination in hub.settings.destinations
        for source in record_sources(hub.settings, destination)
    }
    for name, rows in batch.rows.items():
        table = hub.warehouse.tables[name]
        upsert(hub.warehouse.connection, table, rows, keep_newer=keep_newer, written=written)
    return batch.quarantine


def retry(hub: Hub, rows: Iterable[Quarantined]) -> tuple[list[int], list[int]]:
    """Read quarantined records again from landing: ids now accepted, and ids that still fail.

    What a later complete pull has superseded is let go: that pull said the record anew, or that it
    is gone.
    """
    healed, failed = [], []
    superseded = _last_full(hub)
    for row in rows:
        if row.manifest_id < superseded.get((row.source, row.stream), 0):
            healed.append(row.id)
            continue
        manifest = next(iter(hub.ledger.manifests.after(row.manifest_id - 1)), None)
        path, _, number = row.record_ref.rpartition(":")
        source = open_source(hub, row.source)
        record = next((one for n, one in records(hub.settings, path) if n == int(number)), None)
        batch, result = _Batch(), Normalized()
        if record is not None and manifest is not None:
            stream = _stream(source, row.stream)
            _read(hub, source, stream, record, row.record_ref, manifest, batch, result)
        if record is None or batch.quarantine or manifest is None:
            failed.append(row.id)
            continue
        with hub.warehouse.transaction():
            _store(hub, batch, keep_newer=True)
        healed.append(row.id)
    hub.ledger.quarantine.resolve(healed)
    return healed, failed


def _last_full(hub: Hub) -> dict[tuple[str, str], int]:
    """(source, stream) to the manifest of its newest complete full pull."""
    return {
        (one.source, one.stream): one.manifest_id
        for one in hub.ledger.manifests.after(0)
        if one.full and one.complete
    }


def _resolve_anew(hub: Hub) -> None:
    """Let resolve look at everything again: rows that are gone without a trace are in no list."""
    for entity in ("contact", "account"):
        hub.warehouse.set(f"identity_{entity}_policy", "")
    hub.warehouse.set("resolved_by", "")
