"""Traits: the columns of trait_account and trait_contact, level by level of what they read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from audiencehub.model import Entity
from audiencehub.rules.language.form import Check, FieldTest, Tests
from audiencehub.rules.language.trait import (
    CELLS,
    Band,
    Cell,
    Column,
    Points,
    Quantile,
    Ratio,
    Score,
    Term,
    levels,
)
from audiencehub.rules.portable.measures import measure
from audiencehub.rules.portable.query import Query, Scope, selected
from audiencehub.rules.portable.text import clauses, inner, lines, nested, where
from audiencehub.rules.portable.tree import write
from audiencehub.rules.portable.values import NOW, Statement, Values

ENTITIES: tuple[Entity, Entity] = ("account", "contact")
_STAGING = "trait_staging"


def statements(query: Query) -> Iterator[Statement]:
    """Make both tables anew, in order: a row an entity, a column a trait."""
    done: dict[Entity, list[Column]] = {"account": [], "contact": []}
    for entity in ENTITIES:
        yield Statement(f"DROP TABLE IF EXISTS trait_{entity}", {})
        yield Statement(f"CREATE TABLE trait_{entity}({_columns(entity, [], query)})", {})
        yield Statement(f"INSERT INTO trait_{entity} SELECT {entity}_id FROM {entity}", {})
    for level in levels(query.book.traits):
        for entity in ENTITIES:
            fresh = [one for one in level if one.of == entity]
            if fresh:
                yield from _widened(entity, done[entity], fresh, query)
                done[entity] += fresh


def _widened(
    entity: Entity, known: Sequence[Column], fresh: Sequence[Column], query: Query
) -> Iterator[Statement]:
    """The table with more columns, by way of another one: the oldest SQL there is."""
    own = query.anew(Values())
    scope = Scope(own, entity)
    table = scope.joined(f"trait_{entity}", entity, f"{entity}_id")
    kept = [own.column(table, one.name) for one in known]
    values = [f"CAST({value(one, scope)} AS {own.dialect.types[one.type]})" for one in fresh]
    rows = own.statement(clauses(selected([scope.id, *kept, *values]), scope.source()))
    yield Statement(f"CREATE TABLE {_STAGING}({_columns(entity, [*known, *fresh], own)})", {})
    yield Statement(f"INSERT INTO {_STAGING}\n{rows}", own.values.all())
    yield Statement(f"DROP TABLE trait_{entity}", {})
    yield Statement(f"ALTER TABLE {_STAGING} RENAME TO trait_{entity}", {})


def _columns(entity: Entity, columns: Sequence[Column], query: Query) -> str:
    dialect = query.dialect
    named = [f"{dialect.quoted(one.name)} {dialect.types[one.type]}" for one in columns]
    return ", ".join([f"{entity}_id {dialect.id}", *named])


def value(column: Column, scope: Scope) -> str:
    """The SQL value of one column for the row of a scope; null is unknown."""
    writer = _WRITERS.get(type(column.body), _term)
    return writer(column.body, scope)


def _ratio(body: Ratio, scope: Scope) -> str:
    return scope.query.dialect.cut(_exact(body.part, scope), _exact(body.whole, scope))


def _points(body: Points, scope: Scope) -> str:
    worth = [
        f"CASE WHEN {inner(write(one, scope))} THEN {points} ELSE 0 END"
        for one, points in body.parts
    ]
    return " + ".join(worth)


def _term(term: Term, scope: Scope) -> str:
    return scope.field(term) if isinstance(term, FieldTest) else measure(term, scope)


def _exact(term: Term, scope: Scope) -> str:
    """The value of a term to compute with: a decimal where it is a double."""
    found = _term(term, scope)
    if isinstance(term, FieldTest):
        inexact = term.type == "number"
    else:
        ends = ("min", "max", "first", "last", "most_frequent")
        inexact = term.rows.aggregate.of_type == "number" and term.how in ends
    return scope.query.dialect.exact(found) if inexact and found != "NULL" else found


def _band(body: Band, scope: Scope) -> str:
    found, bind = _exact(body.of, scope), scope.query.bind
    cases = [f"WHEN {found} IS NULL THEN NULL"]
    rest = "NULL"
    for name, bound in body.bands:
        if bound is None:
            rest = bind(name)
        else:
            cases.append(f"WHEN {found} < {bind(bound)} THEN {bind(name)}")
    return f"CASE {' '.join(cases)} ELSE {rest} END"


def _quantile(body: Quantile, scope: Scope) -> str:
    """One more than the whole parts that all strictly smaller values fill."""
    query, every = scope.query, Scope(scope.query, scope.entity)
    found = _exact(body.of, every)
    takes = [f"{found} IS NOT NULL"]
    takes += [f"{every.field(one)} IS NOT NULL" for one in (body.given, body.within) if one]
    takes = list(dict.fromkeys(takes))
    part = f"PARTITION BY {every.field(body.within)}" if body.within else ""
    order = f"{part} ORDER BY {found}{' DESC' if body.falling else ''}".strip()
    before = f"(rank() OVER ({order}) - 1) * {body.parts}"
    place = f"1 + {query.dialect.quotient(before, f'count(*) OVER ({part})')} AS value"
    placed = clauses(selected([f"{every.id} AS owner_id", place]), every.source(), where(takes))
    return f"{scope.joined(query.sub('quantile', placed), scope.entity)}.value"


def _cell(body: Cell, scope: Scope) -> str:
    query = scope.query
    recency, wide, deep = (
        scope.field(one) for one in (body.recency, body.frequency, body.monetary)
    )
    worth = query.dialect.quotient(f"{wide} + {deep} + 1", "2")
    cases = [
        f"WHEN {recency} BETWEEN {high.start} AND {high.stop - 1} "
        f"AND {worth} BETWEEN {low.start} AND {low.stop - 1} THEN {query.bind(name)}"
        for name, places in CELLS.items()
        for high, low in places
    ]
    return "\n".join(["CASE", *(f"  {one}" for one in cases), "END"])


def _score(body: Score, scope: Scope) -> str:
    """The newest score that was there at the clock; of those of one instant the highest."""
    query = scope.query
    takes = [
        f"s.model = {query.bind(body.model)}",
        f"s.entity = {query.bind(scope.entity)}",
        f"s.at <= {query.bind(NOW)}",
        "s.value IS NOT NULL",
    ]
    if body.within is not None:
        window = Tests((Check("within", body.within),))
        takes.append(query.verdicts.tests(window, "s.at", "instant"))
    place = "row_number() OVER (PARTITION BY s.id ORDER BY s.at DESC, s.value DESC) AS place"
    placed = clauses(
        lines("SELECT", ["s.id", "s.value", place]), "FROM model_score AS s", where(takes)
    )
    newest = clauses(
        "SELECT id AS owner_id, value", f"FROM {nested(placed)} AS placed", "WHERE place = 1"
    )
    alias = scope.joined(query.sub("score", newest), scope.entity)
    return query.dialect.exact(f"{alias}.value")


_WRITERS: Mapping[type, Callable[[Any, Scope], str]] = {
    Ratio: _ratio,
    Band: _band,
    Points: _points,
    Quantile: _quantile,
    Cell: _cell,
    Score: _score,
}
