"""One ladder file: an ordered set of segments of which the first true one wins.

Each rung becomes the segment `<ladder>.<rung>`; its condition is its own and that of no rung
before it, so that every back end gives the same single rung.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from audiencehub.model import Entity
from audiencehub.rules.book import MODELS, Example, Segment
from audiencehub.rules.language.catalog import near
from audiencehub.rules.language.form import All, MatchAll, Node, Not, SegmentRef, deep
from audiencehub.rules.language.trait import Ladder, Rung
from audiencehub.rules.load.conditions import Reader
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.examples import read_given
from audiencehub.rules.load.literals import choice, literal
from audiencehub.rules.load.segment import read_rest
from audiencehub.rules.load.tree import Map, Scalar, Tree

KEYS: Mapping[str, str] = {
    "ladder": "The id; the same as the file's name",
    "label": "What people read",
    "model": "One of the thirteen segment models",
    "of": "contact or account",
    "goal": "What the ladder is for; a rung may have its own",
    "action": "What runs because it exists; a rung may have its own",
    "owner": "Who answers for it: an e-mail address",
    "review_by": "The day by which someone looks at it again",
    "kpis": "The figures by which its owner tells whether it works",
    "activate": "Where every rung goes that has no activate of its own",
    "rungs": "From first to last; who fulfils several is in the first of them",
    "examples": "Described profiles and the rung that each is on",
}
RUNG_KEYS: Mapping[str, str] = {
    "rung": "The id; the segment is called <ladder>.<rung>",
    "label": "What sales reads",
    "when": "The condition, beside being on no rung before",
    "otherwise": "true: everyone who is on no rung before; only the last rung",
    "goal": "What this rung is for",
    "action": "What runs because someone is on it",
    "owner": "Who answers for it",
    "review_by": "The day by which someone looks at it again",
    "activate": "Where this rung goes",
    "experiment": "A stable random share that is held back",
}
REQUIRED = ("ladder", "label", "model", "of", "rungs")
ID = re.compile(r"[a-z][a-z0-9_]{0,30}")
_SHARED = ("goal", "action", "owner", "review_by", "kpis")


def ladder_of(desk: Desk, tree: Tree) -> tuple[Ladder, tuple[Segment, ...]] | None:
    """The ladder of one file and the segment of each rung, or None; the desk holds the faults."""
    before = len(desk.faults)
    mapping = desk.mapping(tree, "a ladder file")
    if mapping is None:
        return None
    _keys(desk, mapping, "a ladder", KEYS)
    for needed in REQUIRED:
        if mapping.get(needed) is None:
            desk.fault(mapping, f"has no {needed}", f"Add {needed}: {KEYS[needed]}")
    name = _id(desk, mapping, "ladder", PurePath(desk.path).stem)
    of: Any = choice(desk, mapping, "of", ("contact", "account"))
    model = choice(desk, mapping, "model", MODELS)
    entity: Entity = of or "contact"
    sound = len(desk.faults)
    values = read_rest(desk, entity, _without(mapping, ("examples", "stay", "experiment")))
    label = values.pop("label", "")
    activate = mapping.get("activate") if len(desk.faults) == sound else None
    node = mapping.get("rungs")
    read = _rungs(desk, entity, name or "", node, values, activate) if node is not None else []
    examples = mapping.get("examples")
    described = _examples(desk, entity, [one for one, _, _ in read], examples) if examples else []
    if len(desk.faults) > before or not (name and of and model and read):
        return None
    segments = _segments(desk, read, name, model, entity, described)
    rungs = tuple(Rung(one.id.rpartition(".")[2], one.label, one.id) for one in segments)
    return Ladder(name, label, model, entity, rungs, desk.path, tree.line), segments


_Read = tuple[str, Node | None, dict[str, Any]]
"""A rung's id, its own condition (None: otherwise), and the other values of its segment."""


def _rungs(
    desk: Desk,
    of: Entity,
    ladder: str,
    node: Tree,
    shared: Mapping[str, Any],
    activate: Tree | None,
) -> list[_Read]:
    found: list[_Read] = []
    items = desk.items(node, "rungs")
    for place, item in enumerate(items, 1):
        mapping = desk.mapping(item, "a rung")
        if mapping is None:
            continue
        _keys(desk, mapping, "a rung", RUNG_KEYS)
        name = _id(desk, mapping, "rung", "")
        if mapping.get("rung") is None:
            desk.fault(item, "a rung has no id", "Add rung: <id>")
        if name and any(name == one for one, _, _ in found):
            desk.fault(item, f"the rung {name!r} comes twice", "Rename one of the two")
        own = read_rest(desk, of, _whole(mapping, ladder, name or "", activate))
        values = {**{key: shared[key] for key in _SHARED if key in shared}, **own}
        values["line"] = item.line
        condition = _condition(desk, of, ladder, mapping, last=place == len(items))
        found.append((name or "", condition, values))
    return found


def _whole(rung: Map, ladder: str, name: str, activate: Tree | None) -> Map:
    """The rung as a segment file would have it: with a label, an id, and where it goes."""
    entries = list(_without(rung, ("examples", "stay", "segment")).entries)
    line, label = rung.line, name.replace("_", " ").capitalize()
    entries.append((Scalar("segment", "segment", line), _text(f"{ladder}.{name}", line)))
    if rung.get("label") is None and label:
        entries.append((Scalar("label", "label", line), _text(label, line)))
    if rung.get("activate") is None and activate is not None:
        entries.append((Scalar("activate", "activate", line), activate))
    return Map(tuple(entries), line)


def _text(value: str, line: int) -> Scalar:
    return Scalar(value, value, line)


def _condition(desk: Desk, of: Entity, ladder: str, mapping: Map, *, last: bool) -> Node | None:
    when, otherwise = mapping.get("when"), mapping.get("otherwise")
    if otherwise is not None:
        if not (isinstance(otherwise, Scalar) and otherwise.value is True):
            desk.fault(otherwise, "otherwise can only be true", "Write otherwise: true")
        elif when is not None:
            desk.fault(otherwise, "a rung has when or otherwise, not both", "Remove one")
        elif not last:
            desk.fault(otherwise, "only the last rung may be otherwise", "Move it to the end")
        return None
    if when is None:
        desk.fault(mapping, "a rung has no when", "Add when:, or otherwise: true on the last rung")
        return None
    condition = Reader(desk, of).condition(when, "when")
    for node in deep(condition) if condition is not None else ():
        if isinstance(node, SegmentRef) and node.segment.startswith(f"{ladder}."):
            message = f"refers to {node.segment}, a rung of its own ladder"
            desk.fault(node.line, message, "Remove it: rungs exclude each other by themselves")
    return condition


def _segments(
    desk: Desk,
    read: list[_Read],
    ladder: str,
    model: str,
    of: Entity,
    described: list[tuple[Mapping[str, Any], str, str, int]],
) -> tuple[Segment, ...]:
    found: list[Segment] = []
    earlier: list[Node] = []
    for name, own, values in read:
        parts = (*((own,) if own is not None else ()), *earlier)
        when: Node = parts[0] if len(parts) == 1 else All(parts, values["line"])
        if not parts:
            when = MatchAll(values["line"])
        examples = tuple(
            Example(given, rung == name, label, line) for given, rung, label, line in described
        )
        found.append(
            Segment(
                id=f"{ladder}.{name}",
                model=model,
                of=of,
                when=when,
                examples=examples,
                path=desk.path,
                ladder=ladder,
                **values,
            )
        )
        if own is not None:
            earlier.append(Not(own, own.line, found[-1].label))
    return tuple(found)


def _examples(
    desk: Desk, of: Entity, rungs: list[str], node: Tree
) -> list[tuple[Mapping[str, Any], str, str, int]]:
    """(given, rung, name, line) of each; an empty rung is none."""
    found: list[tuple[Mapping[str, Any], str, str, int]] = []
    for item in desk.items(node, "examples"):
        mapping = desk.mapping(item, "an example")
        if mapping is None:
            continue
        desk.only(mapping, "an example", ("given", "rung", "name", "at"))
        given, rung, at = (mapping.get(key) for key in ("given", "rung", "at"))
        named = mapping.get("name")
        if given is None or not isinstance(rung, Scalar):
            hint = "Add given: and rung: (null for none)"
            desk.fault(item, "an example of a ladder needs given and rung", hint)
            continue
        if rung.value is not None and rung.text not in rungs:
            desk.fault(rung, f"there is no rung {rung.text!r}", near(rung.text, rungs))
        document = read_given(desk, of, given)
        if document is not None and at is not None:
            document["at"] = literal(desk, at, "date")
        label = desk.text(named, "name") if named is not None else ""
        if document is not None:
            on = "" if rung.value is None else rung.text
            found.append((document, on, label or "", item.line))
    return found


def _keys(desk: Desk, mapping: Map, what: str, known: Mapping[str, str]) -> None:
    for key, _ in mapping.entries:
        if key.text == "stay":
            hint = "Remove it: who no longer fulfils a rung moves at once"
            desk.fault(key, f"{what} has no stay", hint)
    desk.only(_without(mapping, ("stay",)), what, known)


def _without(mapping: Map, names: tuple[str, ...]) -> Map:
    kept = tuple((key, value) for key, value in mapping.entries if key.text not in names)
    return Map(kept, mapping.line)


def _id(desk: Desk, mapping: Map, key: str, stem: str) -> str | None:
    node = mapping.get(key)
    said = desk.text(node, key) if node is not None else None
    if node is None or said is None:
        return None
    if not ID.fullmatch(said):
        desk.fault(node, f"{said!r} is no {key} id", "Use a to z, 0 to 9 and _, at most 31")
    elif stem and said != stem:
        desk.fault(node, f"is called {said!r} in the file {stem}.yaml", f"Write {key}: {stem}")
    return said
