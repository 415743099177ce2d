"""Explanations: what was seen, and the nearest change that would flip it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from audiencehub.rules import Profile, Seen, explain, facts, run_examples
from audiencehub.rules.language.profile import profile_from_example
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.examples import read_examples
from audiencehub.rules.load.tree import read
from tests.rules.chance import Chance
from tests.rules.kit import CLOCK, ZONE, book, dump, segment

RULE = {
    "all": [
        {"account.industry": ["fintech", "banking"]},
        {"account.employee_count": {"at_least": 1000}},
        {"event": {"name": "page_view", "count": {"at_least": 3}, "within": "30 days"}},
        {"not": {"segment": "customers"}},
    ]
}
BOOK = book(
    segment("wanted", RULE),
    segment("customers", {"lifecycle_stage": "customer"}),
    segment("big", {"employee_count": {"at_least": 500}}, "account"),
)


def profile(given: Any, of: Any = "contact") -> Profile:
    tree, _ = read("x", dump([{"given": given, "member": True}]))
    assert tree is not None
    (example,) = read_examples(Desk("x"), of, tree)
    return profile_from_example(example.given, CLOCK, ZONE)


def test_a_near_miss_names_the_one_clause_and_the_value_needed():
    """Whoever asks why a contact is not tagged wants the one thing that is missing."""
    near = profile(
        {
            "account": {"industry": "fintech", "employee_count": 800},
            "event": [{"name": "page_view", "times": 3}],
        }
    )

    (found,) = explain(BOOK, near, CLOCK, ["wanted"])

    assert not found.matches
    assert found.flip == ("account.employee_count at least 1000, 200 more (now 800)",)
    assert [(one.verdict, one.seen) for one in found.clauses] == [
        (False, ""),
        (True, "fintech"),
        (False, "800"),
        (True, "3"),
        (True, ""),
        (False, ""),
    ]
    assert any("to enter" in line for line in found.lines())


def test_the_cheapest_way_is_chosen():
    """Of two ways in, the one that is nearly reached is the useful one."""
    rules = book(
        segment(
            "a",
            {
                "any": [
                    {"account.employee_count": {"at_least": 1000}},
                    {"event": {"name": "login", "count": {"at_least": 50}}},
                    {"all": [{"title": "CFO"}, {"country": "US"}]},
                ]
            },
        )
    )
    near = profile({"account": {"employee_count": 999}, "event": ["login"]})

    assert explain(rules, near, CLOCK)[0].flip == (
        "account.employee_count at least 1000, 1 more (now 999)",
    )


def test_an_account_is_explained_with_its_own_segments():
    """An account is asked about account rules alone."""
    near = profile({"account": {"employee_count": 499}}, "account")

    found = explain(BOOK, near, CLOCK)

    assert [one.segment for one in found] == ["big"]
    assert found[0].flip == ("account.employee_count at least 500, 1 more (now 499)",)


def test_source_and_age_are_said_where_known():
    """A value without its source and age cannot be trusted or corrected."""
    seen = {"contact.lifecycle_stage": Seen("hubspot", CLOCK - timedelta(days=3))}
    one = Profile({"lifecycle_stage": "customer"}, None, {}, frozenset(), seen)

    (found,) = explain(BOOK, one, CLOCK, ["customers"], {"customers": False})
    clause = found.clauses[0]

    assert (clause.source, clause.age, clause.seen) == ("hubspot", "3 days ago", "customer")
    assert "(hubspot, 3 days ago)" in found.lines()[1]
    assert "not yet a member" in found.lines()[0]
    assert json.loads(json.dumps(found.json()))["clauses"][0]["source"] == "hubspot"


def test_facts_are_the_deciding_clauses_without_private_values():
    """The reason in the CRM names what decided, never an e-mail address."""
    rule = segment(
        "a",
        {
            "all": [
                {"email": {"ends_with": "@x.example"}},
                {"any": [{"account.industry": "fintech"}, {"title": "CFO"}]},
            ]
        },
    )
    one = profile({"contact": {"email": "mary@x.example"}, "account": {"industry": "fintech"}})

    found = facts(rule, one, CLOCK, ZONE)

    assert found == ("contact.email ends with @x.example", "account.industry fintech")
    assert facts(rule, profile({}), CLOCK, ZONE) == ()


def test_failing_examples_say_what_would_have_held():
    """A red example without its reason is debugged by guessing."""
    rule = segment(
        "a",
        {"employee_count": {"at_least": 10}},
        "account",
        examples=[
            {"name": "small", "given": {"account": {"employee_count": 9}}, "member": True},
            {"given": {"account": {"employee_count": 9}}, "member": False},
        ],
    )

    first, second = run_examples(book(rule), CLOCK)

    assert (first.passed, first.name, first.number) == (False, "small", 1)
    assert "1 more" in first.why
    assert second.passed


def test_an_example_may_have_its_own_clock():
    """Rules about dates must be testable in any year."""
    when = {"order": {"after": "2026-01-31", "before": "2026-03-01"}}
    given = {"order": [{"total": 5, "days_ago": 3}]}
    rule = segment(
        "a",
        when,
        examples=[
            {"given": given, "member": True, "at": "2026-02-10"},
            {"given": given, "member": False, "at": "2026-03-10"},
        ],
    )

    assert all(one.passed for one in run_examples(book(rule), CLOCK))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_everything_can_be_explained(seed):
    """No rule and no profile may end an explanation in a traceback."""
    chance = Chance(seed)
    rules = book(*(segment(f"s{n}", chance.rule("contact", [])) for n in range(5)))
    world = chance.world()
    one = Profile(world.contacts[1], world.accounts[10], world.facts)

    for found in explain(rules, one, chance.clock):
        assert found.lines()
        json.dumps(found.json())
        facts(rules.segments[found.segment], one, chance.clock, chance.zone)
