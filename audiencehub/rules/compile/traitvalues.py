"""SQL of one trait's value, from the columns that its statement joins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from audiencehub.model import Entity
from audiencehub.rules.compile.bind import Binder
from audiencehub.rules.compile.measures import EXACT, cut
from audiencehub.rules.compile.words import quoted
from audiencehub.rules.language.form import FieldTest
from audiencehub.rules.language.trait import (
    CELLS,
    Band,
    Body,
    Cell,
    Measure,
    Quantile,
    Ratio,
    Term,
)

ROUNDED = "DECIMAL(28, 6)"
"""What a double is taken to, since doubles differ by engine."""
TYPES: Mapping[str, str] = {
    "integer": "BIGINT",
    "money": EXACT,
    "decimal": EXACT,
    "number": "DOUBLE",
    "text": "VARCHAR",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "instant": "TIMESTAMP",
}
"""The type of a trait's column; amounts and decimals keep six decimals."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How terms are written in statements over one entity: `e` is its row, `t` its traits so far,
    `m` its measures, `a` and `ta` row and traits of a contact's account."""

    entity: Entity
    measures: Mapping[Measure, str]

    def source(self, term: FieldTest) -> str:
        """A field or a trait."""
        alias = {False: ("e", "a"), True: ("t", "ta")}[term.trait][term.scope != self.entity]
        return f"{alias}.{quoted(term.field)}"

    def term(self, term: Term) -> str:
        """A value to compute with: numbers of fields as decimals."""
        if isinstance(term, Measure):
            value, kind = f"m.{self.measures[term]}", term.rows.aggregate.of_type
            inexact = kind == "number" and term.how in ("min", "max", "first", "last")
        else:
            value, inexact = self.source(term), term.type == "number"
        return f"TRY_CAST({value} AS {ROUNDED})" if inexact else value


def value_sql(body: Body, terms: Terms, bind: Binder) -> str:
    """A measure, ratio, band or cell; null where it is unknown."""
    if isinstance(body, Measure):
        return f"m.{terms.measures[body]}"
    if isinstance(body, Ratio):
        return cut(terms.term(body.part), terms.term(body.whole))
    if isinstance(body, Band):
        return _band(body, terms, bind)
    assert isinstance(body, Cell), "the others need joins of their own"
    return _cell(body, terms, bind)


def _band(body: Band, terms: Terms, bind: Binder) -> str:
    value = terms.term(body.of)
    cases = [
        f"WHEN {value} < {bind(bound)} THEN {bind(name)}"
        for name, bound in body.bands
        if bound is not None
    ]
    top, bound = body.bands[-1]
    rest = bind(top) if bound is None else "NULL"
    return f"CASE WHEN {value} IS NULL THEN NULL {' '.join(cases)} ELSE {rest} END"


def _cell(body: Cell, terms: Terms, bind: Binder) -> str:
    high, wide, deep = (terms.source(one) for one in (body.recency, body.frequency, body.monetary))
    value = f"(({wide} + {deep} + 1) // 2)"
    cases = [
        f"WHEN {high} BETWEEN {one.start} AND {one.stop - 1} "
        f"AND {value} BETWEEN {two.start} AND {two.stop - 1} THEN {bind(name)}"
        for name, places in CELLS.items()
        for one, two in places
    ]
    return f"CASE {' '.join(cases)} END"


def part_sql(body: Quantile, bounds: str, terms: Terms) -> str:
    """The part of a value, by a search of the bounds; null for who takes no part."""
    value = terms.term(body.of)
    takes = [f"{value} IS NOT NULL", f"{bounds} IS NOT NULL"]
    if body.given is not None:
        takes.append(f"{terms.source(body.given)} IS NOT NULL")

    def search(low: int, high: int) -> str:
        """The part, when it is known to be from `low` to `high`."""
        if low == high:
            return str(low)
        middle = (low + high) // 2
        beyond = f"{bounds}[{middle}] {'>' if body.falling else '<'} {value}"
        return f"CASE WHEN {beyond} THEN {search(middle + 1, high)} ELSE {search(low, middle)} END"

    return f"CASE WHEN {' AND '.join(takes)} THEN {search(1, body.parts)} END"
