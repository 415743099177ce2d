"""A source that answers wrongly, and the audience that must not shrink for it: pull to push."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "delivery"))

import connectors.hubspot.reading
from audiencehub import rebuild, rules
from audiencehub.errors import Stop
from audiencehub.hub import Hub
from audiencehub.ledger import Ledger
from audiencehub.rules.language.catalog import Catalog
from audiencehub.settings import Company, DestinationEntry, Guards, Settings, SourceEntry
from audiencehub.settings.tables import Sandbox
from audiencehub.steps.land import land
from audiencehub.steps.normalize import normalize
from audiencehub.steps.plan import plan
from audiencehub.steps.pull import pull
from audiencehub.steps.push import push
from audiencehub.steps.resolve import resolve
from audiencehub.steps.segment import segment
from audiencehub.testing import bench as benches
from audiencehub.testing.bench import DAY, Patience, fake_bench
from audiencehub.warehouse import Warehouse
from tests.connectors import documents, pathology
from tests.connectors.front import front
from tests.connectors.ordeal import impatient

RULE = """\
segment: everybody
label: Everybody
model: firmographic
of: contact
goal: All who can be reached
action: Nothing; this segment is there to be emptied by mistake
owner: revops@acme.example
review_by: 2027-06-01
when:
  email: {matches: "@"}
activate:
  - {to: ads, as: list, name: Everybody}
examples:
  - {given: {contact: {email: ann@acme.example}}, member: true}
  - {given: {contact: {title: Head of Growth}}, member: false}
"""
OPEN = {
    "removals_count": 10**6, "adds_count": 10**6, "segment_to_none": False,
    "source_drop_share": 1.0, "first_run": "go",
}  # fmt: skip
"""Guards that hold nothing: what is kept here is kept without them."""
GENERAL = dict(pathology.general()) | documents.kinds_of_json(
    ("results", "total", "paging"), ("results",), ("id", "properties", "archived")
)
SOME = (
    "no body", "204", "half a body, length to match", "length too small", "two lengths",
    "chunks without an end", "silence in the middle", "a web page", "a web page called JSON",
    "text in UTF-16, not said", "gzip that is not there", "gzip of half a body", "a bomb",
    "302 to nowhere", "404", "500 and a page", "an empty object", "deep nesting",
    "200 with HubSpot's error", "NaN in a key", "a page again", "results emptied",
    "results halved", "results its first in place of its last", "results is null",
    "paging missing", "paging is null", "total is minus one", "total is zero",
    "results: properties is an empty object", "results: id missing", "results: archived is true",
)  # fmt: skip


class Chain:
    """Everything between a HubSpot behind a front and a list, a run at a time."""

    def __init__(self, folder: Path, bench, made) -> None:
        from toys import World

        self.bench, self.front, self.runs = bench, made, 0
        self.world = World(folder / "world.sqlite")
        (folder / "rules").mkdir()
        (folder / "rules" / "everybody.yaml").write_text(RULE, "utf-8")
        self.settings = Settings(
            company=Company(name="Acme Analytics", timezone="UTC"),
            sources={"hubspot": SourceEntry(connector="hubspot")},
            destinations={
                "ads": DestinationEntry(
                    connector="toy_ads", mode="sandbox", options={"world": self.world}
                )
            },
            guards=Guards(**OPEN),
            sandbox=Sandbox(),
            home=Path("home"),
            root=folder,
        )
        self.settings.folder.mkdir(parents=True)
        self.ledger = Ledger.open(self.settings.folder)
        self.warehouse = Warehouse.open(self.settings.folder)
        self.book = rules.load(
            folder / "rules", zone=self.settings.zone, currency="EUR",
            catalog=Catalog(self.settings.tables), root=folder,
        )  # fmt: skip

    def run(self, *, grant: bool = False) -> None:
        """One sync that reads everything."""
        self.runs += 1
        hub = Hub(
            settings=self.settings, ledger=self.ledger, warehouse=self.warehouse, rules=self.book,
            run_id=f"run{self.runs}", now=self.bench.now + timedelta(hours=self.runs),
            endpoints={"hubspot": self.bench.url, "toy_ads": "memory"},
            extra={"pause": lambda _: None},
        )  # fmt: skip
        try:
            pull(hub, "hubspot", True)
            land(hub, "hubspot")
        except Stop:
            pass
        self.front.heal()
        Patience.skipped += DAY
        rebuild.catch_up(hub)
        normalize(hub)
        resolve(hub)
        if grant:
            people = self.warehouse.connection.execute("SELECT contact_id FROM contact").fetchall()
            self.ledger.consent.record(
                [(n, "advertising", "ads", "granted", "hubspot", hub.now, None) for (n,) in people]
            )
        segment(hub)
        for target in {one.target for one in plan(hub).plans}:
            push(hub, target)

    @property
    def removed(self) -> list[str]:
        return [one["member"] for one in self.world.writes.values() if one["op"] == "remove"]

    def close(self) -> None:
        self.ledger.close()
        self.warehouse.close()
        self.world.close()


@pytest.fixture
def chain(tmp_path, monkeypatch):
    impatient(monkeypatch)
    monkeypatch.setattr(connectors.hubspot.reading, "PAGE", 15)
    monkeypatch.setattr(benches, "CONTACTS", 60)
    monkeypatch.setattr(benches, "ACCOUNTS", 12)
    benches.day.cache_clear()
    options = {"streams": ["contact"], "subscriptions": False}
    with front() as made, fake_bench("hubspot", options, tmp_path, made) as bench:
        built = Chain(tmp_path, bench, made)
        built.settings = built.settings.model_copy(
            update={"sources": {"hubspot": SourceEntry(connector="hubspot", options=options)}}
        )
        yield built
        built.close()
    benches.day.cache_clear()


def suffers(chain, kinds, places, times=1_000_000):
    """Runs with an answer spoiled, and what each of them took away."""
    chain.run(grant=True)
    chain.run()
    before, harmed, struck = chain.world.people("aud-everybody"), {}, 0
    assert len(before) > 15 and not chain.removed
    for number, (name, spoil) in enumerate(kinds.items()):
        chain.front.arm(spoil, places[number % len(places)], times)
        chain.run()
        struck += chain.front.struck > 0
        if chain.removed or chain.world.people("aud-everybody") != before:
            harmed[name] = len(chain.removed)
            break
    assert not harmed, f"removed for a wrong answer: {harmed}"
    return struck


def test_a_wrong_answer_removes_nobody(chain):
    """If it fails, a night's bad answers take the audience away, and no guard need have slept."""
    assert suffers(chain, {name: GENERAL[name] for name in SOME[::5]}, (0, 1, 3)) >= 5
