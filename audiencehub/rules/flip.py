"""The fewest changes that turn a verdict round, said as what the value would have to be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from audiencehub.rules.evaluate import Clause, Evaluation
from audiencehub.rules.language.form import (
    All,
    Check,
    Contacts,
    FieldTest,
    MatchAll,
    Near,
    Not,
    Occasion,
    Past,
    Rank,
    Rows,
    SegmentRef,
    Sequence,
    Strength,
    Tests,
    Trend,
)
from audiencehub.rules.telling import contacts, facts, near, occasion, past, rank
from audiencehub.rules.telling.change import Flip
from audiencehub.rules.words import check_text, field_text, value_text, whole_text

_SIZE = ("at_least", "more_than", "at_most", "less_than", "between")


def nearest(clause: Clause, at: Evaluation) -> Flip | None:
    """The cheapest flip of a clause, or None when nothing can turn it."""
    own = _OWN.get(type(clause.node))
    if own is not None:
        return own(clause, at)
    return _tree(clause, at) if clause.parts else _leaf(clause, at)


def _segment(clause: Clause, _: Evaluation) -> Flip:
    verb = "leave" if clause.verdict else "enter"
    return Flip(1.5, (f"{verb} segment {clause.node.segment}",))  # type: ignore[union-attr]


_OWN: dict[type, Callable[[Clause, Evaluation], Flip | None]] = {
    MatchAll: lambda _, __: None,
    Not: lambda clause, at: nearest(clause.parts[0], at),
    SegmentRef: _segment,
    Contacts: lambda clause, at: contacts.flip(clause, at, nearest, whole_text),
    Rank: rank.flip,
    Occasion: occasion.flip,
    Past: past.flip,
    Near: near.flip,
    Sequence: lambda clause, _: facts.flip(clause),
}
"""Who turns the nodes that are neither a tree nor a value under tests."""


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
    assert isinstance(node, FieldTest | Rows | Trend | Strength)
    if isinstance(node, FieldTest):
        name, tests, value, kind = field_text(node), node.tests, clause.value, node.type
    else:
        name, tests, value, kind = facts.subject(node, clause.value)
    if clause.verdict:
        return _away(name, tests, value)
    wrong = [one for one in tests.checks if not at.judge.check(one, value, kind)]
    needed = " and ".join(_needed(one, value) for one in wrong)
    distance = max((_distance(one, value) for one in wrong), default=1.0)
    return Flip(1 + distance, (f"{name} {needed} (now {value_text(value, at.zone)})",))


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
