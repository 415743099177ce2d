"""The normal form of a condition: equal for conditions that obviously mean the same."""

from __future__ import annotations

import dataclasses
from typing import Any

from audiencehub.rules.language.form import (
    All,
    Any_,
    Check,
    MatchAll,
    Node,
    Not,
    Tests,
    said,
)

_ONE = {"any_of": "is", "none_of": "is_not"}
_UNORDERED = ("any_of", "none_of", "contains", "starts_with", "ends_with")


def normal(node: Node) -> str:
    """A text that two conditions share when they differ only in the order of clauses or values, in
    nesting, in repetitions, in double negation, or in `is` against a list of one."""
    return said(_node(node))


def _node(node: Any) -> Any:
    if isinstance(node, All | Any_):
        return _tree(node)
    if isinstance(node, Not):
        part = _node(node.part)
        return part.part if isinstance(part, Not) else dataclasses.replace(node, part=part)
    if isinstance(node, Tests):
        checks = {said(one): one for one in map(_check, node.checks)}
        return Tests(tuple(checks[key] for key in sorted(checks)), node.or_unknown)
    if isinstance(node, tuple):
        return tuple(_node(one) for one in node)
    if dataclasses.is_dataclass(node) and not isinstance(node, type):
        changes = {
            one.name: _node(getattr(node, one.name))
            for one in dataclasses.fields(node)
            if one.compare and one.init
        }
        return dataclasses.replace(node, **changes)
    return node


def _tree(node: All | Any_) -> Any:
    """Nested ones of the same kind are one, each part stands once, the order does not count."""
    parts: dict[str, Any] = {}
    for part in map(_node, node.parts):
        inner = part.parts if type(part) is type(node) else (part,)
        parts.update({said(one): one for one in inner})
    if isinstance(node, All) and len(parts) > 1:
        parts.pop(said(MatchAll()), None)
    kept = tuple(parts[key] for key in sorted(parts))
    return kept[0] if len(kept) == 1 else dataclasses.replace(node, parts=kept)


def _check(check: Check) -> Check:
    op, value = check.op, check.value
    if op in _UNORDERED:
        many = value if isinstance(value, tuple) else (value,)
        value = tuple(sorted(dict.fromkeys(many), key=said))
        if op in _ONE and len(value) == 1:
            return Check(_ONE[op], value[0])
    return Check(op, value)
