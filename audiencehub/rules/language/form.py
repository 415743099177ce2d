"""The typed form of a rule: what the loader makes of YAML, and what every back end reads.

Two leaves that mean the same are equal (the line they stand on does not count), so that a back
end evaluates each distinct leaf once over all rules.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
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
    """A test on one field, or on a trait. Inside `where` the scope is the table of the rows."""

    scope: str
    field: str
    type: str
    tests: Tests
    line: int = dataclasses.field(default=0, compare=False)
    trait: bool = False
    """The field is a computed trait of the scope, not one of its columns."""

    @property
    def name(self) -> str:
        """As a rule writes it: `account.industry`, `trait.spend`."""
        return f"{'trait' if self.trait else self.scope}.{self.field}"


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
class Step:
    """One row of a sequence: of which table, and which."""

    table: str
    where: Node | None


@dataclass(frozen=True, slots=True)
class Sequence:
    """This, then that, within a stretch; or this, and then not that."""

    owner: Entity
    first: Step
    window: Tests | None
    """Checks on the date of the first row."""
    then: tuple[Step, ...]
    """Each after the one before it; exactly one where `missing`."""
    missing: bool
    """The last step must not have followed, and its stretch must be over."""
    within: Span | None
    """The longest stretch from the first row to the last; None is any."""
    line: int = dataclasses.field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Trend:
    """An aggregate over the last window against the same over the window before it."""

    owner: Entity
    table: str
    where: Node | None
    how: How
    of: str
    of_type: str
    span: Span
    tests: Tests
    """On the change as a share: -0.5 is half of what it was. Unknown where nothing was before."""
    line: int = dataclasses.field(default=0, compare=False)

    @property
    def window(self) -> Tests:
        """Both windows together: the rows that count at all."""
        return Tests((Check("within", Span(2 * self.span.count, self.span.unit)),))

    @property
    def last(self) -> Check:
        """The later of the two windows."""
        return Check("within", self.span)


@dataclass(frozen=True, slots=True)
class Strength:
    """Intent with decay: the strongest signal, halved for every half-life of its age."""

    owner: Entity
    where: Node | None
    window: Tests | None
    half_life: int
    """In days."""
    tests: Tests
    line: int = dataclasses.field(default=0, compare=False)

    @property
    def table(self) -> str:
        """Whose rows it reads."""
        return "intent_signal"


@dataclass(frozen=True, slots=True)
class Past:
    """What the membership log says: was in, entered, or left a segment."""

    event: Literal["was_in", "entered", "left"]
    segment: str
    owner: Entity
    """What that segment is of: a contact's account has a past of its own."""
    window: Tests | None
    """Checks on the day; None: at any time before now."""
    line: int = dataclasses.field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Occasion:
    """A holiday of the person's country, a yearly date, or the local time of day and week."""

    scope: Entity
    kind: Literal["holiday", "yearly", "local_time"]
    names: tuple[str, ...] = ()
    """Holidays by the slugs of their English names, sorted; none is any holiday."""
    country: str = ""
    """Whose holidays; empty is the country of the person, else of the account."""
    by: FieldTest | None = None
    """The field of a yearly date; its tests are not read."""
    window: Tests | None = None
    """When the occasion falls: one `next` or `within` of days; None for local time."""
    days: tuple[str, ...] = ()
    """Local time: monday, tuesday, …; empty is every day."""
    hours: tuple[int, int] | None = None
    """Local time: minutes after midnight, from (inclusive) and until (exclusive), which may lie
    on the next day."""
    line: int = dataclasses.field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Near:
    """Within a distance of a point, along the great circle."""

    scope: Entity
    latitude: Decimal
    longitude: Decimal
    tests: Tests
    """On kilometres."""
    line: int = dataclasses.field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Rank:
    """Among the first by a field: so many, or a share, of all or of each group."""

    scope: Entity
    by: FieldTest
    """The field ranked by; its tests are not read."""
    top: bool
    """The highest come first; otherwise the lowest."""
    count: int | None
    share: Decimal | None
    """0 to 1; exactly one of count and share is given."""
    within: FieldTest | None
    """The field whose values make the groups; None is all together."""
    line: int = dataclasses.field(default=0, compare=False)

    @property
    def order(self) -> str:
        """What the places are by, in words: leaves that differ only in their size share it."""
        group = ""
        if self.within is not None:
            own = self.within.field == "account_id"
            group = f" within {'account' if own else self.within.name}"
        return f"{'top' if self.top else 'bottom'} {self.by.name}{group}"


@dataclass(frozen=True, slots=True)
class Contacts:
    """How many contacts of an account fulfil a condition."""

    match: Literal["any", "all", "none", "at_least"]
    count: int
    """For at_least; 0 otherwise."""
    where: Node
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
    rung: str = dataclasses.field(default="", compare=False)
    """Where it stands for not being on an earlier rung of a ladder: that rung's label."""


OverRow = FieldTest | Near | Occasion
"""Leaves decided by the entity's own row alone."""
Grouped = Rows | Trend | Strength
"""Leaves that are one aggregate over one entity's rows of one table."""
OverFacts = Rows | Sequence | Trend | Strength
"""Leaves decided by the facts of the entity, or of its account."""
OverAll = Rank | Past
"""Leaves that compare entities with each other, or read what was recorded of earlier runs."""
Leaf = OverRow | OverFacts | OverAll
Node = All | Any_ | Not | MatchAll | SegmentRef | Contacts | Leaf


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it in the rule tree; not into `where` nor into contacts."""
    yield node
    if isinstance(node, All | Any_):
        for part in node.parts:
            yield from walk(part)
    elif isinstance(node, Not):
        yield from walk(node.part)


def deep(node: Node) -> Iterator[Node]:
    """As `walk`, and into the conditions on contacts of an account; not into `where` of rows."""
    for one in walk(node):
        yield one
        if isinstance(one, Contacts):
            yield from deep(one.where)


def parts_of(thing: Any) -> Iterator[Any]:
    """Every part of any part of the form, itself included."""
    yield thing
    if isinstance(thing, tuple):
        for one in thing:
            yield from parts_of(one)
    elif dataclasses.is_dataclass(thing):
        for one in fields(thing):
            yield from parts_of(getattr(thing, one.name))


def placed(thing: Any, of: Mapping[str, Entity]) -> Any:
    """The same part with the owner of every `Past` taken from what its segment is of."""
    if isinstance(thing, Past):
        return dataclasses.replace(thing, owner=of.get(thing.segment, thing.owner))
    if isinstance(thing, tuple):
        return tuple(placed(one, of) for one in thing)
    if not dataclasses.is_dataclass(thing) or isinstance(thing, type):
        return thing
    changed = {
        one.name: new
        for one in fields(thing)
        if one.init and (new := placed(old := getattr(thing, one.name), of)) is not old
    }
    return dataclasses.replace(thing, **changed) if changed else thing


def said(thing: Any) -> str:
    """A canonical text of any part of the form: equal exactly for equal parts, without lines."""
    if isinstance(thing, tuple):
        return "[" + ",".join(said(one) for one in thing) + "]"
    names = getattr(type(thing), "__dataclass_fields__", None)
    if names is None:
        return f"{type(thing).__name__}:{thing!s}"
    inner = ",".join(said(getattr(thing, one.name)) for one in fields(thing) if one.compare)
    return f"{type(thing).__name__}({inner})"
