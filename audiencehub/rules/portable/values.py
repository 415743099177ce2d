"""Bound values, under names that a reader of the SQL understands.

What depends on the clock is a `When`, filled in when the statement runs: the text of a rule's SQL
never changes with the day. Instants come out as naive UTC, as the warehouse keeps them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable
from zoneinfo import ZoneInfo

from audiencehub.rules.language.form import Span
from audiencehub.rules.language.profile import midnight
from audiencehub.rules.language.spans import exact, shift

_SPLIT = re.compile(r"[^a-z0-9]+")
_LONGEST = 48
_SHOWN = 8


@runtime_checkable
class When(Protocol):
    """A value that follows from the clock."""

    @property
    def name(self) -> str:
        """What the SQL calls it."""
        ...

    def at(self, clock: datetime, zone: ZoneInfo) -> Any:
        """The value at an aware clock, in the company's time zone."""
        ...


@dataclass(frozen=True, slots=True)
class Day:
    """The clock's date, or a fixed one, moved by a span and then by whole days."""

    name: str
    fixed: date | None = None
    span: Span | None = None
    sign: int = 0
    plus: int = 0

    def at(self, clock: datetime, zone: ZoneInfo) -> date:
        """The calendar day."""
        day = self.fixed or clock.astimezone(zone).date()
        moved = shift(day, self.span, self.sign) if self.span else day
        return moved + timedelta(days=self.plus)


@dataclass(frozen=True, slots=True)
class Midnight:
    """The instant at which a day begins in the company's time zone."""

    name: str
    day: Day

    def at(self, clock: datetime, zone: ZoneInfo) -> datetime:
        """The instant, naive UTC."""
        return _stored(midnight(self.day.at(clock, zone), zone))


@dataclass(frozen=True, slots=True)
class Moment:
    """The clock, moved by hours or minutes."""

    name: str
    span: Span | None = None
    sign: int = 0

    def at(self, clock: datetime, zone: ZoneInfo) -> datetime:  # noqa: ARG002 - as every When
        """The instant, naive UTC."""
        return _stored(clock + self.sign * exact(self.span) if self.span else clock)


@dataclass(frozen=True, slots=True)
class ZoneName:
    """The name of the company's time zone."""

    name: str = "company_time_zone"

    def at(self, clock: datetime, zone: ZoneInfo) -> str:  # noqa: ARG002 - as every When
        """The name in the time zone database."""
        return zone.key


NOW = Moment("now")
TODAY = Day("today")
TOMORROW = Day("tomorrow", plus=1)
ZONE = ZoneName()


def start_of(day: Day) -> Midnight:
    """The instant at which the day begins."""
    return Midnight(f"start_of_{day.name}", day)


def on(fixed: date, plus: int = 0) -> Day:
    """A fixed day, or one of those after it."""
    day = fixed + timedelta(days=plus)
    return Day(f"day_{day:%Y_%m_%d}", fixed=day)


def back(span: Span) -> Day:
    """The first of the days that end today and fill the span."""
    return Day(f"last_{words(span)}", span=span, sign=-1, plus=1)


def ahead(span: Span, plus: int = 0) -> Day:
    """The last of the days that begin tomorrow and fill the span, or the day after it."""
    return Day(f"{'after' if plus else 'end_of'}_next_{words(span)}", None, span, 1, plus)


def ago(span: Span) -> Moment:
    """So many hours or minutes before the clock."""
    return Moment(f"now_less_{words(span)}", span, -1)


def hence(span: Span) -> Moment:
    """So many hours or minutes after the clock."""
    return Moment(f"now_plus_{words(span)}", span, 1)


def words(span: Span) -> str:
    """A span as part of a name."""
    return str(span).replace(" ", "_")


def _stored(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _said(value: Any) -> str:
    """A name for a value: its own letters where it has some."""
    if isinstance(value, When):
        text = value.name
    elif isinstance(value, int | float | Decimal):
        text = f"n{'_minus' * (value < 0)}_{abs(value)!s}"
    else:
        text = str(value)
    slug = _SPLIT.sub("_", text.lower()).strip("_")[:_LONGEST].strip("_")
    return slug if slug[:1].isalpha() else f"text_{slug}".rstrip("_")


@dataclass(slots=True)
class Values:
    """Gives every distinct value of one statement a name."""

    _names: dict[Any, str] = field(default_factory=dict)
    _found: dict[str, Any] = field(default_factory=dict)

    def name(self, value: Any, stem: str = "") -> str:
        """The name of a value or `When`, made of it or of `stem`; equal values share one."""
        key = (type(value).__name__, value)
        if key not in self._names:
            stem = stem or _said(value)
            name, number = stem, 1
            while name in self._found:
                number += 1
                name = f"{stem}_{number}"
            self._names[key] = name
            self._found[name] = value
        return self._names[key]

    def all(self) -> Mapping[str, Any]:
        """Every value by its name."""
        return dict(self._found)


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL in one dialect, with named values that are bound when it runs."""

    sql: str
    values: Mapping[str, Any]

    def at(self, clock: datetime, zone: ZoneInfo) -> dict[str, Any]:
        """The values to bind at an aware clock; instants as naive UTC."""
        return {
            name: value.at(clock, zone) if isinstance(value, When) else value
            for name, value in self.values.items()
        }

    def shown(self, clock: datetime, zone: ZoneInfo) -> str:
        """The SQL for people: above it, as comments, what is bound at the clock."""
        bound = self.at(clock, zone)
        lines = [f"-- {name} = {_literal(bound[name])}" for name in sorted(bound)]
        return "\n".join([*lines, self.sql])


def _literal(value: Any) -> str:
    """A value as SQL would spell it, on one line."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''").encode("unicode_escape").decode() + "'"
    if isinstance(value, list):
        few = ", ".join(_literal(one) for one in value[:_SHOWN])
        return f"[{few}{f', … {len(value)} in all' * (len(value) > _SHOWN)}]"
    return f"'{value}'" if isinstance(value, date) else str(value)
