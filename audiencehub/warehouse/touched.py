"""What changed, between the steps: records for resolve, persons and companies for the evaluation.

`touched_record` has every source record that came, went or differs since resolve looked last, with
the keys it had before. `touched` has every person and company whose row, facts or link differ since
rules were evaluated last; the word `touched_all` says whether that table is the whole truth.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

EVERYTHING = "touched_all"
KEYS = ("email", "external_id", "merged_into")
"""What a record is found by, remembered as it was: resolve looks where it has been, too."""


def statements() -> Iterator[str]:
    """DDL. A record may be listed more than once, with every value that a key of it had."""
    yield (
        'CREATE TABLE touched_record("table" VARCHAR, source VARCHAR, source_id VARCHAR, '
        "email VARCHAR, external_id VARCHAR, merged_into VARCHAR)"
    )
    yield "CREATE TABLE touched(entity VARCHAR, id INTEGER)"


def everything(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether all may have changed since the last evaluation, whatever `touched` has."""
    found = connection.execute("SELECT value FROM meta WHERE key = ?", [EVERYTHING]).fetchone()
    return found is None or found[0] != "0"


def mark_all(connection: duckdb.DuckDBPyConnection) -> None:
    """Everything may have changed; inside the caller's transaction."""
    _note(connection, "1")


def clear(connection: duckdb.DuckDBPyConnection) -> None:
    """Rules have been evaluated on all that changed; inside the caller's transaction."""
    _note(connection, "0")


def _note(connection: duckdb.DuckDBPyConnection, value: str) -> None:
    connection.execute("DELETE FROM touched")
    connection.execute("DELETE FROM meta WHERE key = ?", [EVERYTHING])
    connection.execute("INSERT INTO meta VALUES(?, ?)", [EVERYTHING, value])
