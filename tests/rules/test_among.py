"""Conditions on an entity among others: contacts of an account, ranks, earlier membership."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from audiencehub.rules import explain
from audiencehub.rules.examples import run_examples
from audiencehub.rules.language.profile import profile_from_example
from audiencehub.rules.load.tree import plain, read
from audiencehub.testing import oracle
from audiencehub.testing.world import World
from tests.rules.kit import CLOCK, ZONE, book, by_sql, segment


def agreed(rules: Any, world: World, clock: datetime = CLOCK) -> dict[str, set[int]]:
    """The members, on which the compiled rules and the oracle must agree."""
    found = by_sql(rules, world, clock)
    assert found == oracle.members(rules, world, clock)
    return found


PEOPLE = World(
    contacts={
        1: {"title": "CFO", "account_id": 10},
        2: {"title": "CTO", "account_id": 10},
        3: {"title": "CFO", "account_id": 11},
        4: {"title": "CFO"},
    },
    accounts={10: {"industry": "fintech"}, 11: {"industry": "retail"}, 12: {}},
)


def test_a_condition_on_contacts_may_ask_for_segments_of_either_kind():
    """An account rule that loses the segments of its people picks the wrong companies."""
    deciders = {"all": [{"segment": "finance"}, {"segment": "fintechs"}]}
    rules = book(
        segment("finance", {"title": "CFO"}),
        segment("fintechs", {"industry": "fintech"}, "account"),
        segment("wanted", {"contacts": {"where": deciders}}, "account"),
        segment(
            "whole", {"contacts": {"match": "all", "where": {"segment": "finance"}}}, "account"
        ),
        segment("theirs", {"segment": "wanted"}),
    )

    found = agreed(rules, PEOPLE)

    assert found["wanted"] == {10} and found["whole"] == {11} and found["theirs"] == {1, 2}
    assert rules.segments["wanted"].needs == ("finance", "fintechs")


@pytest.mark.parametrize(
    ("match", "changes"),
    [
        ("any", ("a contact: contact.title is CFO (now CTO)",)),
        ("all", ("a contact: contact.title is CFO (now CTO)",)),
        (
            {"at_least": 2},
            (
                "a contact: contact.title is CFO (now CTO)",
                "1 more contact with contact.title is CFO",
            ),
        ),
    ],
)
def test_explain_says_which_people_are_missing(match, changes):
    """Who explains a company must see what its people lack, not only that they do."""
    rule = segment("s", {"contacts": {"match": match, "where": {"title": "CFO"}}}, "account")
    given = {"contact": None, "account": {}, "crew": [{"contact": {"title": "CTO"}}]}
    profile = profile_from_example(given, CLOCK, ZONE)

    (told,) = explain(book(rule), profile, CLOCK)

    assert told.clauses[0].seen == "0 of 1 contact"
    assert told.flip == changes


def _cases(name: str) -> list[dict[str, Any]]:
    tree, faults = read(name, (Path(__file__).parent / "cases" / name).read_bytes())
    assert not faults
    found: list[dict[str, Any]] = plain(tree)
    return found


@pytest.mark.parametrize("case", _cases("ranks.yaml"), ids=lambda case: case["name"])
def test_rank(case):
    """A rank that lets the wrong people in spends a budget on them."""
    people = {
        number: {"weight": _number(one.get("w")), "title": one.get("t"), "account_id": one.get("a")}
        for number, one in enumerate(case["people"], 1)
    }
    accounts = {
        10: {"annual_revenue": Decimal(100), "industry": "fintech"},
        20: {"annual_revenue": Decimal(200), "industry": "fintech"},
        30: {"industry": "retail"},
    }
    rule = segment("s", {"rank": case["rank"]}, case.get("of", "contact"))

    assert agreed(book(rule), World(people, accounts))["s"] == set(case["in"])


def _number(value: int | None) -> float | None:
    return None if value is None else float(value)


REVENUE = {"rank": {"by": "account.annual_revenue", "bottom": "10%", "within": "account.country"}}
PLACED = {"by": "account.annual_revenue", "from": "bottom", "within": "account.country"}


@pytest.mark.parametrize(
    ("place", "member"),
    [
        ({**PLACED, "place": 2, "of": 11}, True),
        ({**PLACED, "place": 2, "of": 10}, False),
        ({**PLACED, "place": 1}, False),
        ({**PLACED, "place": 1, "of": 11, "from": "top"}, False),
        ({"by": "account.annual_revenue", "place": 1, "of": 11, "from": "bottom"}, False),
    ],
)
def test_an_example_gives_a_place(place, member):
    """An example of a rank says a place, for nobody can describe a whole company in one."""
    given = {"account": {}, "rank": place}
    rule = segment("s", REVENUE, examples=[{"given": given, "member": member}])

    (outcome,) = run_examples(book(rule), CLOCK)

    assert outcome.passed


def test_explain_says_how_many_are_ahead():
    """A near-miss by rank needs the place and what it would take."""
    rule = segment("s", {"rank": {"by": "account.annual_revenue", "top": 10}})
    given = {"account": {}, "rank": {"by": "account.annual_revenue", "place": 13, "of": 40}}
    example = segment("e", {"match_all": True}, examples=[{"given": given, "member": True}])
    profile = profile_from_example(example.examples[0].given, CLOCK, ZONE)

    (told,) = explain(book(rule), profile, CLOCK)

    assert told.clauses[0].clause == "among the top 10 by account.annual_revenue"
    assert told.clauses[0].seen == "place 13 of 40"
    (said,) = told.flip
    assert said.endswith("3 places up (now place 13 of 40, needs 10)")
