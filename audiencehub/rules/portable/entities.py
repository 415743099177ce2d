"""Leaves over other entities, and over what was stored of segments."""

from __future__ import annotations

from collections.abc import Callable

from audiencehub.rules.language.form import Contacts, Node, Rank, SegmentRef
from audiencehub.rules.portable.query import Scope, selected
from audiencehub.rules.portable.text import clauses, inner, where

MEMBER = "member"
"""The table of members: `segment` and `id` of a contact or an account."""


def segment(node: SegmentRef, scope: Scope) -> str:
    """Is a member, itself or through its account, of what is stored for this run."""
    query = scope.query
    key = scope.key(query.book.segments[node.segment].of)
    held = f"SELECT m.id FROM {MEMBER} AS m WHERE m.segment = {query.bind(node.segment)}"
    return f"{key} IN ({held})"


def contacts(node: Contacts, scope: Scope, write: Callable[[Node, Scope], str]) -> str:
    """Counts an account's contacts and those who fulfil the condition; all of none is false."""
    query, crew = scope.query, Scope(scope.query, "contact")
    fulfil = f"sum(CASE WHEN {inner(write(node.where, crew))} THEN 1 ELSE 0 END) AS fulfil"
    counted = clauses(
        selected(["c.account_id AS owner_id", "count(*) AS people", fulfil]),
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


def rank(node: Rank, scope: Scope) -> str:
    """Among the first: equal values have one place, the number strictly ahead of them and one."""
    query, every = scope.query, Scope(scope.query, node.scope)
    by = every.field(node.by)
    group = "" if node.within is None else every.field(node.within)
    part = f"PARTITION BY {group}" if group else ""
    over = f"{part} ORDER BY {by} {'DESC' if node.top else 'ASC'}".strip()
    placed = clauses(
        selected(
            [
                f"{every.id} AS owner_id",
                f"rank() OVER ({over}) AS place",
                f"count(*) OVER ({part}) AS people",
            ]
        ),
        every.source(),
        where([f"{by} IS NOT NULL", *([f"{group} IS NOT NULL"] if group else [])]),
    )
    alias = scope.joined(query.sub("rank", placed), node.scope)
    if node.count is not None:
        return f"{alias}.place <= {query.bind(node.count)}"
    # The last place is the share of all, rounded up: the place before it is below the share.
    return f"{alias}.place - 1 < {query.bind(node.share)} * {alias}.people"
