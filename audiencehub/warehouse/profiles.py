"""SQL that makes profiles from source rows. Which of several values stands is said in `provenance`.

Reads the variable `known_at`. Every statement comes whole, or for the ids of `part_contact` or
`part_account` only, with the same result for these.
"""

from __future__ import annotations

from collections.abc import Iterator

from audiencehub.canonical import Table
from audiencehub.warehouse import provenance
from audiencehub.warehouse.provenance import Policy

READ = ("source", "source_id", "observed_at", "account_ref")
"""Columns of a source row that a profile is made of, beside its fields."""


def record_map() -> str:
    """Which record is which person or company; only records that exist at their source."""
    kinds = " UNION ALL ".join(
        f"SELECT source, source_id, '{name}' AS entity, "
        f"coalesce(record_kind, '{name}') AS kind FROM source_{name} WHERE NOT deleted"
        for name in provenance.ENTITIES
    )
    return f"""
        INSERT INTO record_map
        SELECT m.source, m.source_id, m.entity, k.kind, m.id, m.record_key
        FROM identity_record m JOIN ({kinds}) k USING (source, source_id, entity)
    """


def entity(table: Table, policy: Policy, *, part: bool = False) -> Iterator[tuple[str, str]]:
    """One row per person or company that has a live record, in place of theirs; links come later.
    Each step is the table to insert into (none: '') and SQL.

    Records are ranked by narrow columns alone, and where a profile has but one record there is
    nothing to choose: most profiles are a copy of their record.
    """
    name = table.name
    which = f"WHERE {name}_id IN (SELECT id FROM part_{name})" if part else ""
    yield "", f"DELETE FROM {name} {which}"
    if part:
        for sql in _read(table):
            yield "", sql
    ranked = provenance.ranked(table, policy, part=part)
    yield "", f"CREATE OR REPLACE TEMP TABLE placed AS {ranked}"
    several = ", ".join(_chosen(table, policy, one.name) for one in table.fields)
    single = ", ".join(_copied(one.name) for one in table.fields)
    records = f"{'read' if part else 'source'}_{name} s JOIN placed p ON p.record = s.rowid"
    yield (
        name,
        f"SELECT id, NULL, {single} FROM {records} "
        f"WHERE records = 1 {'' if part else 'ORDER BY id'}",
    )
    yield (
        name,
        f"SELECT id, NULL, {several} FROM {records} WHERE records > 1 GROUP BY id ORDER BY id",
    )


def _read(table: Table) -> Iterator[str]:
    """Fill `read_<entity>` with the records of the ids in `part_<entity>`; `whose` is the id.

    Found by number, and then read once: few wide rows cost nearly as much as all.
    """
    name = table.name
    fields = [one.name for one in table.fields if one.name not in provenance.COMPUTED]
    columns = ", ".join(f's."{one}"' for one in (*READ, *fields))
    yield (
        f"CREATE OR REPLACE TEMP TABLE read_place AS SELECT s.rowid AS place, m.id AS whose "
        f"FROM source_{name} s JOIN record_map m USING (record_key) WHERE m.entity = '{name}' "
        f"AND m.id IN (SELECT id FROM part_{name}) AND NOT s.deleted"
    )
    yield (
        f"CREATE OR REPLACE TEMP TABLE read_{name} AS SELECT p.whose, {columns} "
        f"FROM source_{name} s JOIN read_place p ON p.place = s.rowid"
    )


def _chosen(table: Table, policy: Policy, field: str) -> str:
    if field == "created_at":
        return "min(created_at)"
    if field == "last_seen_at":
        return "max(observed_at)"
    if field in provenance.COMPUTED:
        return "NULL"
    place = provenance.place(policy, table.name, field)
    return f'arg_min("{field}", {place}) FILTER (NOT expired)'


def _copied(field: str) -> str:
    if field == "created_at":
        return "created_at"
    if field == "last_seen_at":
        return "observed_at"
    if field in provenance.COMPUTED:
        return "NULL"
    return f'CASE WHEN NOT expired THEN "{field}" END'
