"""Why one person is on a list or not, told as the plan of that list decides it."""

from __future__ import annotations

from dataclasses import replace

import toys
from toybench import NOW, Segment

from audiencehub.delivery.standing import standings
from audiencehub.rules.book import Activation, Experiment
from audiencehub.settings.tables import Priority
from audiencehub.steps.plan import plan
from audiencehub.steps.push import push

HIGH, LOW = "ads/list/high", "ads/list/low"


def told(bench, hub, person):
    """Target to (there, why not)."""
    found = standings(
        bench.db,
        bench.ledger,
        hub.settings,
        hub.rules,
        {"ads": toys.ToyLists.can, "crm": toys.ToyTags.can},
        person,
        hub.now,
    )
    return {one.target: (one.there, one.why_not) for one in found}


def test_each_person_is_told_what_the_plan_does(bench):
    """An answer that differs from what is sent is worse than none."""
    bench.segments = {
        "high": Segment("High", activate=(Activation("ads", "list", "High", most=2),)),
        "low": Segment("Low", activate=(Activation("ads", "list", "Low", exclude=("apart",)),)),
    }
    bench.member(high=[0, 1, 2, 3, 4], low=[0, 5, 6, 7], apart=[6])
    bench.grant([3], status="denied", at=NOW)
    bench.db.execute("UPDATE contact SET email='nobody' WHERE contact_id=7")
    ranked = Priority(destinations=["ads"], segments=["high", "low"])
    hub = bench.hub()
    hub = replace(hub, settings=hub.settings.model_copy(update={"priorities": {"win": ranked}}))
    plan(hub)
    push(hub, HIGH)
    push(hub, LOW)
    assert {n: told(bench, hub, n) for n in range(9)} == {
        0: {HIGH: (True, ""), LOW: (False, "higher_list")},
        1: {HIGH: (True, "")},
        2: {HIGH: (False, "over_the_cap")},
        3: {HIGH: (False, "consent_denied")},
        4: {HIGH: (False, "over_the_cap")},
        5: {LOW: (True, "")},
        6: {LOW: (False, "excluded_segment")},
        7: {LOW: (False, "email: not an e-mail address")},
        8: {},
    }


def test_who_left_and_who_is_held_out(bench):
    """Who is on a list for no reason any more must see that it ends; who is held out, why."""
    bench.segments = {"high": Segment("High", activate=(Activation("ads", "list", "High"),))}
    bench.member(high=range(4))
    hub = bench.hub()
    plan(hub)
    push(hub, HIGH)
    bench.segments["high"] = replace(bench.segments["high"], experiment=Experiment("t", 0.999))
    bench.member(high=[0, 1, 2])
    hub = bench.hub()
    assert told(bench, hub, 3) == {HIGH: (True, "left")}
    assert told(bench, hub, 0) == {HIGH: (True, "holdout")}
