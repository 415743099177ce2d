"""The segment step on what changed, against the step on everyone, through merges and stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest

from audiencehub.hub import Hub
from audiencehub.ledger import Ledger
from audiencehub.rules.book import RuleBook
from audiencehub.rules.language.catalog import CATALOG
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.folder import read_segment
from audiencehub.settings import Company, Settings
from audiencehub.steps.segment import segment
from audiencehub.warehouse import Warehouse, touched

START = datetime(2026, 11, 16, 9, tzinfo=UTC)
HEAD = "segment: {0}\nlabel: {0}\nmodel: intent\nof: {1}\n"
RULES = {
    "hot": ("contact", "when: {title: {contains: hot}}"),
    "held": ("contact", "when: {title: {contains: hot}}\nstay: {at_least: 3 days}"),
    "active": ("contact", "when: {event: {within: 3 days}}\nstay: {at_least: 2 days}"),
    "both": ("contact", "when: {all: [{segment: held}, {segment: active}]}"),
    "rich": ("account", "when: {event: {count: {at_least: 2}, within: 4 days}}"),
    "theirs": ("contact", "when: {all: [{segment: rich}, {not: {segment: hot}}]}"),
}
PEOPLE, COMPANIES = range(1, 9), range(20, 23)


def rules() -> RuleBook:
    """The book of these tests."""
    found = {}
    for name, (of, when) in RULES.items():
        desk = Desk(f"{name}.yaml", "USD", CATALOG)
        one = read_segment(desk, (HEAD.format(name, of) + when).encode())
        assert one is not None, desk.faults
        found[name] = one
    return RuleBook(found, ZoneInfo("UTC"))


class Company_:
    """A hub whose warehouse the test writes, as resolve would."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(company=Company(name="Acme"), home=Path("home"), root=folder)
        self.settings.folder.mkdir(parents=True)
        self.ledger = Ledger.open(self.settings.folder)
        self.warehouse = Warehouse.open(self.settings.folder)
        self.number = 0

    def put(self, people, events, alias, ids):
        """These people (id to title and account) and events; `ids` differ from before."""
        connection = self.warehouse.connection
        before = self.ledger.merges.alias("contact")
        wanted = dict.fromkeys(before, None) | alias
        self.ledger.merges.set_alias(
            "contact", {own: own if at is None else at for own, at in wanted.items()}
        )
        connection.execute("DELETE FROM contact")
        connection.execute("DELETE FROM event")
        connection.execute("DELETE FROM account")
        for number in COMPANIES:
            connection.execute("INSERT INTO account(account_id) VALUES (?)", [number])
        for number, (title, account) in people.items():
            connection.execute(
                "INSERT INTO contact(contact_id, title, account_id) VALUES (?, ?, ?)",
                [number, title, account],
            )
        for number, at in events:
            connection.execute(
                'INSERT INTO event(contact_id, name, "at") VALUES (?, ?, ?)', [number, "login", at]
            )
        for entity, number in ids:
            connection.execute("INSERT INTO touched VALUES (?, ?)", [entity, number])

    def run(self, at, *, full=False):
        """One step."""
        self.number += 1
        hub = Hub(
            self.settings, self.ledger, self.warehouse, rules(), f"run{self.number}", at,
        )  # fmt: skip
        return segment(hub, full=full)

    def state(self):
        """All that the step leaves."""
        rows = self.warehouse.connection.execute("SELECT * FROM member ORDER BY ALL").fetchall()
        logs = [self.ledger.membership.history("contact", n) for n in PEOPLE]
        logs += [self.ledger.membership.history("account", n) for n in COMPANIES]
        lines = [sorted((m.segment, m.op, m.at, m.reason) for m in log) for log in logs]
        return rows, self.ledger.membership.current("contact"), lines

    def close(self):
        """Close both files."""
        self.ledger.close()
        self.warehouse.close()


@pytest.fixture
def two(tmp_path):
    made = Company_(tmp_path / "quick"), Company_(tmp_path / "whole")
    yield made
    for one in made:
        one.close()


def history(seed, steps=6):
    """Per step: people, events, alias, the ids that differ, and the clock."""
    pick, now = Random(seed), START
    own = {n: (pick.choice(("", "hot")), pick.choice([None, *COMPANIES])) for n in PEOPLE}
    alias, events, before, heard = {}, [], {}, []
    for _ in range(steps):
        now += pick.choice((timedelta(hours=1), timedelta(days=1), timedelta(days=2)))
        for number in pick.sample(list(PEOPLE), 2):
            own[number] = (pick.choice(("", "hot")), pick.choice([None, *COMPANIES]))
        if pick.random() < 0.4:
            number = pick.randrange(2, 9)
            alias = {k: v for k, v in alias.items() if k != number}
            if pick.random() < 0.6 and number not in alias.values():
                alias[number] = 1
        events = [*events, *((n, now - timedelta(hours=2)) for n in pick.sample(list(PEOPLE), 2))]
        people = {n: own[n] for n in PEOPLE if n not in alias}
        for other, at in alias.items():
            if own[other][0]:
                people[at] = (own[other][0], people[at][1])
        linked = [(alias.get(n, n), at.replace(tzinfo=None)) for n, at in events]
        ids = {("contact", n) for n in PEOPLE if people.get(n) != before.get(n)}
        moved = set(linked) ^ set(heard)
        ids |= {("contact", n) for n, _ in moved}
        for number in {n for _, n in ids}:
            for one in (before, people):
                if one.get(number, (None, None))[1] is not None:
                    ids.add(("account", one[number][1]))
        yield dict(people), linked, dict(alias), ids, now
        before, heard = people, linked


@pytest.mark.parametrize("seed", range(2))
def test_what_changed_is_as_everyone(two, seed):
    """A difference means that the log, a tag or a `since` depends on how a run was made."""
    quick, whole = two
    for people, events, alias, ids, now in history(seed):
        for one in two:
            one.put(people, events, alias, ids)
        ours, theirs = quick.run(now), whole.run(now, full=True)
        assert (ours.sizes, ours.entered, ours.left) == (theirs.sizes, theirs.entered, theirs.left)
        assert quick.state() == whole.state()


def test_a_run_that_died_after_the_ledger_is_seen(two):
    """Otherwise who entered in a run that died stays a member for ever."""
    quick, _ = two
    quick.put({1: ("", None), 2: ("hot", None)}, [], {}, {("contact", 1), ("contact", 2)})
    quick.run(START)
    quick.put({1: ("hot", None), 2: ("hot", None)}, [], {}, {("contact", 1)})
    quick.ledger.membership.record(
        "died", START, [("contact", 1, "hot", "title: hot", "v")], [("contact", 2, "hot", "gone")]
    )
    quick.put({1: ("", None), 2: ("hot", None)}, [], {}, set())

    done = quick.run(START + timedelta(hours=1))

    assert (done.entered["hot"], done.left["hot"]) == (1, 1)
    assert quick.ledger.membership.current("contact")["hot"].keys() == {2}
    assert not touched.everything(quick.warehouse.connection)
