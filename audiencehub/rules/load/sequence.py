"""`sequence`: this, then that; or this, and then not that."""

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
from audiencehub.rules.language.form import All, Check, Node, Sequence, Step, Tests
from audiencehub.rules.load.checks import WINDOW, read_check
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.literals import span
from audiencehub.rules.load.rows import inline, part
from audiencehub.rules.load.tree import Map, Scalar, Seq, Tree

KEYS = ("first", "then", "then_not", "within")
MOST = 8
"""Steps after the first."""


def read_sequence(desk: Desk, of: Entity, key: Scalar, node: Tree) -> Sequence | None:
    """The leaf, or None and faults."""
    mapping = desk.mapping(node, "sequence:")
    if mapping is None:
        return None
    faults = len(desk.faults)
    desk.only(mapping, "sequence:", KEYS)
    first, window = _first(desk, mapping)
    then, missing = _then(desk, mapping)
    within = mapping.get("within")
    length = span(desk, within) if within is not None else None
    if len(desk.faults) > faults or first is None or not then:
        return None
    tables = {one.table for one in (first, *then)}
    owner: Entity = "account" if of == "account" or tables <= ACCOUNT_ONLY else "contact"
    return Sequence(owner, first, window, then, missing, length, key.line)


def _first(desk: Desk, mapping: Map) -> tuple[Step | None, Tests | None]:
    node = mapping.get("first")
    if node is None:
        hint = "Add first: {event: {name: cart_updated, within: 30 days}}"
        desk.fault(mapping, "sequence: has no first", hint)
        return None, None
    windows: list[Check] = []
    step = _step(desk, node, "first", windows)
    return step, Tests(tuple(windows)) if windows else None


def _then(desk: Desk, mapping: Map) -> tuple[tuple[Step, ...], bool]:
    then, missing = mapping.get("then"), mapping.get("then_not")
    if (then is None) == (missing is None):
        message = "sequence: has both then and then_not" if then else "sequence: has no then"
        desk.fault(mapping, message, "Write one of: then, then_not")
        return (), False
    if missing is not None:
        step = _step(desk, missing, "then_not")
        return ((step,) if step else ()), True
    nodes = desk.items(then, "then") if isinstance(then, Seq) else (then,)
    if len(nodes) > MOST:
        desk.fault(mapping, f"sequence: has more than {MOST} steps", "Write fewer steps")
    found = [_step(desk, one, "then") for one in nodes if one is not None]
    known = tuple(one for one in found if one is not None)
    return (known if len(known) == len(found) else ()), False


def _step(desk: Desk, node: Tree, what: str, windows: list[Check] | None = None) -> Step | None:
    """One step; checks on its date go to `windows`, where it may have any."""
    mapping = desk.mapping(node, f"{what}:")
    if mapping is None:
        return None
    if len(mapping.entries) != 1:
        hint = "Write one leaf, for example {event: {name: login}}"
        desk.fault(node, f"{what}: must hold one leaf", hint)
        return None
    key, value = mapping.entries[0]
    if key.text not in MOVING:
        desk.fault(key, f"{key.text!r} is no step of a sequence", near(key.text, MOVING))
        return None
    body = desk.mapping(inline(key.text, value), f"{key.text}:")
    if body is None:
        return None
    faults = len(desk.faults)
    parts: list[Node] = []
    for name, inner in body.entries:
        if name.text in WINDOW and name.text != "next":
            _windowed(desk, what, TABLE_OF[key.text], name, inner, windows)
        elif name.text in ("where", *INLINE[key.text]):
            parts += part(desk, key.text, name, inner)
        else:
            desk.unknown(name, f"key of {what}:", ("where", *INLINE[key.text]))
    if len(desk.faults) > faults:
        return None
    where = parts[0] if len(parts) == 1 else All(tuple(parts), key.line) if parts else None
    return Step(TABLE_OF[key.text], where)


def _windowed(
    desk: Desk, what: str, table: str, name: Scalar, value: Tree, windows: list[Check] | None
) -> None:
    if windows is None:
        message = f"{what}: has a window of its own ({name.text})"
        desk.fault(name, message, "Put within beside first: and then:, for the whole stretch")
        return
    field = desk.catalog.field(table, DATED[table])
    assert field is not None, "DATED names fields of the catalog"
    check = read_check(desk, name.text, value, field.type)
    if check:
        windows.append(check)
