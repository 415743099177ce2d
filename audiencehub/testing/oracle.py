"""Who is in which segment, worked out one profile at a time, without any SQL.

The reference that compiled rules are held against: the law of scope is applied here on plain
records, and each rule is judged by the plain evaluator.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from audiencehub.rules.book import RuleBook
from audiencehub.rules.evaluate import matches
from audiencehub.rules.language.profile import Profile, Row
from audiencehub.testing.world import World

Members = dict[str, set[int]]
Settle = Callable[[str, set[int]], set[int]]


def profile_of_contact(world: World, contact_id: int, members: Members | None = None) -> Profile:
    """What a contact rule may read of one person."""
    person = world.contacts[contact_id]
    account_id = person.get("account_id")
    account = world.accounts.get(account_id) if account_id is not None else None
    rows: dict[str, list[Row]] = {
        table: [row for row in world.facts.get(table, ()) if row.get("contact_id") == contact_id]
        for table in ("event", "order")
    }
    if account is not None and account_id is not None:
        rows["deal"] = _of_account(world, "deal", account_id)
        for table in ("technology_install", "intent_signal"):
            rows[table] = _own(world, table, account_id)
    held = frozenset(name for name, ids in (members or {}).items() if contact_id in ids)
    return Profile(person, account, rows, held)


def profile_of_account(world: World, account_id: int, members: Members | None = None) -> Profile:
    """What an account rule may read of one company."""
    rows = {name: _of_account(world, name, account_id) for name in ("event", "order", "deal")}
    for table in ("technology_install", "intent_signal"):
        rows[table] = _own(world, table, account_id)
    held = frozenset(name for name, ids in (members or {}).items() if account_id in ids)
    return Profile(None, world.accounts[account_id], rows, held)


def members(book: RuleBook, world: World, clock: datetime, settle: Settle | None = None) -> Members:
    """The ids in each segment. `settle` may turn who matches into who is a member."""
    found: Members = {}
    for stage in book.order():
        for name in stage:
            segment = book.segments[name]
            if segment.of == "account":
                known = {k: v for k, v in found.items() if book.segments[k].of == "account"}
                hits = {
                    key
                    for key in world.accounts
                    if matches(segment, profile_of_account(world, key, known), clock, book.zone)
                }
            else:
                hits = _contacts(book, world, clock, name, found)
            found[name] = settle(name, hits) if settle else hits
    return found


def _contacts(book: RuleBook, world: World, clock: datetime, name: str, found: Members) -> set[int]:
    hits = set()
    for key, person in world.contacts.items():
        held = {
            other: {key} if _is_member(book, other, ids, key, person) else set()
            for other, ids in found.items()
        }
        if matches(book.segments[name], profile_of_contact(world, key, held), clock, book.zone):
            hits.add(key)
    return hits


def _is_member(book: RuleBook, name: str, ids: set[int], key: int, person: Any) -> bool:
    """A contact is in a segment of accounts when its account is."""
    return (person.get("account_id") if book.segments[name].of == "account" else key) in ids


def _own(world: World, table: str, account_id: int) -> list[Row]:
    return [row for row in world.facts.get(table, ()) if row.get("account_id") == account_id]


def _of_account(world: World, table: str, account_id: int) -> list[Row]:
    """Rows of the account and of its contacts, each once."""
    staff = {key for key, one in world.contacts.items() if one.get("account_id") == account_id}
    return [
        row
        for row in world.facts.get(table, ())
        if row.get("account_id") == account_id or row.get("contact_id") in staff
    ]
