"""Resolve: source records become persons and companies, and facts point to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import pyarrow as pa

from audiencehub.canonical import ACCOUNT, CONTACT, FACTS
from audiencehub.cleaning.money import rate
from audiencehub.hub import Hub
from audiencehub.identity.clusters import clusters, star
from audiencehub.warehouse import profiles

Key = tuple[str, str]
UNLIMITED = 1_000_000_000
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
FOR_EVER = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Resolved:
    """What stands after identity resolution."""

    contacts: int
    accounts: int
    merged: int
    """Contact records that are another record's person."""
    unlinked: int
    """Facts that belong to nobody known; they wait for their contact."""


def resolve(hub: Hub) -> Resolved:
    """Rebuild profiles and facts from the source rows, in one transaction."""
    connection = hub.warehouse.connection
    with hub.warehouse.transaction():
        _priorities(hub)
        maps = [(key, "account", value) for key, value in _accounts(hub).items()]
        contacts = _contacts(hub)
        maps += [(key, "contact", value) for key, value in contacts.items()]
        _write_map(hub, maps)
        free = _free_domains(hub)
        connection.execute("DELETE FROM account")
        connection.execute(profiles.entity(ACCOUNT))
        connection.execute("DELETE FROM contact")
        connection.execute(profiles.entity(CONTACT))
        connection.execute(profiles.LINK_CONTACTS, {"free": free})
        _rates(hub)
        for table in FACTS:
            if table.name != "consent":
                connection.execute(f'DELETE FROM "{table.name}"')
                connection.execute(profiles.fact(table))
        connection.execute(profiles.ACTIVITY_SPAN)
        _consent(hub)
        return _counted(hub)


def _rows(hub: Hub, sql: str) -> list[tuple[Any, ...]]:
    return hub.warehouse.connection.execute(sql).fetchall()


def _contacts(hub: Hub) -> Mapping[Key, int]:
    """Each contact record to its person: same e-mail, same customer number, merged in a CRM."""
    shared = set(hub.settings.identity.shared_mailboxes)
    emails: dict[Hashable, list[Hashable]] = defaultdict(list)
    numbers: dict[Hashable, list[Hashable]] = defaultdict(list)
    records: list[Key] = []
    merges: list[tuple[Hashable, Hashable]] = []
    for source, source_id, email, number, deleted, into in _rows(
        hub,
        "SELECT source, source_id, email, external_id, deleted, merged_into FROM source_contact "
        "ORDER BY source, source_id",
    ):
        key = (source, source_id)
        records.append(key)
        if into:
            merges.append((key, (source, into)))
        if deleted:
            continue
        if email and email.partition("@")[0] not in shared:
            emails[email].append(key)
        if number:
            numbers[number].append(key)
    limit = hub.settings.identity.records_per_key
    links = [*star(emails, limit), *star(numbers, limit), *merges]
    return _ids(hub, "contact", records, links)


def _accounts(hub: Hub) -> Mapping[Key, int]:
    """Each account record to its company: same registrable domain, merged in a CRM."""
    free = set(_free_domains(hub))
    domains: dict[Hashable, list[Hashable]] = defaultdict(list)
    records: list[Key] = []
    merges: list[tuple[Hashable, Hashable]] = []
    for source, source_id, domain, deleted, into in _rows(
        hub,
        "SELECT source, source_id, domain, deleted, merged_into FROM source_account "
        "ORDER BY source, source_id",
    ):
        key = (source, source_id)
        records.append(key)
        if into:
            merges.append((key, (source, into)))
        if domain and not deleted and domain not in free:
            domains[domain].append(key)
    return _ids(hub, "account", records, [*star(domains, UNLIMITED), *merges])


def _ids(
    hub: Hub, entity: str, records: list[Key], links: Iterable[tuple[Hashable, Hashable]]
) -> Mapping[Key, int]:
    """Stable ids from the ledger; a cluster takes the smallest of its records'."""
    assigned = hub.ledger.people.assign(entity, [(*key, hub.now) for key in records])
    joined = clusters(records, links)
    smallest: dict[Hashable, int] = {}
    for key in records:
        head = joined[key]
        smallest[head] = min(smallest.get(head, assigned[key]), assigned[key])
    return {key: smallest[joined[key]] for key in records}


def _write_map(hub: Hub, maps: list[tuple[Key, str, int]]) -> None:
    connection = hub.warehouse.connection
    table = pa.table(
        {
            "source": pa.array([key[0] for key, _, _ in maps], pa.string()),
            "source_id": pa.array([key[1] for key, _, _ in maps], pa.string()),
            "entity": pa.array([entity for _, entity, _ in maps], pa.string()),
            "id": pa.array([value for _, _, value in maps], pa.int32()),
        }
    )
    connection.execute("DELETE FROM record_map")
    connection.register("stage_map", table)
    connection.execute(profiles.record_map())
    connection.unregister("stage_map")


def _priorities(hub: Hub) -> None:
    connection = hub.warehouse.connection
    connection.execute("CREATE OR REPLACE TEMP TABLE priority(source VARCHAR, priority INTEGER)")
    rows = [(name, entry.priority) for name, entry in hub.settings.sources.items()]
    if rows:
        connection.executemany("INSERT INTO priority VALUES(?, ?)", rows)


def _rates(hub: Hub) -> None:
    """Rates of every (currency, day) that occurs, to the company's currency."""
    target = hub.settings.company.currency
    connection = hub.warehouse.connection
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE rate(currency VARCHAR, day DATE, rate DECIMAL(18,8))"
    )
    found = _rows(hub, profiles.currency_days())
    rows = [(code, day, rate(code, target, day)) for code, day in found if code != target]
    if rows:
        connection.executemany("INSERT INTO rate VALUES(?, ?, ?)", rows)
    connection.execute("SET VARIABLE company_currency = ?", [target])


def _free_domains(hub: Hub) -> list[str]:
    text = resources.files("audiencehub.cleaning").joinpath("data/free_email_domains.txt")
    return [*text.read_text("utf-8").split(), *hub.settings.identity.free_email_domains]


def _consent(hub: Hub) -> None:
    """Every decision a source holds goes to the ledger, under the person's id."""
    rows = []
    for person, purpose, channel, status, source, at, proof in _rows(
        hub, profiles.CONSENT_DECISIONS
    ):
        # Without a date a denial outlasts every grant, and a grant yields to any denial.
        undated = LONG_AGO if status == "granted" else FOR_EVER
        when = at.replace(tzinfo=UTC) if at is not None else undated
        rows.append((person, purpose, channel or "any", status, source, when, proof))
    hub.ledger.consent.record(rows)


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
