"""The condition of a rule: its tree, and which module writes which leaf."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from audiencehub.errors import ConfigError
from audiencehub.model import Entity
from audiencehub.rules.language.form import (
    All,
    Any_,
    Contacts,
    FieldTest,
    MatchAll,
    Node,
    Not,
    Rows,
    SegmentRef,
)
from audiencehub.rules.portable import entities, facts
from audiencehub.rules.portable.query import Scope
from audiencehub.rules.portable.text import TRUE, clauses, either, inner, lines, negated, together

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
    owner: Entity = "account" if node.scope == "account" else "contact"
    column = scope.query.column(scope.alias(owner), node.field)
    return scope.query.verdicts.tests(node.tests, column, node.type)


def _contacts(node: Contacts, scope: Scope) -> str:
    """Counts an account's contacts and those that fulfil the condition; all of none is false."""
    query = scope.query
    crew = Scope(query, "contact")
    fulfils = inner(write(node.where, crew))
    counted = clauses(
        lines(
            "SELECT",
            [
                "c.account_id AS owner_id",
                "count(*) AS people",
                f"sum(CASE WHEN {fulfils} THEN 1 ELSE 0 END) AS fulfil",
            ],
        ),
        crew.source(),
        "WHERE c.account_id IS NOT NULL",
        "GROUP BY c.account_id",
    )
    alias = scope.joined(query.sub("contacts", counted), "account")
    if node.match == "all":
        return f"{alias}.fulfil = {alias}.people"
    least = {"any": 1, "none": 0, "at_least": node.count}[node.match]
    sign = "=" if node.match == "none" else ">="
    return f"coalesce({alias}.fulfil, 0) {sign} {query.bind(least)}"


LEAVES: Mapping[type, Writer] = {
    FieldTest: _field,
    Rows: facts.rows,
    Contacts: _contacts,
    SegmentRef: entities.segment,
}
