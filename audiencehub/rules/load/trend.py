"""`trend`: this window of an aggregate against the one before it."""

from __future__ import annotations

from audiencehub.model import Entity
from audiencehub.rules.language.catalog import (
    ACCOUNT_ONLY,
    DATED,
    INLINE,
    MOVING,
    TABLE_OF,
    near,
)
from audiencehub.rules.language.form import All, How, Node, Span, Tests, Trend
from audiencehub.rules.load.checks import read_tests
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.literals import span
from audiencehub.rules.load.rows import aggregate_of, part
from audiencehub.rules.load.tree import Map, Scalar, Tree

HOWS: tuple[How, ...] = ("sum", "distinct", "average")
"""What may be compared instead of the number of rows."""
_OWN = ("of", "window", "change")


def read_trend(desk: Desk, of: Entity, key: Scalar, node: Tree) -> Trend | None:
    """The leaf, or None and faults."""
    mapping = desk.mapping(node, "trend:")
    leaf = _leaf(desk, mapping) if mapping else None
    if mapping is None or leaf is None:
        return None
    faults = len(desk.faults)
    parts: list[Node] = []
    aggregates: list[tuple[How, str, str]] = []
    for name, value in mapping.entries:
        if name.text in HOWS:
            aggregates += _aggregate(desk, leaf, name, value)
        elif name.text in ("where", *INLINE[leaf]):
            parts += part(desk, leaf, name, value)
        elif name.text == "count":
            desk.fault(name, "trend: count is what it compares anyway", "Remove count")
        elif name.text not in _OWN:
            desk.unknown(name, "key of trend:", (*_OWN, "where", *INLINE[leaf], *HOWS))
    if len(aggregates) > 1:
        desk.fault(key, "trend: has several aggregates", "Write one trend for each, under all:")
    window, tests = _window(desk, leaf, mapping), _change(desk, mapping)
    if len(desk.faults) > faults or window is None or tests is None:
        return None
    table = TABLE_OF[leaf]
    owner: Entity = "account" if of == "account" or table in ACCOUNT_ONLY else "contact"
    where = parts[0] if len(parts) == 1 else All(tuple(parts), key.line) if parts else None
    how, field, kind = aggregates[0] if aggregates else ("count", "", "")
    return Trend(owner, table, where, how, field, kind, window, tests, key.line)


def _leaf(desk: Desk, mapping: Map) -> str | None:
    node = mapping.get("of")
    if node is None:
        desk.fault(mapping, "trend: says not of what", f"Add of: {', or '.join(MOVING)}")
        return None
    said = desk.text(node, "of:")
    if said is not None and said not in MOVING:
        desk.fault(node, f"trend: has no trend of {said!r}", near(said, MOVING))
        return None
    return said


def _aggregate(desk: Desk, leaf: str, name: Scalar, value: Tree) -> list[tuple[How, str, str]]:
    how: How = name.text  # type: ignore[assignment]
    mapping = desk.mapping(value, f"{how}:")
    if mapping is None:
        return []
    desk.only(mapping, f"{how}: in a trend", ("of",))
    found = aggregate_of(desk, TABLE_OF[leaf], how, mapping)
    return [(how, *found)] if found else []


def _window(desk: Desk, leaf: str, mapping: Map) -> Span | None:
    node = mapping.get("window")
    if node is None:
        desk.fault(mapping, "trend: says not over how long", "Add window: 30 days")
        return None
    found = span(desk, node)
    field = desk.catalog.field(TABLE_OF[leaf], DATED[TABLE_OF[leaf]])
    if found and found.exact and field is not None and field.type == "date":
        desk.fault(node, f"a {leaf} is dated by days", "Use days, weeks, months or years")
        return None
    return found


def _change(desk: Desk, mapping: Map) -> Tests | None:
    node = mapping.get("change")
    if node is None:
        desk.fault(mapping, "trend: has no test", "Add change: {at_most: -50%}")
        return None
    return read_tests(desk, node, "share", "change")
