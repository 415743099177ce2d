"""Profiles as documents: everything the rules can read of some people or accounts, in bulk."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC
from typing import Any

import duckdb
import pyarrow as pa

from audiencehub.insight.among import surround
from audiencehub.insight.traits import Traits, load_traits
from audiencehub.model import Entity
from audiencehub.rules import Profile, Seen, Segment
from audiencehub.warehouse import recall

Connection = duckdb.DuckDBPyConnection
Rows = dict[int, list[dict[str, Any]]]
OWN = ("event", "order", "order_line", "ticket", "survey_answer", "email_engagement")
"""Facts that a contact rule reads of the person."""
SHARED = ("deal", "subscription", "technology_install", "intent_signal")
"""Facts that a contact rule reads of the person's account."""
SEEN = ("technology_install", "intent_signal")
"""Facts of an account alone; the others also reach it through its contacts."""


def load_profiles(
    connection: Connection,
    entity: Entity,
    ids: Collection[int],
    segments: Mapping[Entity, Mapping[int, frozenset[str]]],
    rules: Collection[Segment] = (),
) -> dict[int, Profile]:
    """Id to profile, for those that exist. `segments` says who is a member of what.

    What these rules read of others comes too: the people of an account, places in ranks, and
    earlier memberships.
    """
    found = _alone(connection, entity, ids, segments)

    def people(numbers: Collection[int]) -> Mapping[int, Profile]:
        return load_profiles(connection, "contact", numbers, segments, rules)

    return surround(connection, found, rules, people) if rules else found


def _alone(
    connection: Connection,
    entity: Entity,
    ids: Collection[int],
    segments: Mapping[Entity, Mapping[int, frozenset[str]]],
) -> dict[int, Profile]:
    numbers = pa.table({"id": pa.array(sorted(ids), pa.int32())})
    connection.register("asked", numbers)
    try:
        accounts = _by(connection, _accounts_sql(entity), "account_id")
        contacts = {}
        if entity == "contact":
            contacts = _by(
                connection,
                "SELECT * FROM contact WHERE contact_id IN (SELECT id FROM asked)",
                "contact_id",
            )
        facts = {table: _facts(connection, entity, table) for table in (*OWN, *SHARED)}
        unfilled = recall(connection)
        traits = load_traits(connection, entity)
    finally:
        connection.unregister("asked")
    if entity == "account":
        return {
            number: _profile(None, one[0], facts, number, number, segments, unfilled, traits)
            for number, one in accounts.items()
        }
    return {
        number: _profile(
            one[0],
            accounts.get(one[0]["account_id"], [None])[0],
            facts,
            number,
            one[0]["account_id"],
            segments,
            unfilled,
            traits,
        )
        for number, one in contacts.items()
    }


def _profile(
    contact: dict[str, Any] | None,
    account: dict[str, Any] | None,
    facts: Mapping[str, Rows],
    number: int,
    account_id: int | None,
    segments: Mapping[Entity, Mapping[int, frozenset[str]]],
    unfilled: frozenset[str],
    traits: Traits,
) -> Profile:
    rows = {table: facts[table].get(number, []) for table in OWN}
    rows |= {
        table: facts[table].get(account_id, []) if account_id is not None else []
        for table in SHARED
    }
    own = segments["contact"].get(number, frozenset()) if contact is not None else frozenset()
    shared = (
        segments["account"].get(account_id, frozenset()) if account_id is not None else frozenset()
    )
    entity: Entity = "account" if contact is None else "contact"
    rows["model_score"] = traits.scores.get((entity, number), [])
    return Profile(
        contact,
        account,
        rows,
        own | shared,
        unfilled=unfilled,
        traits=traits.of(None if contact is None else number, account_id),
        thresholds=traits.thresholds,
    )


def _accounts_sql(entity: Entity) -> str:
    if entity == "account":
        return "SELECT * FROM account WHERE account_id IN (SELECT id FROM asked)"
    return (
        "SELECT * FROM account WHERE account_id IN "
        "(SELECT account_id FROM contact WHERE contact_id IN (SELECT id FROM asked))"
    )


def _facts(connection: Connection, entity: Entity, table: str) -> Rows:
    if table in OWN and entity == "contact":
        sql = f'SELECT *, contact_id AS owner FROM "{table}" WHERE contact_id IN (FROM asked)'
        return _by(connection, sql, "owner")
    accounts = "(FROM asked)"
    if entity == "contact":
        accounts = "(SELECT account_id FROM contact WHERE contact_id IN (FROM asked))"
    own = f'SELECT *, account_id AS owner FROM "{table}" WHERE account_id IN {accounts}'
    if table in SEEN:
        return _by(connection, own, "owner")
    # A row that names its account and comes from one of its contacts counts once.
    through = (
        f'SELECT f.*, c.account_id AS owner FROM "{table}" f JOIN contact c USING (contact_id) '
        f"WHERE c.account_id IN {accounts} AND c.account_id IS DISTINCT FROM f.account_id"
    )
    return _by(connection, f"{own} UNION ALL {through}", "owner")


def _by(connection: Connection, sql: str, key: str) -> Rows:
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description or ()]
    found: Rows = {}
    for row in cursor.fetchall():
        one = dict(zip(names, row, strict=True))
        found.setdefault(one[key], []).append(one)
    return found


def provenance(connection: Connection, entity: Entity, number: int) -> dict[str, Seen]:
    """`contact.country` to the source whose value stands, and when that source last changed it."""
    found = connection.execute(
        "SELECT field, source, observed_at FROM attribute_value "
        "WHERE entity = ? AND id = ? AND chosen",
        [entity, number],
    ).fetchall()
    return {
        f"{entity}.{field}": Seen(source, at.replace(tzinfo=UTC) if at else None)
        for field, source, at in found
    }


def memberships(connection: Connection) -> dict[Entity, dict[int, frozenset[str]]]:
    """Entity to id to the segments it is in, from the table `member`."""
    found: dict[Entity, dict[int, set[str]]] = {"contact": {}, "account": {}}
    rows: Iterable[tuple[Entity, int, str]] = connection.execute(
        "SELECT entity, id, segment FROM member"
    ).fetchall()
    for entity, number, segment in rows:
        found[entity].setdefault(number, set()).add(segment)
    return {
        entity: {n: frozenset(names) for n, names in one.items()} for entity, one in found.items()
    }
