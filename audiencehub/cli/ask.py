"""Verbs that answer questions from the published copy: explain."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from datetime import datetime
from difflib import get_close_matches
from typing import Annotated, Any

import duckdb
import typer

from audiencehub.cli import explained
from audiencehub.cli.common import AsJson, Env, emit, fold, say, verb
from audiencehub.delivery.standing import Standing, standings
from audiencehub.errors import ConfigError
from audiencehub.insight.accounts import surroundings
from audiencehub.insight.people import load_profiles, memberships, provenance
from audiencehub.ledger import Ledger
from audiencehub.model import Entity
from audiencehub.opening import abilities, load_rules
from audiencehub.rules import Explanation, Profile, RuleBook, explain
from audiencehub.rules.telling.traits import explain_traits
from audiencehub.rules.words import value_text
from audiencehub.settings import Settings, load
from audiencehub.warehouse import open_published

Connection = duckdb.DuckDBPyConnection
SegmentName = Annotated[
    list[str] | None, typer.Option("--segment", help="Only this segment or ladder; may be repeated")
]


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command(name="explain")(explain_verb)


@verb
def explain_verb(
    person: Annotated[
        str, typer.Argument(help="E-mail, CRM record id, number, or a company's domain")
    ],
    segment: SegmentName = None,
    env: Env = "sandbox",
    as_json: AsJson = False,
) -> None:
    """Why someone is in each segment or not: clause by clause, with value, source and age.

    Example: audiencehub explain ann.lee@northwind.example --segment in_market_fintech
    """
    explain_person(load(env), person, segment, as_json=as_json)


def explain_person(
    settings: Settings, person: str, segments: list[str] | None = None, *, as_json: bool = False
) -> None:
    """Print (or emit) the explanation of one person or company, as the last run left them."""
    book = load_rules(settings)
    segments = _named(book, segments or [])
    connection, published = open_published(settings.folder)
    try:
        entity, number = find(connection, person)
        profile = _profile(connection, entity, number, book)
        members = dict.fromkeys(memberships(connection)[entity].get(number, ()), True)
        known = {
            name: members.get(name, False)
            for name, one in book.segments.items()
            if one.of == entity
        }
        clock = _evaluated_at(connection, published)
        found = explain(book, profile, clock, segments or None, known)
        found.sort(key=lambda one: (not one.matches, not one.near_miss, one.segment))
        lists = _lists(connection, settings, book, number, clock) if entity == "contact" else []
        if as_json:
            about = surroundings(connection, number).json() if entity == "account" else {}
            emit(
                {
                    "entity": entity,
                    "id": number,
                    "published": published.isoformat(),
                    **about,
                    "traits": dict(sorted(profile.traits.items())),
                    "how": {one.trait: one.how for one in explain_traits(book, profile, clock)},
                    "lists": [asdict(one) for one in lists],
                    "segments": [one.json() for one in found],
                }
            )
            return
        traits = [*_traits(book, profile, settings, clock), *explained.lists(lists)]
        _show(
            connection,
            settings,
            entity,
            number,
            profile,
            traits,
            found,
            published,
            book,
            asked=bool(segments),
        )
    finally:
        connection.close()


def _lists(
    connection: Connection, settings: Settings, book: RuleBook, person: int, clock: datetime
) -> list[Standing]:
    """The lists of a person's segments, and those they are on still."""
    ledger = Ledger.open(settings.folder)
    try:
        known = {name: abilities(settings, name, clock) for name in settings.destinations}
        able = {name: can for name, can in known.items() if can is not None}
        return list(standings(connection, ledger, settings, book, able, person, clock))
    finally:
        ledger.close()


def _named(book: RuleBook, asked: list[str]) -> list[str]:
    """The segments asked for; a ladder stands for its rungs. Raises ConfigError for others."""
    found = []
    for name in asked:
        if name in book.ladders:
            found += [one.segment for one in book.ladders[name].rungs]
        elif name in book.segments:
            found.append(name)
        else:
            known = [*book.segments, *book.ladders]
            near = get_close_matches(name, known, 1)
            hint = f"Did you mean {near[0]}?" if near else f"Use one of: {', '.join(known)}"
            raise ConfigError(f"There is no segment {name!r}.", hint=hint)
    return found


def find(connection: Connection, person: str) -> tuple[Entity, int]:
    """Whom the words mean. Raises ConfigError when nobody, or several, fit."""
    asked = person.strip()
    tries: list[tuple[Entity, str]] = [
        ("contact", "SELECT contact_id FROM contact WHERE email = lower($asked)"),
        (
            "contact",
            "SELECT id FROM record_map r JOIN source_contact s USING (source, source_id) "
            "WHERE r.entity = 'contact' AND s.email = lower($asked)",
        ),
        ("contact", "SELECT id FROM record_map WHERE entity = 'contact' AND source_id = $asked"),
        ("account", "SELECT id FROM record_map WHERE entity = 'account' AND source_id = $asked"),
        ("account", "SELECT account_id FROM account WHERE domain = lower($asked)"),
        ("account", "SELECT account_id FROM account WHERE lower(name) = lower($asked)"),
    ]
    if re.fullmatch(r"\d{1,9}", asked):
        tries.append(
            ("contact", "SELECT contact_id FROM contact WHERE contact_id = CAST($asked AS INTEGER)")
        )
    for entity, sql in tries:
        found = {int(row[0]) for row in connection.execute(sql, {"asked": asked}).fetchall()}
        if len(found) == 1:
            return entity, found.pop()
        if found:
            raise ConfigError(
                f"{len(found)} {entity}s fit.",
                hint=f"Use one of their numbers: {', '.join(map(str, sorted(found)[:5]))}",
            )
    raise ConfigError(
        "Nobody fits in what was published last.",
        hint="Use an e-mail address, a CRM record id, or a company's domain; or sync first",
    )


def _profile(connection: Connection, entity: Entity, number: int, book: RuleBook) -> Profile:
    members = memberships(connection)
    rules = [one for one in book.segments.values() if one.of == entity]
    profile = load_profiles(connection, entity, {number}, members, rules)[number]
    seen = provenance(connection, entity, number)
    if entity == "contact" and profile.account is not None:
        seen |= provenance(connection, "account", profile.account["account_id"])
    return replace(profile, seen=seen)


def _evaluated_at(connection: Connection, published: datetime) -> datetime:
    found = connection.execute("SELECT value FROM meta WHERE key = 'evaluated_at'").fetchone()
    return datetime.fromisoformat(found[0]) if found else published


def _show(
    connection: Connection,
    settings: Settings,
    entity: Entity,
    number: int,
    profile: Profile,
    traits: list[str],
    found: list[Explanation],
    published: datetime,
    book: RuleBook,
    *,
    asked: bool,
) -> None:
    for line in _heading(entity, number, profile):
        fold(line)
    records = connection.execute(
        "SELECT source, record_kind, source_id FROM record_map "
        "WHERE entity = ? AND id = ? ORDER BY ALL",
        [entity, number],
    ).fetchall()
    listed = ", ".join(f"{source} {kind} {key}" for source, kind, key in records)
    fold(f"records: {listed}", style="dim")
    if entity == "account":
        for line in surroundings(connection, number).lines():
            fold(line)
    for line in traits:
        fold(line)
    say(f"as published {published.astimezone(settings.zone):%Y-%m-%d %H:%M}", style="dim")
    explained.show(book, found, asked=asked)


def _traits(book: RuleBook, profile: Profile, settings: Settings, clock: datetime) -> list[str]:
    """One line per trait file with what is known of it and, for a single value, how it came about;
    the account's own are marked."""
    lines = []
    told = {one.trait: one.how for one in explain_traits(book, profile, clock)}
    for trait in book.traits.values():
        known = [
            (one.name.partition(".")[2], profile.traits.get(one.name)) for one in trait.columns
        ]
        said = ", ".join(
            f"{part} {value_text(value, settings.zone)}".strip()
            for part, value in known
            if value is not None
        )
        of = " (account)" if trait.of == "account" and profile.contact is not None else ""
        if said:
            unit = f" {trait.unit}" if trait.unit and len(known) == 1 else ""
            how = told.get(trait.id, "")
            lines.append(f"  {trait.label}{of}: {said}{unit}{f' ({how})' if how else ''}")
    return ["traits:", *lines] if lines else []


def _heading(entity: Entity, number: int, profile: Profile) -> list[str]:
    account: dict[str, Any] = dict(profile.account or {})
    company = ", ".join(
        str(part)
        for part in (account.get("name"), account.get("domain"), account.get("industry"))
        if part
    )
    if entity == "account":
        return [f"company {number}: {company}"]
    contact: dict[str, Any] = dict(profile.contact or {})
    name = " ".join(
        str(part) for part in (contact.get("first_name"), contact.get("last_name")) if part
    )
    about = ", ".join(
        str(part) for part in (name, contact.get("title"), contact.get("email")) if part
    )
    return [f"person {number}: {about}", *([f"at {company}"] if company else [])]


def someone_interesting(settings: Settings) -> str:
    """The e-mail of a person with many segments, one of them of the latest run."""
    connection, _ = open_published(settings.folder)
    try:
        found = connection.execute(
            "SELECT c.email FROM member m JOIN contact c ON c.contact_id = m.id "
            "WHERE m.entity = 'contact' AND c.email IS NOT NULL AND c.first_name IS NOT NULL "
            "AND c.account_id IS NOT NULL GROUP BY c.email, c.contact_id "
            "ORDER BY max(m.since) DESC, count(*) DESC, c.contact_id LIMIT 1"
        ).fetchone()
    finally:
        connection.close()
    if found is None:
        raise ConfigError("No segment has a member.", hint="Run: audiencehub check, then sync")
    return str(found[0])
