"""Segments through merges: nobody enters or leaves because records were joined or parted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from audiencehub.hub import Hub
from audiencehub.ledger import Ledger
from audiencehub.rules.book import RuleBook
from audiencehub.rules.language.catalog import CATALOG
from audiencehub.rules.load.desk import Desk as RuleDesk
from audiencehub.rules.load.folder import read_segment
from audiencehub.settings import Company, Settings
from audiencehub.steps.segment import segment
from audiencehub.warehouse import Warehouse, touched

START = datetime(2026, 11, 16, 9, tzinfo=UTC)
RULE = """
segment: {name}
label: {name}
model: intent
of: contact
when: {{title: {{contains: {name}}}}}
"""


class People:
    """People with titles; the words of a title are the segments."""

    def __init__(self, folder: Path):
        self.settings = Settings(company=Company(name="Acme"), home=Path("home"), root=folder)
        self.settings.folder.mkdir(parents=True)
        self.ledger = Ledger.open(self.settings.folder)
        self.warehouse = Warehouse.open(self.settings.folder)
        found = {}
        for name in ("warm", "hot"):
            desk = RuleDesk(f"{name}.yaml", "USD", CATALOG)
            found[name] = read_segment(desk, RULE.format(name=name).encode())
            assert found[name] is not None, desk.faults
        self.book = RuleBook(found, ZoneInfo("UTC"))
        self.day = 0

    def run(self, titles, alias=None):
        """A day on which these people have these titles; what the step says moved."""
        self.day += 1
        before = self.ledger.merges.alias("contact")
        wanted = dict.fromkeys(before, None) | (alias or {})
        self.ledger.merges.set_alias(
            "contact", {own: own if at is None else at for own, at in wanted.items()}
        )
        self.warehouse.connection.execute("DELETE FROM contact")
        for number, title in titles.items():
            self.warehouse.connection.execute(
                "INSERT INTO contact(contact_id, title) VALUES(?, ?)", [number, title]
            )
        touched.mark_all(self.warehouse.connection)
        self.run_id = f"run{self.day}"
        at = START + timedelta(days=self.day)
        hub = Hub(
            self.settings, self.ledger, self.warehouse, self.book, self.run_id, at,
        )  # fmt: skip
        done = segment(hub)
        return {
            name: (done.entered[name], done.left[name])
            for name in self.book.segments
            if done.entered[name] or done.left[name]
        }

    def state(self):
        """Segment to person to the day since when."""
        return {
            name: {n: (one.since - START).days for n, one in sorted(people.items())}
            for name, people in self.ledger.membership.current("contact").items()
            if people
        }

    def log(self, number):
        return [
            (one.segment, one.op, one.reason)
            for one in self.ledger.membership.history("contact", number)
        ]


@pytest.fixture
def people(tmp_path):
    made = People(tmp_path)
    yield made
    made.ledger.close()
    made.warehouse.close()


def test_a_merge_moves_nobody(people):
    """If it fails, a merge fires the workflows of entering and leaving."""
    people.run({1: "warm", 5: ""})
    people.run({1: "warm", 5: "warm hot"})

    moved = people.run({1: "warm hot"}, {5: 1})

    assert moved == {}
    assert people.state() == {"warm": {1: 1}, "hot": {1: 2}}
    assert people.ledger.membership.movement(people.run_id) == {}
    assert people.log(5)[-2:] == [
        ("hot", "left", "merged_into 1"),
        ("warm", "left", "merged_into 1"),
    ]


def test_unmerge_restores_what_was(people):
    """If it fails, taking back a wrong merge makes people enter anew, or forgets since when."""
    people.run({1: "hot", 5: ""})
    people.run({1: "hot", 5: "warm hot"})
    before = people.state()
    people.run({1: "warm hot"}, {5: 1})

    moved = people.run({1: "hot", 5: "warm hot"})

    assert moved == {}
    assert people.state() == before == {"hot": {1: 1, 5: 2}, "warm": {5: 2}}
    assert people.ledger.membership.movement(people.run_id) == {}
    assert ("warm", "entered", "unmerged") in people.log(5)
    assert people.log(1)[-1] == ("warm", "left", "unmerged")
    assert people.run({1: "hot", 5: "warm hot"}) == {}


def test_who_leaves_by_the_rule_leaves(people):
    """If it fails, a merge hides that the merged person no longer matches."""
    people.run({1: "", 5: "warm"})

    moved = people.run({1: ""}, {5: 1})

    assert moved == {"warm": (0, 1)}
    assert people.state() == {}


def test_who_entered_while_merged_is_in_since_then(people):
    """If it fails, a parted person who matches enters again, although they had been in as one."""
    people.run({1: "", 5: ""})
    people.run({1: ""}, {5: 1})
    people.run({1: "warm"}, {5: 1})

    moved = people.run({1: "", 5: "warm"})

    assert moved == {}
    assert people.state() == {"warm": {5: 3}}


def test_merge_of_merges_parts_in_steps(people):
    """If it fails, of three records joined one after the other, parting one moves the others."""
    people.run({1: "", 5: "", 9: "warm"})
    people.run({1: "", 5: "warm", 9: "warm"})
    people.run({1: "", 5: "warm"}, {9: 5})
    people.run({1: "warm"}, {5: 1, 9: 1})

    assert people.state() == {"warm": {1: 1}}
    assert people.run({1: "", 5: "warm"}, {9: 5}) == {}
    assert people.state() == {"warm": {5: 1}}
    assert people.run({1: "", 5: "warm", 9: "warm"}) == {}
    assert people.state() == {"warm": {5: 2, 9: 1}}
