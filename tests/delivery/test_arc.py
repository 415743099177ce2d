"""The arc from members to places, through the plan and push steps."""

from __future__ import annotations

from toybench import LIST, TAGS, one, sent


def test_members_arrive_with_their_reason(bench):
    """A tag without its reason, or a person off the list, would make the first sync useless."""
    bench.member(warm=[1, 2], hot=[2])

    done = bench.sync()

    assert bench.world.tags() == {"r1": ("warm",), "r2": ("hot", "warm")}
    assert bench.world.records["r2"]["reason"] == (
        "Hot since 2026-11-16: pricing visits (rule v1a2b)\n"
        "Warm since 2026-11-16: pricing visits (rule v1a2b)"
    )
    assert bench.world.people("aud-warm") == sent(1, 2)
    assert (done[TAGS].confirmed, done[LIST].confirmed) == (2, 2)


def test_second_sync_sends_nothing(bench):
    """A sync that writes what is already there spends quota and wakes up every workflow."""
    bench.member(warm=[1, 2])
    bench.sync()
    before = len(bench.world.writes)
    bench.member(warm=[1, 2], why="other figures")

    done = bench.sync()

    assert len(bench.world.writes) == before
    assert done[TAGS].calls == done[LIST].calls == 0
    assert "other figures" not in bench.world.records["r1"]["reason"]


def test_only_differences_go_out(bench):
    """Rows written must be the records whose tag set differs, counted by the vendor."""
    bench.member(warm=range(8))
    bench.sync()
    before = len(bench.world.writes)
    bench.member(warm=range(1, 9))

    bench.sync()

    written = [doc["member"] for doc in list(bench.world.writes.values())[before:]]
    assert sorted(written) == ["0", "8", "r0", "r8"]
    assert bench.world.people("aud-warm") == sent(*range(1, 9))


def test_nobody_without_consent_is_sent(bench):
    """Silence is no: a person nobody asked must never reach an ad platform."""
    bench.grant([3], status="denied")
    bench.member(warm=[2, 3])

    planned = bench.plan()
    bench.sync()

    assert one(planned, LIST).excluded == {"consent_denied": 1}
    assert bench.world.people("aud-warm") == sent(2)
    assert bench.world.tags() == {"r2": ("warm",), "r3": ("warm",)}


def test_withdrawal_is_a_plan_of_its_own_that_nothing_holds(bench):
    """A withdrawal that waits behind a volume guard is an ad shown against a will."""
    bench.member(warm=range(10))
    bench.sync()
    bench.guards |= {"removals_count": 0, "removals_share": 0.0}
    bench.grant([1], status="denied")
    bench.member(warm=[0, 1, 2])

    planned = bench.plan()
    done = bench.sync()

    assert one(planned, LIST, "consent").verdict == "go"
    assert one(planned, LIST).verdict == "hold"
    assert bench.world.people("aud-warm") == sent(0, *range(2, 10))
    assert done[LIST].held == 7


def test_withdrawal_between_plan_and_push_is_seen(bench):
    """The plan is older than the word of the person; the batch must ask again."""
    bench.member(warm=[1, 2])
    hub = bench.hub()
    from audiencehub.steps.plan import plan
    from audiencehub.steps.push import push

    plan(hub)
    bench.grant([2], status="denied")
    done = push(hub, LIST)

    assert bench.world.people("aud-warm") == sent(1)
    assert done.superseded == 1


def test_suppressed_person_loses_every_tag(bench):
    """Erasure must reach the CRM as well, past every guard."""
    bench.member(warm=[1, 2], hot=[1])
    bench.sync()
    bench.guards |= {"removals_count": 0, "removals_share": 0.0, "segment_to_none": True}
    bench.ledger.consent.suppress("contact", [1], "erasure", "dpo", bench.hub().now)

    bench.sync()

    assert bench.world.tags() == {"r2": ("warm",)}
    assert bench.world.people("aud-warm") == sent(2)


def test_removal_carries_what_was_added(bench):
    """A changed e-mail must not leave the old one on the platform for ever."""
    bench.member(warm=[1])
    bench.sync()
    bench.db.execute("UPDATE contact SET email='new@acme.example' WHERE contact_id=1")
    bench.sync()
    moved = bench.world.people("aud-warm")
    bench.member()

    bench.sync()

    assert len(moved) == 1 and moved != sent(1)
    assert bench.world.people("aud-warm") == set()


def test_merge_moves_no_one_off_the_list(bench):
    """Two records found to be one person: the same e-mail must not be added, then removed."""
    bench.member(warm=[1])
    bench.sync()
    bench.db.execute("UPDATE contact SET email='p1@acme.example' WHERE contact_id=0")
    bench.member(warm=[0])

    done = bench.sync()

    assert bench.world.people("aud-warm") == sent(1)
    assert done[LIST].calls == 0


def test_shared_identifier_stays_for_who_stays(bench):
    """One phone of two people: the one who leaves must not take the other out."""
    bench.db.execute("UPDATE contact SET phone='+14155550100' WHERE contact_id IN (1, 2)")
    bench.member(warm=[1, 2])
    bench.sync()
    full = bench.world.people("aud-warm")
    bench.member(warm=[2])

    bench.sync()

    assert len(full) == 3
    assert bench.world.people("aud-warm") == full - sent(1)


def test_held_out_people_reach_no_destination(bench):
    """A holdout that is tagged anyway makes every measured lift a lie."""
    from toybench import Segment

    from audiencehub.delivery.desired import held_out
    from audiencehub.rules.book import Experiment

    bench.segments["warm"] = Segment(
        "Warm",
        activate=bench.segments["warm"].activate,
        experiment=Experiment("warm-test", 0.5),
    )
    bench.member(warm=range(12))
    out = {n for n in range(12) if held_out(bench.segments["warm"], "contact", n)}

    planned = bench.plan()
    bench.sync()

    assert 0 < len(out) < 12
    assert one(planned, TAGS).excluded["holdout"] == len(out)
    assert bench.world.tags().keys() == {f"r{n}" for n in range(12) if n not in out}
    assert bench.world.people("aud-warm") == sent(*(n for n in range(12) if n not in out))


def test_nothing_is_sent_without_leave(bench):
    """Dry run, or sandbox mode where no sandbox listens, must not touch a vendor."""
    bench.member(warm=[1])

    dry = bench.sync(dry_run=True)
    alone = bench.sync(endpoints={})
    bench.mode = "dry_run"
    never = bench.sync()

    assert len(bench.world.writes) == 0
    assert all(o.dry_run and o.held for r in (dry, alone, never) for o in r.values())


def test_rule_that_no_longer_goes_there_takes_its_tags_out(bench):
    """A tag of a retired rule would stay on records for ever."""
    bench.member(warm=[1], hot=[2])
    bench.sync()
    bench.segments = {"hot": bench.segments["hot"]}

    bench.sync()

    assert bench.world.tags() == {"r2": ("hot",)}
    assert bench.world.people("aud-warm") == set()
