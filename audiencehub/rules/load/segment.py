"""One segment file: its keys, in the words of DESIGN §4."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import PurePath
from typing import Any

from audiencehub.rules.book import MODELS, Activation, Experiment, Segment
from audiencehub.rules.language.catalog import near
from audiencehub.rules.language.form import Span
from audiencehub.rules.load.conditions import Reader
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.examples import read_examples
from audiencehub.rules.load.literals import literal, span
from audiencehub.rules.load.tree import Broken, Map, Scalar, Seq, Tree

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
_SHARE = re.compile(r"(100|[1-9]?[0-9])(\.[0-9])?%")


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
        found = tuple(a for one in items if (a := _activation(desk, one, label)))
        _once(desk, found)
        out["activate"] = found
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


def choice(desk: Desk, mapping: Map, name: str, options: tuple[str, ...]) -> str | None:
    """The word under a key, one of the options, or None and a fault where it is another."""
    node = mapping.get(name)
    if node is None or isinstance(node, Broken):
        return None
    said = node.value if isinstance(node, Scalar) else None
    if said in options:
        return str(said)
    shown = node.text if isinstance(node, Scalar) else "this"
    desk.fault(node, f"{name}: {shown!r} is not known", near(shown, options))
    return None


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


def _activation(desk: Desk, node: Tree, label: str) -> Activation | None:
    mapping = desk.mapping(node, "an activation")
    if mapping is None:
        return None
    desk.only(mapping, "an activation", ("to", "as", "name", "max_removals"))
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
    if not destination or not kind:
        return None
    return Activation(destination, kind, name or label, share, count, node.line)


def _limit(desk: Desk, node: Tree) -> tuple[float | None, int | None]:
    if isinstance(node, Scalar):
        if isinstance(node.value, int) and not isinstance(node.value, bool) and node.value >= 0:
            return None, node.value
        if _SHARE.fullmatch(node.text):
            return float(node.text[:-1]) / 100, None
    desk.fault(node, "max_removals is no limit", "Write a share such as 20%, or a number")
    return None, None


def _once(desk: Desk, activations: tuple[Activation, ...]) -> None:
    seen: set[tuple[str, str]] = set()
    for one in activations:
        if (one.to, one.kind) in seen:
            desk.fault(one.line, f"goes to {one.to} as {one.kind} twice", "Remove one")
        seen.add((one.to, one.kind))


def _experiment(desk: Desk, node: Tree, whole: Map) -> Experiment | None:
    mapping = desk.mapping(node, "experiment")
    if mapping is None:
        return None
    desk.only(mapping, "experiment", ("name", "holdout"))
    holdout = mapping.get("holdout")
    share = None
    if isinstance(holdout, Scalar) and _SHARE.fullmatch(holdout.text):
        share = float(holdout.text[:-1]) / 100
    if share is None or not 0 < share <= 0.5:
        desk.fault(holdout or node, "holdout is no share up to a half", "Write holdout: 10%")
        return None
    named = mapping.get("name")
    own = whole.get("segment")
    name = desk.text(named, "name") if named is not None else getattr(own, "text", "")
    return Experiment(name or "", share)
