"""Tables compared by what they hold, whatever the order of their rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import duckdb

from audiencehub.canonical import Table


class Digest(NamedTuple):
    """Equal for tables that hold the same rows, each as often."""

    rows: int
    sum: int
    """Of the 64-bit hashes of all rows."""


def names(tables: Mapping[str, Table]) -> Iterable[str]:
    """Every table that landing and the ledger decide."""
    for table in tables.values():
        yield from (f"source_{table.name}", table.name)
        if table.entity:
            yield f"{table.name}_history"
    yield from ("record_map", "member", "source_policy", "field_policy", "pull_stat", "pull_value")


def digests(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Table]
) -> dict[str, Digest]:
    """Table to its digest."""
    found = {}
    for name in names(tables):
        (row,) = connection.execute(
            f'SELECT count(*), coalesce(sum(CAST(hash(t) AS HUGEINT)), 0) FROM "{name}" t'
        ).fetchall()
        found[name] = Digest(int(row[0]), int(row[1]))
    return found
