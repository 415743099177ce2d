"""This, then that: the rows of each step joined to those that come after them."""

from __future__ import annotations

from audiencehub.rules.language.catalog import ACCOUNT_ONLY
from audiencehub.rules.language.form import Sequence, Span, Step, Tests
from audiencehub.rules.portable import facts
from audiencehub.rules.portable.query import Query, Scope
from audiencehub.rules.portable.text import clauses, together, where
from audiencehub.rules.portable.values import NOW, TODAY, ZONE


def sequence(node: Sequence, scope: Scope) -> str:
    """Some row of the first step has the others after it; or has no such row after it."""
    query = scope.query
    if query.unfilled & {one.table for one in (node.first, *node.then)}:
        return "FALSE"
    first = query.sub("step", _rows(node, node.first, query, node.window))
    others = [query.sub("step", _rows(node, one, query, None)) for one in node.then]
    found = _missing(node, first, others[0], query)
    if not node.missing:
        found = _chained(node, first, others, query)
    return f"{scope.key(node.owner)} IN (SELECT owner_id FROM {query.sub('sequence', found)})"


def _chained(node: Sequence, first: str, others: list[str], query: Query) -> str:
    joins = [f"FROM {first} AS s1"]
    for number, name in enumerate(others, 2):
        after = f"s{number}.moment > s{number - 1}.moment"
        joins.append(f"JOIN {name} AS s{number} ON s{number}.owner_id = s1.owner_id AND {after}")
    last = f"s{len(others) + 1}.moment"
    near = [_near(node.within, "s1.moment", last, query)] if node.within else []
    return clauses("SELECT DISTINCT s1.owner_id", *joins, where(near))


def _missing(node: Sequence, first: str, other: str, query: Query) -> str:
    follows = ["s2.owner_id = s1.owner_id", "s2.moment > s1.moment"]
    over = []
    if node.within is not None:
        follows.append(_near(node.within, "s1.moment", "s2.moment", query))
        over.append(f"NOT ({_near(node.within, 's1.moment', query.bind(NOW), query)})")
    return clauses(
        "SELECT DISTINCT s1.owner_id",
        f"FROM {first} AS s1",
        f"LEFT JOIN {other} AS s2 ON {together(follows)[1:-1]}",
        where(["s2.owner_id IS NULL", *over]),
    )


def _rows(node: Sequence, step: Step, query: Query, window: Tests | None) -> str:
    """SELECT owner_id, moment of the rows of a step that have happened."""
    shared = step.table in ACCOUNT_ONLY and node.owner == "contact"
    owner, source = facts.owned(query, step.table, "account" if shared else node.owner)
    kept = [f"{owner} IS NOT NULL", *facts.kept(query, step.table, step.where, window)]
    if shared:
        # Rows of an account that does not exist count for nobody.
        source = clauses(
            source,
            f"JOIN account AS a ON a.account_id = {owner}",
            "JOIN contact AS c ON c.account_id = a.account_id",
        )
        owner = "c.contact_id"
    moment = facts.dated(query, step.table)
    if facts.date_type(query, step.table) == "date":
        kept.append(f"{moment} <= {query.bind(TODAY)}")
        moment = query.dialect.midnight(moment, query.bind(ZONE))
    else:
        kept.append(f"{moment} <= {query.bind(NOW)}")
    return clauses(f"SELECT {owner} AS owner_id, {moment} AS moment", source, where(kept))


def _near(span: Span, first: str, last: str, query: Query) -> str:
    """The later moment is within the stretch that the earlier one begins."""
    if span.exact:
        return f"{last} <= {first} + {query.dialect.interval(span)}"
    zone, day = query.bind(ZONE), query.dialect.local_day
    return f"{day(last, zone)} <= {day(first, zone)} + {query.dialect.interval(span)}"
