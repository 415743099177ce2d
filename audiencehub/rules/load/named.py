"""A field or trait that a leaf names as a value: `by: account.annual_revenue`."""

from __future__ import annotations

from audiencehub.model import Entity
from audiencehub.rules.language.catalog import near, split
from audiencehub.rules.language.form import FieldTest, Tests
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.measure import trait_test
from audiencehub.rules.load.tree import Scalar, Tree

UNTESTED = Tests(())
ORDERED = ("integer", "number", "decimal", "money", "date", "instant")
DATED = ("date", "instant")
GROUPS = ("text", "boolean", "integer")


def named(
    desk: Desk, of: Entity, node: Tree, what: str, types: tuple[str, ...]
) -> FieldTest | None:
    """The field without tests, or None and a fault. A bare name is the segment's own entity;
    `custom.<name>` with or without an entity before it is a field of the company's own."""
    said = desk.text(node, what)
    if said is None:
        return None
    key = Scalar(said, said, node.line)
    found = trait_test(desk, of, key) if said.startswith("trait.") else _field(desk, of, key)
    if found is None or not found.type:
        return None
    if found.type not in types:
        options = [
            name
            for scope in _scopes(of)
            for name in _names(desk, scope)
            if _type(desk, name, scope) in types
        ]
        desk.fault(node, f"{what} {said!r} ({found.type}) does not fit", near(said, options))
        return None
    return found


def _field(desk: Desk, of: Entity, key: Scalar) -> FieldTest | None:
    scope, name = split(key.text, of)
    if scope == "contact" and of == "account":
        hint = "Name a field of the account"
        desk.fault(key, f"{key.text!r}: an account has many contacts", hint)
        return None
    field = desk.catalog.field(scope, name) if scope in ("contact", "account") else None
    if field is None:
        known = [name for one in _scopes(of) for name in _names(desk, one)]
        known += [f"trait.{one}" for one in desk.traits]
        known += desk.catalog.names(of)
        desk.fault(key, f"{key.text!r} is no field", near(key.text, known))
        return None
    entity: Entity = "account" if scope == "account" else "contact"
    return FieldTest(entity, name, field.type, UNTESTED, key.line)


def _scopes(of: Entity) -> tuple[Entity, ...]:
    return ("contact", "account") if of == "contact" else ("account",)


def _names(desk: Desk, scope: Entity) -> list[str]:
    return [f"{scope}.{one}" for one in desk.catalog.names(scope)]


def _type(desk: Desk, name: str, scope: Entity) -> str:
    field = desk.catalog.field(*split(name, scope))
    return field.type if field else ""
