"""Conditions on an entity among others: contacts of an account, ranks, earlier membership."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from audiencehub.errors import Faults
from audiencehub.rules import explain, load
from audiencehub.rules.examples import run_examples
from audiencehub.rules.language.profile import profile_from_example
from audiencehub.rules.load.tree import plain, read
from audiencehub.testing import oracle
from audiencehub.testing.world import World
from tests.rules.kit import CLOCK, WIDE, ZONE, book, by_sql, segment


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


WRONG = {
    "{contacts: {where: {title: CFO}}}": ("segment of: account", "Write the condition itself"),
    "{rank: {}}": ("says not by what", "Add by"),
    "{rank: {by: weight}}": ("either top or bottom", "top: 10"),
    "{rank: {by: weight, top: 1, bottom: 1}}": ("either top or bottom", "top: 10"),
    "{rank: {by: weight, top: 0}}": ("number from 1", "10%"),
    "{rank: {by: weight, top: 0%}}": ("number from 1", "10%"),
    "{rank: {by: weight, top: 101%}}": ("number from 1", "10%"),
    "{rank: {by: title, top: 1}}": ("does not fit", ""),
    "{rank: {by: wieght, top: 1}}": ("is no field", "weight"),
    "{rank: {by: account.annual_revenue, top: 1, within: contact.country}}": ("many contacts", ""),
    "{rank: {by: weight, top: 1, within: birth_date}}": ("does not fit", ""),
    "{rank: {by: weight, tpo: 1}}": ("no key of rank", "top"),
    "{occasion: {}}": ("one of holiday, yearly", "christmas_day"),
    "{occasion: {holiday: any, yearly: birth_date}}": ("one of holiday, yearly", "local_time"),
    "{occasion: {holiday: christmas_dya, next: 3 days}}": ("is no holiday", "christmas_day"),
    "{occasion: {holiday: any}}": ("says not when", "on: today"),
    "{occasion: {holiday: any, next: 3 days, on: today}}": ("says not when", "on: today"),
    "{occasion: {holiday: any, on: tomorrow}}": ("only be today", "next"),
    "{occasion: {holiday: any, next: 3 hours}}": ("3 hours away", "days"),
    "{occasion: {holiday: any, next: 13 months}}": ("13 months away", "at most a year"),
    "{occasion: {holiday: any, country: Germany, on: today}}": ("no calendar", "DE"),
    "{occasion: {yearly: title, on: today}}": ("does not fit", ""),
    "{occasion: {local_time: {}}}": ("neither days nor hours", "weekdays"),
    "{occasion: {local_time: {days: mondays}}}": ("no day of the week", "monday"),
    '{occasion: {local_time: {from: "9:00"}}}': ("no time of day", "09:00"),
    '{occasion: {local_time: {from: "09:00", until: "09:00"}}}': ("the same", "whole day"),
    "{was_in: {within: 3 days}}": ("says not which segment", "Add segment"),
    "{was_in: nobody}": ("which is no segment", ""),
    "{entered: {segment: x, next: 3 days}}": ("nobody knows", "within"),
    "{left: {segment: x, within: 3 days, before: 2026-01-01}}": ("several windows", "between"),
    "{near: {latitude: 52.5, longitude: 13.4}}": ("how far", "50 km"),
    "{near: {latitude: 52.5, within: 5 km}}": ("no longitude", "13.4"),
    "{near: {latitude: 152.5, longitude: 13.4, within: 5 km}}": ("no angle", "-90"),
    "{near: {latitude: 52.5, longitude: 13.4, within: 5 miles}}": ("no distance", "30 mi"),
    "{near: {latitude: 52.5, longitude: 13.4, within: 50000 km}}": ("no distance", "30 mi"),
    "{near: {latitude: 52.5, longitude: 13.4, within: 5 km, of: deal}}": ("no place", "account"),
}
WRONG_OF_ACCOUNTS = {
    "{contacts: {where: {contacts: {where: {title: CFO}}}}}": ("segment of: account", "itself"),
    "{contacts: {match: most, where: {title: CFO}}}": ("'most' is not known", ""),
    "{contacts: {match: {at_least: 0}, where: {title: CFO}}}": ("from 1", "at_least: 2"),
    "{contacts: {match: any}}": ("says not which", "Add where"),
    "{contacts: {where: {titel: CFO}}}": ("is no condition", "title"),
    "{contacts: {where: {segment: nobody}}}": ("which is no segment", ""),
    "{contacts: {where: {was_in: nobody}}}": ("which is no segment", ""),
    "{rank: {by: contact.birth_date, top: 1}}": ("many contacts", "account"),
    "{near: {latitude: 1, longitude: 1, within: 5 km, of: contact}}": ("no place", "of: account"),
}


@pytest.mark.parametrize(
    ("of", "when", "said"),
    [("contact", *one) for one in WRONG.items()]
    + [("account", *one) for one in WRONG_OF_ACCOUNTS.items()],
)
def test_a_wrong_condition_is_one_fault_with_a_way_out(of, when, said, tmp_path):
    """A condition that cannot be meant is refused before it selects the wrong people."""
    text = f"segment: x\nlabel: x\nmodel: intent\nof: {of}\nwhen: {when}\n"
    (tmp_path / "x.yaml").write_text(text)

    with pytest.raises(Faults) as caught:
        load(tmp_path, zone=ZONE, catalog=WIDE)

    (fault,) = caught.value.faults
    assert said[0] in fault.message and said[1] in fault.hint
    assert fault.hint and fault.line == 5


def test_a_past_is_of_what_its_segment_is_of():
    """A contact's account has a past of its own; read as the person's it would always be empty."""
    rules = book(
        segment("customers", {"industry": "fintech"}, "account"),
        segment("lost", {"left": "customers"}),
        segment("led", {"contacts": {"where": {"left": "customers"}}}, "account"),
    )
    stay = {"entity": "account", "id": 10, "segment": "customers", "entered_at": CLOCK}
    world = World(PEOPLE.contacts, PEOPLE.accounts, {"stay": [{**stay, "left_at": CLOCK}]})

    found = agreed(rules, world)

    assert found["lost"] == {1, 2} and found["led"] == {10}


TOLD = {
    "{occasion: {holiday: good_friday, next: 5 days}}": (
        {"contact": {"country": "JP"}},
        "good_friday in the next 5 days",
        "JP",
        "good_friday in the next 5 days (now JP)",
    ),
    "{occasion: {yearly: birth_date, on: today}}": (
        {"contact": {}},
        "anniversary of contact.birth_date today",
        "unknown date",
        "anniversary of contact.birth_date today (now unknown date)",
    ),
    '{occasion: {local_time: {days: [monday], from: "09:00", until: "17:30"}}}': (
        {"contact": {"timezone": "Europe/Berlin"}},
        "it is locally monday, 09:00 to 17:30",
        "Tuesday 18:00",
        "it is locally monday, 09:00 to 17:30 (now Tuesday 18:00)",
    ),
    "{was_in: {segment: case, within: 30 days}}": (
        {},
        "was in segment case within the last 30 days",
        "never in it",
        "enter segment case (now never in it)",
    ),
    "{near: {latitude: 52.52, longitude: 13.4, within: 30 mi}}": (
        {"contact": {"latitude": 53.55, "longitude": 9.99}},
        "within 48.3 km of 52.52, 13.4",
        "255.1 km",
        "within 48.3 km of 52.52, 13.4 (now 255.1 km)",
    ),
}


@pytest.mark.parametrize("when", TOLD)
def test_explain_says_what_was_seen_and_what_it_takes(when):
    """A clause without the value seen cannot be checked by the person it is about."""
    given, clause, seen, flip = TOLD[when]
    tree, _ = read("x", when.encode())
    rule = segment("case", plain(tree), examples=[{"given": given, "member": False}])
    profile = profile_from_example(rule.examples[0].given, CLOCK, ZONE)

    (told,) = explain(book(rule), profile, CLOCK)

    assert (told.clauses[0].clause, told.clauses[0].seen) == (clause, seen)
    assert told.flip == (flip,)
