"""The incremental evaluation against the full one, on random histories, rule books and clocks."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from audiencehub.rules import RuleBook
from audiencehub.rules.compile import compile_book, delta, moves
from audiencehub.rules.language.catalog import FACTS
from audiencehub.testing.world import World
from tests.rules.kit import WIDE
from tests.rules.test_oracle import case

RULES = 14
HISTORIES = int(os.environ.get("RULE_HISTORIES", "3"))
MANY = int(os.environ.get("RULE_HISTORIES_MANY", "15"))
STATE = ("leaf_contact", "leaf_account", "match_contact", "match_account",
         "member_contact", "member_account", "evaluated")  # fmt: skip
STEPS = (timedelta(0), timedelta(minutes=30), timedelta(hours=3), timedelta(days=1),
         timedelta(days=1, minutes=-30), timedelta(days=40))  # fmt: skip
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]


def changed(world: World, other: World, pick: Random) -> World:
    """The world with a few rows of another in the place of its own."""

    def some(mine: Any, theirs: Any, share: float) -> dict[Any, Any]:
        found = {}
        for key in {**mine, **theirs}:
            source = theirs if pick.random() < share else mine
            if key in source:
                found[key] = source[key]
        return found

    share = pick.choice((0.0, 0.1, 0.3))
    return replace(
        world,
        contacts=some(world.contacts, other.contacts, share),
        accounts=some(world.accounts, other.accounts, share),
        facts={
            table: list(
                some(
                    dict(enumerate(world.facts.get(table, ()))),
                    dict(enumerate(other.facts.get(table, ()))),
                    share,
                ).values()
            )
            for table in sorted({*world.facts, *other.facts})
        },
    )


def touched(before: World, after: World) -> set[tuple[str, int]]:
    """What resolve would note: entities whose row, facts or link differ."""
    found: set[tuple[str, int]] = set()
    for entity, old, new in (
        ("contact", before.contacts, after.contacts),
        ("account", before.accounts, after.accounts),
    ):
        found |= {(entity, n) for n in {*old, *new} if old.get(n) != new.get(n)}
    for number in {n for entity, n in found if entity == "contact"}:
        links = [world.contacts.get(number, {}).get("account_id") for world in (before, after)]
        found |= {("account", one) for one in links if one is not None}
    for table in FACTS:
        counts = [Counter(map(repr, w.facts.get(table, ()))) for w in (before, after)]
        moved = (counts[0] - counts[1]) + (counts[1] - counts[0])
        for row in (*before.facts.get(table, ()), *after.facts.get(table, ())):
            if repr(row) in moved:
                found |= {
                    (entity, row[f"{entity}_id"])
                    for entity in ("contact", "account")
                    if row.get(f"{entity}_id") is not None
                }
    return found


def masks(connection: Any) -> dict[str, Any]:
    """Every mask as it stands."""
    return {
        name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall())
        for name in ("match_contact", "match_account", "member_contact", "member_account")
    }


def differences(seed: int, steps: int = 4) -> tuple[dict[str, Any], int]:
    """Masks that differ after some step of a history, and how many steps were incremental."""
    rules, world, clock = case(seed, RULES)
    pick, state, before, quick = Random(seed), {}, world, 0
    for number in range(steps):
        with world.connect(WIDE) as connection, world.connect(WIDE) as other:
            compiled = compile_book(rules, clock, None, WIDE)
            for name, table in state.items():
                connection.register("given", table)
                connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
                connection.unregister("given")
            connection.execute("CREATE TABLE touched(entity VARCHAR, id INTEGER)")
            for row in touched(before, world):
                connection.execute("INSERT INTO touched VALUES (?, ?)", row)
            if delta.run_changed(compiled, connection):
                quick += 1
            else:
                compiled.run(connection)
            compiled.run(other)
            ours, full = masks(connection), masks(other)
            if ours != full:
                return {n: (number, ours[n], full[n]) for n in ours if ours[n] != full[n]}, quick
            state = {n: connection.sql(f"SELECT * FROM {n}").to_arrow_table() for n in STATE}
        before, world = world, changed(world, case(seed + number + 1, 1)[1], pick)
        clock += pick.choice(STEPS)
    return {}, quick


@settings(
    max_examples=HISTORIES,
    deadline=None,
    suppress_health_check=QUIET,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(seed=st.integers(0, 2**48))
def test_incremental_is_the_full_pass(seed):
    """A difference means that someone keeps a tag, or lacks one, until the nightly full pass."""
    assert differences(seed) == ({}, 3)


@pytest.mark.verify
@settings(
    max_examples=MANY,
    deadline=None,
    suppress_health_check=QUIET,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(seed=st.integers(0, 2**48))
def test_incremental_is_the_full_pass_on_many(seed):
    """The same law on many histories."""
    assert differences(seed) == ({}, 3)


def _standing_still(*_: Any) -> Any:
    return iter(())


@pytest.mark.verify
@pytest.mark.parametrize("name", ["_facts", "_tests"])
def test_a_lost_edge_is_caught(name, monkeypatch):
    """A comparison that cannot fail proves nothing: without the edges of time it must."""
    monkeypatch.setattr(moves, name, _standing_still)

    # Histories that are known to turn on such an edge come first.
    assert any(differences(seed)[0] for seed in (0, 2, *range(3, 40)))


def test_other_rules_or_an_earlier_clock_want_a_full_pass():
    """Tables of another book would otherwise be taken for this one's."""
    rules, world, clock = case(7, RULES)
    fewer = RuleBook({n: s for n, s in rules.segments.items() if not s.needs}, rules.zone)
    with world.connect(WIDE) as connection:
        connection.execute("CREATE TABLE touched(entity VARCHAR, id INTEGER)")
        compiled = compile_book(rules, clock, None, WIDE)

        assert not delta.run_changed(compiled, connection)
        compiled.run(connection)
        assert delta.run_changed(compiled, connection)
        assert not delta.run_changed(compile_book(fewer, clock, None, WIDE), connection)
        earlier = compile_book(rules, clock - timedelta(minutes=1), None, WIDE)
        assert not delta.run_changed(earlier, connection)
