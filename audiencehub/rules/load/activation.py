"""Where a segment goes: the entries of `activate`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from audiencehub.rules.book import Activation
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.literals import choice
from audiencehub.rules.load.tree import Map, Scalar, Tree

KEYS: Mapping[str, str] = {
    "to": "A destination of the settings",
    "as": "tag or list",
    "name": "What the list is called there",
    "max_removals": "More removals than this share or number are held",
    "exclude": "Segments whose members never go on the list",
    "most": "No more members than this",
    "use": "What campaigns do with the list: reach, exclude or seed",
}
SHARE = re.compile(r"(100|[1-9]?[0-9])(\.[0-9])?%")
USES = ("reach", "exclude", "seed")


def read_activations(desk: Desk, items: Iterable[Tree], label: str) -> tuple[Activation, ...]:
    """Every entry that could be read; the desk holds the faults of the others."""
    found = tuple(one for item in items if (one := _activation(desk, item, label)))
    _once(desk, found)
    return found


def _activation(desk: Desk, node: Tree, label: str) -> Activation | None:
    mapping = desk.mapping(node, "an activation")
    if mapping is None:
        return None
    desk.only(mapping, "an activation", KEYS)
    to = mapping.get("to")
    if to is None:
        desk.fault(node, "an activation says not where to", "Add to: <destination>")
    kind: Any = choice(desk, mapping, "as", ("tag", "list"))
    if mapping.get("as") is None:
        desk.fault(node, "an activation says not as what", "Add as: tag, or as: list")
    destination = desk.text(to, "to") if to is not None else None
    named = mapping.get("name")
    name = desk.text(named, "name") if named is not None else label
    limit = mapping.get("max_removals")
    share, count = _limit(desk, limit) if limit is not None else (None, None)
    of_lists = _of_lists(desk, mapping, kind)
    if not destination or not kind:
        return None
    return Activation(destination, kind, name or label, share, count, **of_lists, line=node.line)


def _of_lists(desk: Desk, mapping: Map, kind: Any) -> dict[str, Any]:
    """What only lists have, as values of `Activation`."""
    out: dict[str, Any] = {}
    for name in ("exclude", "most", "use"):
        node = mapping.get(name)
        if node is not None and kind == "tag":
            desk.fault(node, f"{name} is for lists", "Write as: list, or leave it out")
    node = mapping.get("exclude")
    if node is not None:
        said = (desk.text(one, "a segment") for one in desk.items(node, "exclude"))
        out["exclude"] = tuple(one for one in said if one)
    node = mapping.get("most")
    if node is not None:
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            out["most"] = value
        else:
            desk.fault(node, "most is no number of members", "Write a number such as 5000")
    if mapping.get("use") is not None:
        out["use"] = choice(desk, mapping, "use", USES) or "reach"
    return out


def _limit(desk: Desk, node: Tree) -> tuple[float | None, int | None]:
    if isinstance(node, Scalar):
        if isinstance(node.value, int) and not isinstance(node.value, bool) and node.value >= 0:
            return None, node.value
        if SHARE.fullmatch(node.text):
            return float(node.text[:-1]) / 100, None
    desk.fault(node, "max_removals is no limit", "Write a share such as 20%, or a number")
    return None, None


def _once(desk: Desk, activations: tuple[Activation, ...]) -> None:
    seen: set[tuple[str, str]] = set()
    for one in activations:
        if (one.to, one.kind) in seen:
            desk.fault(one.line, f"goes to {one.to} as {one.kind} twice", "Remove one")
        seen.add((one.to, one.kind))
