"""Bound values of a statement. What depends on the clock is a recipe, filled in at run time, so
that the text of the SQL depends on the rules alone and can be kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from audiencehub.rules.language.form import Span
from audiencehub.rules.language.spans import exact, shift

_PLACEHOLDER = re.compile(r"\$(p\d+)")


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day: a fixed one, or the clock's, moved by a span and then by days."""

    fixed: date | None = None
    span: Span | None = None
    sign: int = 0
    plus: int = 0


@dataclass(frozen=True, slots=True)
class Midnight:
    """The instant at which a day begins in the company's time zone."""

    day: Day


@dataclass(frozen=True, slots=True)
class Moment:
    """The clock, moved by a span of hours or minutes."""

    span: Span | None = None
    sign: int = 0


@dataclass(frozen=True, slots=True)
class Earliest:
    """The earliest of several instants or days."""

    of: tuple[Recipe, ...]


@dataclass(frozen=True, slots=True)
class Zone:
    """The name of the company's time zone."""


class Timed:
    """A value that the clock decides, whatever it is: `at` says it."""

    def at(self, clock: datetime, zone: ZoneInfo) -> Any:
        """What is bound at a clock."""
        raise NotImplementedError


Recipe = Day | Midnight | Moment | Earliest


def resolve(recipe: Recipe, clock: datetime, zone: ZoneInfo) -> date | datetime:
    """The value at a clock; instants as naive UTC, as the warehouse keeps them."""
    if isinstance(recipe, Earliest):
        return min(resolve(one, clock, zone) for one in recipe.of)
    if isinstance(recipe, Moment):
        moved = clock + recipe.sign * exact(recipe.span) if recipe.span else clock
        return moved.astimezone(UTC).replace(tzinfo=None)
    if isinstance(recipe, Midnight):
        day = _day(recipe.day, clock, zone)
        start = datetime(day.year, day.month, day.day, tzinfo=zone)
        return start.astimezone(UTC).replace(tzinfo=None)
    return _day(recipe, clock, zone)


def _day(recipe: Day, clock: datetime, zone: ZoneInfo) -> date:
    day = recipe.fixed or clock.astimezone(zone).date()
    if recipe.span:
        day = shift(day, recipe.span, recipe.sign)
    return day + timedelta(days=recipe.plus)


@dataclass(slots=True)
class Binder:
    """Gives each distinct value of one statement a name."""

    names: dict[Any, str] = field(default_factory=dict)

    def __call__(self, value: Any) -> str:
        """The placeholder of a value or recipe."""
        key = (type(value).__name__, value)
        return "$" + self.names.setdefault(key, f"p{len(self.names)}")

    def statement(self, sql: str) -> Statement:
        """The statement, with the values that it names; the engine refuses any others."""
        named = set(_PLACEHOLDER.findall(sql))
        values = {name: key[1] for key, name in self.names.items() if name in named}
        return Statement(sql, values)


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with named placeholders, and what to bind."""

    sql: str
    values: Mapping[str, Any]

    def at(self, clock: datetime, zone: ZoneInfo) -> dict[str, Any]:
        """The values to bind at a clock."""
        return {name: _value(value, clock, zone) for name, value in self.values.items()}


def _value(value: Any, clock: datetime, zone: ZoneInfo) -> Any:
    if isinstance(value, Timed):
        return value.at(clock, zone)
    if isinstance(value, Zone):
        return zone.key
    if isinstance(value, Day | Midnight | Moment | Earliest):
        return resolve(value, clock, zone)
    return list(value) if isinstance(value, tuple) else value
