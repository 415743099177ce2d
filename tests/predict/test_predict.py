"""The baseline models: nothing after the clock, honest figures, the same answer twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from audiencehub.predict import Model, refresh
from audiencehub.predict.features import features_at
from audiencehub.testing.world import World

ZONE = ZoneInfo("America/New_York")
DAY = date(2026, 6, 1)
BUYS = Model("likely_to_buy", "conversion", horizon=60)
SCORES = (
    "CREATE TABLE IF NOT EXISTS model_score(entity VARCHAR, id INTEGER, model VARCHAR, "
    'value DOUBLE, "at" TIMESTAMP)'
)


def company(seed: int = 7, *, telling: bool = True, people: int = 600) -> World:
    """People who look at pages in spring; where `telling`, those who look often buy in May."""
    random = Random(seed)
    events, orders = [], []
    for number in range(people):
        keen = random.random() < 0.3
        for _ in range(random.randrange(6, 12) if keen else random.randrange(3)):
            at = datetime(2026, 3, 1, 15, tzinfo=UTC) + timedelta(days=random.randrange(28))
            events.append({"contact_id": number, "name": "page_view", "path": "/", "at": at})
        if random.random() < ((0.7 if keen else 0.05) if telling else 0.3):
            at = datetime(2026, 5, 1, 15, tzinfo=UTC) + timedelta(days=random.randrange(28))
            orders.append({"contact_id": number, "at": at, "total": 20})
    made = datetime(2025, 1, 1, tzinfo=UTC)
    return World(
        {n: {"created_at": made} for n in range(people)}, {}, {"event": events, "order": orders}
    )


def scored(world: World, *models: Model, seed=()):
    """What refresh says, and the scores it left."""
    with world.connect() as connection:
        connection.execute(SCORES)
        said = refresh(connection, models, DAY, ZONE, lambda _: np.asarray(seed, dtype=np.int32))
        rows = connection.execute(
            "SELECT model, id, value FROM model_score ORDER BY model, id"
        ).fetchall()
    return said, rows


def test_a_signal_is_found_and_noise_is_not():
    """A model that claims skill on noise, or misses a plain pattern, misleads whoever acts."""
    (found,), _ = scored(company(), BUYS)
    (noise,), _ = scored(company(telling=False), BUYS)

    assert found.auc > 0.8
    assert 0.35 < noise.auc < 0.65


@pytest.mark.verify
def test_what_is_dated_on_the_day_or_later_changes_nothing():
    """A score that has seen the future looks brilliant in the backtest and fails in use."""
    world = company()
    late = [
        {
            "contact_id": 3,
            "name": "page_view",
            "path": "/pricing",
            "at": datetime(2026, 6, 1, 4, tzinfo=UTC),
        }
    ] * 40
    sold = [{"contact_id": 3, "at": datetime(2026, 6, 1, 4, 0, 1, tzinfo=UTC), "total": 5000}]
    more = World(
        world.contacts,
        {},
        {"event": [*world.facts["event"], *late], "order": [*world.facts["order"], *sold]},
    )

    assert scored(more, BUYS) == scored(world, BUYS)


@pytest.mark.verify
def test_the_same_data_gives_the_same_scores():
    """Scores that wander between two runs make tags flicker."""
    models = (BUYS, Model("like_buyers", "similarity", like="buyers"))
    seed = [row["contact_id"] for row in company().facts["order"]][:80]

    assert scored(company(), *models, seed=seed) == scored(company(), *models, seed=seed)


def test_customers_get_no_score_for_buying_and_the_seed_none_for_likeness():
    """A rule for likely buyers would otherwise fill with those who have bought already."""
    world = company()
    buyers = {row["contact_id"] for row in world.facts["order"]}

    _, rows = scored(
        world, BUYS, Model("like_buyers", "similarity", like="buyers"), seed=sorted(buyers)
    )

    assert {number for _, number, _ in rows} == set(world.contacts) - buyers


@pytest.mark.parametrize("people", [0, 1, 12])
def test_too_few_people_give_no_scores_and_a_reason(people):
    """A model of a dozen people is a guess; it must say so and leave the trait unknown."""
    (said,), rows = scored(company(people=people), BUYS)

    assert rows == []
    assert said.auc is None
    assert "too few people" in str(said)


def test_a_seed_that_is_empty_yet_is_told_as_such():
    """On its first day a hub has no members to learn from: "too few did" says that to nobody."""
    model = Model("like_buyers", "similarity", like="buyers")

    (said,), rows = scored(company(), model, seed=[])

    assert rows == []
    assert "nobody was in buyers when the day began" in str(said)


def test_old_scores_go_when_nothing_can_be_learnt_any_more():
    """A stale score would keep people in a segment that nobody can justify."""
    world = company(people=5)
    with world.connect() as connection:
        connection.execute(SCORES)
        connection.execute(
            "INSERT INTO model_score VALUES ('contact', 1, 'likely_to_buy', 0.9, NULL)"
        )
        refresh(connection, [BUYS], DAY, ZONE, lambda _: np.asarray([], dtype=np.int32))

        assert connection.execute("SELECT count(*) FROM model_score").fetchone() == (0,)


def test_features_know_no_empty_company():
    """An unknown value in a matrix stops the training of everyone."""
    with World({1: {}, 2: {"account_id": 9}}, {9: {}}).connect() as connection:
        found = features_at(connection, datetime(2026, 6, 1, tzinfo=UTC))

    assert found.ids.tolist() == [1, 2]
    assert np.isfinite(found.values).all()
