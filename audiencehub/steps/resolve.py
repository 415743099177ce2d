"""Resolve: source records become persons and companies, and facts point to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from audiencehub.canonical import FACTS
from audiencehub.cleaning.money import rate
from audiencehub.cleaning.web import providers
from audiencehub.hub import Hub
from audiencehub.identity.consents import decisions
from audiencehub.identity.journal import journal
from audiencehub.identity.match import match
from audiencehub.identity.policy import accounts, contacts
from audiencehub.warehouse import hierarchy, history, profiles, provenance


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
    """Rebuild profiles and facts from the source rows, in one transaction.

    `passing`: a state of the past that a rebuild comes by; only its profiles are made, for their
    history, and the ledger stays as it is.
    """
    connection, tables = hub.warehouse.connection, hub.warehouse.tables
    known = hub.warehouse.known_at or hub.now
    with hub.warehouse.transaction():
        policy = provenance.write(connection, hub.settings)
        connection.execute("SET VARIABLE known_at = ?", [known.replace(tzinfo=None)])
        _identify(hub, journalled=not passing)
        free = _free_domains(hub)
        connection.execute("DELETE FROM account")
        connection.execute(profiles.entity(tables["account"], policy))
        connection.execute("DELETE FROM contact")
        connection.execute(profiles.entity(tables["contact"], policy))
        connection.execute(profiles.LINK_CONTACTS, {"free": free})
        hierarchy.link(connection)
        history.record(connection, tables, known)
        hub.warehouse.set("resolved", known.isoformat())
        hub.warehouse.set("whole", "" if passing else known.isoformat())
        if passing:
            return _counted(hub)
        _rates(hub)
        for table in tables.values():
            if not table.entity and table.name != "consent":
                connection.execute(f'DELETE FROM "{table.name}"')
                connection.execute(profiles.fact(table))
        connection.execute(profiles.ACTIVITY_SPAN)
        hub.ledger.consent.record(decisions(connection, hub.ledger))
        return _counted(hub)


def _rows(hub: Hub, sql: str) -> list[tuple[Any, ...]]:
    return hub.warehouse.connection.execute(sql).fetchall()


def _identify(hub: Hub, *, journalled: bool = True) -> None:
    """Who is who: the table `record_map`, and the journal of what was joined.

    What is not `journalled` waits for the next pass that is.
    """
    connection, settings = hub.warehouse.connection, hub.settings.identity
    free, upto = tuple(_free_domains(hub)), hub.warehouse.applied
    for policy in (accounts(settings, free), contacts(settings)):
        match(connection, hub.ledger, policy, hub.now, upto)
        if journalled:
            journal(connection, hub.ledger, policy.entity, hub.run_id, hub.now, upto)
    connection.execute("DELETE FROM record_map")
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW stage_map AS"
        " SELECT source, source_id, entity, id FROM identity_record"
    )
    connection.execute(profiles.record_map())


def _rates(hub: Hub) -> None:
    """Rates of every (currency, day) that occurs, to the company's currency."""
    target = hub.settings.company.currency
    connection = hub.warehouse.connection
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE rate(currency VARCHAR, day DATE, rate DECIMAL(18,8))"
    )
    found = _rows(hub, profiles.currency_days(hub.warehouse.tables.values()))
    rows = [(code, day, rate(code, target, day)) for code, day in found if code != target]
    if rows:
        connection.executemany("INSERT INTO rate VALUES(?, ?, ?)", rows)
    connection.execute("SET VARIABLE company_currency = ?", [target])


def _free_domains(hub: Hub) -> list[str]:
    return [*providers(), *hub.settings.identity.free_email_domains]


def _counted(hub: Hub) -> Resolved:
    def number(sql: str) -> int:
        return int(_rows(hub, sql)[0][0])

    unlinked = sum(
        number(f"SELECT count(*) FROM source_{table.name} WHERE NOT deleted")
        - number(f'SELECT count(*) FROM "{table.name}"')
        for table in FACTS
        if table.name != "consent"
    )
    live = number("SELECT count(*) FROM record_map WHERE entity = 'contact'")
    people = number("SELECT count(*) FROM contact")
    return Resolved(people, number("SELECT count(*) FROM account"), live - people, unlinked)
