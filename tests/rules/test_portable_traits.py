"""Traits in plain SQL, on DuckDB and on PostgreSQL, against the evaluator without SQL."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiencehub.rules.portable import traits
from audiencehub.testing import oracle
from tests.rules.portable import by_duckdb, by_postgres, traits_by
from tests.rules.test_portable import ENGINES, RANDOM
from tests.rules.test_traits import case
from tests.rules.traitkit import by_oracle

BOOKS = int(os.environ.get("PORTABLE_BOOKS", "8"))
MANY = int(os.environ.get("PORTABLE_BOOKS_MANY", "15"))


@pytest.fixture(params=ENGINES)
def warehouse(request: pytest.FixtureRequest) -> Any:
    """None for DuckDB, then the one in PostgreSQL."""
    return None if request.param == "duckdb" else request.getfixturevalue("postgres")


def differences(warehouse: Any, seed: int) -> list[Any]:
    """Entity, id and trait with both values, and segment with both sets, where they differ."""
    rules, world, clock = case(seed)
    found, wanted = traits_by(warehouse, rules, world, clock), by_oracle(rules, world, clock)
    engine = by_duckdb if warehouse is None else by_postgres(warehouse)
    matched, members = engine(rules, world, clock), oracle.members(rules, world, clock)
    wrong: list[Any] = [
        (entity, key, name, found[entity][key][name], value)
        for entity, rows in wanted.items()
        for key, columns in rows.items()
        for name, value in columns.items()
        if found[entity][key][name] != value
    ]
    return wrong + [(s, matched[s], members[s]) for s in members if matched[s] != members[s]]


@settings(max_examples=BOOKS, **RANDOM)
@given(seed=st.integers(0, 2**48))
def test_traits_are_the_same_everywhere(warehouse, seed):
    """A trait with another value on another engine moves people between segments."""
    assert differences(warehouse, seed) == []


@pytest.mark.verify
@settings(max_examples=MANY, **RANDOM)
@given(seed=st.integers(0, 2**48))
def test_traits_are_the_same_everywhere_on_many(warehouse, seed):
    """The same law on many books and companies."""
    assert differences(warehouse, seed) == []


QUANTILE = traits._quantile


def test_a_seeded_mistake_is_caught(monkeypatch):
    """Engines that agree whatever is written prove nothing."""
    wrong = {**traits._WRITERS, traits.Quantile: lambda one, at: f"{QUANTILE(one, at)} - 1"}
    monkeypatch.setattr(traits, "_WRITERS", wrong)

    assert any(differences(None, seed) for seed in range(12))
