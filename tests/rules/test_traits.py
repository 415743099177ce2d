"""Traits: the compiled tables against one profile at a time, their laws, and how they are told."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from audiencehub.rules import RuleBook, explain, run_examples
from audiencehub.rules.compile import measures, traits, traitvalues
from audiencehub.rules.compile.local import _program
from audiencehub.rules.language.profile import Profile
from audiencehub.rules.language.trait import CELLS, cell_of
from audiencehub.rules.telling.traits import explain_traits
from audiencehub.testing import oracle
from audiencehub.testing.world import World
from tests.rules import traitkit
from tests.rules.kit import CLOCK, by_sql
from tests.rules.traitkit import TraitChance, book_of, by_oracle, known, rule, tables

BOOKS = int(os.environ.get("TRAIT_BOOKS", "8"))
MANY = int(os.environ.get("TRAIT_BOOKS_MANY", "60"))
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)


def case(seed: int) -> tuple[RuleBook, World, datetime]:
    """A book of random traits, and of rules that name them."""
    chance = TraitChance(seed)
    found = chance.traits(7)
    chance.named = known(found)
    made: list[Any] = []
    others: list[tuple[str, str]] = []
    for number in range(8):
        of = chance.random.choice(("contact", "account"))
        made.append(rule(f"s{number}", chance.rule(of, others), found, of))
        others.append((f"s{number}", of))
    return book_of(found, *made, zone=chance.zone), chance.scored(), chance.clock


def differences(book: RuleBook, world: World, clock: datetime) -> list[Any]:
    """(entity, id, column, compiled, plain) and (segment, compiled, plain) where they disagree."""
    compiled, plain = tables(book, world, clock), by_oracle(book, world, clock)
    wrong: list[Any] = [
        (entity, key, name, compiled[entity][key][name], value)
        for entity, everyone in plain.items()
        for key, values in everyone.items()
        for name, value in values.items()
        if compiled[entity][key][name] != value
    ]
    found, wanted = by_sql(book, world, clock), oracle.members(book, world, clock)
    return wrong + [(s, found[s], wanted[s]) for s in wanted if found[s] != wanted[s]]


@settings(max_examples=BOOKS, deadline=None, suppress_health_check=QUIET, phases=PHASES)
@given(seed=st.integers(0, 2**48))
def test_compiled_traits_agree_with_the_oracle(seed):
    """A disagreement means that a tag stands on a figure that nobody can reproduce."""
    assert differences(*case(seed)) == []


@pytest.mark.verify
@settings(max_examples=MANY, deadline=None, suppress_health_check=QUIET, phases=PHASES)
@given(seed=st.integers(0, 2**48))
def test_compiled_traits_agree_with_the_oracle_on_many(seed):
    """The same law on more books than anyone would write."""
    assert differences(*case(seed)) == []


def _rounded(part: str, whole: str) -> str:
    return f"({part}) / nullif({whole}, 0)"


MISTAKES = {
    "ratios round": (measures, "cut", lambda part, whole: f"round({_rounded(part, whole)}, 6)"),
    "who has nothing is unknown": (measures, "_absent", lambda measure, value: value),
    "thresholds lie a place below": (traits, "_share", lambda k, n: f"{k / n - 0.009:.3f}"),
    "bands include their bound": (traitvalues, "_band", None),
    "cells are turned round": (
        traitvalues,
        "CELLS",
        {n: [q[::-1] for q in p] for n, p in CELLS.items()},
    ),
}


@pytest.mark.verify
@pytest.mark.parametrize("name", MISTAKES)
def test_a_seeded_mistake_in_traits_is_caught(name, monkeypatch):
    """A comparison that cannot fail proves nothing: with each of these mistakes it must."""
    module, attribute, wrong = MISTAKES[name]
    right = getattr(module, attribute)
    if wrong is None:
        wrong = lambda *args: right(*args).replace(" < ", " <= ")  # noqa: E731
    monkeypatch.setattr(module, attribute, wrong)
    monkeypatch.setattr(traitvalues, "cut", measures.cut)
    _program.cache_clear()

    caught = next((seed for seed in range(40) if _disagrees(seed)), None)

    monkeypatch.undo()
    _program.cache_clear()
    assert caught is not None
    assert not _disagrees(caught)


def _disagrees(seed: int) -> bool:
    return bool(differences(*case(seed)))


def values(described: dict[str, Any], facts: dict[str, list[Any]], **person: Any) -> dict[str, Any]:
    """The traits of person 1, by both engines, which must agree."""
    owned = {name: [{"contact_id": 1, **row} for row in rows] for name, rows in facts.items()}
    world = World({1: {"account_id": 1, **person}}, {1: {"industry": "retail"}}, owned)
    book = book_of(traitkit.traits(described))
    found, wanted = tables(book, world, CLOCK), by_oracle(book, world, CLOCK)
    assert found == wanted
    return found[described.get("of", "contact")][1]


def days_ago(days: int) -> datetime:
    return CLOCK - timedelta(days=days)


SHOP = {
    "order": [
        {"at": days_ago(3), "total": Decimal(20), "quantity": 2, "channel": "web"},
        {"at": days_ago(5), "total": Decimal(10), "quantity": 1, "channel": "shop"},
        {"at": days_ago(40), "total": Decimal(70), "quantity": 4, "channel": "shop"},
        {"at": days_ago(50), "total": Decimal(5), "quantity": 1, "channel": "web"},
        {"at": CLOCK + timedelta(hours=1), "total": Decimal(999), "channel": "phone"},
    ]
}
CASES: list[tuple[str, Any, Any]] = [
    ("aggregate", {"order": {"sum": "total", "within": "30 days"}}, Decimal(30)),
    ("aggregate", {"order": {"count": True}}, Decimal(4)),
    ("aggregate", {"order": None}, Decimal(4)),
    ("aggregate", {"order": {"average": "quantity", "within": "45 days"}}, Decimal("2.333333")),
    ("aggregate", {"order": {"min": "total"}}, Decimal(5)),
    ("aggregate", {"order": {"max": {"of": "total"}}}, Decimal(70)),
    ("aggregate", {"order": {"distinct": "channel"}}, Decimal(2)),
    ("aggregate", {"order": {"distinct": "day"}}, Decimal(4)),
    ("aggregate", {"order": {"first": "total"}}, Decimal(5)),
    ("aggregate", {"order": {"last": "total"}}, Decimal(20)),
    ("aggregate", {"order": {"last": True}}, days_ago(3)),
    ("aggregate", {"order": {"most_frequent": "channel"}}, "web"),
    ("aggregate", {"order": {"most_frequent": "quantity"}}, Decimal(1)),
    ("aggregate", {"order": {"days_since_last": True}}, Decimal(3)),
    ("aggregate", {"order": {"days_since_first": True}}, Decimal(50)),
    ("aggregate", {"order": {"where": {"channel": "shop"}, "sum": "total"}}, Decimal(80)),
    ("ratio", {"of": {"order": {"sum": "total"}}, "over": {"order": {}}}, Decimal("26.25")),
    ("ratio", {"of": {"order": {"sum": "total"}}, "over": {"event": {}}}, None),
    ("ratio", {"of": "weight", "over": {"order": {}}}, Decimal("-0.625")),
    ("band", {"of": "weight", "bands": [{"name": "a", "below": -2.5}, {"name": "b"}]}, "b"),
    ("band", {"of": "weight", "bands": [{"name": "a", "below": -2.5}]}, None),
    (
        "points",
        [{"when": {"order": {}}, "points": 7}, {"when": {"event": {}}, "points": 9}],
        Decimal(7),
    ),
    ("percentile", "weight", Decimal(1)),
    ("percentile", {"of": "weight", "within": "account.industry"}, Decimal(1)),
    ("percentile", {"of": "weight", "within": "country"}, None),
    ("model_score", "churn", None),
]


@pytest.mark.parametrize(("kind", "body", "wanted"), CASES, ids=lambda one: str(one)[:50])
def test_each_kind_gives_what_it_says(kind, body, wanted):
    """Both engines may agree and both be wrong: these values were worked out by hand."""
    found = values({"trait": "t", kind: body}, SHOP, weight=-2.5)

    assert found["t"] == (wanted.normalize() if isinstance(wanted, Decimal) else wanted)


NOBODY = [
    ("aggregate", {"order": {"sum": "total"}}, Decimal(0)),
    ("aggregate", {"order": {"distinct": "channel"}}, Decimal(0)),
    ("aggregate", {"order": {"average": "total"}}, None),
    ("aggregate", {"order": {"last": "total"}}, None),
    ("aggregate", {"order": {"most_frequent": "channel"}}, None),
    ("aggregate", {"order": {"days_since_last": True}}, None),
    ("ratio", {"of": "weight", "over": "account.employee_count"}, None),
    ("band", {"of": "weight", "bands": [{"name": "a"}]}, None),
    ("points", [{"when": {"weight": {"known": True}}, "points": 7}], Decimal(0)),
    ("percentile", "weight", None),
]


@pytest.mark.parametrize(("kind", "body", "wanted"), NOBODY, ids=lambda one: str(one)[:50])
def test_nothing_known_is_nought_or_unknown(kind, body, wanted):
    """Someone without orders has spent nothing, but their average order is not nought."""
    assert values({"trait": "t", kind: body}, {})["t"] == wanted


def test_a_tie_for_most_frequent_goes_to_the_latest():
    """Two engines that break a tie differently would tag one person in two ways."""
    rows = [
        {"at": days_ago(9), "channel": "shop"},
        {"at": days_ago(2), "channel": "web"},
        {"at": days_ago(2), "channel": "phone"},
    ]
    mode = {"trait": "t", "aggregate": {"order": {"most_frequent": "channel"}}}

    assert values(mode, {"order": rows})["t"] == "web"
    assert values(mode, {"order": [*rows, rows[0]]})["t"] == "shop"


@given(st.lists(st.integers(0, 6), min_size=1, max_size=40))
@settings(max_examples=25, deadline=None)
def test_equal_values_are_in_the_same_percentile(numbers):
    """A threshold law that splits equals would turn people in and out with the order of rows."""
    world = World({n: {"weight": float(one)} for n, one in enumerate(numbers)})
    book = book_of(traitkit.traits({"trait": "t", "percentile": "weight"}))

    found = {key: one["t"] for key, one in tables(book, world, CLOCK)["contact"].items()}

    for key, number in enumerate(numbers):
        below = sum(one < number for one in numbers)
        assert found[key] == 100 * below // len(numbers) + 1


def test_every_one_of_the_125_triples_has_one_cell():
    """A person between two cells would be in none, and no campaign would reach them."""
    found = {cell_of(r, f, m) for r in range(1, 6) for f in range(1, 6) for m in range(1, 6)}

    assert found == set(CELLS)
    for r in range(1, 6):
        for v in range(1, 6):
            hits = [n for n, ps in CELLS.items() for high, wide in ps if r in high and v in wide]
            assert len(hits) == 1


def test_rfm_counts_everyone_who_bought_once():
    """Quintiles that lose someone make the value per cell wrong."""
    chance = TraitChance(7)
    facts = {
        "order": [
            {
                "contact_id": chance.random.randrange(60),
                "at": days_ago(chance.random.randrange(300)),
                "total": Decimal(chance.random.randrange(100)),
            }
            for _ in range(300)
        ]
    }
    world = World({n: {} for n in range(80)}, {}, facts)
    book = book_of(traitkit.traits({"trait": "rfm", "rfm": {"order": {"sum": "total"}}}))

    found = tables(book, world, CLOCK)["contact"]

    assert found == by_oracle(book, world, CLOCK)["contact"]
    buyers = {row["contact_id"] for row in facts["order"]}
    assert {key for key, one in found.items() if one["rfm.cell"]} == buyers
    assert sum(one["rfm.sum"] for one in found.values()) == sum(r["total"] for r in facts["order"])
    for part in ("recency", "frequency", "monetary"):
        assert {found[key][f"rfm.{part}"] for key in buyers} <= set(range(1, 6))


def test_the_newest_score_counts_until_it_is_old():
    """A score of last year must not decide who is called today."""
    rows = [
        {"entity": "contact", "id": 1, "model": "churn", "value": 0.25, "at": days_ago(40)},
        {"entity": "contact", "id": 1, "model": "churn", "value": 0.75, "at": days_ago(29)},
        {"entity": "contact", "id": 1, "model": "churn", "value": 0.5, "at": CLOCK + timedelta(1)},
        {"entity": "account", "id": 1, "model": "churn", "value": 0.1, "at": days_ago(1)},
    ]
    world = World({1: {}}, {1: {}}, {"model_score": rows})
    for within, wanted in (("30 days", Decimal("0.75")), ("29 days", None)):
        body = {"model": "churn", "within": within}
        book = book_of(traitkit.traits({"trait": "t", "model_score": body}))

        assert tables(book, world, CLOCK)["contact"][1]["t"] == wanted
        assert by_oracle(book, world, CLOCK)["contact"][1]["t"] == wanted


def test_a_contact_rule_reads_the_traits_of_its_account():
    """Who works for a large customer is found by what the company bought, not by their own."""
    found = traitkit.traits(
        {"trait": "won", "of": "account", "aggregate": {"deal": {"sum": "amount"}}}
    )
    facts = {"deal": [{"account_id": 5, "amount": Decimal(100)}]}
    people = {1: {"account_id": 5}, 2: {"account_id": 6}, 3: {}}
    world = World(people, {5: {}, 6: {}}, facts)
    large = rule("large", {"trait.won": {"at_least": "50 USD"}}, found)
    none = rule("none", {"trait.won": {"known": False}}, found)
    book = book_of(found, large, none)

    assert by_sql(book, world, CLOCK) == {"large": {1}, "none": {3}}
    assert oracle.members(book, world, CLOCK) == {"large": {1}, "none": {3}}


def test_a_table_that_no_source_fills_makes_its_traits_unknown():
    """Nought orders of a shop that was never connected would call everyone dormant."""
    book = book_of(traitkit.traits({"trait": "t", "aggregate": {"order": {"count": True}}}))
    world = World({1: {}}, {}, {}, frozenset({"order"}))

    assert tables(book, world, CLOCK)["contact"] == {1: {"t": None}}
    assert by_oracle(book, world, CLOCK)["contact"] == {1: {"t": None}}


def test_explain_says_how_a_trait_came_about():
    """A figure without its origin is not believed, and rightly."""
    found = traitkit.traits(
        {"trait": "spend", "aggregate": {"order": {"sum": "total", "within": "30 days"}}},
        {"trait": "orders", "aggregate": {"order": {"count": True}}},
        {"trait": "basket", "ratio": {"of": "trait.spend", "over": "trait.orders"}},
        {"trait": "size", "band": {"of": "trait.spend", "bands": [{"name": "small", "below": 50}]}},
        {"trait": "score", "points": [{"when": {"title": "CFO"}, "points": 10}]},
        {"trait": "place", "percentile": "trait.spend"},
    )
    book = book_of(found, rule("big", {"trait.spend": {"at_least": "50 USD"}}, found))
    profile = Profile(
        {"title": "CFO"}, None, {"order": [{"at": days_ago(2), "total": Decimal(40)}]}
    )

    lines = {one.trait: str(one) for one in explain_traits(book, profile, CLOCK)}
    (told,) = explain(book, profile, CLOCK)

    assert (
        lines["spend"] == "spend: 40 USD (sum of total over 1 row: order within the last 30 days)"
    )
    assert "trait.spend 40 over trait.orders 1" in lines["basket"]
    assert "size: small (trait.spend 40" in lines["size"]
    assert lines["score"] == "score: 10 (+10 for contact.title is CFO)"
    assert lines["place"].startswith("place: unknown")
    assert told.clauses[0].seen == "40"
    assert "sum of total over 1 row" in told.clauses[0].source
    assert told.flip == ("trait.spend at least 50, 10 more (now 40)",)


def test_examples_compute_traits_unless_they_give_them():
    """An example with orders that did not count would test nothing."""
    found = traitkit.traits({"trait": "spend", "aggregate": {"order": {"sum": "total"}}})
    big = rule("big", {"trait.spend": {"at_least": 50}}, found)
    described = traitkit.described(
        [
            {"given": {"order": [{"total": 60}]}, "member": True},
            {"given": {"order": [{"total": 60}], "traits": {"spend": 40}}, "member": False},
            {"given": {"traits": {"spend": None}}, "member": False},
        ],
        found,
    )
    book = book_of(found, traitkit.with_examples(big, described))

    assert [one.passed for one in run_examples(book, CLOCK)] == [True, True, True]


def test_an_example_of_a_trait_that_is_wrong_says_what_it_is():
    """The owner of a trait corrects either the trait or the example, and must know which."""
    found = traitkit.traits(
        {
            "trait": "spend",
            "aggregate": {"order": {"sum": "total"}},
            "examples": [
                {"given": {"order": [{"total": 60}]}, "value": 60},
                {"given": {"order": [{"total": 60}]}, "value": 61},
            ],
        }
    )

    right, wrong = run_examples(book_of(found), CLOCK)

    assert (right.passed, wrong.passed) == (True, False)
    assert (wrong.segment, wrong.why) == ("trait.spend", "spend is 60, not 61")
