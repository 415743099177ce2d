"""What an example may say beyond fields and facts: places in ranks, and earlier membership."""

from __future__ import annotations

from typing import Any

from audiencehub.model import Entity
from audiencehub.rules.language.catalog import near
from audiencehub.rules.language.form import Rank
from audiencehub.rules.language.profile import Place
from audiencehub.rules.load.ago import read_ago
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.literals import literal
from audiencehub.rules.load.rank import grouped, ranked_by
from audiencehub.rules.load.tree import Map, Scalar, Seq, Tree

_KEYS = ("by", "place", "of", "from", "within")


def read_places(desk: Desk, of: Entity, node: Tree) -> dict[str, Place]:
    """`rank: {by: account.annual_revenue, place: 3, of: 40}`, one or a list: `Rank.order` to the
    place. `from: bottom` counts from the lowest."""
    found: dict[str, Place] = {}
    for one in node.items if isinstance(node, Seq) else (node,):
        mapping = desk.mapping(one, "rank")
        if mapping is not None:
            desk.only(mapping, "rank in an example", _KEYS)
            found.update(_place(desk, of, mapping))
    return found


def _place(desk: Desk, of: Entity, mapping: Map) -> dict[str, Place]:
    by = ranked_by(desk, of, mapping)
    within = grouped(desk, of, by, mapping)
    place, people = (_number(desk, mapping, name) for name in ("place", "of"))
    if mapping.get("place") is None:
        desk.fault(mapping, "rank says no place", "Add place: 3")
    end = mapping.get("from")
    said = end.text if isinstance(end, Scalar) else "top"
    if said not in ("top", "bottom"):
        desk.fault(mapping, f"from: {said!r} is not known", near(said, ("top", "bottom")))
    if by is None or place is None:
        return {}
    leaf = Rank(by.scope, by, said == "top", 1, None, within)  # type: ignore[arg-type]
    return {leaf.order: Place(place, people)}


def read_stays(desk: Desk, node: Tree) -> dict[str, tuple[dict[str, Any], ...]]:
    """`past: {customers: [{entered: {days_ago: 90}, left: {days_ago: 10}}]}`: segment to stays.
    Without `left` it lasts."""
    mapping = desk.mapping(node, "past")
    found: dict[str, tuple[dict[str, Any], ...]] = {}
    for key, value in mapping.entries if mapping else ():
        stays = [_stay(desk, one) for one in (value.items if isinstance(value, Seq) else (value,))]
        found[key.text] = tuple(one for one in stays if one)
    return found


def _stay(desk: Desk, node: Tree) -> dict[str, Any]:
    mapping = desk.mapping(node, "a stay")
    if mapping is None:
        return {}
    desk.only(mapping, "a stay", ("entered", "left"))
    if mapping.get("entered") is None:
        desk.fault(mapping, "a stay says not when it began", "Add entered: {days_ago: 90}")
        return {}
    return {key.text: moment(desk, value) for key, value in mapping.entries}


def moment(desk: Desk, node: Tree) -> tuple[str, Any] | None:
    """An instant in an example: a day, or how long ago."""
    when = read_ago(desk, node) if isinstance(node, Map) else literal(desk, node, "date")
    return None if when is None else ("instant", when)


def _number(desk: Desk, mapping: Map, name: str) -> int | None:
    node = mapping.get(name)
    value = literal(desk, node, "integer") if node is not None else None
    return value if isinstance(value, int) else None
