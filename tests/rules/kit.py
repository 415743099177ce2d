"""Books from small texts, and both engines on one described profile."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from audiencehub.canonical import Field
from audiencehub.rules import RuleBook, Segment, compile_book
from audiencehub.rules.language.catalog import ACCOUNT_ONLY, CATALOG
from audiencehub.rules.language.profile import Profile
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.folder import read_segment
from audiencehub.testing.world import World

ZONE = ZoneInfo("America/New_York")
CLOCK = datetime(2026, 3, 31, 16, tzinfo=UTC)
WIDE = CATALOG.adding(
    "contact",
    [
        Field("weight", "number"),
        Field("interests", "texts"),
        Field("extra", "json"),
        Field("custom_vip", "boolean"),
    ],
).adding("account", [Field("custom_tier", "text", privacy="none"), Field("custom_floor", "money")])


def segment(name: str, when: Any, of: str = "contact", **more: Any) -> Segment:
    """A segment from plain values; fails the test when it has a fault."""
    values = {"segment": name, "label": name, "model": "intent", "of": of, "when": when, **more}
    desk = Desk(f"{name}.yaml", "USD", WIDE)
    found = read_segment(desk, dump(values))
    assert found is not None, [str(one) for one in desk.faults]
    return found


def dump(values: Any) -> bytes:
    """YAML as the strict loader reads it: no aliases, text that looks like a date unquoted."""

    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    return yaml.dump(values, Dumper=Plain, sort_keys=False, allow_unicode=True).encode()


def book(*segments: Segment, zone: ZoneInfo = ZONE) -> RuleBook:
    """A book of these."""
    return RuleBook({one.id: one for one in segments}, zone)


def world_of(profiles: list[Profile]) -> World:
    """A company in which profile number n is person n, or account n, with its own rows."""
    contacts: dict[int, Any] = {}
    accounts: dict[int, Any] = {}
    facts: dict[str, list[Any]] = {}
    for number, profile in enumerate(profiles):
        person = profile.contact
        if person is not None:
            link = None if profile.account is None else number
            contacts[number] = {**person, "account_id": link}
        if profile.account is not None:
            accounts[number] = profile.account
        for place, member in enumerate(profile.crew):
            one = 1000 * (number + 1) + place
            contacts[one] = {**(member.contact or {}), "account_id": number}
            for table, rows in member.rows.items():
                if table not in ACCOUNT_ONLY:
                    facts.setdefault(table, []).extend({**row, "contact_id": one} for row in rows)
        for table, rows in profile.rows.items():
            own = person is not None and table not in ACCOUNT_ONLY
            owner = "contact_id" if own else "account_id"
            theirs = [id(row) for member in profile.crew for row in member.rows.get(table, ())]
            facts.setdefault(table, []).extend(
                {**row, owner: number}
                for row in rows
                if table in ACCOUNT_ONLY or id(row) not in theirs
            )
        entity = "contact" if person is not None else "account"
        facts.setdefault("stay", []).extend(
            {"entity": entity, "id": number, "segment": name, "entered_at": a, "left_at": b}
            for name, times in profile.past.items()
            for a, b in times
        )
    return World(contacts, accounts, facts)


def by_sql(rules: RuleBook, world: World, clock: datetime) -> dict[str, set[int]]:
    """The ids in each segment, by the compiled book with bits of its own."""
    bits = rules.bits()
    with world.connect(WIDE) as connection:
        compile_book(rules, clock, bits, WIDE, world.unfilled).run(connection)
        return members(connection, rules, bits)


def members(connection: Any, rules: RuleBook, bits: dict[str, int]) -> dict[str, set[int]]:
    """The ids whose mask has the bit of each segment."""
    found = {}
    for name, one in rules.segments.items():
        word, shift = divmod(bits[name], 64)
        rows = connection.execute(
            f"SELECT {one.of}_id FROM match_{one.of} WHERE (w{word} >> {shift}) & 1 = 1"
        ).fetchall()
        found[name] = {row[0] for row in rows}
    return found
