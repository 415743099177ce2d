"""Leaves over facts: event, order, deal, ticket, uses, intent and their like."""

from __future__ import annotations

from audiencehub.model import Entity
from audiencehub.rules.language.catalog import (
    ACCOUNT_ONLY,
    DATED,
    INLINE,
    INSTALLS,
    TABLE_OF,
    near,
)
from audiencehub.rules.language.form import (
    DAY,
    Aggregate,
    All,
    Check,
    FieldTest,
    How,
    Node,
    Rows,
    Strength,
    Tests,
)
from audiencehub.rules.load.checks import WINDOW, read_check, read_tests
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.strength import KEYS as DECAY
from audiencehub.rules.load.strength import read_strength
from audiencehub.rules.load.tree import Map, Scalar, Seq, Tree
from audiencehub.rules.load.where import row_condition

HOWS: tuple[How, ...] = ("count", "sum", "min", "max", "average", "distinct", "first", "last")
ONE_OR_MORE = Tests((Check("at_least", 1),))
_NUMERIC = ("integer", "money", "number")
_ORDERED = (*_NUMERIC, "date", "instant")


def read_rows(desk: Desk, of: Entity, key: Scalar, node: Tree) -> Rows | Strength | None:
    """One leaf over facts, or None and faults. Without an aggregate: at least one such row."""
    leaf, table = key.text, TABLE_OF[key.text]
    owner: Entity = "account" if of == "account" or table in ACCOUNT_ONLY else "contact"
    mapping = desk.mapping(inline(leaf, node), f"{leaf}:")
    if mapping is None:
        return None
    faults = len(desk.faults)
    parts: list[Node] = []
    windows: list[Check] = []
    aggregates: list[Aggregate] = []
    decay: dict[str, Tree] = {}
    for name, value in mapping.entries:
        if name.text in WINDOW and leaf not in INSTALLS:
            windows += _window(desk, table, name, value)
        elif name.text in HOWS and leaf not in (*INSTALLS, "intent"):
            aggregates += _aggregate(desk, table, name, value)
        elif leaf == "intent" and name.text in DECAY:
            decay[name.text] = value
        else:
            parts += part(desk, leaf, name, value)
    if len(aggregates) > 1:
        desk.fault(key, f"{leaf}: has several aggregates", "Write one leaf for each, under all:")
    if leaf in (*INSTALLS, "intent") and not parts and not decay:
        desk.fault(key, f"{leaf}: says not which", f"Add {' or '.join(INLINE[leaf])}")
    if len(desk.faults) > faults:
        return None
    if leaf in INSTALLS:
        live = Tests((Check("is", leaf == "uses"),))
        parts.append(FieldTest(table, "is_live", "boolean", live, key.line))
    where = parts[0] if len(parts) == 1 else All(tuple(parts), key.line) if parts else None
    window = Tests(tuple(windows)) if windows else None
    if decay:
        return read_strength(desk, owner, key, decay, where, window)
    aggregate = aggregates[0] if aggregates else Aggregate("count", "", "", "integer", ONE_OR_MORE)
    return Rows(owner, table, where, window, aggregate, key.line)


def inline(leaf: str, node: Tree) -> Tree:
    """The shorthand `uses: salesforce` or `event: login` written out."""
    if isinstance(node, Scalar | Seq) and INLINE[leaf]:
        first = INLINE[leaf][0]
        return Map(((Scalar(first, first, node.line), node),), node.line)
    return node


def part(desk: Desk, leaf: str, name: Scalar, value: Tree) -> list[Node]:
    """What `where`, `since` or a key of the leaf's own says of each row; nothing and a fault."""
    table = TABLE_OF[leaf]
    if name.text in INLINE[leaf]:
        return _inline(desk, table, name, value)
    if name.text == "since" and leaf in INSTALLS:
        return _since(desk, leaf, name, value)
    if name.text == "where":
        found = row_condition(desk, table, value)
        return [found] if found else []
    _refuse(desk, leaf, table, name)
    return []


def _inline(desk: Desk, table: str, name: Scalar, value: Tree) -> list[Node]:
    field = desk.catalog.field(table, name.text)
    assert field is not None, "INLINE names fields of the catalog"
    tests = read_tests(desk, value, field.type, name.text)
    return [FieldTest(table, name.text, field.type, tests, name.line)] if tests else []


def _since(desk: Desk, leaf: str, name: Scalar, value: Tree) -> list[Node]:
    """In use since it was first seen; dropped since it was last seen."""
    dated = "last_detected_at" if leaf == "dropped" else DATED["technology_install"]
    if not isinstance(value, Map):
        desk.fault(
            value,
            "since needs a test of time",
            "Write since: {within: 90 days}, or since: {before: 2026-01-01}",
        )
        return []
    tests = read_tests(desk, value, "instant", "since")
    return [FieldTest("technology_install", dated, "instant", tests, name.line)] if tests else []


def _window(desk: Desk, table: str, name: Scalar, value: Tree) -> list[Check]:
    field = desk.catalog.field(table, DATED[table])
    assert field is not None, "DATED names fields of the catalog"
    if name.text == "next" and table != "deal":
        desk.fault(
            name,
            f"next: looks ahead, and {table} holds only what has happened",
            "Use within, older_than, before, after or between",
        )
        return []
    check = read_check(desk, name.text, value, field.type)
    return [check] if check else []


def _aggregate(desk: Desk, table: str, name: Scalar, value: Tree) -> list[Aggregate]:
    how: How = name.text  # type: ignore[assignment]
    if how == "count":
        tests = read_tests(desk, value, "integer", "count")
        return [Aggregate("count", "", "", "integer", tests)] if tests else []
    mapping = desk.mapping(value, f"{how}:")
    found = aggregate_of(desk, table, how, mapping) if mapping else None
    if mapping is None or found is None:
        return []
    of, of_type = found
    kind = _outcome(how, of_type)
    tests = read_tests(desk, mapping, kind, f"{how} of {of}", skip=("of",))
    return [Aggregate(how, of, of_type, kind, tests)] if tests else []


def aggregate_of(desk: Desk, table: str, how: How, mapping: Map) -> tuple[str, str] | None:
    """What `of` names, and its type; None and a fault where it fits no such aggregate."""
    of = _of(desk, table, how, mapping)
    if of is None or of == DAY:
        return (DAY, DAY) if of else None
    field = desk.catalog.field(table, of)
    assert field is not None, "_of answers with a field"
    return of, field.type


def _of(desk: Desk, table: str, how: How, mapping: Map) -> str | None:
    node = mapping.get("of")
    if node is None:
        if how in ("first", "last"):
            return DATED[table]
        choice = " or ".join(_fits(desk, table, how))
        desk.fault(mapping, f"{how}: says not of what", f"Add of: {choice}")
        return None
    said = desk.text(node, "of:")
    if said is None:
        return None
    fits = _fits(desk, table, how)
    if said not in fits:
        exists = said == DAY or desk.catalog.field(table, said) is not None
        reason = f"has no {how}" if exists else f"is no field of {table}"
        desk.fault(node, f"{said!r} {reason}", near(said, fits))
        return None
    return said


def _fits(desk: Desk, table: str, how: How) -> tuple[str, ...]:
    fields = desk.catalog.tables[table].fields
    if how in ("sum", "average"):
        return tuple(one.name for one in fields if one.type in _NUMERIC)
    if how in ("min", "max"):
        return tuple(one.name for one in fields if one.type in _ORDERED)
    simple = tuple(one.name for one in fields if one.type not in ("json", "texts"))
    return (*simple, DAY) if how == "distinct" else simple


def _outcome(how: How, of_type: str) -> str:
    if how == "distinct":
        return "integer"
    if how == "average":
        return "money" if of_type == "money" else "decimal"
    if how == "sum" and of_type == "number":
        return "decimal"
    return of_type


def _refuse(desk: Desk, leaf: str, table: str, name: Scalar) -> None:
    if desk.catalog.field(table, name.text) is not None:
        desk.fault(name, f"{name.text!r} is a field of the row", f"Put it under where: in {leaf}:")
        return
    own: tuple[str, ...]
    if leaf in (*INSTALLS, "intent"):
        own = ("where", "since") if leaf in INSTALLS else ("where", *WINDOW, *DECAY)
        if name.text in HOWS:
            hint = "Put it under not:" if leaf in INSTALLS else "Test the score or the strength"
            desk.fault(name, f"{leaf}: counts no rows, so it has no {name.text}", hint)
            return
    else:
        own = ("where", *WINDOW, *HOWS)
    desk.unknown(name, f"key of {leaf}:", (*INLINE[leaf], *own))
