"""One SQL statement a rule, on DuckDB and on PostgreSQL: the answers of every other engine."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from audiencehub.errors import ConfigError
from audiencehub.rules import RuleBook
from audiencehub.rules.portable import (
    Portable,
    PortableStage,
    facts,
    occasions,
    past,
    places,
    sequences,
    sql,
    text,
    verdicts,
)
from audiencehub.rules.portable.keywords import RESERVED
from audiencehub.testing import oracle
from audiencehub.testing.world import World
from tests.rules import test_cases as cases
from tests.rules.kit import CLOCK, WIDE, ZONE, book, by_sql, segment
from tests.rules.portable import Engine, by_duckdb, by_postgres
from tests.rules.test_oracle import RULES, case

TRIPLES = int(os.environ.get("PORTABLE_TRIPLES", "240"))
MANY = int(os.environ.get("PORTABLE_TRIPLES_MANY", "1000"))
RANDOM: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "phases": (Phase.explicit, Phase.reuse, Phase.generate),
}
ENGINES = ["duckdb", pytest.param("postgres", marks=pytest.mark.needs("postgres"))]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn."""
    if request.param == "duckdb":
        return by_duckdb
    return by_postgres(request.getfixturevalue("postgres"))


def differences(engine: Engine, seed: int) -> dict[str, Any]:
    """Segment to (portable, compiled, oracle) where the three are not the same."""
    rules, world, clock = case(seed)
    found = engine(rules, world, clock)
    compiled, plain = by_sql(rules, world, clock), oracle.members(rules, world, clock)
    return {
        name: (found[name], compiled[name], plain[name])
        for name in rules.segments
        if not found[name] == compiled[name] == plain[name]
    }


@settings(max_examples=max(1, TRIPLES // RULES), **RANDOM)
@given(seed=st.integers(0, 2**48))
def test_every_engine_agrees(engine, seed):
    """Rules that mean something else on another engine cannot move there."""
    assert differences(engine, seed) == {}


@pytest.mark.verify
@settings(max_examples=max(1, MANY // RULES), **RANDOM)
@given(seed=st.integers(0, 2**48))
def test_every_engine_agrees_on_many(engine, seed):
    """The same law on thousands of triples of rule, data and clock."""
    assert differences(engine, seed) == {}


@pytest.mark.parametrize("one", cases.FIELDS, ids=lambda one: f"{one['on']}-{one['test']}")
def test_field_cases(one, engine, monkeypatch):
    """A test on a field means in plain SQL what its case file says."""
    monkeypatch.setattr(cases, "by_sql", engine)
    cases.test_field(one)


@pytest.mark.parametrize("one", cases.ROWS, ids=lambda one: one["name"])
def test_row_cases(one, engine, monkeypatch):
    """A leaf, or a tree, means in plain SQL what its case file says."""
    monkeypatch.setattr(cases, "by_sql", engine)
    cases.test_rows(one)


PLAIN, KEPT = verdicts.Verdicts._plain, facts.kept


def _exclusive(self: Any, check: Any, value: str, literal: Any) -> str:
    return PLAIN(self, check, value, literal).replace(">=", ">")


def _windowless(query: Any, table: str, where: Any, window: Any) -> list[str]:
    return KEPT(query, table, where, None)


MISTAKES = {
    "at_least excludes its bound": (verdicts.Verdicts, "_plain", _exclusive),
    "windows are forgotten": (facts, "kept", _windowless),
    "rows of contacts are lost to accounts": (facts, "OF_CONTACTS", frozenset()),
    "the sum of nothing is unknown": (facts, "NOUGHT", ()),
    "sequences have no longest stretch": (sequences, "_near", lambda *_: "TRUE"),
    "birthdays fall a year early": (occasions, "_times", lambda *_: "0"),
    "a stay lasts a day": (past, "_last", past._first),
    "the Earth is half as large": (places, "_ACROSS", places._ACROSS / 2),
    "what is unknown is not so either": (text, "coalesced", lambda part: part),
}


@pytest.mark.verify
@pytest.mark.parametrize("name", MISTAKES)
def test_a_seeded_mistake_is_caught(name, monkeypatch):
    """Engines that agree whatever is written prove nothing: with each of these they must not."""
    module, attribute, wrong = MISTAKES[name]
    monkeypatch.setattr(module, attribute, wrong)

    books = (case(seed) for seed in range(60))

    assert any(by_duckdb(*one) != by_sql(*one) for one in books)


def test_values_that_are_no_numbers(engine):
    """NaN and infinity come from sources; a sum over them must not fail or differ by engine."""
    numbers = [float("nan"), float("inf"), float("-inf"), 1e300, 1e22, 0.1, 1234567890.123456]
    facts = [{"contact_id": n, "at": CLOCK, "value": one} for n, one in enumerate(numbers)]
    facts += [{"contact_id": 9, "at": CLOCK, "value": one} for one in numbers]
    world = World({n: {} for n in range(10)}, {}, {"event": facts})
    rules = book(
        segment("sum", {"event": {"sum": {"of": "value", "more_than": 0}}}),
        segment("exact", {"event": {"sum": {"of": "value", "is": 1234567890.223456}}}),
        segment("average", {"event": {"average": {"of": "value", "known": True}}}),
    )

    assert engine(rules, world, CLOCK) == {
        "sum": {5, 6, 9},
        "exact": {9},
        "average": {5, 6, 9},
    }


def test_hostile_names_and_values(engine):
    """A value that breaks out of its statement could read or destroy the warehouse."""
    nasty = "'; DROP TABLE contact; -- %s %(x)s $1 {0} \\ \" é \u2028"
    world = World({1: {"title": nasty}, 2: {"title": "x"}}, {}, {})
    rules = book(
        segment("one", {"title": nasty}),
        segment("part", {"title": {"contains": "DROP TABLE contact; -- %s"}}),
        segment("shape", {"title": {"matches": "%s %\\(x\\)s \\$1"}}),
        segment("rest", {"not": {"title": {"ends_with": "\u2028"}}}),
    )

    assert engine(rules, world, CLOCK) == {"one": {1}, "part": {1}, "shape": {1}, "rest": {2}}


def test_one_statement_a_stage():
    """A round trip a rule costs minutes where the warehouse is far away."""
    rules = book(
        segment("a", {"title": "x"}),
        segment("b", {"event": "login"}),
        segment("c", {"all": [{"segment": "a"}, {"segment": "b"}]}),
    )

    stages = Portable(rules, "postgres").stages()

    assert [one.segments for one in stages] == [("a", "b"), ("c",)]
    assert all(one.statement.sql.count("INSERT") == 1 for one in stages)


def test_who_stays_is_settled_outside():
    """`stay` is no business of the match: what the caller stores is what a reference reads."""
    world = World({1: {"title": "x"}, 2: {"title": "y"}}, {}, {})
    rules = book(segment("a", {"title": "x"}), segment("b", {"segment": "a"}))

    def everyone(there: Any, stage: PortableStage) -> None:
        for name in stage.segments:
            there.execute("INSERT INTO member VALUES ($n, 1), ($n, 2)", {"n": name})

    with world.connect(WIDE) as connection:
        Portable(rules, "duckdb", WIDE).run(connection, CLOCK, everyone)
        query = "SELECT id FROM matched WHERE segment = 'b' ORDER BY id"
        found = connection.execute(query).fetchall()

    assert found == [(1,), (2,)]


def test_a_character_that_postgres_cannot_hold_is_refused():
    """Without a word at check, the whole run of that engine would end in a client's error."""
    rule = segment("a", {"title": "a\0b"})

    with pytest.raises(ConfigError, match="NUL"):
        sql(rule, book(rule), "postgres")


def test_the_text_never_changes_with_the_day():
    """SQL that changes with the clock cannot be reviewed, kept or compared."""
    rule = segment("a", {"event": {"within": "30 days"}})
    statement = sql(rule, book(rule))
    later = datetime(2027, 1, 1, tzinfo=UTC)

    assert statement.at(CLOCK, ZONE) != statement.at(later, ZONE)
    assert "2026" not in statement.sql


@pytest.mark.needs("postgres")
def test_reserved_words_are_quoted(postgres):
    """A custom field called `end` must not break the statement."""
    with World().connect() as duck:
        query = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category = 'reserved'"
        found = {row[0] for row in duck.execute(query).fetchall()}
    query = "SELECT word FROM pg_get_keywords() WHERE catcode = 'R'"
    found |= {row[0] for row in postgres.connection.execute(query).fetchall()}

    assert found <= RESERVED


def test_a_rule_needs_a_known_dialect():
    """A name of an engine that is not there must be said, with those that are."""
    rule = segment("a", {"title": "x"})
    rules: RuleBook = book(rule)

    with pytest.raises(ConfigError, match="postgres"):
        sql(rule, rules, "oracle")
