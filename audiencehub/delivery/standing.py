"""Standing: one person and the lists of their segments: on them or not, and why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb

from audiencehub.connector import Capabilities
from audiencehub.delivery.audience import Listing, claimed, claims, desired_list, member_of
from audiencehub.delivery.places import Book, Place, above, places, record_sources
from audiencehub.ledger import Ledger
from audiencehub.settings import Settings


@dataclass(frozen=True, slots=True)
class Standing:
    """One list that the person is on, or would be on but for a reason."""

    target: str
    there: bool
    """The platform is believed to have the person on it."""
    why_not: str
    """Why the person should not be on it; empty for who should. As plans say what they leave out:
    `no_consent`, `holdout`, `higher_list`, `email: …`; `left` for who is in the segment no more."""


def standings(
    connection: duckdb.DuckDBPyConnection,
    ledger: Ledger,
    settings: Settings,
    book: Book,
    capabilities: Mapping[str, Capabilities],
    person: int,
    now: datetime,
) -> Iterator[Standing]:
    """Every list of people that the person is on or whose segment they are in, by target.

    `capabilities` are those of the destinations to look at. Nobody is called.
    """
    for name, can in capabilities.items():
        if "list" not in can.kinds or can.members != "contact":
            continue
        entry = settings.destinations[name]
        sources = record_sources(settings, name)
        listing = Listing(connection, ledger, can, entry.options, now, sources)
        for place in places(book, name, entry, can, ledger.targets.all()):
            if place.target.destination == name and place.target.kind == "list":
                yield from _standing(listing, place, person, above(book, settings, place, can))


def _standing(
    listing: Listing, place: Place, person: int, higher: list[Place]
) -> Iterator[Standing]:
    member, target = member_of("contact", person), place.target.id
    there = member in listing.ledger.delivery.believed(target, [member])
    if person not in claimed(Place(place.target, place.segments, {}), listing).since:
        if there:
            yield Standing(target, there, "left")
        return
    believed = listing.ledger.delivery.believed(target)
    wanted = desired_list(place, listing, believed, higher)
    if member in wanted.identifiers:
        yield Standing(target, there, "")
    else:
        why_not = wanted.left_out.get(person) or _kept_away(listing, place, person, higher)
        yield Standing(target, there, why_not)


def _kept_away(listing: Listing, place: Place, person: int, higher: list[Place]) -> str:
    own = claimed(place, listing)
    if person not in own.since:
        return "excluded_segment"
    if person not in claimed(place, listing, claims(higher, listing)).since:
        return "higher_list"
    return "holdout" if person in own.held_out else "over_the_cap"
