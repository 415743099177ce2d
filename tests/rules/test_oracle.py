"""The compiled book against the oracle, on random rules, companies and clocks."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from audiencehub.rules import RuleBook
from audiencehub.rules.compile import (
    checks,
    kinds,
    near,
    occasion,
    project,
    rank,
    rows,
)
from audiencehub.rules.compile.local import _program
from audiencehub.testing import oracle
from audiencehub.testing.world import World
from tests.rules.chance import Chance
from tests.rules.kit import book, by_sql, segment

RULES = 40
TRIPLES = int(os.environ.get("RULE_TRIPLES", "800"))
MANY = int(os.environ.get("RULE_TRIPLES_MANY", "20000"))
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]


def case(seed: int, count: int = RULES) -> tuple[RuleBook, World, datetime]:
    """A book of random rules, some referring to earlier ones, a company and a clock."""
    chance = Chance(seed)
    made: list[Any] = []
    known: list[tuple[str, str]] = []
    for number in range(count):
        of = chance.random.choice(("contact", "account"))
        name = f"s{number:03d}"
        made.append(segment(name, chance.rule(of, known), of))
        known.append((name, of))
    return book(*made, zone=chance.zone), chance.world(), chance.clock


def differences(rules: RuleBook, world: World, clock: datetime) -> dict[str, Any]:
    """Segment to (compiled, oracle) where the two disagree."""
    compiled, plain = by_sql(rules, world, clock), oracle.members(rules, world, clock)
    return {
        name: (compiled[name], plain[name])
        for name in rules.segments
        if compiled[name] != plain[name]
    }


@settings(
    max_examples=max(1, TRIPLES // RULES),
    deadline=None,
    suppress_health_check=QUIET,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(seed=st.integers(0, 2**48))
def test_compiled_rules_agree_with_the_oracle(seed):
    """A disagreement means that the engine tags people whom the language does not."""
    assert differences(*case(seed)) == {}


@pytest.mark.verify
@settings(
    max_examples=max(1, MANY // RULES),
    deadline=None,
    suppress_health_check=QUIET,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(seed=st.integers(0, 2**48))
def test_compiled_rules_agree_with_the_oracle_on_many(seed):
    """The same law on twenty thousand triples of rule, data and clock."""
    assert differences(*case(seed)) == {}


PLAIN, EDGES = checks._plain, checks.edges
VERDICT, PLACED, RANK = project.verdict_sql, rank._placed, kinds.rank_sql
OCCASION, PAST, METRES = kinds.occasion_sql, kinds.past_sql, near._metres


def _all_of_none(leaf: Any) -> str:
    sql = VERDICT(leaf)
    return sql.replace(", false)", ", true)") if leaf.match == "all" else sql


def _early(leaf: Any, bind: Any) -> str:
    return OCCASION(leaf, bind).replace(" < ", " <= ")


def _own_place(leaf: Any, field: str) -> str:
    return f"e.{field}"


def _short(leaf: Any, bind: Any) -> str:
    return PAST(leaf, bind).replace("entered_at <=", "left_at <=")


def _flat(leaf: Any, bind: Any) -> str:
    return METRES(leaf, bind).replace("cos(", "abs(0.9 + 0 * ")


def _generous(leaf: Any, bind: Any) -> str:
    return RANK(leaf, bind).replace(" < ", " <= ")


def _ungrouped(leaf: Any, order: str) -> str:
    return PLACED(leaf, order).replace("PARTITION BY g", "")


def _exclusive(check: Any, value: str, literal: Any) -> str:
    return PLAIN(check, value, literal).replace(">=", ">")


def _day_early(check: Any) -> checks.Edges:
    edge = EDGES(check)
    if isinstance(edge.start, checks.Day):
        edge = replace(edge, start=replace(edge.start, plus=edge.start.plus - 1))
    return edge


MISTAKES = {
    "a stay counts only once it has ended": (kinds, "past_sql", _short),
    "a degree of longitude is as long everywhere": (near, "_metres", _flat),
    "29 February has no anniversary elsewhere": (occasion, "_leap", lambda year: True),
    "the year itself is an anniversary": (kinds, "occasion_sql", _early),
    "the account says nothing of where a person is": (occasion, "_either", _own_place),
    "a rank lets one too many in": (kinds, "rank_sql", _generous),
    "ranks are of all instead of their group": (rank, "_placed", _ungrouped),
    "a condition on all contacts holds without any": (project, "verdict_sql", _all_of_none),
    "at_least excludes its bound": (checks, "_plain", _exclusive),
    "a window begins a day early": (checks, "edges", _day_early),
    "absent rows never count as none": (rows, "holds_for_zero", lambda tests: False),
    "absent accounts are never unknown": (kinds, "holds_for_none", lambda tests: False),
    "rows of contacts are lost to accounts": (rows, "OF_CONTACTS", frozenset()),
}


@pytest.mark.verify
@pytest.mark.parametrize("name", MISTAKES)
def test_a_seeded_mistake_in_the_compiler_is_caught(name, monkeypatch):
    """A comparison that cannot fail proves nothing: with each of these mistakes it must."""
    module, attribute, wrong = MISTAKES[name]
    monkeypatch.setattr(module, attribute, wrong)
    _program.cache_clear()

    caught = any(differences(*case(seed)) for seed in range(12))

    _program.cache_clear()
    assert caught
