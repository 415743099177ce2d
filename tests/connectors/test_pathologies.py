"""Answers that are wrong in every way there is: a pull says the truth, or says that it cannot.

Each kind of wrong answer is served in the place of a true one, over real HTTP. What comes of the
pull is all there is, or Incomplete, Wait or Stop with an instruction; never a crash, never a part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import connectors.hubspot.reading
from audiencehub.testing import bench as benches
from audiencehub.testing.bench import fake_bench
from tests.connectors import pathology
from tests.connectors.front import front
from tests.connectors.ordeal import Ordeal, impatient, said

QUICK = {"poll_seconds": 0.001, "calls_per_second": 100_000}
APIS: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    "hubspot": ("hubspot", "contact", {}),
    "hubspot deals": ("hubspot", "deal", {}),
    "salesforce": ("salesforce", "contact", QUICK),
    "salesforce bulk": (
        "salesforce",
        "contact",
        QUICK | {"bulk_query_above": 0, "bulk_page": 9, "job_minutes": 0.01},
    ),
    "builtwith": ("builtwith", "", {"domains_per_job": 11, "poll_seconds": 0}),
}
"""Connector, stream and options."""
KEYS: Mapping[str, tuple[str, ...]] = {
    "hubspot": ("results", "total", "paging", "errors", "status"),
    "salesforce": (
        "access_token", "instance_url", "totalSize", "done", "records", "nextRecordsUrl",
        "fields", "id", "state", "numberRecordsProcessed",
    ),
    "builtwith": ("Results", "Errors", "job_id", "status", "count"),
}  # fmt: skip
LISTS: Mapping[str, tuple[str, ...]] = {
    "hubspot": ("results",),
    "salesforce": ("records", "fields"),
    "builtwith": ("Results",),
}
FIELDS: Mapping[str, tuple[str, ...]] = {
    "hubspot": ("id", "properties", "from", "to", "archived"),
    "salesforce": ("Id", "SystemModstamp", "attributes"),
    "builtwith": ("Lookup", "Result"),
}
"""What carries the structure; that a vendor says something else of a person is its right."""
UNSEEN: Mapping[str, frozenset[str]] = {
    "hubspot": frozenset({"results: to is an empty list"}),
    "builtwith": frozenset(
        {"Results emptied", "Results halved", "Results without its first",
         "Results without its last", "Results its first in place of its last",
         "Results all of them its first"}
    ),
}  # fmt: skip
"""Whole and plausible statements that nothing else contradicts: a contact without a company; a
lookup that knows fewer domains, where silence means unknown. Neither removes anybody."""
EVERYWHERE = pathology.TEXT.keys() | dict(pathology.general()).keys()


@pytest.fixture
def ordeals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Opens an API behind a front, small, with pages of some records."""
    impatient(monkeypatch)
    monkeypatch.setattr(connectors.hubspot.reading, "PAGE", 15)
    monkeypatch.setattr(benches, "CONTACTS", 80)
    monkeypatch.setattr(benches, "ACCOUNTS", 16)
    benches.day.cache_clear()
    with ExitStack() as stack:
        yield lambda api: _opened(api, tmp_path, stack)
    benches.day.cache_clear()


def _opened(api: str, root: Path, stack: ExitStack) -> Ordeal:
    name, stream, options = APIS[api]
    made = stack.enter_context(front())
    bench = stack.enter_context(fake_bench(name, options, root, made))
    if name == "salesforce":
        bench.sandbox.store.table("__knobs")["page_size"] = {"value": 9}
    keys = sorted({one.domain for one in bench.company.technologies})[:12]

    def pull() -> Any:
        if name == "builtwith":
            enricher = bench.enricher()
            return said(enricher, enricher.stream, enricher.enrich(keys))
        source = bench.source()
        (found,) = [one for one in source.available() if one.name == stream]
        return said(source, found, source.pull(found, None))

    ordeal = Ordeal(made, pull)
    ordeal.calm()
    return ordeal


def kinds(api: str) -> dict[str, Any]:
    """Every kind that is tried on an API, but those that it cannot show to anybody."""
    name = APIS[api][0]
    found = dict(pathology.general())
    found |= pathology.kinds_of_json(KEYS[name], LISTS[name], FIELDS[name])
    if "bulk" in api:
        found |= {kind: pathology.same(change) for kind, change in pathology.CSV.items()}
    return {kind: spoil for kind, spoil in found.items() if kind not in UNSEEN.get(name, ())}


@pytest.mark.parametrize("api", APIS)
def test_a_wrong_answer_is_the_truth_or_a_reason(api, ordeals):
    """If it fails, a proxy's error page or half an answer takes people out of audiences."""
    ordeal = ordeals(api)
    places = ordeal.places()
    for number, (kind, spoil) in enumerate(kinds(api).items()):
        if kind in EVERYWHERE:
            ordeal.run(kind, spoil, places[number % len(places)])

    assert not ordeal.faults, "\n".join(ordeal.faults)
    assert len(ordeal.struck) >= 60, f"only {len(ordeal.struck)} kinds fitted"
    assert ordeal.outcomes["complete"] and ordeal.outcomes["Incomplete"], ordeal.outcomes
