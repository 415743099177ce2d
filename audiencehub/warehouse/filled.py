"""Which canonical tables of facts anything fills: what is asked of the others is unknown."""

from __future__ import annotations

import json
from collections.abc import Collection

import duckdb

from audiencehub.canonical import TABLES

KEY = "unfilled"
"""Under this key of `meta` stands what `remember` was given."""


def unfilled(
    connection: duckdb.DuckDBPyConnection, streams: Collection[str] = ()
) -> frozenset[str]:
    """The tables of facts without a row, of which no source has a stream either.

    `streams` are names of streams that were ever pulled: a stream called as a table fills it,
    even while it brings nothing. Deleted records count: their source can bring others.
    """
    return frozenset(
        table.name
        for table in TABLES.values()
        if not table.entity
        and table.name not in streams
        and not connection.execute(
            f'SELECT 1 FROM source_{table.name} UNION ALL SELECT 1 FROM "{table.name}" LIMIT 1'
        ).fetchone()
    )


def remember(connection: duckdb.DuckDBPyConnection, tables: Collection[str]) -> None:
    """Note them in the warehouse, for whoever explains from a copy of it."""
    connection.execute("DELETE FROM meta WHERE key = ?", [KEY])
    connection.execute("INSERT INTO meta VALUES(?, ?)", [KEY, json.dumps(sorted(tables))])


def recall(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """What `remember` noted last; nothing before the first evaluation."""
    found = connection.execute("SELECT value FROM meta WHERE key = ?", [KEY]).fetchone()
    return frozenset(json.loads(found[0])) if found else frozenset()
