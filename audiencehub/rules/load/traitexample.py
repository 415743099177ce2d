"""Traits in examples: values given to a rule, and examples of a trait itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from audiencehub.model import Entity
from audiencehub.rules.language.catalog import near
from audiencehub.rules.language.trait import Column, TraitExample
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.literals import literal
from audiencehub.rules.load.tree import Map, Scalar, Seq, Tree


def read_given_traits(desk: Desk, node: Tree) -> dict[str, Any]:
    """`traits: {spend: 500 USD, rfm.cell: champions}` as column to typed value."""
    mapping = desk.mapping(node, "traits")
    found: dict[str, Any] = {}
    for key, value in mapping.entries if mapping else ():
        name = key.text.removeprefix("trait.")
        if name not in desk.traits:
            desk.fault(key, f"there is no trait {name!r}", near(name, desk.traits))
        elif kind := desk.traits[name][1]:
            found[name] = given_value(desk, value, kind)
    return found


def given_value(desk: Desk, node: Tree, kind: str) -> Any:
    """A value of that type; null is unknown. Dates come as the examples of rules have them."""
    if isinstance(node, Scalar) and node.value is None:
        return None
    value = literal(desk, node, kind)
    if value is None:
        return None
    if kind in ("date", "instant"):
        return (kind, value)
    return float(value) if kind == "number" and isinstance(value, int | Decimal) else value


def read_thresholds(desk: Desk, node: Tree) -> dict[str, tuple[Any, ...]]:
    """`thresholds: {rfm.recency: [300, 200, 100, 30]}`: the bounds between the parts, in the order
    of the parts, as they are in the described world."""
    mapping = desk.mapping(node, "thresholds")
    found: dict[str, tuple[Any, ...]] = {}
    for key, value in mapping.entries if mapping else ():
        if key.text not in desk.traits:
            desk.fault(key, f"there is no trait {key.text!r}", near(key.text, desk.traits))
            continue
        items = value.items if isinstance(value, Seq) else (value,)
        bounds = [literal(desk, one, "decimal") for one in items]
        found[key.text] = tuple(Decimal(str(one)) for one in bounds if one is not None)
    return found


def read_trait_examples(
    desk: Desk, of: Entity, name: str, columns: tuple[Column, ...], node: Tree
) -> tuple[TraitExample, ...]:
    """All examples of a trait; faults for those that cannot be read."""
    found = (_example(desk, of, name, columns, one) for one in desk.items(node, "examples"))
    return tuple(one for one in found if one is not None)


def _example(
    desk: Desk, of: Entity, name: str, columns: tuple[Column, ...], node: Tree
) -> TraitExample | None:
    from audiencehub.rules.load.examples import read_given

    mapping = desk.mapping(node, "an example")
    if mapping is None:
        return None
    desk.only(mapping, "an example", ("given", "value", "name", "at"))
    given, value = mapping.get("given"), mapping.get("value")
    if given is None or value is None:
        desk.fault(node, "an example of a trait needs given and value", "Add given: and value:")
        return None
    document = read_given(desk, of, given)
    at, named = mapping.get("at"), mapping.get("name")
    if document is not None and at is not None:
        document["at"] = literal(desk, at, "date")
    label = desk.text(named, "name") if named is not None else None
    values = _values(desk, name, columns, value)
    if document is None:
        return None
    return TraitExample(document, values, label or "", node.line)


def _expected(desk: Desk, node: Tree, kind: str) -> Any:
    """The value that the trait must have; of an instant its day."""
    value = given_value(desk, node, kind)
    return value[1] if isinstance(value, tuple) else value


def _values(desk: Desk, name: str, columns: tuple[Column, ...], node: Tree) -> dict[str, Any]:
    types = {one.name.removeprefix(f"{name}."): one for one in columns}
    if len(columns) == 1 and not isinstance(node, Map):
        return {columns[0].name: _expected(desk, node, columns[0].type)}
    mapping = desk.mapping(node, "value")
    found: dict[str, Any] = {}
    for key, value in mapping.entries if mapping else ():
        if key.text in types:
            column = types[key.text]
            found[column.name] = _expected(desk, value, column.type)
        elif columns:
            desk.unknown(key, f"part of {name}", types)
    return found
