"""Desired: what a target should hold = members - held out - suppressed; lists: `audience`."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import duckdb

from audiencehub.delivery.places import Place, Segment
from audiencehub.ledger import Believed, Ledger
from audiencehub.model import Need

STRONG = frozenset(
    {
        "email",
        "phone",
        "device_id",
        "external_id",
        "records",
        "person",
        "company_domain",
        "organization_urn",
    }
)
"""A member is sent only with one of these: a name alone matches strangers."""
OF_COMPANIES = frozenset({"company_domain", "organization_urn"})
"""Of these, those that name a company; a person who has one shares it with every colleague."""
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
    left_out: dict[int, str] = field(default_factory=dict)
    """For lists: contact or account to why it may not or cannot be sent."""
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
    for number, name, since, why in members(connection, entity, place.segments):
        segment = place.segments[name]
        why_not = left_out(segment, entity, number, suppressed)
        if why_not:
            result.excluded[why_not] += 1
            result.refused |= {number} if why_not == "suppressed" else set()
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


def left_out(segment: Segment, entity: str, number: int, suppressed: set[int]) -> str:
    """Why this member is not tagged: `suppressed`, `holdout`, or empty."""
    if number in suppressed:
        return "suppressed"
    return "holdout" if held_out(segment, entity, number) else ""


def members(
    connection: duckdb.DuckDBPyConnection, entity: str, segments: Iterable[str]
) -> list[tuple[int, str, datetime, str | None]]:
    """(number, segment, since, reason) of everybody in these segments, by segment and number."""
    return connection.execute(
        "SELECT id, segment, since, reason FROM member WHERE entity = ? AND segment IN "
        "(SELECT unnest(?::VARCHAR[])) ORDER BY segment, id",
        [entity, list(segments)],
    ).fetchall()
