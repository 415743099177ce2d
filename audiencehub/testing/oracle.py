"""Who is in which segment, worked out one profile at a time, without any SQL.

The reference that compiled rules are held against: the law of scope is applied here on plain
records, and each rule is judged by the plain evaluator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from audiencehub.model import Entity
from audiencehub.rules.book import RuleBook, Segment
from audiencehub.rules.evaluate import matches
from audiencehub.rules.language.form import Contacts, Rank, deep, walk
from audiencehub.rules.language.profile import Profile, Row
from audiencehub.testing.among import places, stays
from audiencehub.testing.traits import traits_of
from audiencehub.testing.world import World

OWN = ("event", "order", "order_line", "ticket", "survey_answer", "email_engagement")
"""What a person does: a contact rule reads their own rows only."""
JOINT = ("deal", "subscription")
"""What an account has, also through its contacts."""
SEEN = ("technology_install", "intent_signal")
"""What is seen of an account as such."""
Members = dict[str, set[int]]
Settle = Callable[[str, set[int]], set[int]]


def profile_of_contact(world: World, contact_id: int, members: Members | None = None) -> Profile:
    """What a contact rule may read of one person."""
    person = world.contacts[contact_id]
    account_id = person.get("account_id")
    account = world.accounts.get(account_id) if account_id is not None else None
    rows: dict[str, list[Row]] = {
        table: [row for row in world.facts.get(table, ()) if row.get("contact_id") == contact_id]
        for table in OWN
    }
    if account is not None and account_id is not None:
        for table in JOINT:
            rows[table] = _of_account(world, table, account_id)
        for table in SEEN:
            rows[table] = _own(world, table, account_id)
    rows["model_score"] = _scores(world, "contact", contact_id)
    held = frozenset(name for name, ids in (members or {}).items() if contact_id in ids)
    return Profile(person, account, rows, held, unfilled=world.unfilled)


def profile_of_account(world: World, account_id: int, members: Members | None = None) -> Profile:
    """What an account rule may read of one company."""
    rows = {name: _of_account(world, name, account_id) for name in (*OWN, *JOINT)}
    for table in SEEN:
        rows[table] = _own(world, table, account_id)
    rows["model_score"] = _scores(world, "account", account_id)
    held = frozenset(name for name, ids in (members or {}).items() if account_id in ids)
    return Profile(None, world.accounts[account_id], rows, held, unfilled=world.unfilled)


def members(book: RuleBook, world: World, clock: datetime, settle: Settle | None = None) -> Members:
    """The ids in each segment. `settle` may turn who matches into who is a member."""
    found: Members = {}
    everyone = Everyone(book, world, clock)
    for stage in book.order():
        for name in stage:
            segment = book.segments[name]
            ids = world.accounts if segment.of == "account" else world.contacts
            seen = {key: everyone.profile(segment, key, found) for key in ids}
            hits = {n for n, one in seen.items() if matches(segment, one, clock, book.zone)}
            found[name] = settle(name, hits) if settle else hits
    return found


class Everyone:
    """All profiles of a world, with what takes all of them to tell; only segments change."""

    def __init__(self, book: RuleBook, world: World, clock: datetime) -> None:
        self.book, self.world = book, world
        self.contacts = {n: profile_of_contact(world, n) for n in world.contacts}
        self.accounts = {n: profile_of_account(world, n) for n in world.accounts}
        nodes = [node for one in book.segments.values() for node in deep(one.when)]
        by: dict[Entity, dict[int, Profile]] = {"contact": self.contacts, "account": self.accounts}
        self._traits(by, clock)
        ranks = places([one for one in nodes if isinstance(one, Rank)], by)
        for n, profile in self.contacts.items():
            shared = ranks["account"].get(self._account(n), {})
            own = ranks["contact"].get(n, {})
            past = {
                **stays(self.book, world, "account", self._account(n)),
                **stays(self.book, world, "contact", n),
            }
            self.contacts[n] = replace(profile, ranks={**shared, **own}, past=past)
        for n, profile in self.accounts.items():
            past = stays(self.book, world, "account", n)
            self.accounts[n] = replace(profile, ranks=ranks["account"].get(n, {}), past=past)

    def _traits(self, by: dict[Entity, dict[int, Profile]], clock: datetime) -> None:
        """Give everyone their traits; a contact also those of its account."""
        links = {n: self._account(n) for n in self.contacts}
        values, bounds = traits_of(self.book, by, links, clock)
        for entity, profiles in by.items():
            for n, profile in profiles.items():
                shared = values["account"].get(links.get(n, -1), {}) if entity == "contact" else {}
                traits = {**shared, **values[entity][n]}
                profiles[n] = replace(profile, traits=traits, thresholds=bounds)

    def profile(self, segment: Segment, key: int, found: Members) -> Profile:
        """What a rule may read of one entity, while so many segments are decided."""
        if segment.of == "contact":
            return self._contact(key, found)
        profile = replace(self.accounts[key], segments=self._held("account", key, found))
        if not any(isinstance(node, Contacts) for node in walk(segment.when)):
            return profile
        staff = [n for n in self.contacts if self._account(n) == key]
        return replace(profile, crew=tuple(self._contact(n, found) for n in staff))

    def _contact(self, key: int, found: Members) -> Profile:
        held = self._held("contact", key, found) | self._held("account", self._account(key), found)
        return replace(self.contacts[key], segments=held)

    def _held(self, of: Entity, key: int, found: Members) -> frozenset[str]:
        """A contact is in a segment of accounts when its account is."""
        named = self.book.segments
        return frozenset(name for name, ids in found.items() if named[name].of == of and key in ids)

    def _account(self, contact: int) -> int:
        account = self.world.contacts[contact].get("account_id")
        return -1 if account is None else int(account)


def _scores(world: World, entity: Entity, key: int) -> list[Row]:
    rows = world.facts.get("model_score", ())
    return [row for row in rows if row["entity"] == entity and row["id"] == key]


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
