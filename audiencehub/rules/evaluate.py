"""One profile at a time, in plain Python, clause by clause: the language's definition as code.

Shares nothing with `compile`: it is also the oracle that the compiled SQL is held against.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from audiencehub.rules.book import Segment
from audiencehub.rules.judge import Judge
from audiencehub.rules.language.form import (
    All,
    Any_,
    Contacts,
    FieldTest,
    MatchAll,
    Near,
    Node,
    Not,
    Occasion,
    Past,
    Rank,
    Rows,
    SegmentRef,
    Sequence,
    Strength,
    Trend,
)
from audiencehub.rules.language.profile import Profile, Row
from audiencehub.rules.plain import change, contacts, facts, near, occasion, past, rank, sequence
from audiencehub.rules.plain.clause import Clause


def matches(segment: Segment, profile: Profile, clock: datetime, zone: ZoneInfo) -> bool:
    """Whether the rule holds for the profile at the clock."""
    return evaluate(segment, profile, clock, zone).verdict


def evaluate(segment: Segment, profile: Profile, clock: datetime, zone: ZoneInfo) -> Clause:
    """The rule's tree with the verdict of every clause; no clause is skipped."""
    return Evaluation(profile, clock, zone).node(segment.when)


class Evaluation:
    """One profile at one clock."""

    def __init__(self, profile: Profile, clock: datetime, zone: ZoneInfo) -> None:
        self.profile = profile
        self.clock = clock.astimezone(UTC)
        self.zone = zone
        self.today = clock.astimezone(zone).date()
        self.judge = Judge(self.clock, zone)

    def node(self, node: Node) -> Clause:
        """One node judged, with all its parts."""
        if isinstance(node, All | Any_):
            parts = tuple(self.node(part) for part in node.parts)
            verdicts = [part.verdict for part in parts]
            verdict = all(verdicts) if isinstance(node, All) else any(verdicts)
            return Clause(node, verdict, parts=parts)
        if isinstance(node, Not):
            part = self.node(node.part)
            return Clause(node, not part.verdict, parts=(part,))
        if isinstance(node, MatchAll):
            return Clause(node, True)
        if isinstance(node, SegmentRef):
            return Clause(node, node.segment in self.profile.segments)
        return _JUDGES[type(node)](node, self)

    def of(self, profile: Profile) -> Evaluation:
        """The same clock on another profile."""
        return Evaluation(profile, self.clock, self.zone)

    def field(self, node: FieldTest) -> Clause:
        """A field or trait judged."""
        record = self.profile.account if node.scope == "account" else self.profile.contact
        if node.trait:
            record = self.profile.traits
        value = None if record is None else record.get(node.field)
        return Clause(node, self.judge.tests(node.tests, value, node.type), value)

    def date_of(self, table: str, row: Row) -> Any:
        """The date or instant by which a window sees the row."""
        return facts.date_of(self, table, row)


_JUDGES: dict[type, Callable[[Any, Evaluation], Clause]] = {
    FieldTest: lambda node, at: at.field(node),
    Rows: facts.judge,
    Sequence: sequence.judge,
    Strength: change.judge_strength,
    Trend: change.judge_trend,
    Contacts: contacts.judge,
    Rank: rank.judge,
    Occasion: occasion.judge,
    Past: past.judge,
    Near: near.judge,
}
"""Who judges each kind of leaf."""

__all__ = ["Clause", "Evaluation", "evaluate", "matches"]
