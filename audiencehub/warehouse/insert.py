"""Rows of a SELECT into a table, where a transaction may do so more than once."""

from __future__ import annotations

from typing import Any

import duckdb


def insert(
    connection: duckdb.DuckDBPyConnection, table: str, select: str, values: Any = None
) -> int:
    """Put the rows of a SELECT into a table; how many they are.

    DuckDB 2.0.0 loses rows without a word where a transaction first inserts nothing into a table by
    a SELECT, and then 122,880 rows (a row group) or more: it does so in the plan that keeps the
    order of rows, which a statement with RETURNING does not take.
    """
    found = connection.execute(f"INSERT INTO {table} {select} RETURNING 1 AS one", values)
    return len(found.fetchnumpy()["one"])
