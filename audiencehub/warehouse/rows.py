"""Source rows in the warehouse: the latest version of each record stays; what is gone is marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import pyarrow as pa

from audiencehub.canonical import TABLES
from audiencehub.warehouse.schema import source_arrow

SourceRow = dict[str, Any]
"""The columns of `source_<table>` by name."""


def upsert(
    connection: duckdb.DuckDBPyConnection, name: str, rows: Sequence[SourceRow], *, keep_newer: bool
) -> None:
    """Put rows into `source_<name>` inside the caller's transaction.

    Of several versions the latest by its own time stays, then the one that came last; with
    `keep_newer` also against what the table holds (pages may arrive late).
    """
    connection.register(
        "stage", pa.Table.from_pylist(_latest(rows), schema=source_arrow(TABLES[name]))
    )
    newer = f"""
        WHERE NOT EXISTS (
            SELECT 1 FROM source_{name} t
            WHERE t.source = s.source AND t.source_id = s.source_id
              AND NOT t.deleted AND t.observed_at > s.observed_at
        )
    """
    try:
        connection.execute(
            f"CREATE TEMP TABLE fresh AS SELECT s.* FROM stage s {newer if keep_newer else ''}"
        )
        connection.execute(
            f"DELETE FROM source_{name} t USING fresh f "
            "WHERE t.source = f.source AND t.source_id = f.source_id"
        )
        connection.execute(f"INSERT INTO source_{name} BY NAME SELECT * FROM fresh")
        connection.execute("DROP TABLE fresh")
    finally:
        connection.unregister("stage")


def _latest(rows: Sequence[SourceRow]) -> list[SourceRow]:
    kept: dict[str, SourceRow] = {}
    for row in rows:
        old = kept.get(row["source_id"])
        older = (
            old is not None
            and old["observed_at"] is not None
            and row["observed_at"] is not None
            and old["observed_at"] > row["observed_at"]
        )
        if not older:
            kept[row["source_id"]] = row
    return list(kept.values())


def absent(
    connection: duckdb.DuckDBPyConnection, source: str, stream: str, manifest_id: int
) -> None:
    """Mark as gone what a full pull, proven complete, did not have."""
    for name in TABLES:
        connection.execute(
            f"""
            UPDATE source_{name} SET deleted = true, manifest_id = $manifest
            WHERE source = $source AND stream = $stream AND NOT deleted
              AND manifest_id < $manifest
            """,
            {"manifest": manifest_id, "source": source, "stream": stream},
        )
