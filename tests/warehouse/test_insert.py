"""Rows that a transaction inserts stay, whatever it has inserted before."""

import duckdb
import pytest

from audiencehub.warehouse.insert import insert

ROWS = 130_000
"""More than a row group of DuckDB."""


@pytest.fixture
def connection():
    made = duckdb.connect()
    made.execute("SET threads = 2")
    made.execute(f"CREATE TABLE source AS SELECT i AS n FROM range({ROWS}) t(i)")
    made.execute("CREATE TABLE target(n BIGINT)")
    return made


@pytest.mark.parametrize("order", ["", "ORDER BY n"])
def test_rows_after_none_stay(connection, order):
    """If this fails, a company whose first table of a run has no changes loses whole persons."""
    connection.execute("BEGIN")
    assert insert(connection, "target", f"FROM source WHERE n < ? {order}", [0]) == 0
    assert insert(connection, "target", f"FROM source {order}") == ROWS
    connection.execute("COMMIT")
    assert connection.execute("SELECT count(n), max(n) FROM target").fetchall() == [
        (ROWS, ROWS - 1)
    ]


@pytest.mark.parametrize("way", ["table", "select"])
def test_a_table_made_of_nothing_takes_rows(connection, way):
    """If this fails, a temporary table that begins empty loses what is put into it."""
    connection.execute("BEGIN")
    connection.execute("CREATE TEMP TABLE scratch AS FROM source WHERE n < 0")
    insert(
        connection, "scratch", f"SELECT n FROM {'source' if way == 'table' else '(FROM source)'}"
    )
    assert connection.execute("SELECT max(n) FROM scratch").fetchall() == [(ROWS - 1,)]
