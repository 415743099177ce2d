"""Resolve: source records become persons and companies, and facts point to them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib import metadata
from typing import Any

import pyarrow as pa

from audiencehub.canonical import Table
from audiencehub.cleaning.money import rate
from audiencehub.cleaning.web import providers
from audiencehub.hub import Hub
from audiencehub.identity.consents import decisions
from audiencehub.identity.journal import journal
from audiencehub.identity.match import match
from audiencehub.identity.policy import accounts, contacts
from audiencehub.warehouse import (
    affected,
    facts,
    hierarchy,
    history,
    links,
    profiles,
    provenance,
    touched,
)
from audiencehub.warehouse.insert import insert


@dataclass(frozen=True, slots=True)
class Resolved:
    """What stands after identity resolution."""

    contacts: int
    accounts: int
    merged: int
    """Contact records that are another record's person."""
    unlinked: int
    """Facts that belong to nobody known; they wait for their contact."""


def resolve(hub: Hub, *, passing: bool = False) -> Resolved:
    """Bring profiles and facts to what the source rows say, in one transaction.

    Only what changed records reach is made anew, unless settings or code are others than last time.
    `passing`: a state of the past that a rebuild comes by; only its profiles are made, for their
    history, and the ledger stays as it is.
    """
    connection = hub.warehouse.connection
    known = hub.warehouse.known_at or hub.now
    with hub.warehouse.transaction():
        policy = provenance.write(connection, hub.settings)
        connection.execute("SET VARIABLE known_at = ?", [known.replace(tzinfo=None)])
        extent = _identify(hub, _extent(hub, policy, known), journalled=not passing)
        if not extent.facts:
            touched.mark_all(connection)
        _profiles(hub, policy, extent, known)
        hub.warehouse.set("resolved", known.isoformat())
        hub.warehouse.set("whole", "" if passing else known.isoformat())
        hub.warehouse.set("resolved_by", extent.version)
        made = [] if passing else _facts(hub, extent)
        if extent.profiles:
            _touch(connection, made if extent.facts else [])
        connection.execute("DELETE FROM touched_record")
        return _counted(hub)


@dataclass(frozen=True, slots=True)
class _Extent:
    """Which parts are made anew in part only."""

    version: str
    profiles: bool
    facts: bool
    since: datetime
    """What the profiles were last resolved for."""


def _extent(hub: Hub, policy: provenance.Policy, known: datetime) -> _Extent:
    """In part only where the tables stand as this code and these settings would have made them.

    Facts are whole after a state that was only passed by, which leaves them as they were. A clock
    that went back would have to bring expired values back.
    """
    warehouse, version = hub.warehouse, _version(hub, policy)
    said = warehouse.get("resolved")
    since = datetime.fromisoformat(said) if said else known
    same = said is not None and warehouse.get("resolved_by") == version and since <= known
    return _Extent(version, same, same and bool(warehouse.get("whole")), since)


def _version(hub: Hub, policy: provenance.Policy) -> str:
    """Changes with everything but records that profiles and facts are made from."""
    settings, tables = hub.settings, hub.warehouse.tables
    identity = settings.identity
    said = [
        accounts(identity, tuple(_free_domains(hub))).version,
        contacts(identity).version,
        settings.company.currency,
        metadata.version("CurrencyConverter"),
        links.SAID,
        links.BY_MAIL,
        hierarchy.SAID,
        profiles.record_map(),
        *(sql for one in provenance.ENTITIES for _, sql in profiles.entity(tables[one], policy)),
        *(sql for one in tables.values() if not one.entity for sql in facts.fact(one)),
        *facts.naming(tables.values()),
        repr(_rows(hub, "FROM source_policy ORDER BY ALL")),
        repr(_rows(hub, "FROM field_policy ORDER BY ALL")),
    ]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]


def _rows(hub: Hub, sql: str) -> list[tuple[Any, ...]]:
    return hub.warehouse.connection.execute(sql).fetchall()


def _identify(hub: Hub, extent: _Extent, *, journalled: bool = True) -> _Extent:
    """Who is who: the table `record_map`, and the journal of what was joined.

    What is not `journalled` waits for the next pass that is. Returns what is to be made anew:
    everything, once two records had one key.
    """
    connection, settings = hub.warehouse.connection, hub.settings.identity
    free, upto = tuple(_free_domains(hub)), hub.warehouse.applied
    affected.begin(connection)
    for policy in (accounts(settings, free), contacts(settings)):
        matched = match(connection, hub.ledger, policy, hub.now, upto)
        if matched.full:
            extent = replace(extent, profiles=False, facts=False)
        if extent.profiles and matched.scope:
            affected.move(connection, policy.entity)
        if journalled:
            journal(connection, hub.ledger, policy.entity, hub.run_id, hub.now, upto)
    if not extent.profiles:
        connection.execute("DELETE FROM record_map")
        connection.execute(profiles.record_map())
    return extent


def _profiles(hub: Hub, policy: provenance.Policy, extent: _Extent, known: datetime) -> None:
    """The tables `contact` and `account`, their links and their history."""
    connection, tables, part = hub.warehouse.connection, hub.warehouse.tables, extent.profiles
    companies = True
    if part:
        affected.expire(connection, extent.since, known)
        companies = affected.any_of(connection, "account")
        if companies:
            affected.site_before(connection)
        links.remember(connection)
    for entity in provenance.ENTITIES:
        if not part or affected.any_of(connection, entity):
            for into, sql in profiles.entity(tables[entity], policy, part=part):
                if into:
                    insert(connection, into, sql)
                else:
                    connection.execute(sql)
    free = _free_domains(hub)
    if part:
        if companies:
            affected.site(connection)
        links.link_part(connection, free)
    else:
        links.link_all(connection, free)
    if companies:
        hierarchy.link(connection)
    history.record(connection, tables, known, part=part)


def _facts(hub: Hub, extent: _Extent) -> list[Table]:
    """The tables of facts, the span of everybody's activity, and what was said about consent.

    Returns the tables of which anything was made anew.
    """
    connection, part = hub.warehouse.connection, extent.facts
    tables = [one for one in hub.warehouse.tables.values() if not one.entity]
    if part:
        tables = list(affected.reached(connection, tables, affected.leads(connection)))
    made = [one for one in tables if one.name != "consent"]
    if part:
        for sql in (sql for table in made for sql in facts.read(table)):
            connection.execute(sql)
    if made or not part:
        for sql in facts.naming(made, part=part):
            connection.execute(sql)
        _rates(hub, made, part=part)
    for table in made:
        for sql in facts.fact(table, part=part):
            connection.execute(sql)
    if part:
        active = [facts.owners(one) for one in made if one.name == "event"]
        parts = [
            "SELECT id FROM part_contact",
            *(f"SELECT contact_id FROM ({sql})" for sql in active),
        ]
        connection.execute(f"CREATE OR REPLACE TEMP TABLE active AS {' UNION '.join(parts)}")
    if not part or _rows(hub, "SELECT 1 FROM active LIMIT 1"):
        connection.execute(facts.spans(part=part))
    if len(tables) > len(made) or not part:
        hub.ledger.consent.record(decisions(connection, hub.ledger, part=part))
    return made


def _touch(connection: Any, made: Sequence[Table]) -> None:
    """Note who was made anew, and whose facts were and are."""
    owners = [facts.owners(table) for table in made]
    for entity, column, more in (
        ("contact", "contact_id", []),
        ("account", "account_id", [links.MOVED_BETWEEN]),
    ):
        parts = [f"SELECT id FROM part_{entity}", *more]
        parts += [f"SELECT {column} FROM ({one})" for one in owners]
        touched.add(connection, entity, " UNION ALL ".join(parts))


def _rates(hub: Hub, tables: Sequence[Table], *, part: bool) -> None:
    """Rates of every (currency, day) that occurs, to the company's currency."""
    target = hub.settings.company.currency
    connection = hub.warehouse.connection
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE rate(currency VARCHAR, day DATE, rate DECIMAL(18,8))"
    )
    sql = facts.currency_days(tables, part=part)
    found = _rows(hub, sql) if sql else []
    rows = [(code, day, rate(code, target, day)) for code, day in found if code != target]
    if rows:
        kinds = {"currency": pa.string(), "day": pa.date32(), "rate": pa.decimal128(18, 8)}
        columns = zip(kinds.values(), zip(*rows, strict=True), strict=True)
        stage = [pa.array(values, kind) for kind, values in columns]
        connection.register("stage_rate", pa.table(stage, names=list(kinds)))
        connection.execute("INSERT INTO rate FROM stage_rate")
        connection.unregister("stage_rate")
    connection.execute("SET VARIABLE company_currency = ?", [target])


def _free_domains(hub: Hub) -> list[str]:
    return [*providers(), *hub.settings.identity.free_email_domains]


def _counted(hub: Hub) -> Resolved:
    facts_of = [one.name for one in hub.warehouse.tables.values() if not one.entity]
    unlinked = " + ".join(
        f'(SELECT count(*) FROM source_{name} WHERE NOT deleted) - (SELECT count(*) FROM "{name}")'
        for name in facts_of
        if name != "consent"
    )
    live = "SELECT count(*) FROM record_map WHERE entity = 'contact'"
    ((people, companies, records, waiting),) = _rows(
        hub,
        f"SELECT (SELECT count(*) FROM contact), (SELECT count(*) FROM account), ({live}), "
        f"{unlinked or 0}",
    )
    return Resolved(people, companies, records - people, waiting)
