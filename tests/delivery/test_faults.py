"""What destinations do to a push, and what must come of it."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import toys
from hypothesis import given, settings
from hypothesis import strategies as st
from toybench import LIST, TAGS, sent

from audiencehub.delivery.wire import Sent, Wire
from audiencehub.errors import Stop, Wait


def everyone(bench):
    bench.member(warm=range(bench.people))
    return {f"r{n}": ("warm",) for n in range(bench.people)}


@pytest.mark.parametrize("fault", ["lost_answer", "no_apply", "short"])
@pytest.mark.fault(2)
def test_lost_answer_is_settled_in_the_same_run(bench, fault):
    """An unknown outcome taken for success or failure is the field's best known silent loss."""
    bench.world.fail(fault, "r1")
    bench.world.fail(fault, "1")

    tags = everyone(bench)
    done = bench.sync()

    assert bench.world.tags() == tags
    assert bench.world.people("aud-warm") == sent(*range(12))
    assert (done[TAGS].unknown, done[LIST].unknown) == (0, 0)


@pytest.mark.fault(5)
def test_a_readable_place_is_looked_at_not_written_again(bench):
    """Re-sending what has arrived costs quota and wakes up workflows a second time."""
    bench.world.fail("lost_answer", "r1")
    bench.member(warm=[1])

    bench.sync(TAGS)

    assert [doc["member"] for doc in bench.world.writes.values()] == ["r1"]


@pytest.mark.fault(2)
def test_silence_for_a_whole_run_is_settled_in_the_next(bench):
    """A row in doubt must neither be forgotten nor counted as delivered."""
    bench.world.fail("no_apply", "1", times=2)
    bench.member(warm=[1])

    first, second = bench.sync()[LIST], bench.sync()[LIST]

    assert (first.confirmed, first.unknown) == (0, 1)
    assert second.unknown == 0
    assert bench.world.people("aud-warm") == sent(1)


@pytest.mark.fault(18)
def test_doubtful_add_of_who_withdrew_is_taken_out(bench):
    """Saying an add again after consent is gone would upload the person a second time."""
    bench.world.fail("lost_answer", "1", times=2)
    bench.member(warm=[1, 2])
    bench.sync()
    arrived = bench.world.people("aud-warm")
    bench.grant([1], status="denied")
    before = len(bench.world.writes)

    bench.sync()

    later = [(d["member"], d["op"]) for d in list(bench.world.writes.values())[before:]]
    assert sorted(later) == [("1", "remove"), ("2", "add")]
    assert arrived == sent(1, 2)
    assert bench.world.people("aud-warm") == sent(2)


@pytest.mark.fault(2)
def test_doubtful_add_of_who_withdrew_is_taken_out_though_the_removal_is_in_doubt_too(bench):
    """A removal that nobody answered must be said again: its person would stay for ever."""
    bench.world.fail("lost_answer", "1", times=2)
    bench.member(warm=[1, 2])
    bench.sync()
    bench.grant([1], status="denied")
    bench.world.fail("no_apply", "1", times=2)

    bench.sync()
    still = bench.world.people("aud-warm")
    bench.sync()

    assert still == sent(1, 2)
    assert bench.world.people("aud-warm") == sent(2)
    assert bench.ledger.delivery.unsettled(LIST) == []


@settings(max_examples=8, deadline=None)
@given(position=st.integers(0, 199))
@pytest.mark.fault(7)
def test_poison_is_isolated_in_log2_calls(tmp_path_factory, position):
    """One bad row must not hold back its neighbours, nor cost a call each."""
    from toybench import Bench
    from toys import ToyTags

    bench = Bench(tmp_path_factory.mktemp("poison"), people=200)
    bench.world.fail("poison", f"r{position}", times=99)
    everyone(bench)
    size = ToyTags.batch_size
    ToyTags.batch_size = lambda *_: 200
    try:
        done = bench.sync(TAGS)[TAGS]
    finally:
        ToyTags.batch_size = size
    replies = [r[0] for r in bench.ledger._db.rows("SELECT outcome FROM reply ORDER BY n")]
    isolating = next(n for n in range(len(replies), 0, -1) if replies[n - 1] == "batch_refused")

    assert done.rejected == 1
    assert len(bench.world.tags()) == 199
    assert isolating <= math.ceil(math.log2(200)) + 1
    assert done.calls <= math.ceil(math.log2(200)) + 2
    bench.close()


@pytest.mark.fault(7)
def test_poison_is_found_at_every_place_of_a_batch():
    """A search that is off by one would blame a neighbour at some place, and send the poison on."""
    for place in range(200):
        wire = Paper(None, None, None, None, "run", None)
        wire.poison, wire.calls, wire.landed, wire.rejected = place, 0, [], []

        rest = wire.isolate([SimpleNamespace(intent=n, digest="") for n in range(200)])

        assert wire.rejected == [place]
        assert sorted(wire.landed + [one.intent for one in rest]) == [
            n for n in range(200) if n != place
        ]
        assert 1 + wire.calls <= math.ceil(math.log2(200)) + 1


class Paper(Wire):
    """A wire that carries nothing: whatever batch holds the poison is refused."""

    def send(self, loads):
        self.calls += 1
        refused = any(one.intent == self.poison for one in loads)
        self.landed += [] if refused else [one.intent for one in loads]
        return Sent(refused=refused, loads=list(loads))

    def reject(self, intent, digest, reason):
        self.rejected.append(intent)


@pytest.mark.fault(7)
def test_two_poisoned_rows_leave_the_rest(bench):
    """The search for one bad row must not blame a healthy one when there are two."""
    for member in ("r1", "r3"):
        bench.world.fail("poison", member, times=99)
    everyone(bench)

    done = bench.sync(TAGS)[TAGS]

    assert done.rejected == 2
    assert bench.world.tags().keys() == {f"r{n}" for n in range(12)} - {"r1", "r3"}


@pytest.mark.fault(6)
def test_lock_is_retried_in_smaller_batches(bench):
    """A row lock of a moment must not cost the row, and must not block its batch."""
    bench.world.fail("lock", "r1", times=2)
    bench.world.fail("lock", "r2", times=99)
    tags = everyone(bench)

    done = bench.sync(TAGS)[TAGS]

    assert done.rejected == 1
    del tags["r2"]
    assert bench.world.tags() == tags


@pytest.mark.fault(6)
def test_locked_rows_wait_longer_in_smaller_batches_and_are_set_aside_in_the_end(bench):
    """Asking a locked row at once, in the same crowd, locks it again; asking for ever costs a call
    in every run."""
    bench.world.fail("lock", "r1", times=10**6)
    everyone(bench)
    pauses, sizes, apply = [], [], toys.ToyTags.apply

    def counted(self, target, changes):
        sizes.append(len(changes))
        return apply(self, target, changes)

    toys.ToyTags.apply = counted
    try:
        done = [bench.sync(TAGS, extra={"pause": pauses.append})[TAGS] for _ in range(4)]
    finally:
        toys.ToyTags.apply = apply

    first = pauses[:3]
    assert first == sorted(first) and 0.5 <= first[0] <= 1.5 and 5 <= first[2] <= 15
    assert sizes[0] == 5 and sizes[3:6] == [1, 1, 1]
    assert [one.rejected for one in done] == [1, 1, 1, 0]
    assert done[3].calls == 0
    (aside,) = bench.ledger.quarantine.list(source=TAGS)
    assert (aside.source_id, aside.code) == ("r1", "still_busy")


@pytest.mark.fault(7)
def test_third_rejection_sets_the_row_aside(bench):
    """A row that is refused for ever must stop costing calls, and say why it is missing."""
    bench.world.fail("reject", "r1", times=99)
    everyone(bench)

    for _ in range(3):
        bench.sync(TAGS)
    fourth = bench.sync(TAGS)[TAGS]

    (aside,) = bench.ledger.quarantine.list(source=TAGS)
    assert (aside.source_id, aside.code) == ("r1", "invalid")
    assert (fourth.calls, fourth.rejected) == (0, 0)
    bench.ledger.quarantine.resolve([aside.id])
    bench.world.faults.clear()
    assert bench.sync(TAGS)[TAGS].confirmed == 1


@pytest.mark.parametrize(("fault", "error"), [("wait", Wait), ("stop", Stop)])
@pytest.mark.fault(3, 8)
def test_stopped_push_goes_on_where_it_was(bench, fault, error):
    """A rate limit in mid-push must cost no row, send none twice and need no new approval."""
    bench.guards |= {"first_run": "hold"}
    tags = everyone(bench)
    bench.plan()
    bench.ledger.plans.approve(TAGS, "ann", "first", bench.hub().now)
    bench.world.fail(fault, "r7")
    with pytest.raises(error):
        bench.sync(TAGS)
    halfway = len(bench.world.tags())

    bench.sync(TAGS)

    assert 0 < halfway < 12
    assert bench.world.tags() == tags
    assert len(bench.world.writes) == 12


@pytest.mark.fault(17)
def test_lie_is_found_by_reading_back(bench):
    """A 200 for a write that was not applied is the failure no status code shows."""
    bench.world.fail("lie", "r1")
    tags = everyone(bench)

    first = bench.sync(TAGS)[TAGS]
    claimed = bench.ledger._db.rows("SELECT member FROM intent WHERE state='confirmed'")
    second = bench.sync(TAGS)[TAGS]

    assert first.false_confirms == 1
    assert ("r1",) not in claimed and len(claimed) == 11
    assert second.confirmed == 1
    assert bench.world.tags() == tags


def test_record_that_is_gone_is_no_endless_retry(bench):
    """A record deleted at the CRM must neither fail the batch nor be believed to be tagged."""
    del bench.world.records["r1"]
    everyone(bench)

    done = bench.sync(TAGS)[TAGS]

    assert (done.confirmed, done.rejected) == (11, 1)
    assert "r1" not in bench.ledger.delivery.believed(TAGS)


def test_too_many_rejects_stop_the_push(tmp_path):
    """A destination that refuses row after row must not be shouted at to the end."""
    from toybench import Bench

    bench = Bench(tmp_path, people=60)
    for n in range(60):
        bench.world.fail("reject", f"r{n}", times=99)
    everyone(bench)

    first, planned = bench.sync(TAGS)[TAGS], bench.plan()

    assert first.rejected < 60 and first.held == 60 - first.rejected
    tags = next(p for p in planned.plans if p.target == TAGS)
    assert tags.verdict == "hold"
    assert [g.name for g in tags.guards if g.verdict == "hold"] == ["rejects"]
    bench.close()


@pytest.mark.fault(4)
def test_every_row_has_one_verdict(bench):
    """Rows in must equal confirmed and rejected and unknown, or one was lost between them."""
    for fault, member in (
        ("reject", "r1"),
        ("lock", "r2"),
        ("poison", "r3"),
        ("lost_answer", "r8"),
    ):
        bench.world.fail(fault, member)
    everyone(bench)

    done = bench.sync(TAGS)[TAGS]

    assert done.confirmed + done.rejected + done.unknown == 12
    assert len(bench.world.tags()) == done.confirmed
