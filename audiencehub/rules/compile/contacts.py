"""Conditions on the contacts of an account: judged per person, counted per account, per stage."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

from audiencehub.rules.language.form import Contacts, Node, said

ALIAS = "crew"


def crew_sql(leaves: Iterable[Contacts], joins: str, condition: Callable[[Node], str]) -> str:
    """SELECT account_id, people, and a column per condition: how many of them fulfil it.

    One row for every account that has a contact. `joins` brings what the conditions read to
    `contact AS e`; `condition` writes one.
    """
    wheres = dict.fromkeys(one.where for one in leaves)
    counts = "".join(
        f", count(*) FILTER (WHERE {condition(one)}) AS {_column(one)}" for one in wheres
    )
    return (
        f"SELECT e.account_id, count(*) AS people{counts} FROM contact AS e{joins} "
        "WHERE e.account_id IS NOT NULL GROUP BY e.account_id"
    )


def verdict_sql(leaf: Contacts) -> str:
    """True or false from the account's counts; without contacts only `none` holds."""
    kept = f"coalesce({ALIAS}.{_column(leaf.where)}, 0)"
    if leaf.match == "any":
        return f"({kept} > 0)"
    if leaf.match == "none":
        return f"({kept} = 0)"
    if leaf.match == "at_least":
        return f"({kept} >= {leaf.count})"
    return f"coalesce({ALIAS}.{_column(leaf.where)} = {ALIAS}.people, false)"


def _column(where: Node) -> str:
    return f"k_{hashlib.sha256(said(where).encode()).hexdigest()[:12]}"
