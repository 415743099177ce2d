"""Values that traits are made of: aggregates over facts, fields, and other traits."""

from __future__ import annotations

from dataclasses import replace

from audiencehub.model import Entity
from audiencehub.rules.language.catalog import BORN, DATED, INLINE, TABLE_OF, near, split
from audiencehub.rules.language.form import DAY, Aggregate, FieldTest, Rows, Tests
from audiencehub.rules.language.trait import How, Measure, Term
from audiencehub.rules.load.checks import WINDOW
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.rows import inline, read_rows
from audiencehub.rules.load.tree import Map, Scalar, Tree

UNTESTED = Tests(())
NUMERIC = ("integer", "money", "number", "decimal")
LEAVES = tuple(one for one in TABLE_OF if one not in ("uses", "dropped", "intent"))
"""Facts that a trait can compute over."""
_ORDERED = ("integer", "money", "number", "date", "instant")
_SIMPLE = (*_ORDERED, "text", "boolean")
_SINCE = ("days_since_first", "days_since_last")
_FITS: dict[How, tuple[str, ...]] = {
    "sum": ("integer", "money", "number"),
    "average": ("integer", "money", "number"),
    "min": _ORDERED,
    "max": _ORDERED,
    "distinct": _SIMPLE,
    "first": _SIMPLE,
    "last": _SIMPLE,
    "most_frequent": _SIMPLE,
}
HOWS: tuple[How, ...] = ("count", *_FITS, "days_since_first", "days_since_last")


def read_term(desk: Desk, of: Entity, node: Tree, what: str) -> Term | None:
    """A field, a trait (`trait.<id>`), or an aggregate over facts, or None and faults."""
    if isinstance(node, Map):
        return read_measure(desk, of, node, what)
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        desk.fault(node, f"{what} is no value", "Name a field or a trait, or write an aggregate")
        return None
    return read_source(desk, of, node)


def read_source(desk: Desk, of: Entity, node: Scalar) -> FieldTest | None:
    """A field or a trait that an entity of that kind can read, without tests."""
    if node.text.startswith("trait."):
        return trait_test(desk, of, node)
    scope, name = split(node.text, of)
    scopes = ("contact", "account") if of == "contact" else ("account",)
    field = desk.catalog.field(scope, name) if scope in scopes else None
    if field is None:
        known = [f"{one}.{name}" for one in scopes for name in desk.catalog.names(one)]
        traits = [f"trait.{one}" for one in desk.traits]
        hint = near(node.text, [*known, *desk.catalog.names(of), *traits])
        desk.fault(node, f"{node.text!r} is no field that this trait can read", hint)
        return None
    return FieldTest(scope, name, field.type, UNTESTED, node.line)


def trait_test(desk: Desk, of: Entity, key: Scalar) -> FieldTest | None:
    """`trait.<id>` without tests, or None and a fault. Its type is empty where its own file is
    faulty: that is no fault of whoever names it."""
    name = key.text.removeprefix("trait.")
    known = desk.traits.get(name)
    if known is None:
        parts = [one for one in desk.traits if one.startswith(f"{name}.")]
        hint = f"Write one of: {', '.join(f'trait.{one}' for one in parts)}"
        options = [f"trait.{one}" for one in desk.traits]
        if not parts:
            hint = near(key.text, options) if options else "Write one into the folder traits/"
        desk.fault(key, f"there is no {key.text}", hint)
        return None
    owner, kind = known
    if of == "account" and owner == "contact":
        message = f"{key.text} is a trait of contacts; an account has many"
        desk.fault(key, message, "Use a trait of: account")
        return None
    return FieldTest(owner, name, kind, UNTESTED, key.line, True)


def read_measure(desk: Desk, of: Entity, node: Tree, what: str) -> Measure | None:
    """`{order: {sum: total, within: 365 days}}` as a measure, or None and faults."""
    mapping = desk.mapping(node, what)
    if mapping is None:
        return None
    if len(mapping.entries) != 1:
        desk.fault(node, f"{what} needs exactly one kind of facts", f"Use: {', '.join(LEAVES)}")
        return None
    leaf, body = mapping.entries[0]
    if leaf.text not in LEAVES:
        desk.unknown(leaf, f"kind of facts for {what}", LEAVES)
        return None
    if isinstance(body, Scalar) and body.value is None:
        body = Map((), leaf.line)
    inner = desk.mapping(inline(leaf.text, body), f"{leaf.text}:")
    if inner is None:
        return None
    return _over(desk, of, leaf, inner)


def _over(desk: Desk, of: Entity, leaf: Scalar, body: Map) -> Measure | None:
    table = TABLE_OF[leaf.text]
    hows = [(key, value) for key, value in body.entries if key.text in HOWS]
    rest = Map(tuple(one for one in body.entries if one[0].text not in HOWS), body.line)
    known = ("where", *WINDOW, *INLINE[leaf.text], *HOWS)
    before = len(desk.faults)
    for key, _ in rest.entries:
        if key.text not in known:
            desk.unknown(key, f"key of {leaf.text}:", known)
    if len(hows) > 1:
        desk.fault(hows[1][0], f"{leaf.text}: has several aggregates", "Keep one")
    if len(desk.faults) > before:
        return None
    rows = read_rows(desk, of, leaf, rest)
    how: How = hows[0][0].text if hows else "count"  # type: ignore[assignment]
    of_field = _field(desk, table, how, hows[0][1]) if hows else ("", "")
    if not isinstance(rows, Rows) or of_field is None:
        return None
    aggregate = Aggregate("count", *of_field, "integer", UNTESTED)
    return Measure(how, replace(rows, aggregate=aggregate))


def _field(desk: Desk, table: str, how: How, value: Tree) -> tuple[str, str] | None:
    """The field an aggregate is of, and its type; empty for a count."""
    if isinstance(value, Map):
        desk.only(value, f"{how}:", ("of",))
        value = value.get("of") or Scalar(None, "", value.line)
    missing = isinstance(value, Scalar) and value.value in (None, True)
    if how == "count":
        if not missing:
            desk.fault(
                value, "count takes no field", "Write count: true; rows are chosen by where:"
            )
        return ("", "") if missing else None
    if how in _SINCE:
        return _since(desk, table, how, value, missing)
    fields = desk.catalog.tables[table].fields
    fits: dict[str, str] = {one.name: one.type for one in fields if one.type in _FITS[how]}
    if how == "distinct":
        fits[DAY] = DAY
    if missing and how in ("first", "last"):
        return DATED[table], fits[DATED[table]]
    said = desk.text(value, f"{how}:")
    if said is None:
        return None
    if said not in fits:
        exists = desk.catalog.field(table, said) is not None
        reason = f"has no {how}" if exists else f"is no field of {table}"
        desk.fault(value, f"{said!r} {reason}", near(said, fits))
        return None
    return said, fits[said]


def _since(desk: Desk, table: str, how: How, value: Tree, missing: bool) -> tuple[str, str] | None:
    dated = DATED[table]
    if not missing and getattr(value, "text", "") != dated:
        desk.fault(value, f"{how} counts from {dated}", f"Write {how}: true")
        return None
    if BORN[table] != dated:
        desk.fault(value, f"{table} may be dated ahead, so {how} has no meaning", "Use last:")
        return None
    field = desk.catalog.field(table, dated)
    assert field is not None, "DATED names fields of the catalog"
    return dated, field.type


def outcome(how: How, of_type: str) -> str:
    """The type of what a measure gives."""
    if how in ("count", "distinct", *_SINCE):
        return "integer"
    if how == "average":
        return "money" if of_type == "money" else "decimal"
    if how == "sum" and of_type == "number":
        return "decimal"
    return of_type
