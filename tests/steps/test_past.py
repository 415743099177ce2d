"""Rules on earlier membership, from the log of the runs before, through merges and undone ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from audiencehub.hub import Hub
from audiencehub.insight.people import load_profiles, memberships
from audiencehub.ledger import Ledger
from audiencehub.rules import explain
from audiencehub.rules.book import RuleBook
from audiencehub.rules.language.catalog import CATALOG
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.folder import read_segment
from audiencehub.settings import Company, Settings
from audiencehub.steps.segment import segment
from audiencehub.warehouse import Warehouse

START = datetime(2026, 11, 16, 9, tzinfo=UTC)
RULES = {
    "warm": ("contact", "{title: {contains: warm}}"),
    "cooled": ("contact", "{left: {segment: warm, within: 2 days}}"),
    "returned": ("contact", "{all: [{segment: warm}, {left: warm}]}"),
    "once": ("contact", "{was_in: warm}"),
    "active": ("account", "{contacts: {where: {segment: warm}}}"),
    "ours": ("contact", "{entered: active}"),
    "biggest": ("account", "{rank: {by: employee_count, top: 1}}"),
}


class Days:
    """A company of which a test says each day who has which title; a rule book on the past."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(company=Company(name="Acme"), home=Path("home"), root=folder)
        self.settings.folder.mkdir(parents=True)
        self.ledger = Ledger.open(self.settings.folder)
        self.warehouse = Warehouse.open(self.settings.folder)
        found = {}
        for name, (of, when) in RULES.items():
            desk = Desk(f"{name}.yaml", "USD", CATALOG)
            text = f"segment: {name}\nlabel: {name}\nmodel: intent\nof: {of}\nwhen: {when}\n"
            made = read_segment(desk, text.encode())
            assert made is not None, desk.faults
            found[name] = made
        self.book = RuleBook(found, ZoneInfo("UTC"))
        self.day = 0

    @property
    def now(self) -> datetime:
        return START + timedelta(days=self.day)

    def run(self, titles: dict[int, str], alias: dict[int, int] | None = None) -> None:
        """A day on which these people have these titles; all of account 100 + id."""
        self.day += 1
        before = self.ledger.merges.alias("contact")
        wanted = {own: own for own in before} | (alias or {})
        self.ledger.merges.set_alias("contact", wanted)
        connection = self.warehouse.connection
        connection.execute("DELETE FROM contact")
        connection.execute("DELETE FROM account")
        for number, title in titles.items():
            connection.execute(
                "INSERT INTO contact(contact_id, account_id, title) VALUES(?, ?, ?)",
                [number, 100 + number, title],
            )
            connection.execute(
                "INSERT INTO account(account_id, employee_count) VALUES(?, ?)",
                [100 + number, number],
            )
        run_id = f"run{self.day}"
        segment(Hub(self.settings, self.ledger, self.warehouse, self.book, run_id, self.now))

    def members(self, name: str) -> set[int]:
        of = self.book.segments[name].of
        return set(self.ledger.membership.current(of).get(name, {}))

    def stays(self) -> list[tuple[int, int, int | None]]:
        """Person, day entered, day left, of the segment warm."""
        return [
            (one.id, (one.entered_at - START).days, one.left_at and (one.left_at - START).days)
            for one in self.ledger.stays.of("contact", ["warm"])
        ]

    def told(self, entity: Any, number: int, name: str) -> Any:
        """The explanation of one segment, as the warehouse has the person."""
        connection = self.warehouse.connection
        rules = list(self.book.segments.values())
        loaded = load_profiles(connection, entity, {number}, memberships(connection), rules)
        return explain(self.book, loaded[number], self.now, [name])[0]


@pytest.fixture
def days(tmp_path):
    made = Days(tmp_path)
    yield made
    made.ledger.close()
    made.warehouse.close()


def test_the_log_is_read_as_it_was_before_the_run(days):
    """A run that reads its own entries would call everyone who enters a former member."""
    days.run({1: "warm", 2: ""})
    first = {name: days.members(name) for name in RULES}
    days.run({1: "", 2: ""})
    days.run({1: "", 2: ""})

    assert first["warm"] == {1} and first["active"] == {101}
    assert not (first["once"] | first["cooled"] | first["ours"])
    assert days.members("once") == days.members("cooled") == days.members("ours") == {1}

    days.run({1: "warm", 2: ""})
    days.run({1: "warm", 2: ""})

    assert days.members("returned") == {1} and days.members("cooled") == set()
    assert days.stays() == [(1, 1, 2), (1, 4, None)]


def test_a_merge_is_no_leaving_and_no_entering(days):
    """A joined record must not make its person one who left, nor forget where it has been."""
    days.run({1: "", 5: "warm"})
    days.run({1: "warm"}, {5: 1})
    days.run({1: "warm"}, {5: 1})

    assert days.stays() == [(1, 1, None)]
    assert days.members("cooled") == days.members("returned") == set()

    days.run({1: ""}, {5: 1})
    days.run({1: ""}, {5: 1})

    assert days.stays() == [(1, 1, 4)]
    assert days.members("cooled") == {1}


def test_an_undone_merge_gives_each_their_own_past(days):
    """Taking back a wrong merge must not leave one person with the other's past."""
    days.run({1: "", 5: "warm"})
    days.run({1: "warm"}, {5: 1})
    days.run({1: "", 5: "warm"})
    days.run({1: "", 5: "warm"})

    assert days.stays() == [(5, 1, None)]
    assert days.members("once") == {5}


def test_stays_of_merged_people_that_overlap_are_one(days):
    """Two records of one person are one membership, or entering is counted twice."""
    days.run({1: "warm", 5: ""})
    days.run({1: "warm", 5: "warm"})
    days.run({1: "", 5: "warm"})
    days.run({1: "warm"}, {5: 1})

    assert days.stays() == [(1, 1, None)]


def test_explain_reads_the_past_the_people_and_the_rank(days):
    """An explanation that misses what the engine saw tells people the wrong reason."""
    days.run({1: "warm", 2: ""})
    days.run({1: "", 2: ""})
    days.run({1: "", 2: ""})

    cooled, never = days.told("contact", 1, "cooled"), days.told("contact", 2, "cooled")
    active, biggest = days.told("account", 101, "active"), days.told("account", 101, "biggest")

    assert cooled.matches and cooled.clauses[0].seen == "left 2026-11-18 09:00"
    assert cooled.clauses[0].age == "1 day ago"
    assert never.flip == ("leave segment warm (now never left)",)
    assert active.clauses[0].seen == "0 of 1 contact"
    assert active.flip == ("a contact: enter segment warm",)
    assert biggest.clauses[0].seen == "place 2 of 2"
    assert days.told("account", 102, "biggest").matches
