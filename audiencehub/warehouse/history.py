"""What the hub held true of each person and company, and from when to when.

One row per version of an entity in `<entity>_history`, with a digest to compare versions by. A
version begins at the time of the newest manifest that it was made from, so that a replay of landing
makes the same history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import duckdb

from audiencehub.canonical import Table

KEYS = {"contact": ("contact_id", "account_id"), "account": ("account_id", "parent_account_id")}
"""The hub's own columns of an entity: its id, then its link."""
ACTIVITY = ("first_event_at", "last_event_at")
"""Fields that follow from dated facts: computed for any day, never kept as history."""


def kept(table: Table) -> list[str]:
    """The columns of an entity whose history is kept, without its id."""
    fields = [field.name for field in table.fields if field.name not in ACTIVITY]
    return [*KEYS[table.name][1:], *fields]


def record(
    connection: duckdb.DuckDBPyConnection,
    tables: Mapping[str, Table],
    at: datetime,
    *,
    part: bool = False,
) -> None:
    """Bring the history up to the resolved tables, inside the caller's transaction.

    Said twice for the same instant, the second says what held then: nothing of the first stays.
    `part`: only the ids of `part_contact` and `part_account` can be different.
    """
    instant = at.astimezone(UTC).replace(tzinfo=None)
    for name in KEYS:
        if part and not connection.execute(f"SELECT 1 FROM part_{name} LIMIT 1").fetchall():
            continue
        for sql in _statements(tables[name], part=part):
            connection.execute(sql, {"at": instant} if "$at" in sql else None)


def _statements(table: Table, *, part: bool) -> Sequence[str]:
    name, key = table.name, KEYS[table.name][0]
    columns = ", ".join(f'"{column}"' for column in kept(table))
    mine = f"AND {key} IN (SELECT id FROM part_{name})" if part else ""
    digest = f"hash({columns})"
    now = f"(SELECT {key}, {digest} AS digest FROM {name})"
    rows, place, made = name, "", ""
    if part:
        place = (
            f"CREATE OR REPLACE TEMP TABLE now_place AS SELECT rowid AS place FROM {name} "
            f"WHERE {key} IN (SELECT id FROM part_{name})"
        )
        made = (
            f"CREATE OR REPLACE TEMP TABLE now_{name} AS SELECT {key}, {columns}, {digest} AS "
            f"digest FROM {name} n JOIN now_place p ON p.place = n.rowid"
        )
        rows, now, digest = f"now_{name}", f"now_{name}", "digest"
    statements = (
        place,
        made,
        f"DELETE FROM {name}_history WHERE valid_from = $at {mine}",
        f"UPDATE {name}_history SET valid_to = NULL WHERE valid_to = $at {mine}",
        f"UPDATE {name}_history SET valid_to = $at WHERE valid_to IS NULL AND {key} IN "
        f"(SELECT h.{key} FROM (SELECT {key}, digest FROM {name}_history WHERE valid_to IS NULL "
        f"{mine}) h LEFT JOIN {now} c ON c.{key} = h.{key} WHERE h.digest IS DISTINCT FROM "
        "c.digest)",
        f"INSERT INTO {name}_history({key}, {columns}, digest, valid_from) SELECT {key}, {columns},"
        f" {digest}, $at FROM {rows} WHERE {key} NOT IN (SELECT {key} FROM {name}_history "
        f"WHERE valid_to IS NULL {mine}) ORDER BY {key}",
    )
    return [one for one in statements if one]


def as_of(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Table], at: datetime) -> None:
    """Make the temporary views `contact_as_of` and `account_as_of`: the columns of `contact` and
    `account` with the values that the hub held true at `at` (aware).

    Nobody known then: no rows. First and last activity are counted up to `at`.
    """
    instant = f"TIMESTAMP '{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}'"
    for name, (key, *_) in KEYS.items():
        table = tables[name]
        spans, join = "", ""
        if table.field(ACTIVITY[0]):
            spans = ", span.first_at AS first_event_at, span.last_at AS last_event_at"
            join = (
                'LEFT JOIN (SELECT contact_id, min("at") AS first_at, max("at") AS last_at '
                f'FROM event WHERE "at" <= {instant} GROUP BY contact_id) span USING (contact_id)'
            )
        kept_columns = ", ".join(f'h."{column}"' for column in (key, *kept(table)))
        names = (*KEYS[name], *(field.name for field in table.fields))
        order = ", ".join(f'"{column}"' for column in names)
        connection.execute(
            f"CREATE OR REPLACE TEMP VIEW {name}_as_of AS SELECT {order} FROM "
            f"(SELECT {kept_columns}{spans} FROM {name}_history h {join} "
            f"WHERE h.valid_from <= {instant} "
            f"AND (h.valid_to IS NULL OR h.valid_to > {instant}))"
        )


def view(tables: Mapping[str, Table]) -> str:
    """DDL of `attribute_history(entity, id, field, value, valid_from, valid_to)`: each value that
    was chosen, as text, and how long; still chosen: `valid_to` is NULL."""
    parts = " UNION ALL ".join(
        _stretches(tables[name], column) for name in KEYS for column in kept(tables[name])
    )
    return f"CREATE VIEW attribute_history AS {parts}"


def _stretches(table: Table, column: str) -> str:
    """Versions in a row that agree on the column are one stretch."""
    key, value = KEYS[table.name][0], f'CAST("{column}" AS VARCHAR)'
    return f"""
        SELECT '{table.name}' AS entity, id, '{column}' AS field, value,
               min(valid_from) AS valid_from,
               CASE WHEN count(valid_to) = count(*) THEN max(valid_to) END AS valid_to
        FROM (
            SELECT *, sum(CAST(begins AS INTEGER)) OVER (PARTITION BY id ORDER BY valid_from) AS n
            FROM (
                SELECT {key} AS id, {value} AS value, valid_from, valid_to,
                       lag(valid_to) OVER w IS DISTINCT FROM valid_from
                       OR lag({value}) OVER w IS DISTINCT FROM {value} AS begins
                FROM {table.name}_history WINDOW w AS (PARTITION BY {key} ORDER BY valid_from)
            )
        ) WHERE value IS NOT NULL GROUP BY id, n, value
    """
