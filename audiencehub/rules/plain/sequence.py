"""This, then that: whether a chain of rows follows each other in time, for one profile."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from audiencehub.rules.judge import move
from audiencehub.rules.language.form import Sequence, Span, Step, Tests
from audiencehub.rules.language.profile import Row
from audiencehub.rules.plain.clause import Clause
from audiencehub.rules.plain.facts import moment_of, rows_of

if TYPE_CHECKING:
    from audiencehub.rules.evaluate import Evaluation

Timed = list[tuple[datetime, Row]]


def judge(node: Sequence, at: Evaluation) -> Clause:
    """True with the first chain that fits, or with the first row that nothing followed.

    `value` is when that row was, or the last row of the chain; `kept` how many first rows.
    """
    if at.profile.unfilled & {one.table for one in (node.first, *node.then)}:
        return Clause(node, False)
    firsts = _timed(node, node.first, at, node.window)
    others = [_timed(node, step, at, None) for step in node.then]
    for moment, row in firsts:
        if node.missing:
            if _over(node.within, moment, at) and not _follows(node, moment, others, at):
                return Clause(node, True, moment, row, len(firsts))
        elif last := _follows(node, moment, others, at):
            return Clause(node, True, last[0], last[1], len(firsts))
    return Clause(node, False, None, firsts[-1][1] if firsts else None, len(firsts))


def _timed(node: Sequence, step: Step, at: Evaluation, window: Tests | None) -> Timed:
    """The rows of a step that have happened, in order of time."""
    found = []
    for row in rows_of(at, node.owner, step.table, step.where, window):
        moment = moment_of(step.table, row, at.zone)
        if moment is not None and moment <= at.clock:
            found.append((moment, row))
    return sorted(found, key=lambda one: one[0])


def _follows(
    node: Sequence, first: datetime, steps: list[Timed], at: Evaluation
) -> tuple[datetime, Row] | None:
    """The last row of the earliest chain after `first`, where it ends within the stretch."""
    last: tuple[datetime, Row] | None = None
    moment = first
    for rows in steps:
        last = next((one for one in rows if one[0] > moment), None)
        if last is None:
            return None
        moment = last[0]
    return last if _within(node.within, first, moment, at) else None


def _within(span: Span | None, first: datetime, last: datetime, at: Evaluation) -> bool:
    if span is None:
        return True
    if span.exact:
        return last <= first + _length(span)
    return at.judge.day(last) <= move(at.judge.day(first), span, 1)


def _over(span: Span | None, first: datetime, at: Evaluation) -> bool:
    """Nothing can follow within the stretch any more."""
    if span is None:
        return True
    if span.exact:
        return at.clock > first + _length(span)
    return at.today > move(at.judge.day(first), span, 1)


def _length(span: Span) -> timedelta:
    return timedelta(minutes=span.count * (60 if span.unit == "hour" else 1))
