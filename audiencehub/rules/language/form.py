"""The typed form of a rule: what the loader makes of YAML, and what every back end reads.

Two leaves that mean the same are equal (the line they stand on does not count), so that a back
end evaluates each distinct leaf once over all rules.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from audiencehub.model import Entity

Unit = Literal["minute", "hour", "day", "week", "month", "year"]
How = Literal["count", "sum", "min", "max", "average", "distinct", "first", "last"]
DAY = "day"
"""`distinct: {of: day}` counts calendar days in the company's time zone."""


@dataclass(frozen=True, slots=True)
class Span:
    """A duration in words: `30 days`, `6 hours`, `1 month`."""

    count: int
    unit: Unit

    @property
    def exact(self) -> bool:
        """Hours and minutes compare instants; the others compare calendar days."""
        return self.unit in ("minute", "hour")

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'s' * (self.count != 1)}"


Value = str | int | Decimal | bool | date | Span
"""One literal. Numbers with a fraction are decimals; `bool` only for boolean fields."""


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison: an operator and its literal, or literals."""

    op: str
    value: Value | tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Tests:
    """All checks hold; on an unknown value none does, unless `or_unknown`."""

    checks: tuple[Check, ...]
    or_unknown: bool = False


@dataclass(frozen=True, slots=True)
class FieldTest:
    """A test on one field. Inside `where` the scope is the table of the rows."""

    scope: str
    field: str
    type: str
    tests: Tests
    line: int = dataclasses.field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """What is computed over the rows kept, and the test on it."""

    how: How
    of: str
    """A field, DAY for distinct, or empty for count."""
    of_type: str
    type: str
    """Type of the outcome: `decimal` for averages and for sums of numbers."""
    tests: Tests


@dataclass(frozen=True, slots=True)
class Rows:
    """Facts of an entity: which rows, in which window, and what must be true of them together."""

    owner: Entity
    """Whose rows: decided by the law of scope when the rule is read."""
    table: str
    where: Node | None
    window: Tests | None
    """Checks on the field that dates a row."""
    aggregate: Aggregate
    line: int = dataclasses.field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class SegmentRef:
    """Is a member of another segment, in this run."""

    segment: str
    line: int = dataclasses.field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class MatchAll:
    """Everyone."""

    line: int = dataclasses.field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class All:
    """Every part is true."""

    parts: tuple[Node, ...]
    line: int = dataclasses.field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Any_:
    """At least one part is true."""

    parts: tuple[Node, ...]
    line: int = dataclasses.field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """The plain complement of its part."""

    part: Node
    line: int = dataclasses.field(default=0, compare=False)


Leaf = FieldTest | Rows
Node = All | Any_ | Not | MatchAll | SegmentRef | FieldTest | Rows


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it in the rule tree; not into `where`."""
    yield node
    if isinstance(node, All | Any_):
        for part in node.parts:
            yield from walk(part)
    elif isinstance(node, Not):
        yield from walk(node.part)


def said(thing: Any) -> str:
    """A canonical text of any part of the form: equal exactly for equal parts, without lines."""
    if isinstance(thing, tuple):
        return "[" + ",".join(said(one) for one in thing) + "]"
    names = getattr(type(thing), "__dataclass_fields__", None)
    if names is None:
        return f"{type(thing).__name__}:{thing!s}"
    inner = ",".join(said(getattr(thing, one.name)) for one in fields(thing) if one.compare)
    return f"{type(thing).__name__}({inner})"
