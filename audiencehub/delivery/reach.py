"""Reach: of a segment's members, how many each destination would get, and why not the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb

from audiencehub.connector import Capabilities
from audiencehub.delivery.audience import Listing, desired_list
from audiencehub.delivery.desired import Desired, desired_tags
from audiencehub.delivery.places import Book, Place, Segment, above, places, record_sources
from audiencehub.ledger import Ledger
from audiencehub.settings import Settings


@dataclass(frozen=True, slots=True)
class Reach:
    """One place that the segment goes to."""

    target: str
    """`meta_ads/list/<segment>`, `hubspot/contact/tags`."""
    kind: str
    people: int
    """Members who would be there; for tags those with a record, for lists those with consent and
    an identifier that the platform takes. Of an account segment: contacts on lists."""
    records: int
    """What would be written: CRM records, or list entries."""
    excluded: Mapping[str, int]
    """Reason to members left out: no_record, holdout, suppressed, consent_denied, no_consent,
    no_identifier, excluded_segment, higher_list, over_the_cap; `email: …` where the platform's
    rule refuses the only value."""
    minimum: int | None
    """Below this the platform does not use the list."""
    left_out: Mapping[int, str] = field(default_factory=dict)
    """For lists: the contact's or account's number to why it may not or cannot be sent."""

    @property
    def enough(self) -> bool:
        """The platform would use it."""
        return self.minimum is None or self.people >= self.minimum

    def json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "target": self.target,
            "kind": self.kind,
            "people": self.people,
            "records": self.records,
            "excluded": dict(self.excluded),
            "minimum": self.minimum,
            "enough": self.enough,
        }


@dataclass(frozen=True, slots=True)
class _Alone:
    segments: Mapping[str, Segment]


def reach(
    connection: duckdb.DuckDBPyConnection,
    ledger: Ledger,
    settings: Settings,
    book: Book,
    name: str,
    capabilities: Mapping[str, Capabilities],
    now: datetime,
) -> list[Reach]:
    """Where the segment would arrive if it went out as the table `member` of this connection says.

    The table holds the members of the segments that its lists exclude, and of those with a higher
    list, too. `capabilities` are those of the destinations that stand in the settings; the rule's
    other destinations are left out. Read only: nothing is planned and nobody is called.
    """
    size = connection.execute("SELECT count(*) FROM member WHERE segment = ?", [name]).fetchall()[
        0
    ][0]
    found = []
    for destination, can in capabilities.items():
        entry = settings.destinations[destination]
        sources = record_sources(settings, destination)
        for place in places(_Alone({name: book.segments[name]}), destination, entry, can, ()):
            if place.target.kind == "list":
                listing = Listing(connection, ledger, can, entry.options, now, sources)
                higher = above(book, settings, place, can)
                found.append(_list(place, desired_list(place, listing, {}, higher), can))
            else:
                wanted = desired_tags(place, connection, ledger, sources, settings.zone, {})
                found.append(_tags(place, wanted, int(size)))
    return found


def _list(place: Place, wanted: Desired, can: Capabilities) -> Reach:
    people = len(wanted.identifiers)
    excluded = dict(+wanted.excluded)
    return Reach(place.target.id, "list", people, people, excluded, can.minimum, wanted.left_out)


def _tags(place: Place, wanted: Desired, size: int) -> Reach:
    people = len({wanted.persons[member] for member in wanted.reasons})
    excluded = dict(+wanted.excluded)
    missing = size - people - sum(excluded.values())
    if missing > 0:
        excluded["no_record"] = missing
    return Reach(place.target.id, "tag", people, len(wanted.reasons), excluded, None)
