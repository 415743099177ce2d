"""A destination that confirms what it does not apply, and how surely it is found."""

from __future__ import annotations

import random

import pytest
from toybench import TAGS, Bench

from audiencehub.delivery import drift

pytestmark = pytest.mark.fault(17)


def company(folder, people):
    bench = Bench(folder, people=people)
    bench.member(warm=range(people))
    return bench


def lying(bench, share, seed):
    """The world drops a share of the writes that it confirms; returns whose."""
    dropped = random.Random(seed).sample(range(bench.people), max(1, int(bench.people * share)))
    for number in dropped:
        bench.world.fail("lie", f"r{number}")
    return dropped


def test_a_hundredth_of_the_writes_dropped_is_found_in_the_same_run(tmp_path):
    """A sync that reports success and changed nothing is found by a customer, months later."""
    bench = company(tmp_path, 200)
    dropped = lying(bench, 0.01, 7)

    first, second = bench.sync(TAGS)[TAGS], bench.sync(TAGS)[TAGS]

    assert (first.false_confirms, first.verified) == (len(dropped), 200)
    assert (second.false_confirms, second.confirmed) == (0, len(dropped))
    assert len(bench.world.tags()) == 200
    bench.close()


def test_of_a_large_target_the_writes_of_the_run_are_looked_at(tmp_path, monkeypatch):
    """Among millions of members a sample of all would hardly ever meet what was just written."""
    monkeypatch.setattr(drift, "ALL_UP_TO", 30)
    bench = company(tmp_path, 60)
    bench.sync(TAGS)
    bench.member(warm=range(60), hot=range(8))
    for number in range(8):
        bench.world.fail("lie", f"r{number}")

    found = bench.sync(TAGS)[TAGS]

    assert found.false_confirms == 8, "of eight writes, none was looked at"
    assert found.verified == 8 + 3
    bench.close()


@pytest.mark.parametrize("lies", [5, 50, 250])
def test_the_chance_that_is_published_is_the_chance_there_is(lies):
    """A figure that promises more than the sample gives would itself be a lie."""
    members, writes, tries = 20_000, 5_000, 400
    everyone = [str(number) for number in range(members)]
    wrote = frozenset(everyone[:writes])
    false = set(everyone[:lies])

    found = sum(
        bool(false.intersection(drift.sample(everyone, f"run{n}", wrote))) for n in range(tries)
    )

    expected = drift.chance(members, writes, lies)
    spread = 4 * (expected * (1 - expected) / tries) ** 0.5 + 1 / tries
    assert abs(found / tries - expected) < spread


def test_the_chance_of_a_small_target_is_certainty():
    """Up to ten thousand records all are read back; one lie among them cannot hide."""
    assert drift.chance(10_000, 10_000, 1) == drift.chance(500, 20, 1) == 1
    assert drift.chance(1_000_000, 10_000, 0) == 0


def test_no_more_is_read_than_the_plan_says():
    """The quota is promised to other targets as well."""
    for members in (10, 10_000, 10_001, 1_000_000):
        everyone = [str(number) for number in range(members)]
        for writes in (0, 50, 5_000):
            chosen = drift.sample(everyone, "run", frozenset(everyone[:writes]))
            assert len(chosen) == len(set(chosen)) <= drift.sample_size(members)
