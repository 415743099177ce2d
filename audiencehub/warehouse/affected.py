"""What a change of records reaches: persons, companies, the keys that name them, and facts.

All in temporary tables of the resolve step: `moved` has the records that changed with the id they
had and have, `part_contact` and `part_account` the ids to make anew, `keyed` the e-mail addresses
and customer numbers that may name somebody else now, `sited` the domains, and `reach_<table>` the
facts that may belong to somebody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import duckdb

from audiencehub.canonical import Table
from audiencehub.warehouse import touched
from audiencehub.warehouse.insert import insert
from audiencehub.warehouse.provenance import ENTITIES

Connection = duckdb.DuckDBPyConnection
NONE = (
    "CREATE OR REPLACE TEMP TABLE moved(entity VARCHAR, source VARCHAR, source_id VARCHAR, "
    "before INTEGER, after INTEGER, kind VARCHAR)",
    "CREATE OR REPLACE TEMP TABLE part_contact(id INTEGER)",
    "CREATE OR REPLACE TEMP TABLE part_account(id INTEGER)",
    "CREATE OR REPLACE TEMP TABLE keyed(kind VARCHAR, key VARCHAR)",
    "CREATE OR REPLACE TEMP TABLE sited(domain VARCHAR)",
)


def begin(connection: Connection) -> None:
    """Nothing is reached yet."""
    for statement in NONE:
        connection.execute(statement)


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
        WITH now AS (
            SELECT source, source_id, n.id, l.kind FROM named n
            JOIN live_{entity} l USING (source, source_id) WHERE NOT l.deleted
        )
        SELECT '{entity}', source, source_id, was.id, now.id, now.kind
        FROM named LEFT JOIN was USING (source, source_id) LEFT JOIN now USING (source, source_id)
        WHERE was.id IS DISTINCT FROM now.id OR named.said
        """,
    )
    connection.execute(
        "DELETE FROM record_map WHERE rowid IN (SELECT place FROM was "
        f"SEMI JOIN (FROM moved WHERE entity = '{entity}') USING (source, source_id))"
    )
    insert(
        connection,
        "record_map",
        "SELECT source, source_id, entity, kind, after FROM moved "
        f"WHERE entity = '{entity}' AND after IS NOT NULL ORDER BY after, source, source_id",
    )
    insert(
        connection,
        f"part_{entity}",
        "SELECT DISTINCT id FROM "
        f"(SELECT unnest([before, after]) AS id FROM moved WHERE entity = '{entity}') "
        "WHERE id IS NOT NULL",
    )


def _looked_at(entity: str) -> tuple[str, str, str]:
    """SQL that reads once, of each long table, the records that changed (`said`) or were looked at:
    `named` with their ids, `was` with the ids and places in `record_map`, and `live_<entity>` with
    what the source says."""
    keys = "".join(f", {key}" for key in touched.KEYS[entity])
    among = "SEMI JOIN named USING (source, source_id)"
    return (
        f"""
        CREATE OR REPLACE TEMP TABLE named AS
        WITH said AS (
            SELECT DISTINCT source, source_id FROM touched_record WHERE "table" = '{entity}'
        ), known AS (
            SELECT source, source_id, id FROM identity_record WHERE entity = '{entity}'
            AND own IN (SELECT own FROM scope)
        )
        SELECT source, source_id, known.id, said.source IS NOT NULL AS said
        FROM known FULL JOIN said USING (source, source_id)
        """,
        "CREATE OR REPLACE TEMP TABLE was AS SELECT rowid AS place, source, source_id, id "
        f"FROM record_map {among} WHERE entity = '{entity}'",
        f"CREATE OR REPLACE TEMP TABLE live_{entity} AS SELECT source, source_id, deleted, "
        f"coalesce(record_kind, '{entity}') AS kind{keys} FROM source_{entity} {among}",
    )


def expire(connection: Connection, since: datetime, known: datetime) -> None:
    """Note whose values have run out between two times."""
    for entity in ENTITIES:
        insert(
            connection,
            f"part_{entity}",
            f"""
            SELECT DISTINCT m.id FROM source_{entity} s
            JOIN source_policy p ON p.source = s.source AND p.expires_days IS NOT NULL
            JOIN record_map m ON m.entity = '{entity}'
              AND m.source = s.source AND m.source_id = s.source_id
            WHERE s.observed_at + to_days(p.expires_days) > $since
              AND s.observed_at + to_days(p.expires_days) <= $known
            EXCEPT SELECT id FROM part_{entity}
            """,
            {"since": since.replace(tzinfo=None), "known": known.replace(tzinfo=None)},
        )


def any_of(connection: Connection, entity: str) -> bool:
    """Whether anybody of the entity is to be made anew."""
    return bool(connection.execute(f"SELECT 1 FROM part_{entity} LIMIT 1").fetchall())


def key(connection: Connection) -> None:
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
REFERENCES = {
    "contact_ref": "SELECT source, source_id FROM moved WHERE entity = 'contact' AND {changes}",
    "account_ref": "SELECT source, source_id FROM moved WHERE entity = 'account' AND {changes}",
    "contact_email": "SELECT key FROM keyed WHERE kind = 'email'",
    "contact_external_id": "SELECT key FROM keyed WHERE kind = 'external_id'",
    "account_domain": "SELECT domain AS key FROM sited",
}
"""A link of a fact to what decides whom it means."""
CHANGES = "before IS DISTINCT FROM after"


def leads(connection: Connection) -> dict[str, str]:
    """The links of facts that may lead to somebody else now, each with the SQL of its values; a
    link that no change concerns spares a scan of all facts."""
    asked = {link: sql.format(changes=CHANGES) for link, sql in REFERENCES.items()}
    return {
        link: sql
        for link, sql in asked.items()
        if connection.execute(f"SELECT 1 FROM ({sql}) LIMIT 1").fetchall()
    }


def reach(connection: Connection, table: Table, leading: Mapping[str, str]) -> int:
    """Fill `reach_<table>(source, source_id)`: facts that changed, and those that `leads` may lead
    to somebody else. Returns how many."""
    name = table.name
    parts = [f"SELECT source, source_id FROM touched_record WHERE \"table\" = '{name}'"]
    for link, asked in leading.items():
        by = f"k.key = s.{link}"
        if link.endswith("_ref"):
            by = f"k.source = s.source AND k.source_id = s.{link}"
        parts.append(
            f"SELECT s.source, s.source_id FROM source_{name} s SEMI JOIN ({asked}) k ON {by}"
        )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE reach_{name} AS {' UNION '.join(parts)}")
    return int(connection.execute(f"SELECT count(*) FROM reach_{name}").fetchall()[0][0])
