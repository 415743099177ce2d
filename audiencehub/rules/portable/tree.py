"""The condition of a rule: its tree, and which module writes which leaf."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from audiencehub.errors import ConfigError
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
from audiencehub.rules.portable import changes, entities, facts, occasions, past, places, sequences
from audiencehub.rules.portable.query import Scope
from audiencehub.rules.portable.text import TRUE, either, negated, together

Writer = Callable[[Any, Scope], str]
"""The verdict on a node from the row of a scope: true, false, or null for false."""


def write(node: Node, scope: Scope) -> str:
    """Any node. ConfigError for a kind that this back end cannot write."""
    if isinstance(node, All):
        return together([write(one, scope) for one in node.parts])
    if isinstance(node, Any_):
        return either([write(one, scope) for one in node.parts])
    if isinstance(node, Not):
        return negated(write(node.part, scope))
    if isinstance(node, MatchAll):
        return TRUE
    writer = LEAVES.get(type(node))
    if writer is None:
        kind = type(node).__name__.lower()
        raise ConfigError(
            f"a condition of kind {kind} has no portable SQL",
            hint="Evaluate this rule with the local engine",
        )
    return writer(node, scope)


def _field(node: FieldTest, scope: Scope) -> str:
    return scope.query.verdicts.tests(node.tests, scope.field(node), node.type)


def _contacts(node: Contacts, scope: Scope) -> str:
    return entities.contacts(node, scope, write)


LEAVES: Mapping[type, Writer] = {
    FieldTest: _field,
    Rows: facts.rows,
    Contacts: _contacts,
    Near: places.near,
    Occasion: occasions.occasion,
    Past: past.past,
    Rank: entities.rank,
    SegmentRef: entities.segment,
    Sequence: sequences.sequence,
    Strength: changes.strength,
    Trend: changes.trend,
}
