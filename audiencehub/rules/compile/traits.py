"""All traits of a book as a few statements that leave one table per entity.

`trait_contact` and `trait_account` have a row per contact and account and a column per trait (or
part of one); `trait_threshold` holds the bounds between percentiles and quintiles. Values over
facts are computed first, in one narrow GROUP BY per kind of facts; what reads other traits follows
in stages. Traits of accounts come before those of contacts, which may read them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from audiencehub.model import Entity
from audiencehub.rules.compile.bind import Binder, Statement
from audiencehub.rules.compile.checks import NOW, edges, point
from audiencehub.rules.compile.leaves import collect, leaves_statement
from audiencehub.rules.compile.measures import EXACT, measures_sql
from audiencehub.rules.compile.project import Projector
from audiencehub.rules.compile.traitvalues import (
    ROUNDED,
    TYPES,
    Terms,
    part_sql,
    value_sql,
)
from audiencehub.rules.compile.words import quoted
from audiencehub.rules.language.catalog import Catalog
from audiencehub.rules.language.form import Check, FieldTest
from audiencehub.rules.language.trait import (
    PERCENTILES,
    Band,
    Cell,
    Column,
    Measure,
    Points,
    Quantile,
    Ratio,
    Score,
    Term,
    Trait,
    levels,
)

ORDER: tuple[Entity, Entity] = ("account", "contact")
THRESHOLDS = (
    "CREATE OR REPLACE TABLE trait_threshold(trait VARCHAR, grp VARCHAR, "
    f"bounds {EXACT}[], known BIGINT)"
)
"""Per trait and group ('' without groups): the bounds between parts, and how many are known."""


def trait_statements(
    traits: Mapping[str, Trait], catalog: Catalog, unfilled: frozenset[str] = frozenset()
) -> tuple[Statement, ...]:
    """CREATE TABLE trait_account, trait_contact and trait_threshold; without traits they go."""
    if not traits:
        names = ("trait_contact", "trait_account", "trait_threshold")
        return tuple(Statement(f"DROP TABLE IF EXISTS {name}", {}) for name in names)
    found = [Statement(THRESHOLDS, {})]
    stages = levels(traits)
    for entity in ORDER:
        own = [[one for one in stage if one.of == entity] for stage in stages]
        found += _Table(entity, [one for one in own if one], catalog, unfilled).statements()
    return tuple(found)


@dataclass(slots=True)
class _Table:
    """Writes the statements of one entity's table."""

    entity: Entity
    stages: Sequence[Sequence[Column]]
    catalog: Catalog
    unfilled: frozenset[str]
    measures: dict[Measure, str] = field(default_factory=dict)

    @property
    def terms(self) -> Terms:
        """How its terms are written."""
        return Terms(self.entity, self.measures)

    def statements(self) -> Iterator[Statement]:
        """In order."""
        for column in (one for stage in self.stages for one in stage):
            for term in _terms(column):
                if isinstance(term, Measure):
                    self.measures.setdefault(term, f"m{len(self.measures)}")
        key = f"{self.entity}_id"
        if self.measures:
            bind = Binder()
            sql = measures_sql(self.entity, self.measures, self.unfilled, bind, self.catalog)
            yield bind.statement(f"CREATE OR REPLACE TEMP TABLE measure_{self.entity} AS {sql}")
        table = f"trait_{self.entity}"
        yield Statement(f"CREATE OR REPLACE TABLE {table} AS SELECT {key} FROM {self.entity}", {})
        for stage in self.stages:
            yield from self._stage(stage)
        if self.measures:
            yield Statement(f"DROP TABLE IF EXISTS temp.measure_{self.entity}", {})

    def _stage(self, stage: Sequence[Column]) -> Iterator[Statement]:
        for column in stage:
            if isinstance(column.body, Quantile):
                yield self._thresholds(column.name, column.body)
        conditions = [
            condition
            for column in stage
            if isinstance(column.body, Points)
            for condition, _ in column.body.parts
        ]
        leaves = collect(conditions, self.unfilled)
        projector = Projector(self.entity, leaves, {}, {})
        if conditions:
            for entity in ORDER[: ORDER.index(self.entity) + 1]:
                yield leaves_statement(leaves[entity], self.catalog)
        bind = Binder()
        values = [
            f"CAST({self._value(number, column, projector, bind)} AS {TYPES[column.type]}) "
            f"AS {quoted(column.name)}"
            for number, column in enumerate(stage)
        ]
        joins = self._joins(stage, bind) + projector.joins(conditions)
        table = f"trait_{self.entity}"
        yield bind.statement(
            f"CREATE OR REPLACE TABLE {table} AS SELECT t.*, {', '.join(values)} "
            f"FROM {table} AS t{joins}"
        )

    def _joins(self, stage: Sequence[Column], bind: Binder) -> str:
        key = f"{self.entity}_id"
        terms = [term for column in stage for term in _terms(column)]
        points = any(isinstance(column.body, Points) for column in stage)
        joins = self._entity(terms, always=points)
        if any(isinstance(one, Measure) for one in terms):
            joins += f" LEFT JOIN measure_{self.entity} AS m ON m.{key} = t.{key}"
        joins += self._account(terms)
        for number, column in enumerate(stage):
            if isinstance(column.body, Score):
                sql = self._scores(column.body, bind)
                joins += f" LEFT JOIN ({sql}) AS s{number} ON s{number}.id = t.{key}"
            elif isinstance(column.body, Quantile) and column.body.within is not None:
                name, group = bind(column.name), self.terms.source(column.body.within)
                sql = f"SELECT grp, bounds FROM trait_threshold WHERE trait = {name}"
                joins += f" LEFT JOIN ({sql}) AS q{number} ON q{number}.grp = {_text(group)}"
        return joins + "".join(self._ungrouped(stage, bind))

    def _ungrouped(self, stage: Sequence[Column], bind: Binder) -> Iterator[str]:
        for number, column in enumerate(stage):
            if isinstance(column.body, Quantile) and column.body.within is None:
                sql = f"SELECT bounds FROM trait_threshold WHERE trait = {bind(column.name)}"
                yield f" CROSS JOIN (SELECT ({sql}) AS bounds) AS q{number}"

    def _entity(self, terms: Sequence[Term], *, always: bool = False) -> str:
        """The entity's own row, where something is read of it or by way of it."""
        key, own = f"{self.entity}_id", self.entity
        fields = [one for one in terms if isinstance(one, FieldTest)]
        if always or any(not one.trait or one.scope != own for one in fields):
            return f" JOIN {own} AS e ON e.{key} = t.{key}"
        return ""

    def _account(self, terms: Sequence[Term]) -> str:
        if self.entity == "account":
            return ""
        shared = [one for one in terms if isinstance(one, FieldTest) and one.scope == "account"]
        joins = ""
        if any(not one.trait for one in shared):
            joins += " LEFT JOIN account AS a ON a.account_id = e.account_id"
        if any(one.trait for one in shared):
            joins += " LEFT JOIN trait_account AS ta ON ta.account_id = e.account_id"
        return joins

    def _value(self, number: int, column: Column, projector: Projector, bind: Binder) -> str:
        """The SQL value; `number` is the column's place in its stage, which names its joins."""
        body = column.body
        if isinstance(body, Points):
            worth = [f"CASE WHEN {projector.verdict(c)} THEN {n} ELSE 0 END" for c, n in body.parts]
            return " + ".join(worth)
        if isinstance(body, Score):
            return f"TRY_CAST(s{number}.value AS {ROUNDED})"
        if isinstance(body, Quantile):
            return part_sql(body, f"q{number}.bounds", self.terms)
        return value_sql(body, self.terms, bind)

    def _thresholds(self, name: str, body: Quantile) -> Statement:
        """INSERT of the discrete quantiles of all known values, by group."""
        bind = Binder()
        sign = "-" if body.falling else ""
        value = f"{sign}{self.terms.term(body.of)}"
        group = _text(self.terms.source(body.within)) if body.within else "''"
        takes = [f"{self.terms.term(body.of)} IS NOT NULL", f"{group} IS NOT NULL"]
        if body.given is not None:
            takes.append(f"{self.terms.source(body.given)} IS NOT NULL")
        terms = [body.of, *([body.within] if body.within else [])]
        rows = (
            f"SELECT {group} AS grp, {value} AS x FROM trait_{self.entity} AS t"
            f"{self._entity(terms)}{self._account(terms)} WHERE {' AND '.join(takes)}"
        )
        shares = ", ".join(_share(place, body.parts) for place in range(1, body.parts))
        cuts = f"CAST(quantile_disc(x, [{shares}]) AS {EXACT}[])"
        bounds = f"[{sign}one FOR one IN {cuts}]" if sign else cuts
        return bind.statement(
            f"INSERT INTO trait_threshold SELECT {bind(name)}, grp, {bounds}, count(*) "
            f"FROM ({rows}) GROUP BY grp"
        )

    def _scores(self, body: Score, bind: Binder) -> str:
        takes = (
            f"model = {bind(body.model)} AND entity = {bind(self.entity)} "
            f'AND "at" <= {bind(NOW)} AND value IS NOT NULL'
        )
        if body.within is not None:
            edge = edges(Check("within", body.within))
            assert edge.start is not None, "a window has a start"
            sign = ">" if edge.open_start else ">="
            takes += f' AND "at" {sign} {bind(point(edge.start, "instant"))}'
        best = 'max(struct_pack(a := "at", v := value)).v'
        return f"SELECT id, {best} AS value FROM model_score WHERE {takes} GROUP BY id"


def _share(place: int, parts: int) -> str:
    """An exact decimal: with a double the engine may be one place off."""
    digits = place * PERCENTILES // parts
    return f"0.{digits:02d}::DECIMAL(3, 2)"


def _text(value: str) -> str:
    return f"CAST({value} AS VARCHAR)"


def _terms(column: Column) -> list[Term]:
    """What the column's own SQL reads; conditions of points are read through their leaves."""
    body = column.body
    if isinstance(body, Measure):
        return [body]
    if isinstance(body, Ratio):
        return [body.part, body.whole]
    if isinstance(body, Band):
        return [body.of]
    if isinstance(body, Quantile):
        return [one for one in (body.of, body.given, body.within) if one is not None]
    return [body.recency, body.frequency, body.monetary] if isinstance(body, Cell) else []
