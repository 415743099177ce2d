"""How the verdict of a leaf may change with the clock alone.

A leaf compares values of rows with edges that the clock moves. Between two clocks only owners of
rows whose value lies between the two places of an edge can change. A kind of leaf that is not
registered here is evaluated in full each time: whoever adds one is safe before it is quick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from audiencehub.rules.compile.bind import Binder, Day, Moment, Recipe
from audiencehub.rules.compile.checks import NOW, TODAY, edges, point
from audiencehub.rules.compile.kinds import grain
from audiencehub.rules.compile.occasion import occasion_sql, reads_account
from audiencehub.rules.compile.words import quoted
from audiencehub.rules.language.catalog import ACCOUNT_ONLY, BORN, DATED, Catalog
from audiencehub.rules.language.form import (
    DAY,
    All,
    Any_,
    FieldTest,
    Leaf,
    Near,
    Node,
    Not,
    Occasion,
    Rows,
    Sequence,
    Strength,
    Tests,
    Trend,
)

SIGNAL = "intent_signal"


@dataclass(frozen=True, slots=True)
class Edge:
    """Rows `r` of a table whose value may have crossed a moving point."""

    table: str
    value: str
    """SQL of the value."""
    at: Recipe
    open: bool = False
    """Rows beyond the point move with the clock, too."""


@dataclass(frozen=True, slots=True)
class Moves:
    """What time does to a leaf."""

    edges: tuple[Edge, ...] = ()
    daily: bool = False
    """When the company's date changes anyone's verdict may."""


def moves(leaf: Leaf, catalog: Catalog) -> Moves | None:
    """What the clock does to a leaf; None when that is not known and all must be looked at."""
    known = _KINDS.get(type(leaf))
    return known(leaf, catalog) if known else None


def same_lists(leaf: Leaf, before: datetime, now: datetime, zone: ZoneInfo) -> bool:
    """Whether the clock is the same to an occasion: all that is bound for it at both is equal.

    The lists of countries, days and zones change at some hours only. True for every other leaf.
    """
    if not isinstance(leaf, Occasion):
        return True
    bind = Binder()
    statement = bind.statement(occasion_sql(leaf, bind))
    return statement.at(before, zone) == statement.at(now, zone)


def _field(leaf: FieldTest, _: Catalog) -> Moves | None:
    if leaf.trait:
        return None
    return Moves(tuple(_tests(grain(leaf), leaf.tests, f"r.{quoted(leaf.field)}", leaf.type)))


def _near(_: Near, __: Catalog) -> Moves:
    return Moves()


def _occasion(leaf: Occasion, _: Catalog) -> Moves | None:
    """As long as `same_lists` holds."""
    reads_trait = leaf.by is not None and leaf.by.trait
    return None if reads_trait or reads_account(leaf) else Moves()


def _rows(leaf: Rows, catalog: Catalog) -> Moves:
    found = [*_facts(leaf.table, leaf.where, leaf.window, catalog)]
    aggregate = leaf.aggregate
    if aggregate.of and aggregate.of != DAY:
        column = f"r.{quoted(aggregate.of)}"
        found += _tests(leaf.table, aggregate.tests, column, aggregate.type)
    return Moves(tuple(found))


def _trend(leaf: Trend, catalog: Catalog) -> Moves:
    found = [*_facts(leaf.table, leaf.where, leaf.window, catalog)]
    found += _facts(leaf.table, None, Tests((leaf.last,)), catalog)
    return Moves(tuple(found))


def _strength(leaf: Strength, catalog: Catalog) -> Moves:
    """Every signal is a day older every day."""
    return Moves(tuple(_facts(leaf.table, leaf.where, leaf.window, catalog)), daily=True)


def _sequence(leaf: Sequence, catalog: Catalog) -> Moves | None:
    if leaf.owner == "contact" and any(s.table in ACCOUNT_ONLY for s in (leaf.first, *leaf.then)):
        return None
    found: list[Edge] = []
    for number, step in enumerate((leaf.first, *leaf.then)):
        window = leaf.window if number == 0 else None
        found += _facts(step.table, step.where, window, catalog)
    span = leaf.within if leaf.missing else None
    if span is not None and span.exact:
        field = catalog.field(leaf.first.table, DATED[leaf.first.table])
        if field is None or field.type == "date":
            return None
        found.append(Edge(leaf.first.table, _moment(leaf.first.table), Moment(span, -1)))
    return Moves(tuple(found), daily=span is not None and not span.exact)


_KINDS: Mapping[type, Callable[[Any, Catalog], Moves | None]] = {
    FieldTest: _field,
    Near: _near,
    Occasion: _occasion,
    Rows: _rows,
    Trend: _trend,
    Strength: _strength,
    Sequence: _sequence,
}
"""The kinds that are known; every other is looked at in full."""


def _facts(
    table: str, where: Node | None, window: Tests | None, catalog: Catalog
) -> Iterator[Edge]:
    """A row comes to be at its birth; its date and the fields asked for cross their own edges."""
    if table == SIGNAL:
        first, last = "r.period_start", "r.period_end"
        yield Edge(table, f"coalesce({first}, {last})", TODAY)
        # A period that is not over counts as of today: its date moves with the clock.
        yield Edge(table, f"coalesce({last}, {first})", TODAY, open=True)
        dated, kind = f"coalesce({last}, {first})", "date"
    else:
        field = catalog.field(table, DATED[table])
        assert field is not None, "DATED names fields of the catalog"
        dated, kind = _moment(table), field.type
        born = catalog.field(table, BORN[table])
        assert born is not None, "BORN names fields of the catalog"
        yield Edge(table, f"r.{quoted(BORN[table])}", TODAY if born.type == "date" else NOW)
        if kind == "date":
            yield Edge(table, dated, TODAY)
    if window is not None:
        yield from _tests(table, window, dated, kind)
    for test in _leaves(where):
        yield from _tests(table, test.tests, f"r.{quoted(test.field)}", test.type)


def _moment(table: str) -> str:
    return f"r.{quoted(DATED[table])}"


def _tests(table: str, tests: Tests, value: str, kind: str) -> Iterator[Edge]:
    if kind not in ("date", "instant"):
        return
    for check in tests.checks:
        if check.op in ("within", "older_than", "next"):
            edge = edges(check)
            for at in (edge.start, edge.end):
                if at is not None and not (isinstance(at, Day) and at.fixed):
                    yield Edge(table, value, point(at, kind))


def _leaves(where: Node | None) -> Iterator[FieldTest]:
    if isinstance(where, FieldTest):
        yield where
    elif isinstance(where, All | Any_):
        for part in where.parts:
            yield from _leaves(part)
    elif isinstance(where, Not):
        yield from _leaves(where.part)
