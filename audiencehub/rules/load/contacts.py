"""`contacts`: how many contacts of an account fulfil a condition on contacts."""

from __future__ import annotations

from collections.abc import Callable

from audiencehub.model import Entity
from audiencehub.rules.language.catalog import near
from audiencehub.rules.language.form import Contacts, Node
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.tree import Map, Scalar, Tree

MATCH = ("any", "all", "none")
MOST = 1_000_000


def read_contacts(
    desk: Desk, of: Entity, key: Scalar, node: Tree, inner: Callable[[Tree, str], Node | None]
) -> Contacts | None:
    """The leaf, or None and faults. `inner` reads a condition of a rule of contacts."""
    if of != "account":
        hint = "Write the condition itself; contacts: counts the people of an account"
        desk.fault(key, "contacts: belongs in a segment of: account", hint)
        return None
    mapping = desk.mapping(node, "contacts:")
    if mapping is None:
        return None
    desk.only(mapping, "contacts:", ("match", "where"))
    faults = len(desk.faults)
    found = mapping.get("match")
    match, count = _match(desk, found) if found is not None else ("any", 0)
    where = mapping.get("where")
    if where is None:
        desk.fault(mapping, "contacts: says not which", "Add where: <a condition on a contact>")
        return None
    condition = inner(where, "where")
    if condition is None or len(desk.faults) > faults:
        return None
    return Contacts(match, count, condition, key.line)  # type: ignore[arg-type]


def _match(desk: Desk, node: Tree) -> tuple[str, int]:
    if isinstance(node, Map):
        desk.only(node, "match:", ("at_least",))
        least = node.get("at_least")
        value = least.value if isinstance(least, Scalar) else None
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST:
            # One or more is `any`: the same meaning has one form.
            return ("at_least", value) if value > 1 else ("any", 0)
        hint = "Write match: {at_least: 2}"
        desk.fault(least or node, "match: at_least needs a number from 1", hint)
        return ("any", 0)
    said = node.text if isinstance(node, Scalar) else "this"
    if said not in MATCH:
        desk.fault(node, f"match: {said!r} is not known", near(said, (*MATCH, "at_least")))
        return ("any", 0)
    return (said, 0)
