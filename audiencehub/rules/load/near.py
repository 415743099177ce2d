"""`near`: within a distance of a point."""

from __future__ import annotations

import re
from decimal import Decimal

from audiencehub.model import Entity
from audiencehub.rules.language.form import Check, Near, Tests
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.tree import Map, Scalar, Tree

KEYS = ("latitude", "longitude", "within", "of")
_DISTANCE = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,3})?) (km|mi)")
_KILOMETRES = {"km": Decimal(1), "mi": Decimal("1.609344")}
_FARTHEST = Decimal(20_016)


def read_near(desk: Desk, of: Entity, key: Scalar, node: Tree) -> Near | None:
    """The leaf, or None and faults. Whose place: the person's, or `of: account` the account's."""
    mapping = desk.mapping(node, "near:")
    if mapping is None:
        return None
    faults = len(desk.faults)
    desk.only(mapping, "near:", KEYS)
    latitude = _degrees(desk, mapping, "latitude", 90)
    longitude = _degrees(desk, mapping, "longitude", 180)
    within = mapping.get("within")
    if within is None:
        desk.fault(mapping, "near: says not how far", "Add within: 50 km")
    distance = _distance(desk, within) if within is not None else None
    scope = _scope(desk, of, mapping)
    if len(desk.faults) > faults or latitude is None or longitude is None or distance is None:
        return None
    return Near(scope, latitude, longitude, Tests((Check("at_most", distance),)), key.line)


def _degrees(desk: Desk, mapping: Map, name: str, most: int) -> Decimal | None:
    node = mapping.get(name)
    if node is None:
        desk.fault(mapping, f"near: has no {name}", f"Add {name}: in degrees, such as 13.4")
        return None
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and -most <= value <= most:
        return Decimal(value)
    desk.fault(node, f"{name}: is no angle", f"Write degrees from -{most} to {most}")
    return None


def _distance(desk: Desk, node: Tree) -> Decimal | None:
    found = _DISTANCE.fullmatch(node.text) if isinstance(node, Scalar) else None
    if found is not None:
        length: Decimal = Decimal(found[1]) * _KILOMETRES[found[2]]
        if Decimal(0) < length <= _FARTHEST:
            return length
    desk.fault(node, "this is no distance on Earth", "Write for example: 50 km, 30 mi")
    return None


def _scope(desk: Desk, of: Entity, mapping: Map) -> Entity:
    node = mapping.get("of")
    said = node.text if isinstance(node, Scalar) else of
    if said == "account":
        return "account"
    if said != "contact" or of == "account":
        choice = "of: account" if of == "account" else "of: contact, or of: account"
        desk.fault(node or mapping, f"of: {said!r} has no place here", f"Write {choice}")
    return of
