"""Keys of records, derived and compared in the warehouse's SQL.

`identity_record` holds every source record with its own id, the part of the graph it is in (by keys
alone) and its person; `identity_key` who has which key; `identity_conflict` which keys joined
nobody, and why; `identity_said` what people joined and parted; `identity_waiting` whose journal is
to be looked at. All are made from the source rows and the ledger, and may be lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import duckdb

from audiencehub.identity.policy import NOTHING, Policy
from audiencehub.warehouse.insert import insert

TABLES = (
    "CREATE TABLE IF NOT EXISTS identity_record(entity VARCHAR, source VARCHAR, source_id VARCHAR,"
    " own INTEGER, part INTEGER, id INTEGER, record_key UBIGINT)",
    "CREATE TABLE IF NOT EXISTS identity_key(entity VARCHAR, own INTEGER, kind VARCHAR,"
    " key VARCHAR, mark UBIGINT)",
    "CREATE TABLE IF NOT EXISTS identity_conflict(entity VARCHAR, own INTEGER, kind VARCHAR,"
    " key VARCHAR, reason VARCHAR)",
    "CREATE TABLE IF NOT EXISTS identity_waiting(entity VARCHAR, own INTEGER)",
    "CREATE TABLE IF NOT EXISTS identity_said(entity VARCHAR, word VARCHAR, n INTEGER,"
    " one INTEGER, other INTEGER)",
)
NONE_READ = (
    "CREATE OR REPLACE TEMP TABLE scope_key(entity VARCHAR, own INTEGER, kind VARCHAR, key VARCHAR)"
)
"""The keys of the records in `scope`, as far as a pass has read them."""
Connection = duckdb.DuckDBPyConnection


def prepare(connection: Connection) -> None:
    """The tables, where a warehouse does not have them yet."""
    for statement in TABLES:
        connection.execute(statement)


def blocked(policy: Policy, *, mailbox: bool = False) -> str:
    """One regular expression of the values that name nobody; of mailbox names with `mailbox`."""
    listed = []
    for value in policy.blocked:
        if value.startswith("^"):
            listed.append(f"(?:{value})")
        elif not value.endswith("@"):
            listed.append(f"^{re.escape(value.lower())}$")
        elif mailbox:
            listed.append(f"^{re.escape(value[:-1].lower())}$")
    if mailbox:
        listed.append(policy.mailboxes)
    return "|".join(listed) or NOTHING


def derive(connection: Connection, policy: Policy, *, full: bool) -> None:
    """Put the keys of the records in `touched_own(own)` into `identity_key`, in place of theirs.

    Unless `full` their rows are found by number, and only these are read.
    """
    entity = policy.entity
    columns = sorted({f'"{column}"' for column in policy.keys.values()})
    read = f"own, source, source_id, merged_into, deleted, {', '.join(columns)}"
    said = f"SELECT {read} FROM source_{entity} JOIN record USING (source, source_id)"
    record = f"SELECT source, source_id, own FROM identity_record WHERE entity = '{entity}'"
    if not full:
        for sql in _few(entity, read):
            connection.execute(sql)
        said, record = "FROM own_said", "FROM own_target"
    connection.execute(
        "DELETE FROM identity_key WHERE entity = ? AND own IN (SELECT own FROM touched_own)",
        [entity],
    )
    parts = [_key(kind, column) for kind, column in policy.keys.items()]
    connection.execute(
        f"""
        INSERT INTO identity_key
        WITH record AS NOT MATERIALIZED ({record}), said AS ({said}), found AS (
            {" UNION ALL ".join(parts)}
            UNION ALL
            SELECT said.own, 'crm_merge', CAST(target.own AS VARCHAR) FROM said
            JOIN record target ON target.source = said.source
              AND target.source_id = said.merged_into
            UNION ALL
            SELECT said.own, 'crm_merge', CAST(said.own AS VARCHAR) FROM said
            WHERE (said.source, said.source_id) IN (
                SELECT (source, merged_into) FROM source_{entity} WHERE merged_into IS NOT NULL)
            UNION ALL
            SELECT unnest([one, other]), 'manual', CAST(n AS VARCHAR) FROM identity_said
            WHERE entity = $entity AND word = 'manual'
        )
        SELECT DISTINCT $entity, own, kind, key, hash(kind, key) FROM found t(own, kind, key)
        WHERE own IN (SELECT own FROM touched_own)
        """,
        _values(policy),
    )


def _few(entity: str, read: str) -> Iterator[str]:
    """Fill `own_said` with what the sources say of the records in `touched_own`, and `own_target`
    with the records that these are merged into."""
    yield f"""
        CREATE OR REPLACE TEMP TABLE own_place AS
        SELECT s.rowid AS place, r.own FROM source_{entity} s JOIN identity_record r
        USING (record_key) WHERE r.entity = '{entity}'
        AND r.own IN (SELECT own FROM touched_own)
    """
    yield (
        f"CREATE OR REPLACE TEMP TABLE own_said AS SELECT {read} FROM source_{entity} s "
        "JOIN own_place p ON p.place = s.rowid"
    )
    yield f"""
        CREATE OR REPLACE TEMP TABLE own_target_place AS
        SELECT rowid AS place FROM identity_record WHERE entity = '{entity}' AND record_key IN (
            SELECT hash(source, merged_into) FROM own_said WHERE merged_into IS NOT NULL)
    """
    yield (
        "CREATE OR REPLACE TEMP TABLE own_target AS SELECT source, source_id, own "
        "FROM identity_record r JOIN own_target_place p ON p.place = r.rowid"
    )


def _key(kind: str, column: str) -> str:
    clean = f'lower(trim("{column}"))'
    tests = [f'"{column}" IS NOT NULL', f"NOT regexp_matches({clean}, $blocked)", "NOT deleted"]
    if kind == "email":
        tests.append(f"NOT regexp_matches(split_part({clean}, '@', 1), $mailbox)")
    if kind == "domain":
        tests.append(f'"{column}" NOT IN (SELECT unnest($excluded::VARCHAR[]))')
    return f"""SELECT own, '{kind}', "{column}" FROM said WHERE {" AND ".join(tests)}"""


def _values(policy: Policy) -> dict[str, Any]:
    values: dict[str, Any] = {"entity": policy.entity, "blocked": blocked(policy)}
    if "email" in policy.keys:
        values["mailbox"] = blocked(policy, mailbox=True)
    if "domain" in policy.keys:
        values["excluded"] = list(policy.excluded)
    return values


def around(connection: Connection, entity: str) -> int:
    """Widen `touched_own(own)` by the records on the other end of a CRM's merge, now or before;
    by how many."""
    return insert(
        connection,
        "touched_own",
        f"""
        WITH named AS (
            SELECT record_key FROM identity_record
            WHERE entity = $entity AND own IN (SELECT own FROM touched_own)
        ), merge AS (
            SELECT record_key, hash(source, merged_into) AS into_key FROM source_{entity}
            WHERE merged_into IS NOT NULL
        ), other AS (
            SELECT into_key AS record_key FROM merge WHERE record_key IN (FROM named)
            UNION SELECT record_key FROM merge WHERE into_key IN (FROM named)
            UNION SELECT hash(source, merged_into) FROM touched_record
            WHERE "table" = $entity AND merged_into IS NOT NULL
        )
        SELECT own FROM identity_record WHERE entity = $entity
        AND record_key IN (SELECT record_key FROM other)
        EXCEPT SELECT own FROM touched_own
        """,
        {"entity": entity},
    )


def edges(connection: Connection, policy: Policy, *, full: bool) -> tuple[Any, Any]:
    """Two arrays of own ids within `scope(own)`, joined pairwise: every holder of a key to the
    first. A key of more records than the policy allows is no edge, and goes to the conflicts; the
    scope need not hold all of its records, but it holds all of every other key's."""
    limit = policy.records_per_key
    held, holders = _held(policy.entity, full=full), "identity_key"
    if not full:
        held_keys = f"SELECT {{}} FROM identity_key WHERE entity = '{policy.entity}' AND "
        marks = held_keys.format("mark") + "own IN (SELECT own FROM scope)"
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE holder AS "
            + held_keys.format("entity, own, kind, key")
            + f"mark IN ({marks})"
        )
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE scope_key AS FROM holder"
            " WHERE own IN (SELECT own FROM scope)"
        )
        holders = "holder SEMI JOIN scope_key USING (kind, key)"
    keys = ", ".join(f"'{kind}'" for kind in policy.keys)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE shared AS
        SELECT kind, key, min(own) AS head, count(*) AS n FROM {holders}
        WHERE entity = '{policy.entity}'
        GROUP BY kind, key HAVING count(*) > 1
        """
    )
    insert(
        connection,
        "identity_conflict",
        f"""
        SELECT entity, own, kind, key, 'shared by more than {limit} records'
        FROM {held} JOIN shared USING (kind, key) WHERE n > {limit} AND kind IN ({keys})
        """,
    )
    connection.execute(f"DELETE FROM shared WHERE n > {limit} AND kind IN ({keys})")
    found = connection.execute(
        f"SELECT own, head FROM {held} JOIN shared USING (kind, key) WHERE own <> head"
    ).fetchnumpy()
    return found["own"], found["head"]


def _held(entity: str, *, full: bool) -> str:
    """SQL of the keys of all records in the scope."""
    return f"(FROM identity_key WHERE entity = '{entity}')" if full else "scope_key"


def doubtful(connection: Connection, policy: Policy, *, full: bool) -> list[int]:
    """Parts of `parted(own, part)` that break a limit, or hold both ends of a separation.

    Reads what `edges` has left.
    """
    limits = " UNION ".join(
        [
            f"SELECT part FROM held WHERE kind = '{kind}' GROUP BY part "
            f"HAVING count(DISTINCT key) > {int(limit)}"
            for kind, limit in policy.values_per_profile.items()
        ]
        + [
            f"SELECT part FROM sized WHERE n > {policy.records_per_profile}",
            f"SELECT part FROM held GROUP BY part HAVING count(*) > {policy.keys_per_profile}",
        ]
    )
    found = connection.execute(
        f"""
        WITH sized AS (SELECT part, count(*) AS n FROM parted GROUP BY part HAVING count(*) > 1),
        held AS (
            SELECT DISTINCT part, kind, key FROM {_held(policy.entity, full=full)}
            JOIN parted USING (own) JOIN sized USING (part)
        ), apart AS (
            SELECT a.part FROM identity_said s JOIN parted a ON a.own = s.one
            JOIN parted b ON b.own = s.other AND b.part = a.part
            WHERE s.entity = '{policy.entity}' AND s.word = 'apart'
        )
        SELECT part FROM ({limits} UNION SELECT part FROM apart) ORDER BY part
        """
    ).fetchall()
    return [int(row[0]) for row in found]
