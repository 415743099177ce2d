"""Edits by hand: reported, respected, and only undone when asked to."""

from __future__ import annotations

import pytest
from toybench import TAGS, Bench


def edit(bench, member, *tags):
    bench.world.records[member] = {**bench.world.records[member], "tags": sorted(tags)}


def synced(bench):
    bench.member(warm=[1, 2], hot=[2])
    bench.sync(TAGS)


@pytest.mark.fault(9)
def test_edit_of_an_unchanged_record_is_found_and_left(bench):
    """A person's own tag that vanishes overnight is the end of trust in the hub."""
    synced(bench)
    edit(bench, "r1", "mine", "warm")

    found, later = bench.sync(TAGS)[TAGS], bench.sync(TAGS)[TAGS]

    assert (found.drifted, later.drifted, later.calls) == (1, 0, 0)
    assert bench.world.tags()["r1"] == ("mine", "warm")
    (listed,) = bench.ledger.edits.list()
    assert (listed.member, listed.added, listed.removed) == ("r1", {"mine"}, frozenset())


@pytest.mark.fault(9)
def test_edit_stands_when_a_rule_changes_the_same_record(bench):
    """A new segment on an edited record must be written around the edit, not over it."""
    synced(bench)
    edit(bench, "r2", "mine", "hot")
    bench.segments["new"] = bench.segments["hot"]
    bench.member(warm=[1, 2], hot=[2], new=[2])

    done = bench.sync(TAGS)[TAGS]

    assert done.drifted == 1
    assert bench.world.tags()["r2"] == ("hot", "mine", "new")
    assert "Warm" not in bench.world.records["r2"]["reason"]
    (listed,) = bench.ledger.edits.list()
    assert (listed.added, listed.removed) == ({"mine"}, {"warm"})


def test_reverted_edit_is_written_over(bench):
    """Reverting in the hub must bring the record back to what the rules say."""
    synced(bench)
    edit(bench, "r1", "mine")
    bench.sync(TAGS)
    bench.ledger.edits.settle(TAGS, "r1", "reverted", "ann", bench.hub().now)

    bench.sync(TAGS)

    assert bench.world.tags()["r1"] == ("warm",)


def test_accepted_edit_is_listed_no_more_and_stands(bench):
    """An accepted edit must neither nag nor be undone."""
    synced(bench)
    edit(bench, "r1")
    bench.sync(TAGS)
    bench.ledger.edits.settle(TAGS, "r1", "accepted", "ann", bench.hub().now)

    bench.sync(TAGS)

    assert bench.ledger.edits.list() == []
    assert "r1" not in bench.world.tags()


def test_edit_undone_by_hand_disappears(bench):
    """A list of edits that are no more teaches people not to read it."""
    synced(bench)
    edit(bench, "r1", "mine", "warm")
    bench.sync(TAGS)
    edit(bench, "r1", "warm")

    bench.sync(TAGS)

    assert bench.ledger.edits.list() == []
    assert bench.world.tags()["r1"] == ("warm",)


@pytest.mark.fault(9)
def test_enforce_writes_what_the_rules_say(tmp_path):
    """Where RevOps asked to enforce, a hand edit must not survive the next run."""
    bench = Bench(tmp_path, drift="enforce")
    synced(bench)
    edit(bench, "r1", "mine")

    bench.sync(TAGS)
    bench.sync(TAGS)

    assert bench.world.tags()["r1"] == ("warm",)
    bench.close()


def test_tags_that_were_there_before_the_hub_stay(bench):
    """A first sync, or one after a lost ledger, must not wipe what it never wrote."""
    edit(bench, "r1", "old")

    synced(bench)

    assert bench.world.tags()["r1"] == ("old", "warm")


def test_large_targets_are_sampled():
    """A read-back of millions would eat the quota it is to protect."""
    from audiencehub.delivery.drift import sample

    many = [str(n) for n in range(20_000)]
    assert len(sample(many, "run1")) == 100
    assert sample(many, "run1") == sample(many, "run1") != sample(many, "run2")
    assert sample(many[:10_000], "run1") == many[:10_000]
