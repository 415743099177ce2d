"""Very many people at every list destination: bad addresses, and consent that goes at any moment.

What is expected is made of `crowd` alone; what happened is asked of the fake, and heard on the way.
"""

from __future__ import annotations

import random

import pytest

from audiencehub import connector
from audiencehub.delivery.wire import Wire
from audiencehub.testing.bench import Patience
from tests.platforms import crowd
from tests.platforms.ear import Ear
from tests.platforms.house import House, house
from tests.platforms.stands import SLACK, STANDS

FEW, MANY, VERY_MANY = 1_000, 10_000, 100_000


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    Patience().install(monkeypatch)


def everybody_once(there: House) -> None:
    """Day one of a company in which all consent, and one in fifty has an address that is none."""
    numbers = range(there.people)
    good = {n for n in numbers if not crowd.is_bad(n)}
    there.say(numbers, "granted", -60)

    planned, done = there.sync()

    (made,) = planned.plans
    assert sum(made.excluded.values()) == there.people - len(good)
    reasons = {why.partition(":")[0] for why in made.excluded}
    known = {"no_identifier"} if there.stand.record else {"email", "no_identifier"}
    assert reasons == known, "refused by a rule, blank, or without a record"
    assert (made.writes, done.confirmed) == (len(good), len(good))
    assert (done.rejected, done.unknown, done.held) == (0, 0, 0)
    assert there.held() == there.names(good)
    assert there.outcomes() == {"answered"}, "no batch fails for one row"


def minds_change(there: House, seed: int) -> None:
    """Three days, on which people withdraw and return between plan and push, between batches, and
    between the days; nobody is ever sent who does not consent at that moment."""
    rng, wishes = random.Random(f"minds {seed}"), crowd.Wishes(there.people, seed)
    for status, minutes, people in wishes.first():
        there.say(people, status, -minutes)
    ear = Ear(there, wishes)

    def withdrawn(share: float) -> None:
        there.say(wishes.withdraw(rng, share), "denied")

    def between_batches(what: str, *_: object) -> None:
        if what.startswith("push"):
            withdrawn(0.02)

    there.progress = between_batches
    superseded = 0
    for _ in range(2):
        planned, done = there.sync(lambda: withdrawn(0.03))
        assert (done.rejected, done.unknown, done.held) == (0, 0, 0)
        assert done.confirmed + done.superseded == sum(one.writes for one in planned.plans)
        superseded += done.superseded
        withdrawn(0.03)
        there.say(wishes.return_(rng, 0.02), "granted", 1)
    there.progress = lambda *_: None
    there.sync()

    assert ear.broken == [], "sent without consent"
    assert ear.heard > 0
    assert superseded > 0, "withdrawals must have met people who were about to be sent"
    assert there.held() == there.names(wishes.yes)
    assert there.outcomes() == {"answered"}


def small(monkeypatch, name: str, rows: int) -> None:
    """Several batches among few people."""
    kind = connector.load(str(connector.spec(name).destination))
    monkeypatch.setattr(kind, "batch_size", lambda *_: rows)


@pytest.mark.parametrize("name", STANDS)
def test_bad_addresses_cost_themselves_alone(monkeypatch, tmp_path, name):
    """One address that is none and takes its batch with it keeps thousands off every platform."""
    small(monkeypatch, name, 300)
    with house(STANDS[name], tmp_path, FEW) as there:
        everybody_once(there)


def test_slack_counts_everybody_and_names_nobody(monkeypatch, tmp_path):
    """The staff's channel is told of numbers: a name in it stays there for ever."""
    with house(SLACK, tmp_path, FEW) as there:
        ear = Ear(there, crowd.Wishes(FEW, 1))
        planned, done = there.sync()
        there.ledger.consent.suppress("contact", range(100), "asked", "ann", crowd.START)
        there.sync()

        told = [one["text"] for one in there.fake.store.table("message").values()]
        assert (planned.plans[0].excluded, done.confirmed) == ({}, FEW)
        assert len(told) == 2, "one digest a run"
        assert f"{FEW:,} entered" in told[0]
        assert "100 left" in told[1]
        assert (ear.heard, ear.broken) == (0, [])


@pytest.mark.parametrize("name", STANDS)
def test_nobody_without_consent_is_sent(monkeypatch, tmp_path, name):
    """A person who said no before the request left, and is in it, is what consent is about."""
    small(monkeypatch, name, 120)
    with house(STANDS[name], tmp_path, FEW) as there:
        minds_change(there, seed=1)


def test_the_ear_hears_who_should_not_be_sent(monkeypatch, tmp_path):
    """An ear that hears nothing proves nothing: a hub that asks at planning only is found out."""
    name = next(iter(STANDS))
    small(monkeypatch, name, 120)
    monkeypatch.setattr(Wire, "_barred", lambda *_: [])
    with (
        house(STANDS[name], tmp_path, FEW) as there,
        pytest.raises(AssertionError, match="without consent"),
    ):
        minds_change(there, seed=1)


def test_the_ear_knows_who_is_named(tmp_path):
    """The same, of one request and of one line of the log."""
    with house(next(iter(STANDS.values())), tmp_path, 10) as there:
        ear = Ear(there, crowd.Wishes(10, 1, yes={1, 2}))
        hashed, plain = crowd.digest(crowd.email(1)), crowd.email(2)
        ear.before("POST", "/users", f"{hashed} {plain.replace('@', '%40')}".encode())
        ear.wishes.yes.clear()
        ear.before("DELETE", "/users", hashed.encode())
        assert (ear.heard, ear.broken) == (3, [])
        ear.before("POST", "/users", crowd.digest(crowd.email(3)).encode())
        assert len(ear.broken) == 1
        there.fake.record_write(plain, "remove")
        there.fake.record_write(plain, "add")
        ear.after()
        assert len(ear.broken) == 2


@pytest.mark.verify
@pytest.mark.parametrize("name", STANDS)
def test_ten_thousand_whose_minds_change(monkeypatch, tmp_path, name):
    """The same among many, in batches as each platform takes them, a thousand at most."""
    kind = connector.load(str(connector.spec(name).destination))
    small(monkeypatch, name, min(1_000, kind.can.batch_size))
    with house(STANDS[name], tmp_path, MANY) as there:
        minds_change(there, seed=2)


@pytest.mark.verify
def test_a_hundred_thousand_once(tmp_path):
    """The size that the promise is made for, in batches as large as the platform takes them."""
    with house(STANDS["meta_ads"], tmp_path, VERY_MANY) as there:
        everybody_once(there)


@pytest.mark.verify
def test_a_hundred_thousand_whose_minds_change(tmp_path):
    """The size that the promise is made for, over three days."""
    with house(STANDS["meta_ads"], tmp_path, VERY_MANY) as there:
        minds_change(there, seed=3)
