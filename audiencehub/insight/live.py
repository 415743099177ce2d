"""Advice on rules that only real data can give: from the copy published last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from audiencehub.canonical import Table
from audiencehub.errors import Fault
from audiencehub.insight.audit import audit, not_measurable
from audiencehub.insight.reads import Reading, readings
from audiencehub.insight.trial import ENTITIES, Connection, Trial
from audiencehub.model import Entity
from audiencehub.rules import RuleBook
from audiencehub.settings import Audit
from audiencehub.warehouse import recall

ALIKE = 0.95
"""Two segments that share more than this of their members, taken together, are one."""
BROAD = 0.80
"""A segment of more than this share of everybody tells nobody apart."""
SPARSE = "sparse"
"""What nothing fills, or too little, is said per rule and field."""
FEW = 20
"""Smaller segments are not compared: they are alike by chance."""


@dataclass(frozen=True, slots=True)
class Fill:
    """How many rows of a table have a value."""

    rows: int
    filled: int

    @property
    def share(self) -> float:
        """0 to 1; 0 where there are no rows."""
        return self.filled / self.rows if self.rows else 0.0


def live_advice(
    connection: Connection,
    book: RuleBook,
    tables: Mapping[str, Table],
    limits: Audit,
    clock: datetime,
) -> list[Fault]:
    """What the data say against each rule: fields that nothing fills, everybody, nobody, twins.

    `connection` is a scratch warehouse; the rules are evaluated there at the clock.
    """
    found = list(_unfilled(connection, book, tables, limits))
    found += _unmeasured(connection, book, tables, limits, clock)
    trial = Trial(connection, book, clock)
    return sorted([*found, *_sizes(trial)])


def _unmeasured(
    connection: Connection,
    book: RuleBook,
    tables: Mapping[str, Table],
    limits: Audit,
    clock: datetime,
) -> Iterator[Fault]:
    """A fault per segment that reads fields which are there, and fail the audit of the data."""
    failing = [
        one for one in audit(connection, tables, limits, book, clock) if one.whole.verdict != SPARSE
    ]
    for name, reasons in not_measurable(failing, book).items():
        rule = book.segments[name]
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        yield Fault(
            rule.path,
            rule.line,
            f"{name} is not measurable: {reasons[0]}{more}",
            "audiencehub audit data shows its fields, by source",
        )


def _unfilled(
    connection: Connection, book: RuleBook, tables: Mapping[str, Table], limits: Audit
) -> Iterator[Fault]:
    """A fault per rule and field: nothing fills it, or too little to be measured."""
    found = {
        name: list(dict.fromkeys(readings(one.when, book))) for name, one in book.segments.items()
    }
    blank = recall(connection)
    fills = _fills(connection, tables, {one for many in found.values() for one in many})
    for name, many in found.items():
        told: set[str] = set()
        for one in many:
            what = f"{one.table}.{one.field}" if one.field else one.table
            fill = fills.get((one.table, one.field))
            if fill is None or what in told or one.table in told:
                continue
            message = _message(one, what, fill, tables, limits, blank)
            if message:
                told.add(what)
                via = f" (through trait.{one.trait})" if one.trait else ""
                path = book.segments[name].path
                yield Fault(path, one.line, f"{name}{via}: {message}", _hint(one, what))


def _message(
    one: Reading,
    what: str,
    fill: Fill,
    tables: Mapping[str, Table],
    limits: Audit,
    blank: frozenset[str],
) -> str:
    table = tables[one.table]
    if not one.field:
        if fill.rows:
            return ""
        if one.table in blank:
            return f"no source fills {what}: fill 0 % (no row at all), so the test is never true"
        return f"{what} has no row yet: fill 0 %, though a source could bring some"
    rows = f"{fill.filled:,} of {fill.rows:,} {one.table}s have it"
    if not fill.filled:
        return f"no source fills {what}: fill 0 % ({rows})" if fill.rows or table.entity else ""
    if table.entity and one.needed and fill.share < limits.of(what).fill:
        return f"{what} is hardly filled: fill {fill.share:.1%} ({rows})"
    return ""


def _hint(one: Reading, what: str) -> str:
    if one.field:
        return f"Map it at a source (audiencehub audit data --field {what}), or drop the condition"
    return "Connect a source that brings it, or drop the condition"


def _fills(
    connection: Connection, tables: Mapping[str, Table], wanted: set[Reading]
) -> dict[tuple[str, str], Fill]:
    """One scan per table. What the copy does not have yet counts as never filled."""
    found: dict[tuple[str, str], Fill] = {}
    for table in sorted({one.table for one in wanted} & tables.keys()):
        there = {
            column[0]
            for column in connection.execute(f'SELECT * FROM "{table}" LIMIT 0').description or ()
        }
        fields = sorted({one.field for one in wanted if one.table == table and one.field})
        known = [name for name in fields if name in there]
        listed = "".join(f', count("{name}")' for name in known)
        rows, *counts = connection.execute(f'SELECT count(*){listed} FROM "{table}"').fetchall()[0]
        found[table, ""] = Fill(rows, rows)
        found |= {(table, name): Fill(rows, 0) for name in fields}
        for name, count in zip(known, counts, strict=True):
            found[table, name] = Fill(rows, count)
    return found


def _sizes(trial: Trial) -> Iterator[Fault]:
    """Nobody, nearly everybody, or the same people as another."""
    for entity in ENTITIES:
        rules = {name: one for name, one in trial.book.segments.items() if one.of == entity}
        sizes = trial.counts(entity, {"": "true", **{name: trial.holds(name) for name in rules}})
        total = sizes.pop("", 0)
        if not total:
            continue
        for name, one in rules.items():
            where, size = (one.path, one.line), sizes[name]
            if not size:
                message = f"{name} takes in nobody of {total:,} {entity}s"
                hint = f"audiencehub preview {name} shows which clause keeps nobody"
                yield Fault(*where, message, hint)
            elif size > BROAD * total and not one.ladder:
                message = f"{name} takes in {size / total:.0%} of all {entity}s"
                yield Fault(*where, message, "Narrow it: a segment of everybody tells nobody apart")
        yield from _alike(trial, entity, sizes)


def _alike(trial: Trial, entity: Entity, sizes: Mapping[str, int]) -> Iterator[Fault]:
    pairs = {
        f"{one} {other}": (one, other)
        for one, other in combinations([name for name in sizes if sizes[name] >= FEW], 2)
        if min(sizes[one], sizes[other]) >= ALIKE * max(sizes[one], sizes[other])
    }
    conditions = {
        key: f"{trial.holds(one)} AND {trial.holds(other)}" for key, (one, other) in pairs.items()
    }
    for key, both in trial.counts(entity, conditions).items():
        first, second = pairs[key]
        share = both / (sizes[first] + sizes[second] - both)
        if share >= ALIKE:
            other = trial.book.segments[second]
            message = (
                f"{second} has nearly the members of {first}: {both:,} in both, "
                f"{share:.0%} of all that are in either"
            )
            yield Fault(other.path, other.line, message, "Retire one of the two")
