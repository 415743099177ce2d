"""The rule book: every segment read and checked, with the order in which they are evaluated."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal
from zoneinfo import ZoneInfo

from audiencehub.model import Entity
from audiencehub.rules.language.catalog import CATALOG, Catalog
from audiencehub.rules.language.form import (
    Node,
    SegmentRef,
    Span,
    deep,
    placed,
    said,
)
from audiencehub.rules.language.spans import later
from audiencehub.rules.language.trait import Ladder, Trait

MODELS = (
    "demographic",
    "geographic",
    "firmographic",
    "behavioral",
    "rfm",
    "lifecycle",
    "value",
    "occasion",
    "psychographic",
    "technographic",
    "needs",
    "intent",
    "predictive",
)
"""The thirteen segment models; `predictive` includes lookalikes."""
LAYERS = ("foundation", "action", "motivation", "apex")
"""The folders of the rule library."""


@dataclass(frozen=True, slots=True)
class Activation:
    """One place where a segment goes."""

    to: str
    """The name of a destination in the settings."""
    kind: Literal["tag", "list"]
    name: str
    """What the list is called at the destination; for tags the segment's label."""
    max_removals_share: float | None = None
    """This activation's own guard, as a share of what the target holds."""
    max_removals_count: int | None = None
    exclude: tuple[str, ...] = ()
    """Segments whose members never go on this list."""
    most: int | None = None
    """No more members than this: who is on it stays, then who was in the segment first."""
    use: Literal["reach", "exclude", "seed"] = "reach"
    """What campaigns do with the list; one that they exclude is called so at the destination."""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Experiment:
    """A stable random share that is held back."""

    name: str
    holdout: float


@dataclass(frozen=True, slots=True)
class Example:
    """A described profile and whether it is a member."""

    given: Mapping[str, Any]
    """As `profile_from_example` reads it: literals typed, rows spelled out."""
    member: bool
    name: str = ""
    line: int = 0
    near_miss: bool = False
    """No member, and one change alone would make it one."""


@dataclass(frozen=True)
class Segment:
    """One rule with its purpose."""

    id: str
    label: str
    model: str
    of: Entity
    when: Node
    goal: str = ""
    action: str = ""
    owner: str = ""
    kpis: tuple[str, ...] = ()
    """The figures by which its owner tells whether it works, in words."""
    review_by: date | None = None
    activate: tuple[Activation, ...] = ()
    stay: Span | None = None
    experiment: Experiment | None = None
    examples: tuple[Example, ...] = ()
    path: str = ""
    line: int = 1
    ladder: str = ""
    """The ladder that it is a rung of."""

    @cached_property
    def needs(self) -> tuple[str, ...]:
        """The segments it refers to, sorted."""
        return tuple(sorted({n.segment for n in deep(self.when) if isinstance(n, SegmentRef)}))

    @cached_property
    def version(self) -> str:
        """Twelve hex digits that change when the meaning does; words for people do not count."""
        meaning = "|".join(said(one) for one in (self.of, self.when, self.stay, self.experiment))
        return hashlib.sha256(meaning.encode()).hexdigest()[:12]

    def may_leave_at(self, since: datetime, zone: ZoneInfo) -> datetime:
        """The first instant at which the rule may let a member go who entered at `since`."""
        return later(since, self.stay, zone) if self.stay else since


@dataclass(frozen=True)
class RuleBook:
    """All segments of one folder. Built by `load`, which has refused whatever is wrong."""

    segments: Mapping[str, Segment]
    zone: ZoneInfo
    currency: str = "USD"
    traits: Mapping[str, Trait] = field(default_factory=dict)
    ladders: Mapping[str, Ladder] = field(default_factory=dict)
    catalog: Catalog = CATALOG
    """What the rules were read against: the canonical tables, and the company's own fields."""

    def __post_init__(self) -> None:
        # Only now is it known of what the segment is whose past a condition reads.
        of = {one.id: one.of for one in self.segments.values()}
        for name in ("segments", "traits"):
            whole = {key: placed(one, of) for key, one in getattr(self, name).items()}
            object.__setattr__(self, name, whole)
        for name in ("segments", "traits", "ladders"):
            ordered = MappingProxyType(dict(sorted(getattr(self, name).items())))
            object.__setattr__(self, name, ordered)

    @cached_property
    def hash(self) -> str:
        """Changes when the meaning of any rule, the time zone or the currency does."""
        parts = [f"{one.id}={one.version}" for one in self.segments.values()]
        parts += [f"trait.{one.id}={one.version}" for one in self.traits.values()]
        meaning = "|".join([self.zone.key, self.currency, *parts])
        return hashlib.sha256(meaning.encode()).hexdigest()[:16]

    @property
    def versions(self) -> Mapping[str, str]:
        """The version of each segment."""
        return {one.id: one.version for one in self.segments.values()}

    def order(self) -> tuple[tuple[str, ...], ...]:
        """Segment ids in stages: those of a stage refer only to segments of earlier ones."""
        return self._stages

    @cached_property
    def _stages(self) -> tuple[tuple[str, ...], ...]:
        depth: dict[str, int] = {}
        while len(depth) < len(self.segments):
            ready = {
                one.id: 1 + max((depth[need] for need in one.needs), default=-1)
                for one in self.segments.values()
                if one.id not in depth and all(need in depth for need in one.needs)
            }
            assert ready, "the loader refuses cycles and unknown segments"
            depth.update(ready)
        deepest = max(depth.values(), default=-1)
        return tuple(
            tuple(name for name in self.segments if depth[name] == level)
            for level in range(deepest + 1)
        )

    def activations(self, destination: str) -> tuple[tuple[Segment, Activation], ...]:
        """What goes to one destination, by segment id."""
        return tuple(
            (segment, one)
            for segment in self.segments.values()
            for one in segment.activate
            if one.to == destination
        )

    def destinations(self) -> tuple[str, ...]:
        """Every destination that some segment goes to, sorted."""
        return tuple(sorted({a.to for s in self.segments.values() for a in s.activate}))

    def bits(self) -> dict[str, int]:
        """A bit per segment by sorted id, for a run that keeps no bits of its own."""
        return {name: bit for bit, name in enumerate(self.segments)}
