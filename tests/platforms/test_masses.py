"""Very many people at every list destination: bad addresses, and consent that goes at any moment.

`python -m tests.platforms` does it with a hundred thousand at each; RESULTS.md shows one.
"""

from __future__ import annotations

import pytest

from audiencehub import connector
from audiencehub.delivery.wire import Wire
from tests.platforms import crowd, stories
from tests.platforms.clock import skipping
from tests.platforms.ear import Ear
from tests.platforms.house import house, small_batches
from tests.platforms.stands import SLACK, STANDS

FEW, MANY, VERY_MANY = 500, 3_000, 100_000


@pytest.fixture(autouse=True)
def patience():
    with skipping():
        yield


@pytest.mark.parametrize("name", STANDS)
def test_bad_addresses_cost_themselves_alone(monkeypatch, tmp_path, name):
    """One address that is none and takes its batch with it keeps thousands off every platform."""
    small_batches(monkeypatch, name, 300)
    with house(STANDS[name], tmp_path, FEW) as there:
        stories.everybody_once(there)


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
    small_batches(monkeypatch, name, 120)
    with house(STANDS[name], tmp_path, FEW) as there:
        stories.minds_change(there, seed=1)


def test_the_ear_hears_who_should_not_be_sent(monkeypatch, tmp_path):
    """An ear that hears nothing proves nothing: a hub that asks at planning only is found out."""
    name = next(iter(STANDS))
    small_batches(monkeypatch, name, 120)
    monkeypatch.setattr(Wire, "_barred", lambda *_: [])
    with (
        house(STANDS[name], tmp_path, FEW) as there,
        pytest.raises(AssertionError, match="without consent"),
    ):
        stories.minds_change(there, seed=1)


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
def test_thousands_whose_minds_change(monkeypatch, tmp_path, name):
    """The same among many, in batches as each platform takes them, a thousand at most."""
    kind = connector.load(str(connector.spec(name).destination))
    small_batches(monkeypatch, name, min(1_000, kind.can.batch_size))
    with house(STANDS[name], tmp_path, MANY) as there:
        stories.minds_change(there, seed=2)


@pytest.mark.verify
def test_a_hundred_thousand_once(tmp_path):
    """The size that the promise is made for, in batches as large as the platform takes them."""
    with house(STANDS["meta_ads"], tmp_path, VERY_MANY) as there:
        stories.everybody_once(there)


@pytest.mark.verify
def test_a_hundred_thousand_whose_minds_change(tmp_path):
    """The size that the promise is made for, over three days."""
    with house(STANDS["meta_ads"], tmp_path, VERY_MANY) as there:
        stories.minds_change(there, seed=3)
