"""Why someone is in a segment or not, and the nearest change that would flip it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from audiencehub.rules.book import RuleBook, Segment
from audiencehub.rules.decide import decided_by
from audiencehub.rules.evaluate import Clause, Evaluation, evaluate
from audiencehub.rules.flip import nearest
from audiencehub.rules.language.catalog import CATALOG, Catalog
from audiencehub.rules.language.form import (
    All,
    Any_,
    Contacts,
    FieldTest,
    Near,
    Not,
    Occasion,
    OverFacts,
    Past,
    Rank,
    Rows,
    Strength,
    Trend,
    deep,
)
from audiencehub.rules.language.profile import Profile
from audiencehub.rules.telling import contacts, near, occasion, past, rank
from audiencehub.rules.telling import facts as told
from audiencehub.rules.telling.change import Flip
from audiencehub.rules.telling.traits import with_origins
from audiencehub.rules.words import age_text, field_text, node_text, value_text


@dataclass(frozen=True, slots=True)
class Line:
    """One clause of a rule as a person reads it."""

    depth: int
    verdict: bool
    clause: str
    seen: str = ""
    """The value the tests were applied to; empty for all, any, not and segments."""
    source: str = ""
    age: str = ""
    """How old the value is: when its source last changed it, or when the row is dated."""
    line: int = 0
    """Where it stands in the rule file."""

    def __str__(self) -> str:
        seen = f"   seen: {self.seen}" if self.seen else ""
        notes = ", ".join(one for one in (self.source, self.age) if one)
        mark = "✓" if self.verdict else "✗"
        return f"{'  ' * self.depth}{mark} {self.clause}{seen}{f' ({notes})' if notes else ''}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """One segment and one profile."""

    segment: str
    label: str
    matches: bool
    """What the rule says; membership may differ while `stay` holds someone."""
    member: bool | None
    """Membership as the caller knows it; None when it did not say."""
    version: str
    clauses: tuple[Line, ...]
    flip: tuple[str, ...]
    """The fewest changes that would turn the verdict round; empty when nothing can."""
    decided: tuple[str, ...] = ()
    """The clauses that carry the verdict: all that fail of an `all`, all that hold of an `any`."""

    @property
    def near_miss(self) -> bool:
        """Out, and one clause alone keeps it out."""
        return not self.matches and len(self.flip) == 1 and len(self.decided) == 1

    def lines(self) -> list[str]:
        """Text for a terminal or an e-mail, one string per line."""
        state = "in" if self.matches else "out"
        if self.member is not None and self.member != self.matches:
            held = "still a member: stay" if self.member else "not yet a member"
            state += f" by the rule, {held}"
        out = [f"{self.label} [{self.segment}]: {state}", *(f"  {one}" for one in self.clauses)]
        if self.near_miss:
            out.append(f"  a near miss, only this fails: {self.decided[0]}")
        if self.flip:
            change = "to leave" if self.matches else "to enter"
            out.append(f"  nearest change {change}: {'; and '.join(self.flip)}")
        return out

    def json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            **asdict(self),
            "clauses": [asdict(one) for one in self.clauses],
            "flip": list(self.flip),
            "decided": list(self.decided),
            "near_miss": self.near_miss,
        }


def explain(
    book: RuleBook,
    profile: Profile,
    clock: datetime,
    segments: Iterable[str] | None = None,
    members: Mapping[str, bool] | None = None,
) -> list[Explanation]:
    """An explanation per segment that the profile can be in, or of those named.

    `profile.segments` decides clauses that refer to segments; `members` says who is a member.
    """
    entity = "account" if profile.contact is None else "contact"
    names = list(segments) if segments is not None else list(book.segments)
    if any(_reads_traits(book.segments[name]) for name in names):
        profile = with_origins(book, profile, clock)
    out = []
    for name in names:
        segment = book.segments[name]
        if segment.of != entity and segments is None:
            continue
        root = evaluate(segment, profile, clock, book.zone)
        flip = nearest(root, Evaluation(profile, clock, book.zone))
        out.append(
            Explanation(
                name,
                segment.label,
                root.verdict,
                (members or {}).get(name),
                segment.version,
                tuple(_lines(root, profile, clock, book.zone, 0)),
                flip.changes if isinstance(flip, Flip) else (),
                decided_by(root, book.zone),
            )
        )
    return out


def _reads_traits(segment: Segment) -> bool:
    return any(isinstance(one, FieldTest) and one.trait for one in deep(segment.when))


def facts(
    segment: Segment,
    profile: Profile,
    clock: datetime,
    zone: ZoneInfo,
    limit: int = 5,
    catalog: Catalog = CATALOG,
) -> tuple[str, ...]:
    """The clauses that make the rule true, short, for the reason beside a CRM tag.

    Empty when the rule does not hold. Values of fields that are not `none` in the catalog's
    privacy classes are never named: rules test them, and reasons travel.
    """
    root = evaluate(segment, profile, clock, zone)
    if not root.verdict:
        return ()
    found = dict.fromkeys(_fact(one, zone, catalog) for one in _deciding(root))
    if not found and segment.ladder:
        return (f"on no earlier rung of {segment.ladder}",)
    return tuple(found)[:limit]


def _deciding(clause: Clause) -> Iterator[Clause]:
    """The true leaves that carry a true clause; the false ones under a `not`."""
    if isinstance(clause.node, All | Any_):
        for part in clause.parts:
            if part.verdict == clause.verdict:
                yield from _deciding(part)
    elif isinstance(clause.node, Not):
        if not (clause.node.rung and clause.verdict):
            yield from _deciding(clause.parts[0])
    else:
        yield clause


def _fact(clause: Clause, zone: ZoneInfo, catalog: Catalog) -> str:
    said = node_text(clause.node)
    if not clause.verdict:
        return f"not {said}"
    if isinstance(clause.node, FieldTest) and _public(clause.node, catalog):
        return f"{field_text(clause.node)} {value_text(clause.value, zone)}"
    if isinstance(clause.node, Rows) and clause.node.aggregate.how == "count" and clause.kept > 1:
        return f"{said} ({clause.kept})"
    return said


def _public(node: FieldTest, catalog: Catalog) -> bool:
    if node.trait:
        return False
    field = catalog.field(node.scope, node.field)
    return field is not None and field.privacy == "none"


def _lines(
    clause: Clause, profile: Profile, clock: datetime, zone: ZoneInfo, depth: int
) -> Iterator[Line]:
    node = clause.node
    seen = source = age = ""
    if isinstance(node, FieldTest):
        seen = value_text(clause.value, zone)
        origin = profile.seen.get(f"{'trait' if node.trait else node.scope}.{node.field}")
        if origin and clause.value is not None:
            source, age = origin.source, age_text(origin.observed_at, clock, zone)
        if node.scope == "account" and profile.account is None:
            seen = "unknown (no account)"
    elif isinstance(node, OverFacts):
        seen = told.seen(clause, zone)
        source, age = _origin(clause, Evaluation(profile, clock, zone))
    elif isinstance(node, Contacts):
        seen = contacts.seen(clause)
    elif isinstance(node, Rank):
        seen = rank.seen(clause)
    elif isinstance(node, Occasion):
        seen = occasion.seen(clause, zone)
    elif isinstance(node, Past):
        seen = past.seen(clause, zone)
        age = age_text(clause.value, clock, zone)
    elif isinstance(node, Near):
        seen = near.seen(clause)
    yield Line(depth, clause.verdict, node_text(node), seen, source, age, node.line)
    if isinstance(node, Not) and node.rung and clause.verdict:
        return
    for part in clause.parts:
        yield from _lines(part, profile, clock, zone, depth + 1)


def _origin(clause: Clause, at: Evaluation) -> tuple[str, str]:
    """Source and age of the row that a leaf over facts turns on."""
    if clause.row is None:
        return "", ""
    node, when = clause.node, clause.value
    if isinstance(node, Rows | Trend | Strength):
        when = at.date_of(node.table, clause.row)
    return str(clause.row.get("source") or ""), age_text(when, at.clock, at.zone)
