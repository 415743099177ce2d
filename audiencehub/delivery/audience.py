"""Audience: what a list should hold: who is claimed by it, may be sent, and can be found."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb

from audiencehub.canonical import TABLES
from audiencehub.connector import Capabilities
from audiencehub.delivery.desired import (
    OF_COMPANIES,
    STRICTEST,
    STRONG,
    Desired,
    held_out,
    members,
)
from audiencehub.delivery.places import Place, Segment
from audiencehub.delivery.shared import PERSON, RECORDS
from audiencehub.errors import ConfigError
from audiencehub.ledger import Believed, Ledger
from audiencehub.model import Entity
from audiencehub.privacy.identifiers import CANONICAL, UNVERIFIED, VALUE, identify
from audiencehub.privacy.rule import Identifier

NO_IDENTIFIER = "no_identifier"
_COMPANY = "a"


@dataclass(frozen=True, slots=True)
class Listing:
    """What is read to say who a list should hold."""

    connection: duckdb.DuckDBPyConnection
    ledger: Ledger
    can: Capabilities
    options: Mapping[str, Any]
    """Of the destination."""
    now: datetime
    sources: Sequence[str] = ()
    """Whose records are the destination's own, where it takes records."""


@dataclass(slots=True)
class Claimed:
    """Who a list claims, before consent and identifiers are asked for."""

    since: dict[int, datetime] = field(default_factory=dict)
    """Member to when the segment was entered."""
    held_out: set[int] = field(default_factory=set)
    """Claimed all the same: no lower list may treat whom an experiment leaves alone."""
    elsewhere: int = 0
    """Claimed by a higher list of the same priority."""
    apart: int = 0
    """In a segment that the list excludes."""


def member_of(entity: Entity, number: int) -> str:
    """How a list names one of ours: companies have numbers of their own."""
    return f"{_COMPANY}{number}" if entity == "account" else str(number)


def number_of(member: str) -> int:
    """The contact's or account's number of a list's member."""
    return int(member.removeprefix(_COMPANY))


def desired_list(
    place: Place,
    listing: Listing,
    believed: Mapping[str, Believed],
    above: Sequence[Place] = (),
) -> Desired:
    """Every member of the list who may be sent, with the identifiers that the platform takes.

    On lists of people, members of an account segment are the contacts of its accounts; on lists of
    companies, members of a contact segment are their companies. `above` are the lists of the same
    priority that come first, the highest first.
    """
    return _desired(place, listing, believed, claims(above, listing))


def _desired(
    place: Place,
    listing: Listing,
    believed: Mapping[str, Believed],
    taken: Sequence[Collection[int]],
) -> Desired:
    result, entity = Desired(), listing.can.members
    found = claimed(place, listing, taken)
    result.excluded["holdout"] = len(found.held_out)
    result.excluded["higher_list"] = found.elsewhere
    result.excluded["excluded_segment"] = found.apart
    chosen = found.since.keys() - found.held_out
    sent_before = {number_of(member) for member in believed}
    refused = _refused(listing, chosen | sent_before)
    result.refused = chosen & refused.keys()
    result.left_out = {one: refused[one] for one in result.refused}
    result.barred = {member_of(entity, one) for one in sent_before & refused.keys()}
    worth, naming = _worth(place, listing), _naming(entity)
    for number, values, why_not in _identifiers(listing, sorted(chosen - refused.keys())):
        if number in worth:
            values[VALUE] = worth[number]
        if naming & values.keys():
            member = member_of(entity, number)
            result.identifiers[member] = values
            result.persons[member] = number
        else:
            result.left_out[number] = why_not
    result.excluded.update(result.left_out.values())
    result.excluded["over_the_cap"] = len(_cap(place, result, found, believed))
    result.excluded = +result.excluded
    return result


def claimed(place: Place, listing: Listing, taken: Sequence[Collection[int]] = ()) -> Claimed:
    """Who belongs on this list and is not taken by a higher one; its cap is not looked at."""
    result = Claimed()
    for name, segment in place.segments.items():
        for number, since in _members(listing, name, segment).items():
            result.since.setdefault(number, since)
            if _held_out(listing, segment, number):
                result.held_out.add(number)
        own = place.activations.get(name)
        for other in own.exclude if own else ():
            apart = result.since.keys() & _within(listing, other)
            result.apart += len(apart)
            _drop(result, apart)
    for higher in taken:
        elsewhere = result.since.keys() & higher
        result.elsewhere += len(elsewhere)
        _drop(result, elsewhere)
    return result


def claims(above: Sequence[Place], listing: Listing) -> list[set[int]]:
    """Whom no lower list may have, by list: each is worked out once, the highest first."""
    taken: list[set[int]] = []
    for place in above:
        found = claimed(place, listing, taken)
        if any(one.most is not None for one in place.activations.values()):
            believed = listing.ledger.delivery.believed(place.target.id)
            wanted = _desired(place, listing, believed, taken)
            taken.append(set(wanted.persons.values()) | found.held_out)
        else:
            taken.append(set(found.since))
    return taken


def _drop(result: Claimed, people: Collection[int]) -> None:
    for number in people:
        del result.since[number]
        result.held_out.discard(number)


def _cap(
    place: Place, result: Desired, found: Claimed, believed: Mapping[str, Believed]
) -> list[str]:
    """Take out whom the list has no room for: who is on it stays, then who was in first."""
    most = [one.most for one in place.activations.values() if one.most is not None]
    if not most or len(result.identifiers) <= min(most):
        return []

    def order(member: str) -> tuple[bool, datetime, int]:
        number = result.persons[member]
        return (member not in believed, found.since[number], number)

    over = sorted(result.identifiers, key=order)[min(most) :]
    for member in over:
        del result.identifiers[member]
        del result.persons[member]
    return over


def _refused(listing: Listing, numbers: Collection[int]) -> dict[int, str]:
    """Number to why it may not be sent: suppression, and for people consent."""
    ledger, can = listing.ledger, listing.can
    if can.members == "account" or can.internal:
        return dict.fromkeys(set(numbers) & ledger.consent.suppressed(can.members), "suppressed")
    return ledger.consent.refused(can.need or STRICTEST, set(numbers), now=listing.now)


def _held_out(listing: Listing, segment: Segment, number: int) -> bool:
    """An experiment on accounts holds out whole accounts."""
    if segment.experiment is None:
        return False
    if segment.of == listing.can.members:
        return held_out(segment, segment.of, number)
    if segment.of == "account":
        company = _company(listing).get(number)
        return company is not None and held_out(segment, "account", company)
    return False


def _members(listing: Listing, name: str, segment: Segment) -> dict[int, datetime]:
    """Number to since, in what the list is made of. Nobody who is held out brings their company."""
    parted = segment.of == "contact" and listing.can.members == "account"
    found = {
        number: since
        for number, _, since, _ in members(listing.connection, segment.of, [name])
        if not (parted and held_out(segment, segment.of, number))
    }
    return _as(listing, segment.of, found)


def _within(listing: Listing, name: str) -> set[int]:
    """Everybody in a segment, whatever it is of, in what the list is made of."""
    result: set[int] = set()
    for entity in ("contact", "account"):
        found = {
            number: since for number, _, since, _ in members(listing.connection, entity, [name])
        }
        result |= _as(listing, entity, found).keys()
    return result


def _as(listing: Listing, entity: str, found: dict[int, datetime]) -> dict[int, datetime]:
    """Contacts as their companies, or companies as their contacts, where the list is of those."""
    if entity == listing.can.members or not found:
        return found
    pairs = sorted(_company(listing).items())
    if listing.can.members == "contact":
        return {contact: found[company] for contact, company in pairs if company in found}
    result: dict[int, datetime] = {}
    for contact, company in pairs:
        if contact in found:
            result[company] = min(found[contact], result.get(company, found[contact]))
    return result


def _company(listing: Listing) -> dict[int, int]:
    sql = "SELECT contact_id, account_id FROM contact WHERE account_id IS NOT NULL"
    return dict(listing.connection.execute(sql).fetchall())


def _identifiers(listing: Listing, numbers: Sequence[int]) -> list[tuple[int, dict[str, str], str]]:
    """Number, the values that are sent, and why there is none that names the member: the first
    refusal of the platform's rules, without the value; `no_identifier` where there was no value."""
    can, naming = listing.can, _naming(listing.can.members)
    unverified = listing.options.get(UNVERIFIED) is True
    names = [name for name in can.identifiers if name in CANONICAL and _within_reach(can, name)]
    records = _records(listing, numbers) if RECORDS in can.identifiers else {}
    result = []
    for number, country, *values in _rows(listing, names, numbers):
        sent, why_not = {}, NO_IDENTIFIER
        for name, value in zip(names, values, strict=True):
            if value is None or not str(value).strip():
                continue
            made = identify(can.platform, name, str(value), country=country, unverified=unverified)
            if isinstance(made, Identifier):
                sent[name] = made.sent
            elif name in naming and why_not == NO_IDENTIFIER:
                why_not = f"{name}: {made.reason}"
        if number in records:
            sent[RECORDS] = records[number]
        if PERSON in can.identifiers:
            sent[PERSON] = str(number)
        result.append((number, sent, why_not))
    return result


def _naming(entity: Entity) -> frozenset[str]:
    """Fields that name a member by themselves; a company's name no person."""
    return STRONG - OF_COMPANIES if entity == "contact" else STRONG


def _within_reach(can: Capabilities, name: str) -> bool:
    """A company has no fields of a person."""
    return can.members == "contact" or CANONICAL[name][0] == "account"


def _rows(listing: Listing, names: Sequence[str], numbers: Sequence[int]) -> list[tuple[Any, ...]]:
    columns = "".join(f", {_column(name)}" for name in names)
    if listing.can.members == "account":
        sql = f"SELECT account_id, country{columns} FROM account WHERE account_id"
    else:
        sql = (
            f"SELECT contact.contact_id, contact.country{columns} FROM contact"
            " LEFT JOIN account USING (account_id) WHERE contact.contact_id"
        )
    return listing.connection.execute(
        f"{sql} IN (SELECT unnest(?::INTEGER[])) ORDER BY 1", [list(numbers)]
    ).fetchall()


def _records(listing: Listing, numbers: Sequence[int]) -> dict[int, str]:
    """Number to the ids of its records at the destination, sorted, joined by commas."""
    found = listing.connection.execute(
        "SELECT id, string_agg(source_id, ',' ORDER BY source_id) FROM record_map"
        " WHERE record_kind IN (SELECT unnest(?::VARCHAR[]))"
        " AND source IN (SELECT unnest(?::VARCHAR[]))"
        " AND id IN (SELECT unnest(?::INTEGER[])) GROUP BY id",
        [list(listing.can.record_kinds), list(listing.sources), list(numbers)],
    ).fetchall()
    return dict(found)


def _worth(place: Place, listing: Listing) -> dict[int, str]:
    """Number to what the member is worth, where the destination's option `values` names a trait
    for this segment and the platform takes one. Raises ConfigError for a trait there is not."""
    said = listing.options.get("values") or {}
    trait = said.get(place.target.place)
    if trait is None or VALUE not in listing.can.identifiers:
        return {}
    table = f"trait_{listing.can.members}"
    known = listing.connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = ?", [table]
    ).fetchall()
    if (trait,) not in known:
        raise ConfigError(
            f"{place.target.id}: there is no trait {trait!r} of a {listing.can.members}.",
            hint=f"Name a trait in [destinations.{place.target.destination}.options.values]",
        )
    found = listing.connection.execute(
        f'SELECT {listing.can.members}_id, "{trait}" FROM {table} WHERE "{trait}" > 0'
    ).fetchall()
    return {number: f"{float(value):.2f}" for number, value in found}


def _column(field_name: str) -> str:
    table, column = CANONICAL[field_name]
    assert TABLES[table].field(column), "identifier columns are canonical ones"
    return f'{table}."{column}"'
