"""`was_in`, `entered`, `left`: what the membership log says."""

from __future__ import annotations

from audiencehub.model import Entity
from audiencehub.rules.language.form import Past, Tests
from audiencehub.rules.load.checks import WINDOW, read_check
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.tree import Map, Scalar, Tree

EVENTS = ("was_in", "entered", "left")
WINDOWS = tuple(name for name in WINDOW if name != "next")


def read_past(desk: Desk, of: Entity, key: Scalar, node: Tree) -> Past | None:
    """The leaf, or None and faults. Whose past it is, the book decides by the segment named."""
    what = f"{key.text}:"
    if isinstance(node, Scalar):
        said = desk.text(node, what)
        return None if said is None else Past(key.text, said, of, None, key.line)  # type: ignore[arg-type]
    mapping = desk.mapping(node, what)
    if mapping is None:
        return None
    faults = len(desk.faults)
    if mapping.get("next") is not None:
        hint = f"Use {', '.join(WINDOWS)}"
        desk.fault(mapping, f"{what} nobody knows who will be in a segment", hint)
    else:
        desk.only(mapping, what, ("segment", *WINDOWS))
    segment = mapping.get("segment")
    if segment is None:
        desk.fault(mapping, f"{what} says not which segment", "Add segment: <id>")
        return None
    said = desk.text(segment, "segment:")
    window = _window(desk, what, mapping)
    if said is None or len(desk.faults) > faults:
        return None
    return Past(key.text, said, of, window, key.line)  # type: ignore[arg-type]


def _window(desk: Desk, what: str, mapping: Map) -> Tests | None:
    given = [(name, value) for name, value in mapping.entries if name.text in WINDOWS]
    if len(given) > 1:
        hint = "Write between: [first, last]"
        desk.fault(given[1][0], f"{what} has several windows", hint)
        return None
    checks = [read_check(desk, name.text, value, "instant") for name, value in given]
    known = tuple(one for one in checks if one is not None)
    return Tests(known) if known else None
