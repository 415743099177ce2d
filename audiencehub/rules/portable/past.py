"""Earlier membership, from the table stay(entity, id, segment, entered_at, left_at).

A stay is seen as its days in the company's time zone, from the first to the last; one that has
not ended at the clock lasts until today.
"""

from __future__ import annotations

from datetime import date

from audiencehub.rules.language.form import Check, Past, Span
from audiencehub.rules.portable.query import Query, Scope
from audiencehub.rules.portable.text import clauses, either, together, where
from audiencehub.rules.portable.values import NOW, TODAY, ZONE, ago, back, on


def past(node: Past, scope: Scope) -> str:
    """Some stay of the entity, or of its account, is as asked."""
    query, now = scope.query, scope.query.bind(NOW)
    kept = [
        f"s.entity = {query.bind(node.owner)}",
        f"s.segment = {query.bind(node.segment)}",
        f"s.{'left_at' if node.event == 'left' else 'entered_at'} <= {now}",
    ]
    if node.window is not None and node.event == "was_in":
        kept += [_during(check, query) for check in node.window.checks]
    elif node.window is not None:
        moment = "s.entered_at" if node.event == "entered" else "s.left_at"
        kept.append(query.verdicts.tests(node.window, moment, "instant"))
    name = query.sub("past", clauses("SELECT s.id AS owner_id", "FROM stay AS s", where(kept)))
    return f"{scope.key(node.owner)} IN (SELECT owner_id FROM {name})"


def _during(check: Check, query: Query) -> str:
    """The stay and the window have a day, or a moment, in common."""
    value, bind = check.value, query.bind
    if isinstance(value, Span) and value.exact:
        if check.op == "older_than":
            return f"s.entered_at <= {bind(ago(value))}"
        return either(["s.left_at IS NULL", f"s.left_at > {bind(ago(value))}"])
    if isinstance(value, Span):
        first = bind(back(value))
        old = check.op == "older_than"
        return f"{_first(query)} < {first}" if old else f"{_last(query)} >= {first}"
    if check.op == "before":
        return f"{_first(query)} < {bind(on(_date(value)))}"
    if check.op == "after":
        return f"{_last(query)} > {bind(on(_date(value)))}"
    assert isinstance(value, tuple), "between has two days"
    start, end = (bind(on(_date(one))) for one in value)
    return together(
        [f"{_last(query)} >= {start}", f"{_first(query)} <= {end}", f"{start} <= {bind(TODAY)}"]
    )


def _first(query: Query) -> str:
    return query.dialect.local_day("s.entered_at", query.bind(ZONE))


def _last(query: Query) -> str:
    """The day before a midnight at which the stay ended."""
    ended = "s.left_at - INTERVAL '1 microsecond'"
    day = query.dialect.local_day(f"({ended})", query.bind(ZONE))
    return f"CASE WHEN s.left_at <= {query.bind(NOW)} THEN {day} ELSE {query.bind(TODAY)} END"


def _date(value: object) -> date:
    assert isinstance(value, date), "the loader gives dates"
    return value
