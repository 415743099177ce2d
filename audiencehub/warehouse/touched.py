"""What changed, between the steps: records for resolve, persons and companies for the evaluation.

`touched_record` has every source record that came, went or differs since resolve looked last, with
the keys it had before. `touched` has every person and company whose row, facts or link differ since
rules were evaluated last; the word `touched_all` says whether that table is the whole truth.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from audiencehub.warehouse.insert import insert

EVERYTHING = "touched_all"
KEYS = {"contact": ("email", "external_id", "merged_into"), "account": ("merged_into",)}
"""What a record is found by, remembered as it was: resolve looks where it has been, too."""
REMEMBERED = ("email", "external_id", "merged_into")


def statements() -> Iterator[str]:
    """DDL. A record may be listed more than once, with every value that a key of it had."""
    yield (
        'CREATE TABLE touched_record("table" VARCHAR, source VARCHAR, source_id VARCHAR, '
        "email VARCHAR, external_id VARCHAR, merged_into VARCHAR)"
    )
    yield "CREATE TABLE touched(entity VARCHAR, id INTEGER)"


def record(
    connection: duckdb.DuckDBPyConnection, name: str, which: str, standing: str | None = None
) -> None:
    """Note records of `source_<name>`, before they change, inside the caller's transaction.

    `which`: a table with their `source` and `source_id`; those that are not there yet count too.
    `standing`: a table of what is known of them now, when the caller has read it already.
    """
    held = KEYS.get(name, ())
    keys = ", ".join(f"t.{key}" if key in held else "NULL" for key in REMEMBERED)
    read = standing or f"source_{name}"
    before = f"LEFT JOIN {read} t USING (source, source_id)" if held else ""
    insert(
        connection,
        "touched_record",
        f"SELECT '{name}', w.source, w.source_id, {keys} FROM {which} w {before}",
    )


def everything(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether all may have changed since the last evaluation, whatever `touched` has."""
    found = connection.execute("SELECT value FROM meta WHERE key = ?", [EVERYTHING]).fetchall()
    return found != [("0",)]


def mark_all(connection: duckdb.DuckDBPyConnection) -> None:
    """Everything may have changed; inside the caller's transaction."""
    _note(connection, "1")


def clear(connection: duckdb.DuckDBPyConnection) -> None:
    """Rules have been evaluated on all that changed; inside the caller's transaction."""
    _note(connection, "0")


def add(connection: duckdb.DuckDBPyConnection, entity: str, ids: str) -> None:
    """Note the ids that the query `ids` gives, unless everything is touched already."""
    if not everything(connection):
        insert(
            connection,
            "touched",
            f"SELECT DISTINCT '{entity}', id FROM ({ids}) t(id) "
            f"WHERE id IS NOT NULL AND id NOT IN "
            f"(SELECT id FROM touched WHERE entity = '{entity}') ORDER BY id",
        )


def _note(connection: duckdb.DuckDBPyConnection, value: str) -> None:
    connection.execute("DELETE FROM touched")
    connection.execute("DELETE FROM meta WHERE key = ?", [EVERYTHING])
    connection.execute("INSERT INTO meta VALUES(?, ?)", [EVERYTHING, value])
