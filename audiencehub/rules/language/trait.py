"""Traits in typed form: columns computed for every contact or account, from facts, from fields
and from each other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from audiencehub.model import Entity
from audiencehub.rules.language.form import FieldTest, Node, Rows, Span, deep, said

How = Literal[
    "count",
    "sum",
    "min",
    "max",
    "average",
    "distinct",
    "first",
    "last",
    "most_frequent",
    "days_since_first",
    "days_since_last",
]
DECIMALS = 6
"""Averages and ratios are cut off (toward nought) after so many, so that every engine agrees."""
QUINTILES, PERCENTILES = 5, 100
CELLS: Mapping[str, tuple[tuple[range, range], ...]] = {
    "champions": ((range(5, 6), range(4, 6)),),
    "loyal": ((range(3, 5), range(4, 6)),),
    "potential_loyalist": ((range(4, 6), range(2, 4)),),
    "new": ((range(5, 6), range(1, 2)),),
    "promising": ((range(4, 5), range(1, 2)),),
    "need_attention": ((range(3, 4), range(3, 4)),),
    "about_to_sleep": ((range(3, 4), range(1, 3)),),
    "at_risk": ((range(1, 3), range(3, 5)),),
    "cant_lose": ((range(1, 3), range(5, 6)),),
    "hibernating": ((range(2, 3), range(1, 3)), (range(1, 2), range(2, 3))),
    "lost": ((range(1, 2), range(1, 2)),),
}
"""Cell to (recency, value) rectangles; value is the mean of frequency and monetary, halves up.
The usual map of 25 cells, with the coldest of `hibernating` set apart as `lost`."""
RFM_PARTS: Mapping[str, str] = {
    "days": "integer",
    "count": "integer",
    "sum": "money",
    "recency": "integer",
    "frequency": "integer",
    "monetary": "integer",
    "cell": "text",
}
"""What an RFM trait gives, each as `<id>.<part>`, and its type."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One value over the rows of an entity; without rows a count, distinct or sum is nought."""

    how: How
    rows: Rows
    """Which rows. Of its aggregate only `of` and `of_type` are read."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """One value divided by another; unknown over nought, or when either is unknown."""

    part: Term
    whole: Term


@dataclass(frozen=True, slots=True)
class Band:
    """The name of the first band whose bound a value is below; None has no bound."""

    of: Term
    bands: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Points:
    """The sum of the points whose condition holds."""

    parts: tuple[tuple[Node, int], ...]


@dataclass(frozen=True, slots=True)
class Quantile:
    """Which of `parts` equal parts of all known values a value falls into, from 1 for the lowest.

    The threshold between part k and the next is the discrete quantile k / parts: the value at
    place ceil(n * k / parts) of the n known ones in order. A value is in part 1 + (thresholds
    below it), so equal values always fall together.
    """

    of: FieldTest
    parts: int
    falling: bool = False
    """The smallest value is the highest part."""
    given: FieldTest | None = None
    """Entities where this is unknown do not take part."""
    within: FieldTest | None = None
    """The field whose values make groups, each with thresholds of its own; unknown makes none."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The named RFM cell of three quintiles."""

    recency: FieldTest
    frequency: FieldTest
    monetary: FieldTest


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the hub itself learns a model of."""

    what: Literal["conversion", "similarity"]
    horizon: int = 90
    """Conversion: days within which a first purchase counts."""
    like: str = ""
    """Similarity: the segment of contacts that others may resemble."""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Score:
    """The newest score of a model, from the table `model_score`."""

    model: str
    within: Span | None
    """Older ones are unknown; None keeps every one."""
    learns: Lesson | None = None
    """None: someone else writes the scores."""


Term = Measure | FieldTest
"""A value over facts, a field, or another trait; the tests of a field are not read."""
Body = Measure | Ratio | Band | Points | Quantile | Cell | Score | FieldTest


@dataclass(frozen=True, slots=True)
class Column:
    """One computed column of the table trait_<entity>."""

    name: str
    """`<trait>` or `<trait>.<part>`."""
    of: Entity
    type: str
    body: Body

    @property
    def needs(self) -> frozenset[str]:
        """The columns it is computed from."""
        return frozenset(one.field for one in tests_in(self.body) if one.trait)


@dataclass(frozen=True, slots=True)
class TraitExample:
    """A described profile and what the trait's columns are for it."""

    given: Mapping[str, Any]
    values: Mapping[str, Any]
    """Column to value; None is unknown."""
    name: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Trait:
    """One file of traits/."""

    id: str
    label: str
    of: Entity
    kind: str
    """aggregate, ratio, band, points, percentile, rfm or model_score."""
    columns: tuple[Column, ...]
    about: str = ""
    owner: str = ""
    unit: str = ""
    """What its numbers count: `days`, `percent`; for money its currency."""
    examples: tuple[TraitExample, ...] = ()
    path: str = ""
    line: int = 1

    @property
    def version(self) -> str:
        """Twelve hex digits that change when the meaning does."""
        return hashlib.sha256(said(self.columns).encode()).hexdigest()[:12]


def tests_in(thing: Any) -> Iterator[FieldTest]:
    """Every field and trait that a part of the form reads of the entity or its account."""
    if isinstance(thing, FieldTest):
        yield thing
    elif isinstance(thing, Measure | Rows):
        return
    elif isinstance(thing, Points):
        for condition, _ in thing.parts:
            for node in deep(condition):
                if isinstance(node, FieldTest):
                    yield node
    elif isinstance(thing, Ratio | Band | Quantile | Cell):
        for name in type(thing).__dataclass_fields__:
            yield from tests_in(getattr(thing, name))


def levels(traits: Mapping[str, Trait]) -> tuple[tuple[Column, ...], ...]:
    """All columns in stages: those of a stage read only columns of earlier ones.

    The loader has refused circles; a column of a circle is left out.
    """
    waiting: Sequence[Column] = [one for trait in traits.values() for one in trait.columns]
    done: set[str] = set()
    found: list[tuple[Column, ...]] = []
    while ready := tuple(one for one in waiting if one.needs <= done):
        found.append(ready)
        done |= {one.name for one in ready}
        waiting = [one for one in waiting if one.name not in done]
    return tuple(found)


def cell_of(recency: int, frequency: int, monetary: int) -> str:
    """The name of the cell of three quintiles, each 1 (worst) to 5 (best)."""
    value = (frequency + monetary + 1) // 2
    return next(
        name
        for name, places in CELLS.items()
        if any(recency in high and value in wide for high, wide in places)
    )


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a ladder; the segment `<ladder>.<rung>` holds everything else."""

    id: str
    label: str
    segment: str


@dataclass(frozen=True, slots=True)
class Ladder:
    """An ordered set of segments of which everyone is in at most one: the first that is true."""

    id: str
    label: str
    model: str
    of: Entity
    rungs: tuple[Rung, ...] = field(default=())
    """In order; the first true one wins."""
    path: str = ""
    line: int = 1
