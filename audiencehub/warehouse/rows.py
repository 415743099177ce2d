"""Source rows in the warehouse: the latest version of each record stays; what is gone is marked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from audiencehub.canonical import Table
from audiencehub.warehouse import touched
from audiencehub.warehouse.insert import insert
from audiencehub.warehouse.schema import HASHED, hashes, source_arrow, source_columns

SourceRow = dict[str, Any]
"""The columns of `source_<table>` by name; `digest` and the hashes of keys are made here."""
BESIDE = (
    "stream", "manifest_id", "uncleaned", "digest", "observed_at", "modified_at", *HASHED
)  # fmt: skip
"""Columns that are not what a record says."""


def upsert(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    rows: Sequence[SourceRow],
    *,
    keep_newer: bool,
    written: Collection[str] = (),
) -> None:
    """Put rows into `source_<table>` inside the caller's transaction.

    Of several versions the latest by its own time stays, and at the same time a deletion, then the
    one that came last. With `keep_newer` that holds against all that the table has (pages may
    arrive late); without, only against this pull's own pages: it says what the source has now.
    `modified_at` is that time. Of sources in `written`, which the hub itself writes to, a version
    that says what stood there was not observed anew: such a record was modified, as by a tag, in
    what nobody reads. Records whose content differs from what stood there are noted for resolve; a
    digest tells, for reading whole rows back would cost as much as writing them.
    """
    name = table.name
    content = ", ".join(f's."{one}"' for one, _ in source_columns(table) if one not in BESIDE)
    connection.register("stage", pa.Table.from_pylist(_latest(rows), schema=source_arrow(table)))
    at = "coalesce(s.modified_at, s.observed_at)"
    keyed = ", ".join(f"{sql} AS {column}" for column, sql in hashes("s").items())
    rivals = "" if keep_newer else "AND t.manifest_id = s.manifest_id"
    try:
        connection.execute(f"CREATE TEMP TABLE standing AS {_standing(name)}")
        connection.execute(
            f"""
            CREATE TEMP TABLE fresh AS
            SELECT s.* REPLACE ({keyed}, hash({content}) AS digest, CASE
                WHEN s.source IN (SELECT unnest($written::VARCHAR[])) AND t.digest = hash({content})
                THEN t.observed_at ELSE s.observed_at END AS observed_at)
            FROM stage s LEFT JOIN standing t USING (source, source_id) WHERE NOT EXISTS (
                SELECT 1 FROM standing t
                WHERE t.source = s.source AND t.source_id = s.source_id {rivals}
                  AND NOT (t.absent AND t.manifest_id < s.manifest_id)
                  AND (coalesce(t.modified_at, t.observed_at) > {at} OR
                       (coalesce(t.modified_at, t.observed_at) = {at}
                        AND t.deleted AND NOT s.deleted))
            )
            """,
            {"written": list(written)},
        )
        connection.execute(
            "CREATE TEMP TABLE differing AS SELECT f.source, f.source_id FROM fresh f "
            "LEFT JOIN standing t USING (source, source_id) "
            "WHERE t.digest IS DISTINCT FROM f.digest "
            "OR t.observed_at IS DISTINCT FROM f.observed_at"
        )
        touched.record(connection, name, "differing", standing="standing")
        connection.execute(
            f"DELETE FROM source_{name} WHERE rowid IN "
            "(SELECT place FROM standing SEMI JOIN fresh USING (source, source_id))"
        )
        insert(connection, f"source_{name} BY NAME", "SELECT * FROM fresh")
        connection.execute("DROP TABLE standing")
        connection.execute("DROP TABLE fresh")
        connection.execute("DROP TABLE differing")
    finally:
        connection.unregister("stage")


def _standing(name: str) -> str:
    """What stands under the staged keys, narrow: one pass over a table that may be long, whatever
    is asked of it afterwards."""
    keys = "".join(f", {key}" for key in touched.KEYS.get(name, ()))
    return (
        "SELECT rowid AS place, source, source_id, manifest_id, absent, deleted, observed_at, "
        f"modified_at, digest{keys} FROM source_{name} "
        "SEMI JOIN (SELECT source, source_id FROM stage) USING (source, source_id)"
    )


def _latest(rows: Sequence[SourceRow]) -> list[SourceRow]:
    kept: dict[str, SourceRow] = {}
    for row in rows:
        old = kept.get(row["source_id"])
        if old is None or not _beats(old, row):
            kept[row["source_id"]] = row
    return list(kept.values())


def _beats(old: SourceRow, new: SourceRow) -> bool:
    before, after = (one.get("modified_at") or one["observed_at"] for one in (old, new))
    if before is None or after is None:
        return False
    return bool(before > after or (before == after and old["deleted"] and not new["deleted"]))


def absent(
    connection: duckdb.DuckDBPyConnection,
    names: Iterable[str],
    source: str,
    stream: str,
    manifest_id: int,
    unread: Collection[str] = (),
) -> None:
    """Mark as gone what a full pull, proven complete, did not have. The `unread` are ids of records
    that it had and that could not be used: what stands of them is kept."""
    pulled = {
        "manifest": manifest_id, "source": source, "stream": stream, "unread": sorted(unread)
    }  # fmt: skip
    missed = (
        "source = $source AND stream = $stream AND NOT deleted AND manifest_id < $manifest "
        "AND NOT list_contains($unread::VARCHAR[], source_id) "
        "AND NOT coalesce(list_contains($unread::VARCHAR[], contact_ref), false)"
    )
    for name in names:
        connection.execute(
            "CREATE TEMP TABLE missing AS "
            f"SELECT source, source_id FROM source_{name} WHERE {missed}",
            pulled,
        )
        touched.record(connection, name, "missing")
        connection.execute("DROP TABLE missing")
        connection.execute(
            f"UPDATE source_{name} SET deleted = true, absent = true, manifest_id = $manifest, "
            f"digest = NULL WHERE {missed}",
            pulled,
        )


def forget(
    connection: duckdb.DuckDBPyConnection, names: Iterable[str], sources: Sequence[str]
) -> int:
    """Drop the rows of sources that are not among these, inside the caller's transaction."""
    dropped = 0
    for name in names:
        found = connection.execute(
            f"DELETE FROM source_{name} WHERE NOT list_contains($known::VARCHAR[], source)",
            {"known": list(sources)},
        ).fetchone()
        dropped += int(found[0]) if found else 0
    return dropped
