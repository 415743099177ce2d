"""Which fields each rule reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from audiencehub.rules import RuleBook
from audiencehub.rules.language.catalog import DATED
from audiencehub.rules.language.form import DAY, FieldTest, Near, Rows, Strength, Trend

FieldName = tuple[str, str]
"""(table, field)."""


@dataclass(frozen=True, slots=True)
class Readers:
    """Whose rules read a field."""

    segments: frozenset[str]
    needing: frozenset[str]
    """Those that cannot do without: some test of theirs is not `or_unknown`."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One place of a rule where it reads a field, or a table."""

    table: str
    field: str
    """Empty: rows of the table are asked for, whatever is in them."""
    line: int
    needed: bool
    """An unknown value decides here."""
    trait: str = ""
    """The trait through which it is read."""


def reads(book: RuleBook) -> Mapping[FieldName, Readers]:
    """Field to the segments whose own condition reads it, itself or through traits; not through
    other segments."""
    found: dict[FieldName, dict[str, bool]] = {}
    for name, segment in book.segments.items():
        for one in readings(segment.when, book):
            if one.field:
                names = found.setdefault((one.table, one.field), {})
                names[name] = names.get(name, False) or one.needed
    return {
        field: Readers(frozenset(names), frozenset(one for one in names if names[one]))
        for field, names in sorted(found.items())
    }


def readings(node: Any, book: RuleBook, line: int = 0, trait: str = "") -> Iterator[Reading]:
    """Every field and table below a part of the typed form, whatever kinds of parts it may have,
    and below the traits that it names. A part without a line stands on its parent's."""
    if isinstance(node, tuple):
        for one in node:
            yield from readings(one, book, line, trait)
        return
    if not is_dataclass(node):
        return
    # Inside a trait the line of the rule counts: that is where a person looks.
    line = line if trait else getattr(node, "line", 0) or line
    if isinstance(node, FieldTest):
        if node.trait:
            yield from _of_trait(node, book, line)
        else:
            yield Reading(node.scope, node.field, line, not node.tests.or_unknown, trait)
        return
    if isinstance(node, Rows):
        yield from (Reading(*field, line, True, trait) for field in _of_rows(node))
    if isinstance(table := getattr(node, "table", None), str):
        yield Reading(table, "", line, True, trait)
    yield from (Reading(*field, line, True, trait) for field in _of_others(node))
    for one in fields(node):
        yield from readings(getattr(node, one.name), book, line, trait)


def _of_trait(node: FieldTest, book: RuleBook, line: int) -> Iterator[Reading]:
    """What the trait is computed from, and the traits that it stands on; circles are refused."""
    for trait in book.traits.values():
        for column in trait.columns:
            if column.name == node.field:
                for one in readings(column.body, book, line, column.name):
                    yield replace(one, needed=one.needed and not node.tests.or_unknown)


def _of_others(node: Any) -> Iterator[FieldName]:
    """What the other kinds of leaves name without a test."""
    if isinstance(node, Strength):
        yield from (("intent_signal", name) for name in ("", "score"))
    elif isinstance(node, Trend) and node.of and node.of != DAY:
        yield (node.table, node.of)
    elif isinstance(node, Near):
        yield from ((node.scope, name) for name in ("latitude", "longitude"))


def _of_rows(node: Rows) -> Iterator[FieldName]:
    """What is aggregated and what dates a row; a count of all rows stands on their date alone."""
    counted = node.aggregate.of and node.aggregate.of != DAY
    if counted:
        yield (node.table, node.aggregate.of)
    if node.window is not None or not (counted or node.where):
        yield (node.table, DATED[node.table])


def reached(book: RuleBook, failing: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Segment to reasons: those that fail themselves, and those that refer to one that does."""
    found = dict(failing)
    for stage in book.order():
        for name in stage:
            for need in book.segments[name].needs:
                if need in found:
                    reason = f"refers to {need}, which is not measurable"
                    found[name] = (*found.get(name, ()), reason)
    return dict(sorted(found.items()))
