"""The portable back end as an engine of the tests: who matches, by its SQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from audiencehub.rules import RuleBook
from audiencehub.rules.portable import Portable
from audiencehub.testing.world import World
from tests.rules.kit import WIDE

Engine = Callable[[RuleBook, World, datetime], dict[str, set[int]]]


def by_duckdb(rules: RuleBook, world: World, clock: datetime) -> dict[str, set[int]]:
    """The ids in each segment, by one statement a rule on DuckDB."""
    with world.connect(WIDE) as connection:
        return _matched(connection, rules, world, clock, "duckdb")


def by_postgres(warehouse: Any) -> Engine:
    """The same on PostgreSQL."""

    def engine(rules: RuleBook, world: World, clock: datetime) -> dict[str, set[int]]:
        return _matched(warehouse.fill(world), rules, world, clock, "postgres")

    return engine


def _matched(
    connection: Any, rules: RuleBook, world: World, clock: datetime, dialect: str
) -> dict[str, set[int]]:
    Portable(rules, dialect, WIDE, world.unfilled).run(connection, clock)
    found: dict[str, set[int]] = {name: set() for name in rules.segments}
    rows = connection.execute("SELECT segment, id FROM matched").fetchall()
    for name, key in rows:
        found[name].add(key)
    assert sum(map(len, found.values())) == len(rows), "someone matches a rule twice"
    return found
