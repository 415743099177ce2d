"""Each source opened behind a front, small, with pages of some records: a stream, whole or since a
day ago."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import connectors.hubspot.reading
import connectors.hubspot.windows
from audiencehub.model import Cursor, Page
from audiencehub.testing import bench as benches
from audiencehub.testing.bench import FakeBench, fake_bench
from audiencehub.testing.pulling import Pull
from tests.connectors import documents, pathology, tables
from tests.connectors.endless import ENDLESS
from tests.connectors.front import Front, Spoil, front
from tests.connectors.ordeal import Ordeal, impatient, read

QUICK = {"poll_seconds": 0.001, "calls_per_second": 100_000}
BULK = QUICK | {"bulk_query_above": 0, "bulk_page": 9, "job_minutes": 0.05}


@dataclass(frozen=True)
class Stand:
    """One way of reading one source."""

    connector: str
    stream: str
    options: Mapping[str, Any]
    since: bool = False
    """What changed in the last day, instead of everything."""
    csv: bool = False


STANDS: Mapping[str, Stand] = {
    "hubspot contacts": Stand("hubspot", "contact", {}),
    "hubspot deals": Stand("hubspot", "deal", {}),
    "salesforce contacts": Stand("salesforce", "contact", QUICK),
    "salesforce bulk": Stand("salesforce", "contact", BULK, csv=True),
    "builtwith": Stand("builtwith", "", {"domains_per_job": 11, "poll_seconds": 0}),
    "hubspot contacts since": Stand("hubspot", "contact", {}, since=True),
    "hubspot companies": Stand(
        "hubspot",
        "account",
        {"auth": "oauth", "fields": {"account": {"industry": "industry"}}, "version": "v3"},
    ),
    "salesforce contacts since": Stand("salesforce", "contact", QUICK, since=True),
    "salesforce activities": Stand("salesforce", "activity", QUICK),
    "salesforce bulk since": Stand("salesforce", "contact", BULK, since=True, csv=True),
    "salesforce accounts bulk": Stand("salesforce", "account", BULK, csv=True),
}
KEYS: Mapping[str, tuple[str, ...]] = {
    "hubspot": ("results", "total", "paging", "errors", "status", "access_token", "expires_in"),
    "salesforce": (
        "access_token", "instance_url", "totalSize", "done", "records", "nextRecordsUrl", "fields",
        "id", "state", "numberRecordsProcessed", "deletedRecords", "latestDateCovered",
        "earliestDateAvailable",
    ),
    "builtwith": ("Results", "Errors", "job_id", "status", "count"),
}  # fmt: skip
LISTS: Mapping[str, tuple[str, ...]] = {
    "hubspot": ("results",),
    "salesforce": ("records", "fields", "deletedRecords"),
    "builtwith": ("Results",),
}
FIELDS: Mapping[str, tuple[str, ...]] = {
    "hubspot": ("id", "properties", "from", "to", "archived", "statuses", "subscriberIdString"),
    "salesforce": ("Id", "SystemModstamp", "attributes", "name", "type", "id", "deletedDate"),
    "builtwith": ("Lookup", "Result"),
}
"""What carries the structure; that a vendor says something else of a person is its right."""
PATHS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "hubspot": (("paging", "next"), ("paging", "next", "after")),
    "salesforce": (),
    "builtwith": (),
}
UNSEEN: Mapping[str, frozenset[str]] = {
    "hubspot": frozenset({"results: to is an empty list"}),
}
"""Whole and plausible statements that nothing else contradicts: a record without a company."""


@contextmanager
def small(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """A small company, short pages, little patience."""
    impatient(patch)
    patch.setattr(connectors.hubspot.reading, "PAGE", 15)
    patch.setattr(connectors.hubspot.windows, "LIMIT", 15)
    patch.setattr(benches, "CONTACTS", 80)
    patch.setattr(benches, "ACCOUNTS", 16)
    benches.day.cache_clear()
    yield
    benches.day.cache_clear()


def opened(name: str, root: Path, stack: ExitStack) -> Ordeal:
    """The stand, and the truth about it learnt."""
    stand = STANDS[name]
    made = stack.enter_context(front())
    bench = stack.enter_context(fake_bench(stand.connector, stand.options, root, made))
    if stand.connector == "salesforce":
        bench.sandbox.store.table("__knobs")["page_size"] = {"value": 9}
    ordeal = Ordeal(made, _reader(stand, bench, made), _tidy(bench))
    ordeal.calm()
    if stand.since:
        ordeal.cursor = ordeal.calmly.cursor
        assert ordeal.cursor is not None
        bench.next_day()
        ordeal.since()
    return ordeal


def _reader(stand: Stand, bench: FakeBench, made: Front) -> Any:
    def source(into: Pull, cursor: Cursor | None) -> list[str]:
        part = bench.source()
        (stream,) = [one for one in part.available() if one.name == stand.stream]
        return read(part, stream, part.pull(stream, cursor), into)

    def enricher(into: Pull, cursor: Cursor | None) -> list[str]:
        keys = sorted({one.domain for one in bench.company.technologies})[:12]
        part = bench.enricher()
        aside = read(part, part.stream, part.enrich(keys), into)
        # What was not answered counts as not asked: the next run asks for it.
        missed = sorted(set(keys) - {part.answers(one) for one in into.records})
        if missed:
            made.heal()
            into.pages.append(Page((), last=True))
            aside += read(part, part.stream, part.enrich(missed), into)
        return aside

    return enricher if stand.connector == "builtwith" else source


def _tidy(bench: FakeBench) -> Any:
    """What a fake remembers of former pulls would make each slower than the one before."""

    def tidy() -> None:
        bench.sandbox.requests.clear()
        for name in ("locators", "jobs", "job", "usage", "sessions", "token"):
            table = bench.sandbox.store.table(name)
            if len(table) > 20:
                table.clear()

    return tidy


def kinds(name: str) -> dict[str, Spoil]:
    """Every kind that is tried on a stand, but those that it cannot show to anybody."""
    stand = STANDS[name]
    of = stand.connector
    found = dict(pathology.general())
    found |= documents.kinds_of_json(KEYS[of], LISTS[of], FIELDS[of], PATHS[of])
    if stand.csv:
        found |= {kind: pathology.same(change) for kind, change in tables.CSV.items()}
    return {kind: spoil for kind, spoil in found.items() if kind not in UNSEEN.get(of, ())}


def sweep(ordeal: Ordeal, name: str) -> None:
    """Every kind in every place that it fits; of the kinds that fit every answer a third in each
    place, and once for good."""
    places = ordeal.places()
    everywhere = documents.TEXT.keys() | dict(pathology.general()).keys()
    for number, (kind, spoil) in enumerate(kinds(name).items()):
        for turn, place in enumerate(places):
            if kind in everywhere and (number + turn) % 3:
                continue
            if ordeal.fits(spoil, place):
                ordeal.run(kind, spoil, place)
        if kind in everywhere and number % 4 == 0:
            ordeal.run(kind, spoil, places[number % len(places)], 1_000_000)
    for kind, make in ENDLESS[STANDS[name].connector].items():
        for place in places:
            ordeal.run(kind, make(), place, 1_000_000)
    ordeal.calm()


def swept(name: str, root: Path, patch: pytest.MonkeyPatch) -> Ordeal:
    """The ordeal of a stand after the whole matrix."""
    with small(patch), ExitStack() as stack:
        ordeal = opened(name, root, stack)
        sweep(ordeal, name)
    assert len(ordeal.struck) >= 60, f"only {len(ordeal.struck)} kinds fitted"
    assert ordeal.outcomes["complete"] and ordeal.outcomes["Incomplete"], ordeal.outcomes
    return ordeal
