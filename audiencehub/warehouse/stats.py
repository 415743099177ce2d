"""What each complete full pull held, field by field: what drift is measured against."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from audiencehub.canonical import Field, Table

KEPT_PULLS = 6
"""Full pulls of a stream that are remembered."""
COMMON = 50
"""Values of a field that are counted one by one."""
CATEGORIES = ("slug", "country", "state", "industry", "currency", "technology", "topic")
"""Cleaners whose values are few."""


def categorical(field: Field) -> bool:
    """Whether a field has few values, so that their shares can be compared."""
    return field.type == "boolean" or (field.type == "text" and field.clean in CATEGORIES)


def record(
    connection: duckdb.DuckDBPyConnection,
    tables: Mapping[str, Table],
    source: str,
    stream: str,
    manifest_id: int,
) -> None:
    """Count what a full pull left, inside the caller's transaction; older counts are let go."""
    asked = {"source": source, "stream": stream, "manifest": manifest_id}
    for table in tables.values():
        found = connection.execute(_counts(table), asked).fetchone()
        if found is None or not found[0]:
            continue
        aside = dict(connection.execute(_aside(table), asked).fetchall())
        connection.executemany(
            "INSERT INTO pull_stat VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (manifest_id, source, stream, table.name, field.name, found[0], filled,
                 aside.get(field.name, 0))
                for field, filled in zip(table.fields, found[1:], strict=True)
            ],
        )  # fmt: skip
        for field, filled in zip(table.fields, found[1:], strict=True):
            if filled and categorical(field):
                connection.execute(_values(table, field), asked)
    _prune(connection, source, stream)


def _where(table: Table) -> str:
    return (
        f"FROM source_{table.name} WHERE source = $source AND stream = $stream "
        "AND manifest_id = $manifest AND NOT deleted"
    )


def _counts(table: Table) -> str:
    columns = ", ".join(f'count("{field.name}")' for field in table.fields)
    return f"SELECT count(*), {columns} {_where(table)}"


def _aside(table: Table) -> str:
    return (
        f"SELECT u.field, count(*) FROM (SELECT unnest(uncleaned) AS u {_where(table)}) "
        "GROUP BY u.field"
    )


def _values(table: Table, field: Field) -> str:
    return (
        f"INSERT INTO pull_value SELECT $manifest, $source, '{table.name}', '{field.name}', "
        f'CAST("{field.name}" AS VARCHAR), count(*) {_where(table)} '
        f'AND "{field.name}" IS NOT NULL '
        f"GROUP BY ALL ORDER BY 6 DESC, 5 LIMIT {COMMON}"
    )


def _prune(connection: duckdb.DuckDBPyConnection, source: str, stream: str) -> None:
    old = connection.execute(
        "SELECT DISTINCT manifest_id FROM pull_stat WHERE source = ? AND stream = ? "
        f"ORDER BY manifest_id DESC OFFSET {KEPT_PULLS}",
        [source, stream],
    ).fetchall()
    for (manifest_id,) in old:
        connection.execute("DELETE FROM pull_stat WHERE manifest_id = ?", [manifest_id])
        connection.execute("DELETE FROM pull_value WHERE manifest_id = ?", [manifest_id])
