"""What a plan says before it is sent: rows, calls and quota, who moves and why, when it is void."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from toybench import LIST, NOW, TAGS, Bench, one

from audiencehub.delivery.movement import WITHHELD, clause
from audiencehub.errors import ConfigError
from audiencehub.ledger import FileEntry


def guard(plan, name):
    (found,) = [g for g in plan.guards if g.name == name]
    return found


def test_planned_rows_are_confirmed_rows_plan_by_plan(bench):
    """A person who reads 2 and sees 15 confirmed trusts neither figure."""
    bench.member(warm=[1, 2, 3, 4])
    bench.sync()
    bench.grant([1], "denied", NOW)
    bench.db.execute("UPDATE contact SET email = 'new@acme.example' WHERE contact_id = 2")
    bench.member(warm=[1, 2, 3, 5])

    planned = {p.plan_id: p for p in bench.plan().plans if p.target == LIST}
    done = bench.sync(LIST)[LIST]

    consent, change = planned.values()
    assert (consent.kind, consent.removes, consent.writes) == ("consent", 1, 1)
    assert (change.adds, change.removes, change.replaced, change.writes) == (1, 1, 1, 4)
    assert done.plans == {name: {"confirmed": p.writes} for name, p in planned.items()}
    assert done.confirmed == consent.writes + change.writes


@pytest.mark.parametrize(("remaining", "verdict"), [(9, "go"), (8, "hold")])
def test_a_plan_that_needs_more_calls_than_remain_is_held(bench, remaining, verdict):
    """Half a plan at midnight, with the other half refused, is what the hold is for."""
    bench.world.store.table("quota")["crm"] = {"remaining": remaining}
    bench.member(warm=range(12))

    plan = one(bench.plan(), TAGS)

    told = guard(plan, "quota")
    assert plan.calls == 3 + 3 + 3, "three batches, a look before each, and the read-back"
    assert (plan.verdict, told.verdict == "hold") == (verdict, remaining < plan.calls)
    assert f"at most {plan.calls} API calls, {remaining} of 100 left" in told.message
    assert plan.quota["remaining"] == remaining


def test_the_plans_of_a_run_share_what_remains(bench):
    """Two plans that fit alone and not together end as one half of each."""
    bench.segments["hot"] = replace(
        bench.segments["hot"],
        activate=(replace(bench.segments["warm"].activate[1], name="Hot"),),
    )
    bench.world.store.table("quota")["ads"] = {"remaining": 4}
    bench.member(warm=range(12), hot=range(12))

    plans = {p.target: p for p in bench.plan().plans if p.target.startswith("ads/")}

    assert {p.calls for p in plans.values()} == {3}
    assert sorted(p.verdict for p in plans.values()) == ["go", "hold"]
    held = next(p for p in plans.values() if p.verdict == "hold")
    assert "3 of them set aside for this run's other plans" in guard(held, "quota").message


def test_a_hold_for_quota_ends_with_the_quota(bench):
    """Nobody should have to approve that a day has passed."""
    quotas = bench.world.store.table("quota")
    quotas["crm"] = {"remaining": 0}
    bench.member(warm=[1])
    held = one(bench.plan(), TAGS)
    quotas["crm"] = {"remaining": 100}

    later = one(bench.plan(), TAGS)

    assert (held.plan_id, held.verdict) == (later.plan_id, "hold")
    assert later.verdict == "go"
    assert len(bench.world.writes) == 0


def test_the_last_known_quota_is_told_with_its_age(bench):
    """A vendor that is down for a minute must not take the figure away, nor make it look new."""
    bench.world.store.table("quota")["crm"] = {"remaining": 50}
    bench.member(warm=[1])
    bench.plan()
    bench.world.fail("silent")
    bench.member(warm=[1, 2])

    plan = one(bench.plan(now=NOW + timedelta(hours=8)), TAGS)

    assert plan.quota["remaining"] == 50
    assert plan.quota["age_hours"] == 7
    assert "read 7 h ago" in guard(plan, "quota").message


def test_a_percentage_is_not_compared_with_calls(bench):
    """Meta tells percent: 40 of them are not forty calls."""
    quotas = bench.world.store.table("quota")
    bench.member(warm=range(12))
    quotas["ads"] = {"remaining": 2, "unit": "percent"}
    few = one(bench.plan(), LIST)
    quotas["ads"] = {"remaining": 0, "unit": "percent"}
    none = one(bench.plan(), LIST)

    assert (few.verdict, none.verdict) == ("go", "hold")
    assert "2 % of calls a day left" in guard(few, "quota").message


def test_movement_names_clauses_and_rules(bench):
    """`12 leave` says nothing; the clause that they leave by says whether it is right."""
    bench.member(why="at least 3 visits (4); trait.score 12", warm=[1, 2, 3])
    first = one(bench.plan(), LIST).movement
    bench.sync()
    log = [("contact", 1, "warm", "no longer: at least 3 visits (now 2)")]
    since = [("contact", n, "warm", "visits", "1a2b") for n in (1, 2, 3)]
    bench.ledger.membership.record("r", NOW, since, [])
    bench.ledger.membership.record("r", NOW, [], log)
    bench.segments["warm"] = replace(bench.segments["warm"], version="9z")
    bench.grant([3], "denied", NOW)
    bench.member(why="at least 3 visits (4); trait.score 12", warm=[2, 3])

    consent, change = [p for p in bench.plan().plans if p.target == LIST]

    assert first[0].entered_by == [("at least 3 visits; trait.score", 3)]
    assert (first[0].enters, first[0].rule, first[0].sample_in) == (3, "", ["1", "2", "3"])
    assert change.movement[0].left_by == [("at least 3 visits", 1)]
    assert change.movement[0].rule == "v1a2b to v9z"
    assert consent.movement[0].left_by == [(WITHHELD, 1)]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("no longer: trait.engagement no longer at least 30 (now 35)",
         "trait.engagement no longer at least 30"),
        ("account.employee_count 470; contact.is_employee unknown",
         "account.employee_count; contact.is_employee unknown"),
        ("event name is login within the last 90 days: at least 5 (47)",
         "event name is login within the last 90 days: at least 5"),
        ("", "no reason is known"),
    ],
)  # fmt: skip
def test_a_clause_is_told_without_one_persons_figures(line, told):
    """With figures in it each clause would count one person, and name what is theirs."""
    assert clause(line) == told


def test_exclusions_tell_denied_from_unknown(bench):
    """Who said no may not be asked again; who said nothing may."""
    bench.people = 0
    bench.grant([1], "denied", NOW)
    bench.ledger._db.run("DELETE FROM consent_decision WHERE person_id=2")
    bench.ledger.consent.suppress("contact", [3], "asked by mail", "ann", NOW)
    bench.member(warm=[1, 2, 3, 4])

    excluded = one(bench.plan(), LIST).excluded

    assert excluded == {"consent_denied": 1, "no_consent": 1, "suppressed": 1}


@pytest.fixture
def held(bench):
    """A held plan of the list, and the doors to make it stale."""
    bench.guards |= {"first_run": "hold"}
    bench.member(warm=[1, 2])
    return one(bench.plan(), LIST)


def ended(bench, plan):
    bench.plan()
    found = bench.ledger.plans.get(plan.plan_id)
    return found.state, found.ended


def test_changed_data_void_a_plan_and_say_so(bench, held):
    """An approver whose plan has vanished must read why."""
    bench.member(warm=[1, 3, 4])
    state, why = ended(bench, held)
    assert state == "void"
    assert why == "the data changed: 1 of its 2 changes went, 2 came"


def test_a_changed_rule_voids_a_plan_and_is_named(bench, held):
    """The same people by another rule are another decision."""
    bench.segments["warm"] = replace(bench.segments["warm"], version="9z")
    assert ended(bench, held) == ("void", "the rule warm changed (v1a2b to v9z)")


def test_changed_settings_void_a_plan_even_an_approved_one(bench, held):
    """An approval given under other limits covers nothing."""
    bench.ledger.plans.approve(held.plan_id, "ann", "looks right", NOW)
    bench.guards |= {"removals_count": 3}
    assert ended(bench, held) == ("void", "the guards changed")
    acts = [(a.what, a.subject) for a in bench.ledger.audit.entries()]
    assert ("void", held.plan_id) in acts


def test_a_withdrawal_voids_a_plan_and_is_told_apart(bench, held):
    """Consent that went is not `data`: it is the one reason that must never be argued with."""
    bench.grant([2], "denied", NOW)
    _, why = ended(bench, held)
    assert why.startswith("1 of its people may not be sent any more; the data changed")


def test_a_frozen_plan_dies_of_rules_and_settings_but_not_of_data(bench, held):
    """Freezing keeps what is under review; it must not keep what nobody decided that way."""
    bench.ledger.plans.freeze(held.plan_id, 48, NOW)
    bench.member(warm=[1, 3])
    assert ended(bench, held) == ("open", None)
    bench.segments["warm"] = replace(bench.segments["warm"], version="9z")
    assert ended(bench, held)[0] == "void"


def test_approving_a_void_plan_says_why_it_is_void(bench, held):
    """`No plan waits` to somebody who has its number before them helps nobody."""
    bench.member(warm=[3])
    bench.plan()
    with pytest.raises(ConfigError, match=r"is void: the data changed: 2 of its 2"):
        bench.ledger.plans.approve(held.plan_id, "ann", "late", NOW)


def test_an_approval_names_the_guards_it_overrides(bench, held):
    """`ann approved p1` is half an answer when somebody asks what she waved through."""
    bench.ledger.plans.approve(held.plan_id, "ann", "looked at all 2", NOW)
    (act,) = [a for a in bench.ledger.audit.entries() if a.what == "approve"]
    assert act.detail["reason"] == "looked at all 2"
    assert [one["name"] for one in act.detail["over"]] == ["first_run"]


def test_a_source_that_was_not_read_for_days_takes_nobody_out(tmp_path):
    """Behavior ages out of a window while nobody reads: silence would empty every audience."""
    bench = Bench(tmp_path)
    for stream in ("contact", "event"):
        bench.ledger.manifests.record(
            "r", "crm", stream, [FileEntry(stream, 9, "x")], 9, True, None, True, None, NOW
        )
    bench.member(warm=range(10))
    bench.sync()
    bench.member(warm=[1, 11])

    late = one(bench.plan(now=NOW + timedelta(hours=49)), LIST)
    soon = one(bench.plan(now=NOW + timedelta(hours=47)), LIST)

    assert {g.verdict for g in late.guards if g.name == "stale_source"} == {"defer"}
    assert (late.adds, late.removes, late.excluded["deferred"]) == (1, 0, 9)
    assert (soon.adds, soon.removes) == (1, 9)
    bench.close()
