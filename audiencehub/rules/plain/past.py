"""Earlier membership of one profile, stay by stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from audiencehub.rules.judge import move
from audiencehub.rules.language.form import Check, Past, Span
from audiencehub.rules.language.profile import Stay
from audiencehub.rules.plain.clause import Clause

if TYPE_CHECKING:
    from audiencehub.rules.evaluate import Evaluation

_MOMENT = timedelta(microseconds=1)


def judge(node: Past, at: Evaluation) -> Clause:
    """The verdict; the value is when the latest stay that counts began, or for `left` ended."""
    stays = [
        (_utc(began), None if end is None or _utc(end) > at.clock else _utc(end))
        for began, end in at.profile.past.get(node.segment, ())
        if _utc(began) <= at.clock
    ]
    if node.event == "was_in":
        kept = [stay for stay in stays if _overlaps(node, stay, at)]
        began = max((stay[0] for stay in kept), default=None)
        return Clause(node, bool(kept), began, kept=len(kept))
    moments = [stay[0] if node.event == "entered" else stay[1] for stay in stays]
    known = [one for one in moments if one is not None]
    found = [
        one for one in known if node.window is None or at.judge.tests(node.window, one, "instant")
    ]
    latest = max(found or known, default=None)
    return Clause(node, bool(found), latest, kept=len(found))


def _overlaps(node: Past, stay: Stay, at: Evaluation) -> bool:
    return node.window is None or all(_during(one, stay, at) for one in node.window.checks)


def _during(check: Check, stay: Stay, at: Evaluation) -> bool:
    began, end = stay
    span = check.value
    if isinstance(span, Span) and span.unit in ("minute", "hour"):
        edge = at.clock - timedelta(minutes=span.count * (60 if span.unit == "hour" else 1))
        return began <= edge if check.op == "older_than" else end is None or end > edge
    first = at.judge.day(began)
    last = at.today if end is None else at.judge.day(end - _MOMENT)
    if isinstance(span, Span):
        back = move(at.today, span, -1)
        return first <= back if check.op == "older_than" else last > back
    if check.op == "before":
        return first < span  # type: ignore[operator]
    if check.op == "after":
        return last > span  # type: ignore[operator]
    assert isinstance(span, tuple), "between has two days"
    return last >= span[0] and first <= span[1] and span[0] <= at.today  # type: ignore[operator]


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
