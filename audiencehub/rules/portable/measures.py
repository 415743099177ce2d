"""Values over facts that traits are made of, each as a sub-query of one row an owner."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from audiencehub.rules.language.form import How, Rows
from audiencehub.rules.language.trait import Measure
from audiencehub.rules.portable import facts
from audiencehub.rules.portable.query import Query, Scope, selected
from audiencehub.rules.portable.text import clauses, nested, where
from audiencehub.rules.portable.values import TODAY, ZONE


def measure(node: Measure, scope: Scope) -> str:
    """The value for the row of a scope; null is unknown."""
    query, rows = scope.query, node.rows
    if rows.table in query.unfilled:
        return "NULL"
    if node.how == "most_frequent":
        alias = scope.joined(query.sub(rows.table, _mode(rows, query)), rows.owner)
        return f"{alias}.value"
    if node.how in ("days_since_first", "days_since_last"):
        return _days_since(node, scope)
    aggregate = replace(rows.aggregate, how=cast(How, node.how))
    alias = facts.aggregated(replace(rows, aggregate=aggregate), scope)
    if node.how == "average":
        return query.dialect.cut(f"{alias}.total", f"{alias}.known")
    return f"coalesce({alias}.value, 0)" if node.how in facts.NOUGHT else f"{alias}.value"


def _days_since(node: Measure, scope: Scope) -> str:
    """From the day of the first or last row up to today."""
    query, rows = scope.query, node.rows
    owner, source = facts.owned(query, rows.table, rows.owner)
    end = "min" if node.how == "days_since_first" else "max"
    moment = f"{end}({facts.dated(query, rows.table)})"
    found = clauses(
        selected([f"{owner} AS owner_id", f"{moment} AS value"]),
        source,
        where([f"{owner} IS NOT NULL", *facts.kept(query, rows.table, rows.where, rows.window)]),
        f"GROUP BY {owner}",
    )
    value = f"{scope.joined(query.sub(rows.table, found), rows.owner)}.value"
    if facts.date_type(query, rows.table) == "instant":
        value = query.dialect.local_day(value, query.bind(ZONE))
    return f"{query.bind(TODAY)} - {value}"


def _mode(rows: Rows, query: Query) -> str:
    """The value of most rows; of those equally frequent the latest, then the greatest."""
    owner, source = facts.owned(query, rows.table, rows.owner)
    value, kind = facts.value_of(query, rows.table, rows.aggregate.of), rows.aggregate.of_type
    by = query.dialect.bytewise(value) if kind == "text" else value
    order = [
        "count(*) DESC",
        f"max({facts.dated(query, rows.table)}) IS NULL",
        f"max({facts.dated(query, rows.table)}) DESC",
        f"{by} DESC",
    ]
    place = f"row_number() OVER (PARTITION BY {owner} ORDER BY {', '.join(order)}) AS place"
    placed = clauses(
        selected([f"{owner} AS owner_id", f"{value} AS value", place]),
        source,
        where(
            [
                f"{owner} IS NOT NULL",
                *facts.kept(query, rows.table, rows.where, rows.window),
                f"{value} IS NOT NULL",
            ]
        ),
        f"GROUP BY {owner}, {value}",
    )
    return clauses("SELECT owner_id, value", f"FROM {nested(placed)} AS placed", "WHERE place = 1")
