"""Desired: what a target should hold = members - held out - suppressed - unconsented."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from audiencehub.canonical import TABLES
from audiencehub.connector import Capabilities
from audiencehub.delivery.places import Place, Segment
from audiencehub.ledger import Believed, Ledger
from audiencehub.model import Need
from audiencehub.privacy.identifiers import CANONICAL, UNVERIFIED, identify
from audiencehub.privacy.rule import Identifier

STRONG = frozenset({"email", "phone", "device_id", "external_id", "company_domain"})
"""A person is sent only with one of these: a name alone matches strangers."""
STRICTEST = Need("advertising", "ads")
"""What a list needs whose destination declares nothing."""


@dataclass(slots=True)
class Desired:
    """What one target should hold, and who is not among it for which reason."""

    reasons: dict[str, dict[str, str]] = field(default_factory=dict)
    """For tags: member to segment to the line of reason."""
    identifiers: dict[str, dict[str, str]] = field(default_factory=dict)
    """For lists: member to field to the value sent."""
    persons: dict[str, int] = field(default_factory=dict)
    """Member to the contact's or account's id."""
    barred: set[str] = field(default_factory=set)
    """Believed members whom consent or suppression takes out at once."""
    refused: set[int] = field(default_factory=set)
    """Members of the segment whom consent or suppression keeps away."""
    excluded: Counter[str] = field(default_factory=Counter)
    """Reason to number of memberships left out."""
    records: int = 0
    """For tags: how many records the CRM has of this kind."""


def held_out(segment: Segment, entity: str, number: int) -> bool:
    """Whether the experiment holds this one back: the lowest share of a keyed hash, for ever."""
    if segment.experiment is None or segment.experiment.holdout <= 0:
        return False
    digest = hmac.new(
        segment.experiment.name.encode(), f"{entity}:{number}".encode(), hashlib.sha256
    ).digest()
    return int.from_bytes(digest[:8], "big") < segment.experiment.holdout * 2**64


def desired_tags(
    place: Place,
    connection: duckdb.DuckDBPyConnection,
    ledger: Ledger,
    sources: Sequence[str],
    zone: ZoneInfo,
    believed: Mapping[str, Believed],
) -> Desired:
    """Every record of the place with its segments and their reasons."""
    result = Desired()
    entity = "account" if place.target.place == "account" else "contact"
    suppressed = ledger.consent.suppressed(entity)
    for member, number in connection.execute(
        "SELECT source_id, id FROM record_map WHERE record_kind = ? AND source IN "
        "(SELECT unnest(?::VARCHAR[]))",
        [place.target.place, list(sources)],
    ).fetchall():
        result.persons[member] = number
    result.records = len(result.persons)
    by_person: dict[int, list[str]] = {}
    for member, number in result.persons.items():
        by_person.setdefault(number, []).append(member)
    for number, name, since, why in _members(connection, entity, place.segments):
        segment = place.segments[name]
        left_out = _left_out(segment, entity, number, suppressed)
        if left_out:
            result.excluded[left_out] += 1
            result.refused |= {number} if left_out == "suppressed" else set()
            continue
        line = reason_line(segment, since, why, zone)
        for member in by_person.get(number, ()):
            result.reasons.setdefault(member, {})[name] = line
    for member, held in believed.items():
        person = result.persons.get(member, held.person)
        if person in suppressed:
            result.barred.add(member)
    return result


def reason_line(segment: Segment, since: datetime, why: str | None, zone: ZoneInfo) -> str:
    """`In-market fintech since 2026-11-16: industry fintech; … (rule v1a2b…)`."""
    aware = since if since.tzinfo else since.replace(tzinfo=UTC)
    facts = f": {why}" if why else ""
    day = aware.astimezone(zone).date().isoformat()
    return f"{segment.label} since {day}{facts} (rule v{segment.version})"


def desired_list(
    place: Place,
    connection: duckdb.DuckDBPyConnection,
    ledger: Ledger,
    can: Capabilities,
    options: Mapping[str, Any],
    now: datetime,
    believed: Mapping[str, Believed],
) -> Desired:
    """Every consenting member of the list with the identifiers the platform takes.

    Members of an account segment are the contacts of its accounts.
    """
    result = Desired()
    need = can.need or STRICTEST
    suppressed = ledger.consent.suppressed("contact")
    chosen: set[int] = set()
    for name, segment in place.segments.items():
        for number, held in _people(connection, name, segment):
            left_out = "holdout" if held else ("suppressed" if number in suppressed else "")
            if left_out:
                result.excluded[left_out] += 1
                result.refused |= {number} if left_out == "suppressed" else set()
            else:
                chosen.add(number)
    sent_before = {int(member) for member in believed}
    refused = ledger.consent.refused(need, chosen | sent_before, now=now)
    allowed = (chosen | sent_before) - refused.keys()
    result.excluded.update(refused[one] for one in chosen - allowed)
    result.refused |= chosen - allowed
    result.barred = {str(number) for number in sent_before - allowed}
    unverified = options.get(UNVERIFIED) is True
    for number, values in _identifiers(connection, can, sorted(chosen & allowed), unverified):
        if STRONG & values.keys():
            result.identifiers[str(number)] = values
            result.persons[str(number)] = number
        else:
            result.excluded["no_identifier"] += 1
    result.excluded = +result.excluded
    return result


def _left_out(segment: Segment, entity: str, number: int, suppressed: set[int]) -> str:
    if number in suppressed:
        return "suppressed"
    return "holdout" if held_out(segment, entity, number) else ""


def _members(
    connection: duckdb.DuckDBPyConnection, entity: str, segments: Iterable[str]
) -> list[tuple[int, str, datetime, str | None]]:
    return connection.execute(
        "SELECT id, segment, since, reason FROM member WHERE entity = ? AND segment IN "
        "(SELECT unnest(?::VARCHAR[])) ORDER BY segment, id",
        [entity, list(segments)],
    ).fetchall()


def _people(
    connection: duckdb.DuckDBPyConnection, name: str, segment: Segment
) -> list[tuple[int, bool]]:
    """Contact id and whether it is held out; an experiment on accounts holds out whole accounts."""
    members = _members(connection, segment.of, [name])
    held = {number: held_out(segment, segment.of, number) for number, *_ in members}
    if segment.of == "contact":
        return list(held.items())
    found = connection.execute(
        "SELECT contact_id, account_id FROM contact WHERE account_id IN "
        "(SELECT unnest(?::INTEGER[])) ORDER BY contact_id",
        [list(held)],
    ).fetchall()
    return [(contact, held[account]) for contact, account in found]


def _identifiers(
    connection: duckdb.DuckDBPyConnection,
    can: Capabilities,
    people: Sequence[int],
    unverified: bool,
) -> list[tuple[int, dict[str, str]]]:
    fields = [name for name in can.identifiers if name in CANONICAL]
    columns = ", ".join(_column(name) for name in fields)
    rows = connection.execute(
        f"SELECT contact.contact_id, contact.country{', ' * bool(columns)}{columns} FROM contact"
        " LEFT JOIN account USING (account_id) WHERE contact.contact_id IN"
        " (SELECT unnest(?::INTEGER[])) ORDER BY contact.contact_id",
        [list(people)],
    ).fetchall()
    result = []
    for number, country, *values in rows:
        sent = {}
        for name, value in zip(fields, values, strict=True):
            if value is None or not str(value).strip():
                continue
            made = identify(can.platform, name, str(value), country=country, unverified=unverified)
            if isinstance(made, Identifier):
                sent[name] = made.sent
        result.append((number, sent))
    return result


def _column(field_name: str) -> str:
    table, column = CANONICAL[field_name]
    assert TABLES[table].field(column), "identifier columns are canonical ones"
    return f'{table}."{column}"'
