"""The fewest changes that turn a verdict round, said as what the value would have to be."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from audiencehub.rules.evaluate import Clause, Evaluation
from audiencehub.rules.language.catalog import LEAF_OF
from audiencehub.rules.language.form import (
    All,
    Check,
    Contacts,
    FieldTest,
    MatchAll,
    Not,
    Occasion,
    Rank,
    Rows,
    SegmentRef,
    Tests,
)
from audiencehub.rules.telling import contacts, occasion, rank
from audiencehub.rules.telling.change import Flip
from audiencehub.rules.words import check_text, field_text, node_text, value_text, whole_text

_SIZE = ("at_least", "more_than", "at_most", "less_than", "between")


def nearest(clause: Clause, at: Evaluation) -> Flip | None:
    """The cheapest flip of a clause, or None when nothing can turn it."""
    node = clause.node
    if isinstance(node, MatchAll):
        return None
    if isinstance(node, Not):
        return nearest(clause.parts[0], at)
    if isinstance(node, Contacts):
        return contacts.flip(clause, at, nearest, whole_text)
    if isinstance(node, Rank):
        return rank.flip(clause, at)
    if isinstance(node, Occasion):
        return occasion.flip(clause, value_text(clause.value, at.zone))
    if clause.parts:
        return _tree(clause, at)
    if isinstance(node, SegmentRef):
        verb = "leave" if clause.verdict else "enter"
        return Flip(1.5, (f"{verb} segment {node.segment}",))
    return _leaf(clause, at)


def _tree(clause: Clause, at: Evaluation) -> Flip | None:
    """A false `all` and a true `any` need every offending part turned; the others need one."""
    offending = [part for part in clause.parts if part.verdict == clause.verdict]
    flips = [nearest(part, at) for part in offending]
    known = [one for one in flips if one is not None]
    if isinstance(clause.node, All) == clause.verdict:
        return min(known, key=lambda one: one.cost, default=None)
    if len(known) < len(flips):
        return None
    changes = tuple(dict.fromkeys(text for one in known for text in one.changes))
    return Flip(sum(one.cost for one in known), changes)


def _leaf(clause: Clause, at: Evaluation) -> Flip:
    node = clause.node
    assert isinstance(node, FieldTest | Rows)
    if isinstance(node, FieldTest):
        name, tests, value, kind = field_text(node), node.tests, clause.value, node.type
    else:
        name, tests = _subject(node), node.aggregate.tests
        value, kind = clause.value, node.aggregate.type
    if clause.verdict:
        return _away(name, tests, value)
    wrong = [one for one in tests.checks if not at.judge.check(one, value, kind)]
    needed = " and ".join(_needed(one, value) for one in wrong)
    distance = max((_distance(one, value) for one in wrong), default=1.0)
    return Flip(1 + distance, (f"{name} {needed} (now {value_text(value, at.zone)})",))


def _subject(node: Rows) -> str:
    said = node_text(node)
    how = node.aggregate.how
    if how == "count":
        return f"number of: {said.rpartition(':')[0] or said}"
    first = check_text(node.aggregate.tests.checks[0])
    return said.rpartition(f" {first}")[0] or LEAF_OF[node.table]


def _needed(check: Check, value: Any) -> str:
    """What the check asks for, with the gap where both are numbers."""
    said = check_text(check)
    gap = _gap(check, value)
    if gap is None:
        return said
    return f"{said}, {value_text(abs(gap))} {'more' if gap > 0 else 'less'}"


def _gap(check: Check, value: Any) -> Decimal | None:
    """How much must be added to the value to meet the check; None where that has no meaning."""
    if check.op not in _SIZE or value is None or isinstance(value, datetime | date | str | bool):
        return None
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    bounds = check.value if isinstance(check.value, tuple) else (check.value,)
    limits = [Decimal(one) for one in bounds if isinstance(one, int | Decimal)]
    if not limits:
        return None
    best = min(limits, key=lambda limit: abs(limit - number))
    step = Decimal(1) if isinstance(value, int) else Decimal("0.01")
    if check.op == "more_than":
        best += step
    elif check.op == "less_than":
        best -= step
    return best - number


def _distance(check: Check, value: Any) -> float:
    gap = _gap(check, value)
    if gap is None or value is None:
        return 1.0
    size = max(abs(gap), abs(Decimal(repr(value)) if isinstance(value, float) else Decimal(value)))
    return float(abs(gap) / size) if size else 0.0


def _away(name: str, tests: Tests, value: Any) -> Flip:
    """Out of a clause that holds: any one of its checks no longer true."""
    if value is None:
        return Flip(2.0, (f"{name} becomes known and fails: {check_text(tests.checks[0])}",))
    best = min(tests.checks, key=lambda one: _slack(one, value))
    return Flip(
        1 + _slack(best, value), (f"{name} no longer {check_text(best)} (now {value_text(value)})",)
    )


def _slack(check: Check, value: Any) -> float:
    """How far inside a bound a number is, relative to it; 1 where that has no meaning."""
    if check.op not in _SIZE or isinstance(value, datetime | date | str | bool):
        return 1.0
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    bounds = check.value if isinstance(check.value, tuple) else (check.value,)
    room = min(abs(number - Decimal(one)) for one in bounds if isinstance(one, int | Decimal))
    size = max(abs(number), Decimal(1))
    return float(min(room / size, Decimal(1)))
