"""One trait file: its keys, and the kind of value it computes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from audiencehub.model import Entity
from audiencehub.rules.language.catalog import near
from audiencehub.rules.language.form import FieldTest
from audiencehub.rules.language.trait import (
    QUINTILES,
    RFM_PARTS,
    Body,
    Cell,
    Column,
    Measure,
    Quantile,
    Trait,
)
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.measure import UNTESTED, outcome, read_measure
from audiencehub.rules.load.traitbody import READERS
from audiencehub.rules.load.traitexample import read_trait_examples
from audiencehub.rules.load.tree import Broken, Map, Scalar, Tree

KEYS: Mapping[str, str] = {
    "trait": "The id; the same as the file's name",
    "label": "What people read",
    "of": "contact or account",
    "about": "What it says of someone, in a sentence",
    "owner": "Who answers for it: an e-mail address",
    "unit": "What its numbers count: days, orders, percent",
    "type": "The type it must have; the trait is refused when it has another",
    "currency": "The currency of an amount; it must be the company's",
    "examples": "Described profiles and the value for them",
}
KINDS: Mapping[str, str] = {
    "aggregate": "One value over facts: {order: {sum: total, within: 365 days}}",
    "ratio": "One value divided by another: {of: …, over: …}",
    "band": "Named bands of a value: {of: …, bands: [{name: low, below: 10}, {name: high}]}",
    "points": "A score: [{when: <condition>, points: 10}, …]",
    "percentile": "1 to 100 among all, or within a group: {of: trait.spend, within: country}",
    "rfm": "Recency, frequency and monetary quintiles and their cell: {order: {sum: total}}",
    "model_score": "The newest score of a model: {model: churn, within: 30 days}",
}
ID = re.compile(r"[a-z][a-z0-9_]{0,62}")


def declared(desk: Desk, tree: Tree) -> dict[str, tuple[Entity, str]]:
    """Column to (entity, type), as far as the file can say before others are known.

    An empty type is that of a trait whose file is faulty: whoever names it earns no fault.
    """
    name = PurePath(desk.path).stem
    mapping = tree if isinstance(tree, Map) else Map((), tree.line)
    said = mapping.get("of")
    of: Entity = "account" if getattr(said, "text", "") == "account" else "contact"
    kind = next((key.text for key, _ in mapping.entries if key.text in KINDS), "")
    if kind == "rfm":
        found = _rfm_sum(Desk(desk.path, desk.currency, desk.catalog), of, mapping)
        return {
            f"{name}.{part}": (of, (found or "money") if part == "sum" else type_)
            for part, type_ in RFM_PARTS.items()
        }
    types = {
        "ratio": "decimal",
        "band": "text",
        "points": "integer",
        "percentile": "integer",
        "model_score": "decimal",
    }
    if kind == "aggregate":
        body = mapping.get("aggregate") or mapping
        blind = Desk(desk.path, desk.currency, desk.catalog)
        measure = read_measure(blind, of, body, kind)
        types[kind] = outcome(measure.how, measure.rows.aggregate.of_type) if measure else ""
    return {name: (of, types.get(kind, ""))}


def _rfm_sum(desk: Desk, of: Entity, mapping: Map) -> str | None:
    measure = read_measure(desk, of, mapping.get("rfm") or mapping, "rfm")
    return outcome("sum", measure.rows.aggregate.of_type) if measure else None


def trait_of(desk: Desk, tree: Tree) -> Trait | None:
    """The trait of one file, or None; the desk holds the faults."""
    before = len(desk.faults)
    mapping = desk.mapping(tree, "a trait file")
    if mapping is None:
        return None
    desk.only(mapping, "a trait", (*KEYS, *KINDS))
    for needed in ("trait", "label", "of"):
        if mapping.get(needed) is None:
            desk.fault(mapping, f"has no {needed}", f"Add {needed}: {KEYS[needed]}")
    name, of = _id(desk, mapping), _of(desk, mapping)
    kind, node = _kind(desk, mapping)
    words = {
        key: desk.text(value, key) or ""
        for key in ("label", "about", "owner", "unit")
        if (value := mapping.get(key)) is not None
    }
    if not (name and of and kind and node is not None):
        return None
    columns = _columns(desk, of, name, kind, node)
    if columns:
        _contract(desk, mapping, columns[0])
        if columns[0].type == "money" and not words.get("unit"):
            words["unit"] = desk.currency
    examples = mapping.get("examples")
    described = read_trait_examples(desk, of, name, columns, examples) if examples else ()
    if len(desk.faults) > before:
        return None
    return Trait(
        id=name,
        of=of,
        kind=kind,
        columns=columns,
        examples=described,
        path=desk.path,
        line=tree.line,
        **{"label": "", **words},
    )


def _kind(desk: Desk, mapping: Map) -> tuple[str, Tree | None]:
    found = [(key, value) for key, value in mapping.entries if key.text in KINDS]
    if not found:
        desk.fault(mapping, "says not what it computes", f"Add one of: {', '.join(KINDS)}")
        return "", None
    for key, _ in found[1:]:
        desk.fault(key, f"is {found[0][0].text} already", "One file holds one trait")
    return found[0][0].text, found[0][1]


def _columns(desk: Desk, of: Entity, name: str, kind: str, node: Tree) -> tuple[Column, ...]:
    if kind == "rfm":
        return _rfm(desk, of, name, node)
    body: Body | None = READERS[kind](desk, of, node)
    if body is None:
        return ()
    type_ = desk.traits.get(name, (of, ""))[1]
    return (Column(name, of, type_, body),)


def _rfm(desk: Desk, of: Entity, name: str, node: Tree) -> tuple[Column, ...]:
    """Three measures, their quintiles, and the cell; nobody without a dated row takes part."""
    measure = read_measure(desk, of, node, "rfm")
    if measure is None:
        return ()
    if measure.how != "sum":
        desk.fault(node, "rfm: says not what is spent", "Write rfm: {order: {sum: total}}")
        return ()
    dated = _dated(desk, of, node, measure)
    if dated is None:
        return ()
    types = {**RFM_PARTS, "sum": outcome("sum", measure.rows.aggregate.of_type)}

    def part(which: str) -> FieldTest:
        return FieldTest(of, f"{name}.{which}", types[which], UNTESTED, node.line, True)

    days, count, cell = dated, Measure("count", measure.rows), ("recency", "frequency", "monetary")
    bodies: dict[str, Body] = {
        "days": days,
        "count": count,
        "sum": measure,
        "recency": Quantile(part("days"), QUINTILES, falling=True, given=part("days")),
        "frequency": Quantile(part("count"), QUINTILES, given=part("days")),
        "monetary": Quantile(part("sum"), QUINTILES, given=part("days")),
        "cell": Cell(*(part(one) for one in cell)),
    }
    return tuple(Column(f"{name}.{key}", of, types[key], body) for key, body in bodies.items())


def _dated(desk: Desk, of: Entity, node: Tree, measure: Measure) -> Measure | None:
    """The days since the last of the same rows."""
    assert isinstance(node, Map), "a measure was read from it"
    leaf = node.entries[0][0]
    last = Map(((Scalar("days_since_last", "days_since_last", leaf.line), _TRUE),), leaf.line)
    found = read_measure(desk, of, Map(((leaf, last),), leaf.line), "rfm")
    return found and replace(found, rows=replace(measure.rows, aggregate=found.rows.aggregate))


_TRUE = Scalar(True, "true", 0)


def _contract(desk: Desk, mapping: Map, column: Column) -> None:
    """`type` and `currency` are promises to those who read the trait: they must hold."""
    wanted = mapping.get("type")
    if isinstance(wanted, Scalar) and wanted.text != column.type:
        desk.fault(wanted, f"has the type {column.type}", f"Write type: {column.type}")
    currency = mapping.get("currency")
    if isinstance(currency, Scalar) and currency.text != desk.currency:
        hint = f"Write currency: {desk.currency}"
        desk.fault(currency, f"amounts are in {desk.currency}, the company's currency", hint)


def _id(desk: Desk, mapping: Map) -> str | None:
    node = mapping.get("trait")
    said = desk.text(node, "trait") if node is not None else None
    if node is None or said is None:
        return None
    stem = PurePath(desk.path).stem
    if not ID.fullmatch(said):
        desk.fault(node, f"{said!r} is no trait id", "Use a to z, 0 to 9 and _, at most 63")
    elif said != stem:
        desk.fault(node, f"is called {said!r} in the file {stem}.yaml", f"Write trait: {stem}")
    return said


def _of(desk: Desk, mapping: Map) -> Entity | None:
    node = mapping.get("of")
    if node is None or isinstance(node, Broken):
        return None
    said: Any = node.value if isinstance(node, Scalar) else None
    if said in ("contact", "account"):
        found: Entity = said
        return found
    shown = node.text if isinstance(node, Scalar) else "this"
    desk.fault(node, f"of: {shown!r} is not known", near(shown, ("contact", "account")))
    return None
