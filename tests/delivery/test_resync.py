"""A resync brings a target to what is desired, whatever the ledger or a person did; nobody stays
behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from resyncing import desired, naive, today, whole
from toybench import LIST, TAGS, Bench, email, one, sent

from audiencehub.delivery import crash
from audiencehub.errors import Stop
from audiencehub.privacy.rule import sha256
from audiencehub.steps import adopt

HERE = Path(__file__).parent


def yesterday(bench):
    bench.member(warm=range(8), hot=[0, 1, 4])
    bench.sync()


def nothing(bench):
    pass


def believed_lost(bench):
    bench.ledger._db.run("DELETE FROM believed")


def identifiers_lost(bench):
    bench.ledger._db.run("DELETE FROM believed WHERE member IN ('1','2','r1','r2')")
    bench.ledger._db.run("DELETE FROM sent_identifier WHERE member IN ('1','2')")


def believed_made_up(bench):
    bench.ledger._db.run("UPDATE believed SET value_hash='x', value=NULL WHERE target=?", (LIST,))
    bench.ledger._db.run(
        "UPDATE believed SET value=replace(value, 'hot', 'warm') WHERE target=?", (TAGS,)
    )
    bench.ledger._db.run(
        "INSERT INTO believed SELECT target, 'r11', 11, value, value_hash, confirmed_at, proof"
        " FROM believed WHERE target=? LIMIT 1", (TAGS,)
    )  # fmt: skip


def hand_edits(bench):
    for member, tags in {"r0": [], "r2": ["hot", "warm"], "r9": ["hot"], "r4": ["warm"]}.items():
        bench.world.records[member] = {"tags": tags, "reason": ""}
    held = dict(bench.world.lists["aud-warm"])
    for n in (4, 5):
        held.pop(sha256(email(n)))
    bench.world.lists["aud-warm"] = held


def edits_found_before(bench):
    hand_edits(bench)
    bench.sync()
    assert bench.ledger.edits.list()


DAMAGES = (
    nothing, believed_lost, identifiers_lost, believed_made_up, hand_edits, edits_found_before,
)  # fmt: skip


def there(bench):
    return bench.world.tags(), bench.world.people("aud-warm")


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda one: one.__name__)
def test_whatever_was_damaged_it_ends_as_desired(bench, damage):
    """If it fails, the one verb that promises to put things right leaves somebody behind."""
    yesterday(bench)
    damage(bench)
    today(bench)

    whole(bench)

    assert there(bench) == desired()
    writes = len(bench.world.writes)
    bench.sync()
    assert len(bench.world.writes) == writes, "the day after a resync is an ordinary one"


@pytest.mark.parametrize("damage", [nothing, believed_lost], ids=lambda one: one.__name__)
def test_the_naive_one_leaves_orphans(bench, damage):
    """The control: sending everyone again takes nobody out. If it passed, nothing would be
    proven."""
    yesterday(bench)
    damage(bench)
    today(bench)

    naive(bench)

    tags, people = there(bench)
    assert people > desired()[1]
    assert tags.keys() > desired()[0].keys()


def killed(folder, point, n):
    environment = {**os.environ, crash.VARIABLE: f"{point}:{n}"}
    done = subprocess.run(
        [sys.executable, str(HERE / "resyncing.py"), str(folder)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, -9), done.stderr
    return done.returncode == -9


def crashed(folder, points, hits):
    """Kill a resync at each point and hit, then end it as the next run does."""
    died = 0
    for point in points:
        for hit in hits:
            place = folder / f"{point}{hit}"
            place.mkdir()
            bench = Bench(place)
            yesterday(bench)
            identifiers_lost(bench)
            hand_edits(bench)
            bench.close()
            was_killed = killed(place, point, hit)
            died += was_killed
            bench = Bench(place)
            today(bench)
            if not bench.ledger.resyncs.asked_by(LIST):
                whole(bench)  # it died before it was asked for at both targets
            bench.sync()
            bench.sync()
            assert there(bench) == desired(), (point, hit)
            bench.close()
    return died


def test_killed_in_the_middle_it_is_ended_by_the_next_run(tmp_path):
    """If it fails, a crash in a resync leaves people who are neither sent nor removed."""
    assert crashed(tmp_path, ("after_apply", "after_sent"), (2,)) == 2


@pytest.mark.verify
def test_killed_anywhere_it_is_ended_by_the_next_run(tmp_path):
    """The same at every crash point, at the first and third hit."""
    points = [*(p for p in crash.POINTS if p != "before_plan"), "after_read_back"]

    assert crashed(tmp_path, points, (1, 3)) > len(points)


def test_a_resume_says_nothing_twice_that_was_answered(tmp_path):
    """A resync of a million must not begin anew after each crash."""
    bench = Bench(tmp_path)
    bench.member(warm=range(12))
    bench.sync()
    before = len(bench.world.writes)
    adopt.resync(bench.hub(), LIST, "ann")
    bench.world.fail("stop", member="8")
    with pytest.raises(Stop):
        bench.sync(LIST)
    adopt.resync(bench.hub(), LIST, "bob")

    bench.sync()

    again = [w["member"] for w in list(bench.world.writes.values())[before:]]
    assert sorted(again, key=int) == [str(n) for n in range(12)]
    assert bench.ledger.resyncs.asked_by(LIST) == "ann"
    assert not bench.ledger.resyncs.under_way(LIST)
    bench.close()


def test_guards_hold_it_like_any_plan(tmp_path):
    """A damaged ledger or a wrong rule must not empty a list by way of a resync."""
    bench = Bench(tmp_path, guards={"removals_count": 2, "first_run": "go", "adds_count": 99})
    bench.member(warm=range(12))
    bench.sync()
    bench.member(warm=[0, 1])
    believed_lost(bench)
    adopt.resync(bench.hub(), LIST, "ann")

    found = one(bench.plan(), LIST)

    assert (found.verdict, found.removes) == ("hold", 10)
    bench.sync()
    assert bench.world.people("aud-warm") == sent(*range(12))
    assert bench.ledger.resyncs.under_way(LIST), "it waits, and does not end unsent"
    bench.ledger.plans.approve(LIST, "ann", "the campaign is over", bench.hub().now)
    bench.sync()
    assert bench.world.people("aud-warm") == sent(0, 1)
    bench.close()


def test_an_accepted_edit_stands(bench):
    """Who decided that a tag stays must not have to decide again."""
    yesterday(bench)
    edits_found_before(bench)
    assert bench.ledger.edits.settle(TAGS, "r2", "accepted", "bob", bench.hub().now)
    today(bench)

    whole(bench)

    assert bench.world.tags()["r2"] == ("hot",)


def test_nobody_without_consent_is_said_again(bench):
    """A resync sends everyone desired, and who has withdrawn is not."""
    yesterday(bench)
    bench.grant([4], status="denied")
    today(bench)

    whole(bench)

    assert bench.world.people("aud-warm") == desired()[1] - sent(4)
