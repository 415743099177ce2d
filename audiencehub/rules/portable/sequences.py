"""This, then that: the rows of each step joined to those that come after them."""

from __future__ import annotations

from audiencehub.rules.language.catalog import ACCOUNT_ONLY, BORN, DATED
from audiencehub.rules.language.form import Sequence, Span, Step, Tests
from audiencehub.rules.portable import facts
from audiencehub.rules.portable.query import Query, Scope, selected
from audiencehub.rules.portable.text import clauses, lines, where
from audiencehub.rules.portable.values import NOW, TODAY, ZONE


def sequence(node: Sequence, scope: Scope) -> str:
    """Some row of the first step has the others after it; or has no such row after it."""
    query = scope.query
    if query.unfilled & {one.table for one in (node.first, *node.then)}:
        return "FALSE"
    first = query.sub("step", _rows(node, node.first, query, node.window))
    others = [query.sub("step", _rows(node, one, query, None)) for one in node.then]
    if node.missing:
        found = _missing(node, first, others[0], query)
    else:
        found = _chained(node, first, others, query)
    return f"{scope.key(node.owner)} IN (SELECT owner_id FROM {query.sub('sequence', found)})"


def _chained(node: Sequence, first: str, others: list[str], query: Query) -> str:
    joins = [f"FROM {first} AS s1"]
    for number, name in enumerate(others, 2):
        after = f"s{number}.moment > s{number - 1}.moment"
        joins.append(f"JOIN {name} AS s{number} ON s{number}.owner_id = s1.owner_id AND {after}")
    near = [_near(node.within, f"s{len(others) + 1}", query)] if node.within else []
    return clauses("SELECT DISTINCT s1.owner_id", *joins, where(near))


def _missing(node: Sequence, first: str, other: str, query: Query) -> str:
    follows = ["s2.owner_id = s1.owner_id", "s2.moment > s1.moment"]
    over = []
    if node.within is not None:
        follows.append(_near(node.within, "s2", query))
        now, began = (NOW, "s1.moment") if node.within.exact else (TODAY, "s1.day")
        over.append(f"{query.bind(now)} > {began} + {query.dialect.interval(node.within)}")
    return clauses(
        "SELECT DISTINCT s1.owner_id",
        f"FROM {first} AS s1",
        lines(f"LEFT JOIN {other} AS s2 ON", follows, "AND"),
        where(["s2.owner_id IS NULL", *over]),
    )


def _rows(node: Sequence, step: Step, query: Query, window: Tests | None) -> str:
    """SELECT owner_id, moment of the rows of a step that have happened, and day where it counts."""
    shared = step.table in ACCOUNT_ONLY and node.owner == "contact"
    owner, source = facts.owned(query, step.table, "account" if shared else node.owner)
    kept = facts.kept(query, step.table, step.where, window)
    if BORN[step.table] == DATED[step.table]:
        kept = kept[1:]
    if shared:
        # Rows of an account that does not exist count for nobody.
        source = clauses(
            source,
            f"JOIN account AS a ON a.account_id = {owner}",
            "JOIN contact AS c ON c.account_id = a.account_id",
        )
        owner = "c.contact_id"
    moment = day = facts.dated(query, step.table)
    if facts.date_type(query, step.table) == "date":
        happened = f"{moment} <= {query.bind(TODAY)}"
        moment = query.dialect.midnight(moment, query.bind(ZONE))
    else:
        happened = f"{moment} <= {query.bind(NOW)}"
    columns = [f"{owner} AS owner_id", f"{moment} AS moment"]
    if node.within is not None and not node.within.exact:
        if day == moment:
            day = query.dialect.local_day(day, query.bind(ZONE))
        columns.append(f"{day} AS day")
    known = f"{owner} IS NOT NULL"
    return clauses(selected(columns), source, where([known, happened, *kept]))


def _near(span: Span, last: str, query: Query) -> str:
    """The last row is within the stretch that the first one begins."""
    unit = "moment" if span.exact else "day"
    return f"{last}.{unit} <= s1.{unit} + {query.dialect.interval(span)}"
