"""SQL of ranks: the edge of each group by counting equal values, so that ties fall together."""

from __future__ import annotations

from audiencehub.model import Entity
from audiencehub.rules.compile.bind import Binder
from audiencehub.rules.compile.words import quoted
from audiencehub.rules.language.form import FieldTest, Rank

PARTS = 1_000_000
"""Shares are compared in millionths, as whole numbers: exact in every engine."""


def rank_sql(leaf: Rank, bind: Binder) -> str:
    """SELECT owner_id of those among the first, with all who tie with the last of them."""
    group, first = (", g", "min") if leaf.within else ("", "min")
    first = "min" if leaf.top else "max"
    order, over = ("DESC" if leaf.top else "ASC"), (">=" if leaf.top else "<=")
    if leaf.count is not None:
        inside = f"ahead < {bind(leaf.count)}"
    else:
        assert leaf.share is not None, "a rank has a count or a share"
        inside = f"ahead * {PARTS} < {bind(int(leaf.share * PARTS))} * people"
    by_group = " GROUP BY g" if leaf.within else ""
    same = " AND edge.g = known.g" if leaf.within else ""
    return (
        f"WITH known AS ({_known(leaf)}), placed AS ({_placed(leaf, order)}), "
        f"edge AS (SELECT {first}(x) AS x{group} FROM placed WHERE {inside}{by_group}) "
        f"SELECT known.owner_id FROM known JOIN edge ON known.x {over} edge.x{same}"
    )


def places_sql(leaf: Rank) -> str:
    """SELECT owner_id, place (from 1, equal for ties) and people of the group, of all known."""
    order = "DESC" if leaf.top else "ASC"
    same = " AND placed.g = known.g" if leaf.within else ""
    return (
        f"WITH known AS ({_known(leaf)}), placed AS ({_placed(leaf, order)}) "
        "SELECT known.owner_id, CAST(ahead + 1 AS BIGINT) AS place, "
        f"CAST(people AS BIGINT) AS people FROM known JOIN placed ON placed.x = known.x{same}"
    )


def _known(leaf: Rank) -> str:
    """Owner, value x and group g of everyone whose value and group are known."""
    by, entity = _column(leaf.by, leaf.scope), leaf.scope
    group, kept = "", f"{by} IS NOT NULL"
    if leaf.within is not None:
        within = _column(leaf.within, leaf.scope)
        group, kept = f", {within} AS g", f"{kept} AND {within} IS NOT NULL"
    return (
        f"SELECT e.{entity}_id AS owner_id, {by} AS x{group} FROM {entity} AS e"
        f"{_joins(leaf)} WHERE {kept}"
    )


def _placed(leaf: Rank, order: str) -> str:
    """Each value with how many stand strictly ahead of it, and how many there are."""
    group, part = (", g", "PARTITION BY g") if leaf.within else ("", "")
    return (
        f"SELECT x{group}, sum(n) OVER ({part} ORDER BY x {order}) - n AS ahead, "
        f"sum(n) OVER ({part}) AS people "
        f"FROM (SELECT x{group}, count(*) AS n FROM known GROUP BY x{group})"
    )


def _column(field: FieldTest, scope: Entity) -> str:
    own = field.scope == scope
    alias = ("t" if own else "ta") if field.trait else ("e" if own else "a")
    return f"{alias}.{quoted(field.field)}"


def _joins(leaf: Rank) -> str:
    """The account's row `a`, the own traits `t` and the account's `ta`, as far as named."""
    found = [leaf.by] if leaf.within is None else [leaf.by, leaf.within]
    joins = ""
    if any(one.scope != leaf.scope and not one.trait for one in found):
        joins += " LEFT JOIN account AS a ON a.account_id = e.account_id"
    if any(one.scope == leaf.scope and one.trait for one in found):
        joins += f" LEFT JOIN trait_{leaf.scope} AS t ON t.{leaf.scope}_id = e.{leaf.scope}_id"
    if any(one.scope != leaf.scope and one.trait for one in found):
        joins += " LEFT JOIN trait_account AS ta ON ta.account_id = e.account_id"
    return joins
