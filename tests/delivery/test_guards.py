"""Guards hold a plan before anything of it is sent; approval releases exactly that plan."""

from __future__ import annotations

from datetime import timedelta

import pytest
from toybench import LIST, NOW, TAGS, Bench, one, sent

from audiencehub.errors import ConfigError
from audiencehub.ledger import FileEntry
from audiencehub.rules.book import Activation


@pytest.fixture
def crowd(tmp_path):
    """Three hundred people, guards as shipped, and a first push that was approved."""
    bench = Bench(tmp_path, people=300, guards={"first_run": "go", "field_share": 1.0})
    yield bench
    bench.close()


def holding(planned, target=TAGS):
    return {g.name for g in one(planned, target).guards if g.verdict == "hold"}


def test_first_run_waits_and_sends_nothing(bench):
    """The very first plan is where a wrong rule does most harm."""
    bench.guards |= {"first_run": "hold"}
    bench.member(warm=[1])

    planned = bench.plan()
    done = bench.sync()

    assert {p.verdict for p in planned.plans} == {"hold"}
    assert len(bench.world.writes) == 0
    assert done[TAGS].held == 1


def test_live_waits_for_its_first_plan_whatever_the_settings_say(tmp_path):
    """`first_run = go` is for sandboxes; a real CRM is never first written unseen."""
    bench = Bench(tmp_path, mode="live")
    bench.member(warm=[1])

    assert {p.verdict for p in bench.plan().plans} == {"hold"}
    bench.close()


@pytest.mark.parametrize(
    ("gone", "holds"), [(30, set()), (31, {"removals"}), (200, {"removals", "segment_to_none"})]
)
def test_removals_above_the_share_hold(crowd, gone, holds):
    """A broken source that empties a segment must not empty the audience."""
    crowd.member(warm=range(200))
    crowd.sync(TAGS)
    crowd.member(warm=range(gone, 200))

    assert holding(crowd.plan()) == holds


def test_few_removals_pass_whatever_their_share(crowd):
    """Twenty of twenty-five is an ordinary day of a small segment."""
    crowd.member(warm=range(25))
    crowd.sync(TAGS)
    crowd.member(warm=range(20, 25))

    assert holding(crowd.plan()) == set()


def test_adds_above_half_and_two_hundred_hold(crowd):
    """A rule that suddenly matches everyone must not tag everyone."""
    crowd.member(warm=range(50))
    crowd.sync(TAGS)
    crowd.member(warm=range(251))

    assert holding(crowd.plan()) == {"adds"}


def test_writes_across_the_crm_hold(crowd):
    """A quarter of a CRM touched in one night is a mistake until someone says otherwise."""
    crowd.guards["field_share"] = 0.25
    crowd.member(warm=range(75))
    assert holding(crowd.plan()) == set()
    crowd.member(warm=range(76))
    assert holding(crowd.plan()) == {"field_share"}


def test_activation_narrows_its_own_removals(crowd):
    """`max_removals` in a rule must hold where the general guard would not."""
    from toybench import Segment

    own = Activation("crm", "tag", "Warm", max_removals_share=0.01, max_removals_count=2)
    crowd.segments = {"warm": Segment("Warm", activate=(own,))}
    crowd.member(warm=range(200))
    crowd.sync(TAGS)
    crowd.member(warm=range(3, 200))

    assert holding(crowd.plan()) == {"removals"}


def pulled(bench, rows, *, complete=True, full=True, hour=0):
    bench.ledger.manifests.record(
        "r", "crm", "contact", [FileEntry(f"f{hour}", rows, "x")], rows, complete,
        None if complete else "cut", full, None, NOW + timedelta(hours=hour),
    )  # fmt: skip


def test_incomplete_source_removes_nobody(crowd):
    """Absence in a pull that broke off says nothing; adds go on."""
    crowd.member(warm=range(50))
    crowd.sync()
    pulled(crowd, 10, complete=False)
    crowd.member(warm=[*range(10), 60])

    planned = crowd.plan()
    crowd.sync()

    assert one(planned, TAGS).excluded["deferred"] == 40
    assert crowd.world.tags().keys() == {f"r{n}" for n in [*range(50), 60]}
    assert crowd.world.people("aud-warm") == sent(*range(50), 60)
    pulled(crowd, 300, hour=1)
    crowd.guards |= {"removals_count": 99}
    crowd.sync()
    assert crowd.world.people("aud-warm") == sent(*range(10), 60)


def test_source_that_shrank_holds_until_someone_has_looked(crowd):
    """A complete pull with a tenth of the rows missing is a wrong filter until proven otherwise."""
    for hour, rows in enumerate([100, 101, 99, 100, 102, 89]):
        pulled(crowd, rows, hour=hour)
    crowd.member(warm=[1])
    planned = crowd.plan()
    crowd.ledger.plans.approve(
        one(planned, TAGS).plan_id, "ann", "we deleted the test leads", NOW + timedelta(hours=9)
    )
    crowd.sync(TAGS)
    crowd.member(warm=[1, 2])

    assert holding(planned) == {"source_rows"}
    assert holding(crowd.plan()) == set()
    assert holding(crowd.plan(), LIST) == {"source_rows"}


def test_approval_dies_with_the_plan_it_was_given_to(bench):
    """An approval must never cover changes that nobody saw."""
    bench.guards |= {"first_run": "hold"}
    bench.member(warm=[1])
    first = one(bench.plan(), TAGS)
    again = one(bench.plan(), TAGS)
    bench.ledger.plans.approve(first.plan_id, "ann", "looks right", NOW)
    kept = one(bench.plan(), TAGS)
    bench.member(warm=[1, 2])
    other = one(bench.plan(), TAGS)

    assert (again.plan_id, again.hash, again.verdict) == (first.plan_id, first.hash, "hold")
    assert (kept.plan_id, kept.verdict) == (first.plan_id, "approved")
    assert other.verdict == "hold" and other.hash != first.hash
    assert bench.ledger.plans.get(first.plan_id).state == "void"
    with pytest.raises(ConfigError):
        bench.ledger.plans.approve(first.plan_id, "ann", "again", NOW)


def test_other_figures_keep_the_approval(bench):
    """Reasons change every night; an approval that died of it could never be used."""
    bench.guards |= {"first_run": "hold"}
    bench.member(warm=[1])
    first = one(bench.plan(), TAGS)
    bench.member(warm=[1], why="4 visits")

    assert one(bench.plan(), TAGS).plan_id == first.plan_id


def test_new_rule_version_voids_the_approval(bench):
    """The same people by another rule are another decision."""
    from dataclasses import replace

    bench.guards |= {"first_run": "hold"}
    bench.member(warm=[1])
    first = one(bench.plan(), TAGS)
    bench.segments["warm"] = replace(bench.segments["warm"], version="9z")

    assert one(bench.plan(), TAGS).hash != first.hash


def test_approved_plan_is_applied_without_planning_again(bench):
    """`apply` must send what was approved, on the audit's record."""
    from audiencehub.steps.push import push

    bench.guards |= {"first_run": "hold"}
    bench.member(warm=[1])
    planned = bench.plan()
    bench.member(warm=[1, 2])
    bench.ledger.plans.approve(planned.run_id, "ann", "looks right", NOW)

    for target in (TAGS, LIST):
        push(bench.hub(), target)

    assert bench.world.people("aud-warm") == sent(1)
    acts = [(a.who, a.what) for a in bench.ledger.audit.entries()]
    assert acts.count(("ann", "approve")) == 2
    assert bench.ledger.audit.verify() == []


def test_frozen_plan_outlasts_later_syncs(bench):
    """A plan under review must not be swapped for another beneath the reviewer's eyes."""
    bench.guards |= {"first_run": "hold"}
    bench.member(warm=[1])
    first = one(bench.plan(), TAGS)
    bench.ledger.plans.freeze(first.plan_id, 48, NOW)
    bench.member(warm=[1, 2])

    assert one(bench.plan(), TAGS).plan_id == first.plan_id
    later = bench.plan(now=NOW + timedelta(hours=49))
    assert one(later, TAGS).plan_id != first.plan_id


def test_approval_needs_a_reason(bench):
    """An override without a why cannot be answered for later."""
    bench.guards |= {"first_run": "hold"}
    bench.member(warm=[1])
    planned = bench.plan()

    with pytest.raises(ConfigError, match="reason"):
        bench.ledger.plans.approve(one(planned, TAGS).plan_id, "ann", " ", NOW)
