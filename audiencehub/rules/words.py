"""Clauses, tests and values in words a person reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from audiencehub.rules.language.catalog import spoken
from audiencehub.rules.language.form import (
    All,
    Any_,
    Contacts,
    FieldTest,
    MatchAll,
    Near,
    Node,
    Not,
    Occasion,
    Past,
    Rank,
    Rows,
    SegmentRef,
    Sequence,
    Strength,
    Trend,
)
from audiencehub.rules.telling import contacts, facts, near, occasion, past, rank
from audiencehub.rules.telling.values import age_text, check_text, tests_text, value_text


def field_text(node: FieldTest) -> str:
    """A field or a trait as a rule writes it."""
    return f"trait.{node.field}" if node.trait else f"{node.scope}.{spoken(node.field)}"


def node_text(node: Node) -> str:
    """One node in words."""
    if isinstance(node, FieldTest):
        return f"{field_text(node)} {tests_text(node.tests)}"
    told = _TOLD.get(type(node))
    if told is not None:
        return told(node)
    return "all of" if isinstance(node, All) else "any of"


def whole_text(node: Node) -> str:
    """A clause with everything below it, on one line."""
    if isinstance(node, All | Any_):
        word = " and " if isinstance(node, All) else " or "
        return word.join(
            f"({whole_text(one)})" if _joined(one) else whole_text(one) for one in node.parts
        )
    if isinstance(node, Not):
        inner = whole_text(node.part)
        return f"not ({inner})" if isinstance(node.part, All | Any_ | Not) else f"not {inner}"
    return node_text(node)


def _joined(node: Node) -> bool:
    return isinstance(node, All | Any_) and len(node.parts) > 1


_TOLD: dict[type, Callable[[Any], str]] = {
    Rows: facts.rows_text,
    Sequence: facts.sequence_text,
    Strength: facts.strength_text,
    Trend: facts.trend_text,
    SegmentRef: lambda node: f"in segment {node.segment}",
    MatchAll: lambda _: "everyone",
    Not: lambda node: f"not on an earlier rung, {node.rung}" if node.rung else "not",
    Contacts: lambda node: contacts.text(node, whole_text),
    Rank: rank.text,
    Occasion: occasion.text,
    Past: past.text,
    Near: near.text,
}
"""How each kind of node is said, but for fields and for all and any."""

__all__ = [
    "age_text",
    "check_text",
    "field_text",
    "node_text",
    "tests_text",
    "value_text",
    "whole_text",
]
