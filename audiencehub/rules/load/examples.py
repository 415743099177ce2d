"""Examples: a described profile, typed by the catalog, with the verdict expected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from audiencehub.canonical import PREFIX, Field
from audiencehub.model import Entity
from audiencehub.rules.book import Example
from audiencehub.rules.language.catalog import (
    ACCOUNT_ONLY,
    DATED,
    INSTALLS,
    TABLE_OF,
    split,
)
from audiencehub.rules.load.ago import AGO, as_ago, read_ago
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.given import read_places, read_stays
from audiencehub.rules.load.literals import literal
from audiencehub.rules.load.rows import inline
from audiencehub.rules.load.traitexample import read_given_traits, read_thresholds
from audiencehub.rules.load.tree import Map, Scalar, Seq, Tree

_LEAVES = tuple(TABLE_OF)


def read_examples(desk: Desk, of: Entity, node: Tree) -> tuple[Example, ...]:
    """All examples of a segment; faults for those that cannot be read."""
    found = (_example(desk, of, one) for one in desk.items(node, "examples"))
    return tuple(one for one in found if one is not None)


def _example(desk: Desk, of: Entity, node: Tree) -> Example | None:
    mapping = desk.mapping(node, "an example")
    if mapping is None:
        return None
    desk.only(mapping, "an example", ("given", "member", "near_miss", "name", "at"))
    member, given = mapping.get("member"), mapping.get("given")
    if not (isinstance(member, Scalar) and isinstance(member.value, bool)):
        desk.fault(member or node, "an example says member: true or false", "Add member: true")
    if given is None:
        desk.fault(node, "an example has no given", "Add given: {account: {…}}")
    document = read_given(desk, of, given) if given is not None else None
    at = mapping.get("at")
    if document is not None and at is not None:
        document["at"] = literal(desk, at, "date")
    name = mapping.get("name")
    label = desk.text(name, "name") if name is not None else None
    if document is None or not isinstance(member, Scalar):
        return None
    near = _near_miss(desk, mapping.get("near_miss"), member.value is True)
    return Example(document, member.value is True, label or "", node.line, near)


def _near_miss(desk: Desk, node: Tree | None, member: bool) -> bool:
    if node is None:
        return False
    if not (isinstance(node, Scalar) and node.value is True):
        desk.fault(node, "near_miss can only be true", "Write near_miss: true, or leave it out")
    elif member:
        desk.fault(node, "a near miss is no member", "Write member: false, or drop near_miss")
    return True


def read_given(desk: Desk, of: Entity, node: Tree) -> dict[str, Any] | None:
    """The described profile: contact, account, rows by table, and what else the rules read."""
    mapping = desk.mapping(node, "given")
    if mapping is None:
        return None
    document: dict[str, Any] = {"contact": {} if of == "contact" else None, "rows": {}}
    document["account"] = {} if of == "account" else None
    for key, value in mapping.entries:
        if key.text in ("contact", "account") and not (key.text == "contact" and of == "account"):
            document[key.text] = _record(desk, key.text, value)
        elif key.text in _LEAVES:
            table = TABLE_OF[key.text]
            before = document["rows"].get(table, ())
            document["rows"][table] = (*before, *_rows(desk, key.text, table, value))
            if table in ACCOUNT_ONLY and document["account"] is None:
                document["account"] = {}
        elif key.text in BEYOND and not (key.text == "contacts" and of == "contact"):
            name, reader = BEYOND[key.text]
            document[name] = reader(desk, of, value)
        else:
            scopes = ("contact", "account") if of == "contact" else ("account",)
            desk.unknown(key, "part of given", (*scopes, *_LEAVES, *BEYOND))
    return document


def _segments(desk: Desk, _: Entity, node: Tree) -> tuple[str, ...]:
    found = (desk.text(one, "a segment") for one in desk.items(node, "segments"))
    return tuple(one for one in found if one)


def _crew(desk: Desk, _: Entity, node: Tree) -> tuple[dict[str, Any], ...]:
    """The contacts of an account, each described as for a rule of contacts."""
    found = []
    for one in desk.items(node, "contacts"):
        shared = ("account", *(leaf for leaf, table in TABLE_OF.items() if table in ACCOUNT_ONLY))
        for key in (k for k, _ in one.entries if k.text in shared) if isinstance(one, Map) else ():
            hint = f"Move {key.text} out of contacts: its contacts share it"
            desk.fault(key, f"{key.text!r} is of the account", hint)
        given = read_given(desk, "contact", one)
        if given is not None:
            found.append(given)
    return tuple(found)


def _record(desk: Desk, table: str, node: Tree) -> dict[str, Any]:
    mapping = desk.mapping(node, table)
    out: dict[str, Any] = {}
    for key, value in mapping.entries if mapping else ():
        scope, name = split(key.text, table)
        field = desk.catalog.field(table, name)
        if field is None and scope == table and name.startswith(PREFIX):
            desk.no_custom(key, table, name)
        elif field is None or scope != table:
            desk.unknown(key, f"field of {table}", desk.catalog.names(table))
        else:
            out[name] = _value(desk, field, value)
    return out


def _value(desk: Desk, field: Field, node: Tree) -> Any:
    if isinstance(node, Scalar) and node.value is None:
        return None
    if field.type == "texts":
        if not isinstance(node, Seq):
            desk.fault(node, f"{field.name} is a list", "Write [one, two]")
            return None
        return tuple(literal(desk, one, "text") for one in node.items)
    if field.type == "json":
        desk.fault(node, f"{field.name} cannot be given in an example", "Leave it out")
        return None
    if field.type in ("date", "instant"):
        when = read_ago(desk, node) if isinstance(node, Map) else literal(desk, node, "date")
        return None if when is None else (field.type, when)
    value = literal(desk, node, field.type)
    return float(value) if field.type == "number" and value is not None else value  # type: ignore[arg-type]


def _rows(desk: Desk, leaf: str, table: str, node: Tree) -> tuple[dict[str, Any], ...]:
    out: list[dict[str, Any]] = []
    for item in node.items if isinstance(node, Seq) else (node,):
        one = inline(leaf, item)
        mapping = desk.mapping(one, f"a row of {leaf}")
        if mapping is not None:
            out += _row(desk, leaf, table, mapping)
    return tuple(out)


def _row(desk: Desk, leaf: str, table: str, mapping: Map) -> list[dict[str, Any]]:
    row: dict[str, Any] = {"is_live": leaf == "uses"} if leaf in INSTALLS else {}
    counts: dict[str, Any] = {}
    for key, value in mapping.entries:
        field = desk.catalog.field(table, key.text)
        if key.text in (*AGO, "times"):
            counts[key.text] = literal(desk, value, "integer")
        elif field is not None:
            row[key.text] = _value(desk, field, value)
        else:
            desk.unknown(key, f"field of {table}", (*desk.catalog.names(table), *AGO, "times"))
    dated = "last_detected_at" if leaf == "dropped" else DATED[table]
    field = desk.catalog.field(table, dated)
    if dated not in row and field is not None:
        row[dated] = (field.type, as_ago(counts))
    if leaf == "intent":
        row.setdefault("period_start", row[dated])
    return [row] * max(1, min(counts.get("times") or 1, 10_000))


BEYOND: Mapping[str, tuple[str, Callable[[Desk, Entity, Tree], Any]]] = {
    "segments": ("segments", _segments),
    "contacts": ("crew", _crew),
    "traits": ("traits", lambda desk, _, node: read_given_traits(desk, node)),
    "thresholds": ("thresholds", lambda desk, _, node: read_thresholds(desk, node)),
    "rank": ("ranks", read_places),
    "past": ("past", lambda desk, _, node: read_stays(desk, node)),
}
"""What an example may say beyond fields and facts: as what it is kept, and who reads it."""
