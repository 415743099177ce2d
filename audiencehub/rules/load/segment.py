"""One segment file: its keys, in the words of DESIGN §4."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import PurePath
from typing import Any

from audiencehub.rules.book import MODELS, Experiment, Segment
from audiencehub.rules.language.form import Span
from audiencehub.rules.load.activation import SHARE, read_activations
from audiencehub.rules.load.conditions import Reader
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.examples import read_examples
from audiencehub.rules.load.literals import choice, literal, span
from audiencehub.rules.load.tree import Map, Scalar, Seq, Tree

KEYS: Mapping[str, str] = {
    "segment": "The id; the same as the file's name",
    "label": "What sales reads",
    "model": "One of the thirteen segment models",
    "of": "contact or account",
    "goal": "What the segment is for",
    "action": "What runs because it exists",
    "owner": "Who answers for it: an e-mail address",
    "kpis": "The figures by which its owner tells whether it works",
    "review_by": "The day by which someone looks at it again",
    "when": "The condition",
    "activate": "Where it goes",
    "stay": "Once in, leaves only after this",
    "experiment": "A stable random share that is held back",
    "examples": "Described profiles and whether they are members",
}
REQUIRED = ("segment", "label", "model", "of", "when")
ID = re.compile(r"[a-z][a-z0-9_]{0,62}")


def _misplaced(desk: Desk, mapping: Map) -> bool:
    """A trait or a ladder among the segments: one fault, not one for each of its keys."""
    for kind in ("trait", "ladder"):
        if mapping.get(kind) is not None and mapping.get("segment") is None:
            desk.fault(mapping, f"is a {kind} among segments", f"Move it below the folder {kind}s/")
            return True
    return False


def segment_of(desk: Desk, tree: Tree) -> Segment | None:
    """The segment of one file, or None; the desk holds the faults."""
    faults = len(desk.faults)
    mapping = desk.mapping(tree, "a rule file")
    if mapping is None or _misplaced(desk, mapping):
        return None
    desk.only(mapping, "a segment", KEYS)
    for needed in REQUIRED:
        if mapping.get(needed) is None:
            desk.fault(mapping, f"has no {needed}", f"Add {needed}: {KEYS[needed]}")
    name = _id(desk, mapping)
    of = choice(desk, mapping, "of", ("contact", "account"))
    model = choice(desk, mapping, "model", MODELS)
    when = mapping.get("when")
    entity: Any = of or "contact"
    condition = _when(desk, entity, when) if when is not None else None
    values = read_rest(desk, entity, mapping)
    if len(desk.faults) > faults or not (name and of and model and condition):
        return None
    return Segment(
        id=name, model=model, of=entity, when=condition, path=desk.path, line=tree.line, **values
    )


def _when(desk: Desk, of: Any, node: Tree) -> Any:
    if isinstance(node, Scalar) and node.value is None:
        desk.fault(node, "when is empty", "Add a condition; for everyone write match_all: true")
        return None
    return Reader(desk, of).condition(node, "when")


def read_rest(desk: Desk, of: Any, mapping: Map) -> dict[str, Any]:
    """Everything of a segment but id, model, entity and condition, as values of `Segment`."""
    out: dict[str, Any] = {}
    for name in ("label", "goal", "action", "owner"):
        node = mapping.get(name)
        if node is not None:
            out[name] = desk.text(node, name) or ""
    node = mapping.get("kpis")
    if node is not None:
        said = (desk.text(one, "a KPI") for one in desk.items(node, "kpis"))
        out["kpis"] = tuple(one for one in said if one)
    node = mapping.get("review_by")
    if node is not None:
        day = literal(desk, node, "date")
        out["review_by"] = day if isinstance(day, date) else None
    node = mapping.get("stay")
    if node is not None:
        out["stay"] = _stay(desk, node)
    node = mapping.get("activate")
    if node is not None:
        label = out.get("label", "")
        items = () if isinstance(node, Seq) and not node.items else desk.items(node, "activate")
        out["activate"] = read_activations(desk, items, label)
    node = mapping.get("experiment")
    if node is not None:
        out["experiment"] = _experiment(desk, node, mapping)
    node = mapping.get("examples")
    if node is not None:
        out["examples"] = read_examples(desk, of, node)
    return out


def _id(desk: Desk, mapping: Map) -> str | None:
    node = mapping.get("segment")
    said = desk.text(node, "segment") if node is not None else None
    if node is None or said is None:
        return None
    stem = PurePath(desk.path).stem
    if not ID.fullmatch(said):
        desk.fault(node, f"{said!r} is no segment id", "Use a to z, 0 to 9 and _, at most 63")
    elif said != stem:
        desk.fault(node, f"is called {said!r} in the file {stem}.yaml", f"Write segment: {stem}")
    return said


def _stay(desk: Desk, node: Tree) -> Span | None:
    mapping = desk.mapping(node, "stay")
    if mapping is None:
        return None
    desk.only(mapping, "stay", ("at_least",))
    least = mapping.get("at_least")
    if least is None:
        desk.fault(node, "stay says not how long", "Write stay: {at_least: 3 days}")
        return None
    return span(desk, least)


def _experiment(desk: Desk, node: Tree, whole: Map) -> Experiment | None:
    mapping = desk.mapping(node, "experiment")
    if mapping is None:
        return None
    desk.only(mapping, "experiment", ("name", "holdout"))
    holdout = mapping.get("holdout")
    share = None
    if isinstance(holdout, Scalar) and SHARE.fullmatch(holdout.text):
        share = float(holdout.text[:-1]) / 100
    if share is None or not 0 < share <= 0.5:
        desk.fault(holdout or node, "holdout is no share up to a half", "Write holdout: 10%")
        return None
    named = mapping.get("name")
    own = whole.get("segment")
    name = desk.text(named, "name") if named is not None else getattr(own, "text", "")
    return Experiment(name or "", share)
