"""Ladders: exactly one rung, the first that is true; and the faults of both kinds of files."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from audiencehub.errors import Faults
from audiencehub.rules import RuleBook, explain, facts, load, run_examples
from audiencehub.rules.language.profile import Profile
from audiencehub.testing import oracle
from audiencehub.testing.world import World
from tests.rules.kit import CLOCK, ZONE, by_sql
from tests.rules.traitkit import TraitChance, book_of, known, ladder, rule

QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]
STAGES: dict[str, Any] = {
    "ladder": "stage",
    "rungs": [
        {"rung": "customer", "when": {"order": {}}},
        {"rung": "lead", "when": {"any": [{"title": "CFO"}, {"title": "CTO"}]}},
        {"rung": "stranger", "otherwise": True},
    ],
}
PEOPLE = World(
    {1: {"title": "CFO"}, 2: {"title": "CFO"}, 3: {}, 4: {"title": "CEO"}},
    {},
    {"order": [{"contact_id": 2, "at": datetime(2026, 1, 1, tzinfo=UTC)}]},
)


def stages(**more: Any) -> RuleBook:
    made, segments = ladder({**STAGES, **more}, {})
    book = book_of({}, *segments)
    return RuleBook(book.segments, ZONE, ladders={made.id: made})


def test_who_fulfils_several_rungs_is_on_the_first():
    """A customer who is also a lead would get the campaigns of both."""
    found = by_sql(stages(), PEOPLE, CLOCK)

    assert found == {"stage.customer": {2}, "stage.lead": {1}, "stage.stranger": {3, 4}}
    assert oracle.members(stages(), PEOPLE, CLOCK) == found


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=QUIET,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(seed=st.integers(0, 2**48))
def test_everyone_is_on_the_first_rung_whose_own_condition_holds(seed):
    """Two rungs at once, or none before `otherwise`, would lose people between programmes."""
    chance = TraitChance(seed)
    found = chance.traits(3)
    chance.named = known(found)
    owns = {f"own{n}": chance.rule("contact", []) for n in range(4)}
    rungs: list[dict[str, Any]] = [{"rung": name, "when": own} for name, own in owns.items()]
    _, segments = ladder(
        {"ladder": "x", "rungs": [*rungs, {"rung": "rest", "otherwise": True}]}, found
    )
    apart = [rule(name, own, found) for name, own in owns.items()]
    book, world = book_of(found, *segments, *apart, zone=chance.zone), chance.scored()

    members = by_sql(book, world, chance.clock)

    assert oracle.members(book, world, chance.clock) == members
    for person in world.contacts:
        first = next((name for name in owns if person in members[name]), "rest")
        on = [name for name in members if name.startswith("x.") and person in members[name]]
        assert on == [f"x.{first}"]


def test_a_rule_may_ask_for_a_rung():
    """Stages are made to be built upon: whoever is a customer is excluded elsewhere."""
    made, segments = ladder(STAGES, {})
    asking = rule("others", {"not": {"segment": "stage.customer"}}, {})

    assert by_sql(book_of({}, *segments, asking), PEOPLE, CLOCK)["others"] == {1, 3, 4}
    assert [one.segment for one in made.rungs] == ["stage.customer", "stage.lead", "stage.stranger"]


def test_a_rung_is_explained_by_its_own_condition():
    """Ten lines of rungs that someone is not on hide the one line that matters."""
    person = Profile({"title": "CTO"}, None)
    book = stages()

    (lead,) = explain(book, person, CLOCK, ["stage.lead"])
    (stranger,) = explain(book, Profile({}, None), CLOCK, ["stage.stranger"])

    assert lead.matches
    assert [one.clause for one in lead.clauses] == [
        "all of",
        "any of",
        "contact.title is CFO",
        "contact.title is CTO",
        "not on an earlier rung, Customer",
    ]
    assert facts(book.segments["stage.lead"], person, CLOCK, ZONE) == ("contact.title CTO",)
    assert stranger.matches
    assert facts(book.segments["stage.stranger"], Profile({}, None), CLOCK, ZONE) == (
        "on no earlier rung of stage",
    )


def test_examples_of_a_ladder_are_examples_of_every_rung():
    """An example that names one rung also says that it is on none of the others."""
    examples = [
        {"given": {"contact": {"title": "CFO"}, "order": [{"total": 5}]}, "rung": "customer"},
        {"given": {"contact": {"title": "CFO"}}, "rung": "lead"},
        {"given": {}, "rung": "lead"},
    ]

    found = run_examples(stages(examples=examples), CLOCK)

    assert len(found) == 9
    assert [(one.segment, one.number) for one in found if not one.passed] == [
        ("stage.lead", 3),
        ("stage.stranger", 3),
    ]


def test_rungs_go_where_the_ladder_goes_unless_they_say_otherwise():
    """A rung that inherits a list must have a list of its own, or all share one audience."""
    book = stages(
        goal="G",
        activate=[{"to": "hubspot", "as": "list"}],
        rungs=[
            {"rung": "a", "when": {"title": "x"}, "goal": "own"},
            {"rung": "b", "when": {"title": "y"}, "activate": [{"to": "salesforce", "as": "tag"}]},
        ],
    )

    a, b = book.segments["stage.a"], book.segments["stage.b"]

    assert [(one.to, one.name) for one in a.activate] == [("hubspot", "A")]
    assert [one.to for one in b.activate] == ["salesforce"]
    assert (a.goal, b.goal, a.ladder) == ("own", "G", "stage")


def faults(folder: Path, files: dict[str, str]) -> list[tuple[str, int, str, str]]:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text), "utf-8")
    with pytest.raises(Faults) as caught:
        load(folder, zone=ZoneInfo("UTC"), root=folder)
    return [(one.path, one.line, one.message, one.hint) for one in caught.value.faults]


TRAIT = "trait: {}\nlabel: L\nof: {}\n"
LADDER = "ladder: x\nlabel: L\nmodel: lifecycle\nof: contact\n"
TRAIT_FAULTS = [
    ("aggregate: {order: {summ: total}}", "'summ' is no key of order:", "Did you mean sum?"),
    ("aggregate: {order: {sum: totl}}", "'totl' is no field of order", "Did you mean total?"),
    ("aggregate: {order: {sum: status}}", "'status' has no sum", None),
    ("aggregate: {order: {sum: total, count: true}}", "order: has several aggregates", None),
    ("aggregate: {ordr: {sum: total}}", "'ordr' is no kind of facts", "Did you mean order?"),
    ("aggregate: {deal: {days_since_last: true}}", "deal may be dated ahead", None),
    ("ratio: {of: title, over: {order: {}}}", "ratio of: is no number but text", None),
    ("ratio: {of: {order: {}}}", "ratio has no over", None),
    ("band: {of: {order: {}}, bands: [{name: a}, {name: b}]}", "only the last band", None),
    (
        "band: {of: {order: {}}, bands: [{name: a, below: 5}, {name: b, below: 5}]}",
        "not above",
        None,
    ),
    ("points: [{when: {segment: y}, points: 5}]", "traits are computed before segments", None),
    ("points: [{when: {title: y}, points: five}]", "'five' is no whole number", None),
    ("points: [{when: {titel: y}, points: 5}]", "'titel' is no condition", "Did you mean title?"),
    ("percentile: trait.none", "there is no trait.none", "Did you mean trait.x?"),
    ("percentile: {of: title}", "is no number but text", None),
    ("percentile: {of: account.employee_count, within: birth_date}", "makes no groups", None),
    ("rfm: {order: {count: true}}", "says not what is spent", None),
    ("model_score: {model: churn, within: 30}", "'30' is no duration", None),
    ("percentiles: title", "'percentiles' is no key of a trait", "Did you mean percentile?"),
    ("aggregate: {order: {}}\npoints: []", "is aggregate already", None),
    ("aggregate: {order: {}}\ntype: money", "has the type integer", "Write type: integer"),
    ("aggregate: {order: {sum: total}}\ncurrency: EUR", "amounts are in USD", None),
    ("aggregate: {order: {}}\nexamples: [{given: {}, value: x}]", "'x' is no whole number", None),
    ("ratio: {of: trait.x, over: {order: {}}}", "computed from itself", None),
]


@pytest.mark.parametrize(("body", "message", "hint"), TRAIT_FAULTS, ids=lambda one: str(one)[:40])
def test_a_faulty_trait_says_what_is_wrong(tmp_path, body, message, hint):
    """A trait that is read as something else tags people by a figure nobody meant."""
    found = faults(tmp_path, {"traits/x.yaml": TRAIT.format("x", "contact") + body})

    assert any(message in said and hint in (None, help) for _, _, said, help in found), found


def test_a_fault_of_a_trait_is_no_fault_of_those_who_name_it(tmp_path):
    """Twenty faults that follow from one hide it."""
    rule_text = "segment: s\nlabel: L\nmodel: rfm\nof: contact\nwhen: {trait.x: {at_least: 5}}\n"
    files = {
        "traits/x.yaml": TRAIT.format("x", "contact") + "aggregate: {order: {sum: totl}}",
        "traits/y.yaml": TRAIT.format("y", "contact") + "percentile: trait.x",
        "s.yaml": rule_text,
    }

    assert len(faults(tmp_path, files)) == 1


def test_traits_of_two_files_in_a_circle_are_refused(tmp_path):
    """A figure computed from itself has no value."""
    found = faults(
        tmp_path,
        {
            "traits/a.yaml": TRAIT.format("a", "contact")
            + "ratio: {of: trait.b, over: {order: {}}}",
            "traits/b.yaml": TRAIT.format("b", "contact")
            + "ratio: {of: trait.a, over: {order: {}}}",
            "traits/c.yaml": TRAIT.format("c", "contact") + "percentile: trait.a",
        },
    )

    assert [one[0] for one in found] == ["traits/a.yaml", "traits/b.yaml"]


def test_an_account_cannot_read_the_traits_of_its_contacts(tmp_path):
    """It has many contacts; one of them would be picked at random."""
    found = faults(
        tmp_path,
        {
            "traits/a.yaml": TRAIT.format("a", "contact") + "aggregate: {order: {}}",
            "traits/b.yaml": TRAIT.format("b", "account") + "percentile: trait.a",
        },
    )

    assert [one[2] for one in found] == ["trait.a is a trait of contacts; an account has many"]


LADDER_FAULTS = [
    ("rungs: [{rung: a, when: {title: x}, stay: {at_least: 3 days}}]", "a rung has no stay"),
    ("stay: {at_least: 3 days}\nrungs: [{rung: a, when: {title: x}}]", "a ladder has no stay"),
    ("rungs: [{rung: a, otherwise: true}, {rung: b, when: {title: x}}]", "only the last rung"),
    ("rungs: [{rung: a, otherwise: true, when: {title: x}}]", "when or otherwise, not both"),
    ("rungs: [{rung: a}]", "a rung has no when"),
    ("rungs: [{when: {title: x}}]", "a rung has no id"),
    ("rungs: [{rung: a, when: {title: x}}, {rung: a, when: {title: y}}]", "comes twice"),
    ("rungs: [{rung: a, when: {segment: x.b}}, {rung: b, when: {title: y}}]", "its own ladder"),
    ("rungs: [{rung: a, when: {segment: y.b}}]", "'y.b', which is no segment"),
    ("rungs: [{rung: A-b, when: {title: x}}]", "'A-b' is no rung id"),
    ("rungs: []", "rungs must be a list"),
    ("rungs: [{rung: a, when: {title: x}}]\nexamples: [{given: {}, rung: b}]", "no rung 'b'"),
    ("rungs: [{rung: a, when: {titel: x}}]", "'titel' is no condition"),
    ("rung: [{rung: a, when: {title: x}}]", "'rung' is no key of a ladder"),
]


@pytest.mark.parametrize(("body", "message"), LADDER_FAULTS, ids=lambda one: str(one)[:50])
def test_a_faulty_ladder_says_what_is_wrong(tmp_path, body, message):
    """A ladder read otherwise than written moves everyone at once."""
    found = faults(tmp_path, {"ladders/x.yaml": LADDER + body})

    assert any(message in one[2] for one in found), found
    assert all(one[0] == "ladders/x.yaml" and one[1] >= 1 for one in found)


def test_faults_of_all_kinds_of_files_come_together(tmp_path):
    """Whoever corrects one fault at a time gives up on the third."""
    found = faults(
        tmp_path,
        {
            "traits/t.yaml": TRAIT.format("t", "contact") + "aggregate: {ordr: {}}",
            "ladders/x.yaml": LADDER + "rungs: [{rung: a, when: {titel: x}}]",
            "s.yaml": "segment: s\nlabel: L\nmodel: rfm\nof: contact\nwhen: {countri: x}\n",
            "traits/empty.yaml": "",
        },
    )

    assert sorted(one[0] for one in found) == [
        "ladders/x.yaml",
        "s.yaml",
        "traits/empty.yaml",
        "traits/t.yaml",
    ]
