"""The body of a trait, by its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from audiencehub.model import Entity
from audiencehub.rules.language.form import (
    Contacts,
    FieldTest,
    Node,
    Past,
    Rank,
    SegmentRef,
    deep,
)
from audiencehub.rules.language.trait import (
    PERCENTILES,
    Band,
    Body,
    Points,
    Quantile,
    Ratio,
    Score,
)
from audiencehub.rules.load.conditions import Reader
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.lesson import LESSON_KEYS, read_lesson
from audiencehub.rules.load.literals import literal, span
from audiencehub.rules.load.measure import (
    NUMERIC,
    outcome,
    read_measure,
    read_source,
    read_term,
)
from audiencehub.rules.load.tree import Map, Scalar, Tree

_GROUPS = ("text", "boolean", "integer")
_MOST_POINTS = 1_000_000


def _ratio(desk: Desk, of: Entity, node: Tree) -> Body | None:
    mapping = desk.mapping(node, "ratio")
    if mapping is None:
        return None
    desk.only(mapping, "ratio", ("of", "over"))
    terms = []
    for name in ("of", "over"):
        part = mapping.get(name)
        if part is None:
            desk.fault(node, f"ratio has no {name}", "Write ratio: {of: …, over: …}")
            continue
        terms.append(_number(desk, of, part, f"ratio {name}:"))
    part, whole = terms if len(terms) == 2 else (None, None)
    return Ratio(part, whole) if part and whole else None


def _number(desk: Desk, of: Entity, node: Tree, what: str) -> Any:
    """A term that is a number or an amount."""
    term = read_term(desk, of, node, what)
    if term is None:
        return None
    kind = kind_of(term)
    if kind and kind not in NUMERIC:
        desk.fault(node, f"{what} is no number but {kind}", "Use a number or an amount")
        return None
    return term


def kind_of(term: Any) -> str:
    """The type of a term."""
    if isinstance(term, FieldTest):
        return term.type
    return outcome(term.how, term.rows.aggregate.of_type)


def _band(desk: Desk, of: Entity, node: Tree) -> Body | None:
    mapping = desk.mapping(node, "band")
    if mapping is None:
        return None
    desk.only(mapping, "band", ("of", "bands"))
    named, listed = mapping.get("of"), mapping.get("bands")
    if named is None:
        desk.fault(node, "band has no of", "Add of: trait.<id>, or a field")
    if listed is None:
        desk.fault(node, "band has no bands", "Add bands: [{name: low, below: 10}, {name: high}]")
    term = _number(desk, of, named, "band of:") if named is not None else None
    kind = kind_of(term) if term else "decimal"
    items = desk.items(listed, "bands") if listed is not None else ()
    before = len(desk.faults)
    found: list[tuple[str, Any]] = []
    for place, item in enumerate(items, 1):
        found += _one_band(desk, item, kind or "decimal", last=place == len(items), over=found)
    if term is None or not found or len(desk.faults) > before:
        return None
    return Band(term, tuple(found))


def _one_band(
    desk: Desk, node: Tree, kind: str, *, last: bool, over: list[tuple[str, Any]]
) -> list[tuple[str, Any]]:
    mapping = desk.mapping(node, "a band")
    if mapping is None:
        return []
    desk.only(mapping, "a band", ("name", "below"))
    named, bound = mapping.get("name"), mapping.get("below")
    name = desk.text(named, "name") if named is not None else None
    if named is None:
        desk.fault(node, "a band has no name", "Add name:")
    if bound is None:
        if not last:
            desk.fault(node, "only the last band may lack below", "Add below: its upper bound")
        return [(name, None)] if name else []
    below = literal(desk, bound, kind)
    if name and any(name == one for one, _ in over):
        desk.fault(node, f"the band {name!r} comes twice", "Rename one")
    if below is not None and over and over[-1][1] is not None and below <= over[-1][1]:
        desk.fault(bound, "is not above the bound before it", "Order the bands from low to high")
    return [(name, below)] if name and below is not None else []


def _points(desk: Desk, of: Entity, node: Tree) -> Body | None:
    parts = []
    items = desk.items(node, "points")
    for item in items:
        mapping = desk.mapping(item, "an item of points")
        if mapping is None:
            continue
        desk.only(mapping, "an item of points", ("when", "points"))
        when, worth = mapping.get("when"), mapping.get("points")
        if when is None or worth is None:
            desk.fault(
                item, "an item of points needs when and points", "Write {when: …, points: 10}"
            )
            continue
        condition = Reader(desk, of).condition(when, "when")
        value = literal(desk, worth, "integer")
        if isinstance(value, int) and abs(value) > _MOST_POINTS:
            desk.fault(worth, f"is more than {_MOST_POINTS} points", "Use smaller numbers")
        elif condition is not None and isinstance(value, int) and _local(desk, condition):
            parts.append((condition, value))
    return Points(tuple(parts)) if parts and len(parts) == len(items) else None


def _local(desk: Desk, condition: Node) -> bool:
    """Traits are computed before segments, and of one entity at a time."""
    for node in deep(condition):
        if isinstance(node, SegmentRef | Past | Rank | Contacts):
            word = {SegmentRef: "segments", Past: "segments", Rank: "ranks"}.get(type(node), "")
            message = f"traits are computed before {word or 'conditions on contacts'}"
            desk.fault(node.line, message, "Use fields, facts and other traits")
            return False
    return True


def _percentile(desk: Desk, of: Entity, node: Tree) -> Body | None:
    if isinstance(node, Scalar):
        node = Map(((Scalar("of", "of", node.line), node),), node.line)
    mapping = desk.mapping(node, "percentile")
    if mapping is None:
        return None
    desk.only(mapping, "percentile", ("of", "within"))
    named, group = mapping.get("of"), mapping.get("within")
    if not isinstance(named, Scalar):
        desk.fault(named or node, "percentile names no field or trait", "Write of: trait.<id>")
        return None
    by = _number(desk, of, named, "percentile of:")
    within = None
    if group is not None:
        within = read_source(desk, of, group) if isinstance(group, Scalar) else None
        if within is None or within.type not in _GROUPS:
            if within is not None and within.type:
                desk.fault(group, "makes no groups", "Group by a field of text or whole numbers")
            elif not isinstance(group, Scalar):
                desk.fault(group, "within is no field", "Name a field or a trait")
            return None
    return Quantile(by, PERCENTILES, within=within) if by else None


def _score(desk: Desk, of: Entity, node: Tree) -> Body | None:
    if isinstance(node, Scalar):
        node = Map(((Scalar("model", "model", node.line), node),), node.line)
    mapping = desk.mapping(node, "model_score")
    if mapping is None:
        return None
    desk.only(mapping, "model_score", ("model", "within", *LESSON_KEYS))
    named, window = mapping.get("model"), mapping.get("within")
    if named is None:
        desk.fault(node, "model_score names no model", "Add model: <name>")
    model = desk.text(named, "model") if named is not None else None
    length = span(desk, window) if window is not None else None
    if window is not None and length is None:
        return None
    faults = len(desk.faults)
    lesson = read_lesson(desk, of, mapping)
    return Score(model, length, lesson) if model and len(desk.faults) == faults else None


READERS: Mapping[str, Callable[[Desk, Entity, Tree], Body | None]] = {
    "aggregate": lambda desk, of, node: read_measure(desk, of, node, "aggregate"),
    "ratio": _ratio,
    "band": _band,
    "points": _points,
    "percentile": _percentile,
    "model_score": _score,
}
