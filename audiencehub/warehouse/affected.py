"""What a change of records reaches: persons, companies, the keys that name them, and facts.

All in temporary tables of the resolve step: `moved` has the records that changed with the id they
had and have, `part_contact` and `part_account` the ids to make anew, `keyed` the e-mail addresses
and customer numbers that may name somebody else now, `sited` the domains, and `reach_<table>` the
facts that may belong to somebody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import duckdb

from audiencehub.canonical import Table
from audiencehub.warehouse import touched
from audiencehub.warehouse.insert import insert
from audiencehub.warehouse.provenance import ENTITIES

Connection = duckdb.DuckDBPyConnection
NONE = """
    CREATE OR REPLACE TEMP TABLE moved(entity VARCHAR, source VARCHAR, source_id VARCHAR,
        before INTEGER, after INTEGER, kind VARCHAR, record_key UBIGINT);
    CREATE OR REPLACE TEMP TABLE part_contact(id INTEGER);
    CREATE OR REPLACE TEMP TABLE part_account(id INTEGER);
    CREATE OR REPLACE TEMP TABLE keyed(kind VARCHAR, key VARCHAR);
    CREATE OR REPLACE TEMP TABLE sited(domain VARCHAR)
"""


def begin(connection: Connection) -> None:
    """Nothing is reached yet."""
    connection.execute(NONE)


def move(connection: Connection, entity: str) -> None:
    """Bring `record_map` to what `match` has just found, and note what that moves.

    Records that changed, and those that `match` looked at and gave another id.
    """
    for statement in _looked_at(entity):
        connection.execute(statement)
    insert(
        connection,
        "moved",
        f"""
        SELECT '{entity}', coalesce(l.source, n.source), coalesce(l.source_id, n.source_id),
               n.before, CASE WHEN NOT l.deleted THEN n.after END, l.kind, n.record_key
        FROM named n LEFT JOIN live_{entity} l USING (record_key)
        WHERE n.said OR n.before IS DISTINCT FROM CASE WHEN NOT l.deleted THEN n.after END
        """,
    )
    connection.execute(
        "DELETE FROM record_map WHERE rowid IN (SELECT place FROM named "
        f"SEMI JOIN (FROM moved WHERE entity = '{entity}') USING (record_key))"
    )
    insert(
        connection,
        "record_map",
        "SELECT source, source_id, entity, kind, after, record_key FROM moved "
        f"WHERE entity = '{entity}' AND after IS NOT NULL ORDER BY after, source, source_id",
    )
    insert(
        connection,
        f"part_{entity}",
        "SELECT DISTINCT id FROM "
        f"(SELECT unnest([before, after]) AS id FROM moved WHERE entity = '{entity}') "
        "WHERE id IS NOT NULL",
    )
    if entity == "contact":
        _key(connection)


def _looked_at(entity: str) -> tuple[str, ...]:
    """SQL that finds by number, among the records that changed (`said`) or were looked at, those
    whose id is not what `record_map` has: `named` with both ids and the place there, and
    `live_<entity>` with what the source says of them. Text of few records is read, not of all."""
    keys = "".join(f", {key}" for key in touched.KEYS[entity])
    return (
        f"""
        CREATE OR REPLACE TEMP TABLE said AS SELECT DISTINCT source, source_id,
            hash(source, source_id) AS record_key
        FROM touched_record WHERE "table" = '{entity}'
        """,
        f"""
        CREATE OR REPLACE TEMP TABLE looked AS SELECT record_key, id FROM identity_record
        WHERE entity = '{entity}' AND own IN (SELECT own FROM scope)
        """,
        f"""
        CREATE OR REPLACE TEMP TABLE named AS
        WITH was AS (
            SELECT rowid AS place, record_key, id FROM record_map WHERE entity = '{entity}'
            AND record_key IN (SELECT record_key FROM looked UNION SELECT record_key FROM said)
        )
        SELECT record_key, said.source, said.source_id, was.place, was.id AS before,
               looked.id AS after, said.source IS NOT NULL AS said
        FROM looked FULL JOIN said USING (record_key) LEFT JOIN was USING (record_key)
        WHERE said.source IS NOT NULL OR was.id IS DISTINCT FROM looked.id
        """,
        f"""
        CREATE OR REPLACE TEMP TABLE live_place AS SELECT rowid AS place FROM source_{entity}
        WHERE record_key IN (SELECT record_key FROM named)
        """,
        f"CREATE OR REPLACE TEMP TABLE live_{entity} AS SELECT source, source_id, record_key, "
        f"deleted, coalesce(record_kind, '{entity}') AS kind{keys} "
        f"FROM source_{entity} s JOIN live_place p ON p.place = s.rowid",
    )


def expire(connection: Connection, since: datetime, known: datetime) -> None:
    """Note whose values have run out between two times."""
    if not connection.execute(
        "SELECT 1 FROM source_policy WHERE expires_days IS NOT NULL LIMIT 1"
    ).fetchall():
        return
    for entity in ENTITIES:
        insert(
            connection,
            f"part_{entity}",
            f"""
            SELECT DISTINCT m.id FROM source_{entity} s
            JOIN source_policy p ON p.source = s.source AND p.expires_days IS NOT NULL
            JOIN record_map m ON m.entity = '{entity}' AND m.record_key = s.record_key
            WHERE s.observed_at + to_days(p.expires_days) > $since
              AND s.observed_at + to_days(p.expires_days) <= $known
            EXCEPT SELECT id FROM part_{entity}
            """,
            {"since": since.replace(tzinfo=None), "known": known.replace(tzinfo=None)},
        )


def any_of(connection: Connection, entity: str) -> bool:
    """Whether anybody of the entity is to be made anew."""
    return bool(connection.execute(f"SELECT 1 FROM part_{entity} LIMIT 1").fetchall())


def _key(connection: Connection) -> None:
    """Note the natural keys that a person has come to, left, or taken along to another id."""
    changed = " UNION ".join(
        f"SELECT '{column}', unnest([was_{column}, now_{column}]) FROM held "
        f"WHERE moves OR was_{column} IS DISTINCT FROM now_{column}"
        for column in ("email", "external_id")
    )
    connection.execute(
        f"""
        INSERT INTO keyed
        WITH mine AS (SELECT * FROM moved WHERE entity = 'contact'),
        now AS (
            SELECT source, source_id, email, external_id FROM live_contact
        ), was AS (
            SELECT source, source_id, email, external_id FROM touched_record
            WHERE "table" = 'contact'
        ), held AS (
            SELECT mine.before IS DISTINCT FROM mine.after AS moves,
                   was.email AS was_email, now.email AS now_email,
                   was.external_id AS was_external_id, now.external_id AS now_external_id
            FROM mine LEFT JOIN now USING (source, source_id)
            LEFT JOIN was USING (source, source_id)
        )
        SELECT * FROM ({changed}) t(kind, key) WHERE key IS NOT NULL
        """
    )


def site_before(connection: Connection) -> None:
    """Remember the domains of the companies that are made anew; before they are."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE site_before AS {_SITES}")


def site(connection: Connection) -> None:
    """Note the domains that a company has come to or left; after they are made anew."""
    connection.execute(
        f"""
        INSERT INTO sited SELECT DISTINCT domain FROM (
            (FROM site_before EXCEPT {_SITES}) UNION ({_SITES} EXCEPT FROM site_before))
        """
    )


_SITES = """
    SELECT account_id, domain FROM account
    WHERE domain IS NOT NULL AND account_id IN (SELECT id FROM part_account)"""
CHANGES = "before IS DISTINCT FROM after"
LEADS = f"""
    CREATE OR REPLACE TEMP TABLE lead AS
    SELECT entity || '_key' AS link, record_key AS key FROM moved WHERE {CHANGES}
    UNION SELECT CASE kind WHEN 'email' THEN 'email_key' ELSE 'number_key' END, hash(key) FROM keyed
    UNION SELECT 'domain_key', hash(domain) FROM sited
"""
"""Hashes of what decides whom a fact means, and what may be another now, by the link of a fact."""


def leads(connection: Connection) -> list[str]:
    """The links of facts that may lead to somebody else now: `lead(link, key)` has their values. A
    link that no change concerns spares a scan of all facts."""
    connection.execute(LEADS)
    found = connection.execute("SELECT DISTINCT link FROM lead ORDER BY link").fetchall()
    return [link for (link,) in found]


def reached(
    connection: Connection, tables: Iterable[Table], leading: Sequence[str]
) -> Iterator[Table]:
    """Those tables of facts of which records changed, or which `leading` may lead to somebody
    else; each with `reach_<table>(place, record_key, deleted)`, the rows of its source table."""
    said = {
        name for (name,) in connection.execute('SELECT DISTINCT "table" FROM touched_record')
        .fetchall()
    }  # fmt: skip
    for table in tables:
        if (table.name in said or leading) and _reach(connection, table.name, leading):
            yield table


def _reach(connection: Connection, name: str, leading: Sequence[str]) -> bool:
    """Whose keys are the same is reached together: what goes and what comes by them is equal."""
    keys = f"SELECT hash(source, source_id) FROM touched_record WHERE \"table\" = '{name}'"
    for link in leading:
        keys += (
            f" UNION ALL SELECT record_key FROM source_{name} WHERE {link} IN "
            f"(SELECT key FROM lead WHERE link = '{link}')"
        )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE reach_{name} AS SELECT rowid AS place, record_key, deleted "
        f"FROM source_{name} WHERE record_key IN ({keys})"
    )
    return bool(connection.execute(f"SELECT 1 FROM reach_{name} LIMIT 1").fetchall())
