"""A scratch warehouse over the published copy: what only asks may evaluate rules there."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb

from audiencehub.warehouse.duckdb import open_published

COPY = "published"
"""What the published copy is called inside the scratch warehouse."""


def open_scratch(folder: Path) -> tuple[duckdb.DuckDBPyConnection, datetime]:
    """An in-memory database that finds what it lacks in the newest published copy, and the copy's
    time.

    Whatever is made lands in memory and is gone on close; the copy itself is read only. Raises
    ConfigError as `open_published` does.
    """
    reader, published = open_published(folder)
    (path,) = reader.execute("SELECT path FROM duckdb_databases() WHERE NOT internal").fetchall()[0]
    scratch = duckdb.connect()
    quoted = str(path).replace("'", "''")
    scratch.execute("SET TimeZone='UTC'")
    scratch.execute(f"ATTACH '{quoted}' AS {COPY} (READ_ONLY)")
    # Only now: a run may remove a copy that nobody has open.
    reader.close()
    scratch.execute(f"SET search_path='memory.main,{COPY}.main'")
    for setting in ("SET enable_external_access=false", "SET lock_configuration=true"):
        scratch.execute(setting)
    return scratch, published


def replace(connection: duckdb.DuckDBPyConnection, name: str, select: str) -> None:
    """Let `name` be the rows of a SELECT from now on, for this connection; the SELECT may read what
    stood under that name before."""
    connection.execute(f'CREATE TEMP TABLE "new {name}" AS {select}')
    connection.execute(f'CREATE OR REPLACE TABLE memory.main."{name}" AS FROM "new {name}"')
    connection.execute(f'DROP TABLE "new {name}"')
