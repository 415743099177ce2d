"""The portable back end as an engine of the tests: who matches, by its SQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from audiencehub.rules import RuleBook
from audiencehub.rules.portable import Portable
from audiencehub.testing.world import World
from tests.rules.kit import WIDE
from tests.rules.traitkit import plain

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


def traits_by(warehouse: Any | None, rules: RuleBook, world: World, clock: datetime) -> Any:
    """Entity to id to trait to value: on PostgreSQL where there is a warehouse, else on DuckDB."""
    if warehouse is not None:
        return _traits(warehouse.fill(world), rules, world, clock, "postgres")
    with world.connect(WIDE) as connection:
        return _traits(connection, rules, world, clock, "duckdb")


def _traits(
    connection: Any, rules: RuleBook, world: World, clock: datetime, dialect: str
) -> dict[str, dict[int, dict[str, Any]]]:
    Portable(rules, dialect, WIDE, world.unfilled).run(connection, clock)
    found = {}
    for entity in ("contact", "account"):
        cursor = connection.execute(f"SELECT * FROM trait_{entity}")
        names = [one[0] for one in cursor.description]
        found[entity] = {
            row[0]: {n: plain(v) for n, v in zip(names[1:], row[1:], strict=True)}
            for row in cursor.fetchall()
        }
    return found
