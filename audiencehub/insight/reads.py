"""Which fields each rule reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from audiencehub.rules import RuleBook
from audiencehub.rules.language.catalog import DATED
from audiencehub.rules.language.form import DAY, FieldTest, Rows

FieldName = tuple[str, str]
"""(table, field)."""


@dataclass(frozen=True, slots=True)
class Readers:
    """Whose rules read a field."""

    segments: frozenset[str]
    needing: frozenset[str]
    """Those that cannot do without: some test of theirs is not `or_unknown`."""


def reads(book: RuleBook) -> Mapping[FieldName, Readers]:
    """Field to the segments whose own condition reads it; not through other segments."""
    found: dict[FieldName, dict[str, bool]] = {}
    for name, segment in book.segments.items():
        for *field, needed in _fields(segment.when):
            names = found.setdefault((field[0], field[1]), {})
            names[name] = names.get(name, False) or needed
    return {
        field: Readers(frozenset(names), frozenset(one for one in names if names[one]))
        for field, names in sorted(found.items())
    }


def _fields(node: Any) -> Iterator[tuple[str, str, bool]]:
    """Every field below a part of the typed form, whatever kinds of parts it may have, and whether
    it must be known."""
    if isinstance(node, tuple):
        for one in node:
            yield from _fields(one)
        return
    if not is_dataclass(node):
        return
    if isinstance(node, FieldTest):
        yield (node.scope, node.field, not node.tests.or_unknown)
    elif isinstance(node, Rows):
        yield from ((*field, True) for field in _of_rows(node))
    for one in fields(node):
        yield from _fields(getattr(node, one.name))


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
