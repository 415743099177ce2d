"""Where every value of a person or company comes from, and which of several stands.

Survivorship, per field: a value that has expired never stands; then the order of sources that the
settings give for the field, else the sources' priority; then the latest; then the ids, so that
nothing is left to chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import duckdb

from audiencehub.canonical import Table
from audiencehub.settings import Settings

LAST_PRIORITY = 1000
"""Of a source that the settings do not name."""
COMPUTED = ("last_seen_at", "first_event_at", "last_event_at")
"""Fields of a profile that no source value is chosen for."""
FOLLOWS = {"email_domain": "email", "company_domain": "email"}
"""Fields that are made of another one and stand or fall with it."""
ENTITIES = ("contact", "account")

STALE = "coalesce(s.observed_at + to_days(p.expires_days) <= {clock}, false)"
CLOCK = "(SELECT CAST(value AS TIMESTAMP) FROM meta WHERE key = 'known_at')"


Policy = Mapping[str, tuple[str, ...]]
"""Entity to its fields that have an order of sources of their own."""


def statements(tables: Mapping[str, Table]) -> Iterator[str]:
    """DDL: what the settings say of sources, and the view `attribute_value`."""
    yield (
        "CREATE TABLE source_policy(source VARCHAR, priority INTEGER, confidence DOUBLE, "
        "expires_days INTEGER, licence VARCHAR)"
    )
    yield "CREATE TABLE field_policy(entity VARCHAR, field VARCHAR, source VARCHAR, place INTEGER)"
    parts = " UNION ALL ".join(
        _values(tables[name], field.name)
        for name in ENTITIES
        for field in tables[name].fields
        if field.name not in COMPUTED
    )
    yield f"CREATE VIEW attribute_value AS {parts}"


def write(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Policy:
    """Put the settings beside the data, inside the caller's transaction."""
    connection.execute("DELETE FROM source_policy")
    connection.execute("DELETE FROM field_policy")
    sources = [
        (name, one.priority, one.confidence, one.expires_days, one.licence)
        for name, one in settings.sources.items()
    ]
    if sources:
        connection.executemany("INSERT INTO source_policy VALUES(?, ?, ?, ?, ?)", sources)
    places = [
        (*said.split("."), source, place)
        for said, order in settings.survivorship.items()
        for place, source in enumerate(order)
    ]
    if places:
        connection.executemany("INSERT INTO field_policy VALUES(?, ?, ?, ?)", places)
    fields: dict[str, tuple[str, ...]] = dict.fromkeys(ENTITIES, ())
    for said in settings.survivorship:
        entity, _, field = said.partition(".")
        fields[entity] = (*fields[entity], field)
    return fields


def ranked(table: Table, policy: Policy, *, part: bool = False) -> str:
    """SQL of the live records of an entity: `record` (row id in the source table), the person or
    company `id` and how many `records` it has, `expired`, and the place among the others (`place`,
    and `place_<field>` where the settings give the field an order of its own).

    `part`: only those that stand in `read_<entity>`, under whose id they do (`whose`).
    """
    joins, places = "", ""
    for number, field in enumerate(policy[table.name]):
        joins += (
            f" LEFT JOIN field_policy f{number} ON f{number}.entity = '{table.name}' "
            f"AND f{number}.field = '{field}' AND f{number}.source = s.source"
        )
        places += f', row_number() OVER (ORDER BY {order(f"f{number}")}) AS "place_{field}"'
    no_places = "".join(f', 1 AS "place_{field}"' for field in policy[table.name])
    mine = f"SELECT source, source_id, id FROM record_map WHERE entity = '{table.name}'"
    rows = (
        f"source_{table.name} s JOIN mine m ON m.source = s.source AND m.source_id = s.source_id "
        "JOIN sized z ON z.id = m.id WHERE NOT s.deleted"
    )
    if part:
        mine = f"SELECT rowid AS record, whose AS id FROM read_{table.name}"
        rows = f"read_{table.name} s JOIN mine m ON m.record = s.rowid JOIN sized z ON z.id = m.id"
    return f"""
        WITH mine AS ({mine}
        ), sized AS (
            SELECT id, count(*) AS records FROM mine GROUP BY id
        ), s AS (
            SELECT s.rowid AS record, m.id, z.records, s.source, s.source_id, s.observed_at
            FROM {rows}
        ), known AS (
            SELECT s.*, {STALE.format(clock="getvariable('known_at')")} AS expired
                   FROM s LEFT JOIN source_policy p ON p.source = s.source
        )
        SELECT record, id, records, expired, 1 AS place{no_places} FROM known WHERE records = 1
        UNION ALL
        SELECT record, id, records, expired, row_number() OVER (ORDER BY {order()}) AS place{places}
        FROM known s LEFT JOIN source_policy p ON p.source = s.source{joins} WHERE records > 1
    """


def order(override: str | None = None) -> str:
    """The sort of records from the most to the least trusted."""
    first = f"coalesce({override}.place, {LAST_PRIORITY}), " if override else ""
    return (
        f"{first}coalesce(p.priority, {LAST_PRIORITY}), s.observed_at DESC NULLS LAST, "
        "s.source, s.source_id"
    )


def place(policy: Policy, entity: str, field: str) -> str:
    """The column that orders the records for a field."""
    own = FOLLOWS.get(field, field)
    return f'"place_{own}"' if own in policy[entity] else "place"


def _values(table: Table, field: str) -> str:
    name, own = table.name, FOLLOWS.get(field, field)
    stale = STALE.format(clock=CLOCK)
    first = f"{stale}, "
    standing = f"NOT {stale} AND "
    if field == "created_at":  # the earliest of all is true however old the record
        first, standing = 's."created_at", ', ""
    return f"""
        SELECT '{name}' AS entity, m.id, '{field}' AS field, CAST(s."{field}" AS VARCHAR) AS value,
               s.source, s.source_id, s.observed_at, p.confidence,
               s.observed_at + to_days(p.expires_days) AS expires_at, p.licence,
               {standing}row_number() OVER (
                   PARTITION BY m.id ORDER BY {first}{order("f")}
               ) = 1 AS chosen
        FROM source_{name} s
        JOIN record_map m ON m.entity = '{name}'
          AND m.source = s.source AND m.source_id = s.source_id
        LEFT JOIN source_policy p ON p.source = s.source
        LEFT JOIN field_policy f ON f.entity = '{name}' AND f.field = '{own}'
          AND f.source = s.source
        WHERE NOT s.deleted AND s."{field}" IS NOT NULL
    """
