"""Leaves over occasions. Holidays and local times are bound as the lists of countries and of time
zones in which it is so, since engines know different calendars and refuse zones unknown to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from audiencehub.model import Entity
from audiencehub.rules.language.calendars import countries, feasts
from audiencehub.rules.language.form import Check, Occasion, Span
from audiencehub.rules.language.zones import zones
from audiencehub.rules.portable.query import Query, Scope, selected
from audiencehub.rules.portable.text import clauses
from audiencehub.rules.portable.values import TODAY, ZONE, Day, ahead, words


@dataclass(frozen=True, slots=True)
class Celebrating:
    """The countries in which a holiday falls on one of the days after one day, up to another."""

    names: tuple[str, ...]
    after: Day
    until: Day

    @property
    def name(self) -> str:
        """What the SQL calls it."""
        return f"countries_with_{self.names[0] if self.names else 'holiday'}"

    def at(self, clock: datetime, zone: ZoneInfo) -> list[str]:
        """ISO 3166-1 alpha-2, sorted."""
        first, last = self.after.at(clock, zone), self.until.at(clock, zone)
        days = [first + timedelta(days=n) for n in range(1, (last - first).days + 1)]
        return [code for code in countries() if any(self._held(code, day) for day in days)]

    def _held(self, country: str, day: date) -> bool:
        found = feasts(country, day.year).get(day, frozenset())
        return bool(found.intersection(self.names)) if self.names else bool(found)


@dataclass(frozen=True, slots=True)
class Zones:
    """The time zones in which it is one of these days and, as minutes of the day, these hours."""

    days: tuple[str, ...]
    hours: tuple[int, int] | None
    name: str = "time_zones"

    def at(self, clock: datetime, zone: ZoneInfo) -> list[str]:  # noqa: ARG002 - as every When
        """Names in the time zone database, sorted."""
        return [name for name, one in zones().items() if self._there(clock.astimezone(one))]

    def _there(self, local: datetime) -> bool:
        if self.days and f"{local:%A}".lower() not in self.days:
            return False
        if self.hours is None:
            return True
        start, end = self.hours
        minutes = local.hour * 60 + local.minute
        return start <= minutes < end or (end < start and not end <= minutes < start)


@dataclass(frozen=True, slots=True)
class Year:
    """The year of a day."""

    day: Day

    @property
    def name(self) -> str:
        """What the SQL calls it."""
        return f"year_of_{self.day.name}"

    def at(self, clock: datetime, zone: ZoneInfo) -> int:
        """The year."""
        return self.day.at(clock, zone).year


@dataclass(frozen=True, slots=True)
class MonthDay:
    """A day of the year as month * 100 + day; where there is no 29 February the 28th is both."""

    day: Day

    @property
    def name(self) -> str:
        """What the SQL calls it."""
        return f"month_day_of_{self.day.name}"

    def at(self, clock: datetime, zone: ZoneInfo) -> int:
        """The latest day of the year that has come by then."""
        day = self.day.at(clock, zone)
        both = (day.month, day.day) == (2, 28) and (day + timedelta(days=1)).month == 3
        return 229 if both else day.month * 100 + day.day


def occasion(node: Occasion, scope: Scope) -> str:
    """The verdict on the time of year, of day or of week."""
    query = scope.query
    if node.kind == "local_time":
        return _among(query, _own(node, scope, "timezone"), Zones(node.days, node.hours))
    assert node.window is not None, "the loader gives holidays and yearly dates a window"
    after, until = _stretch(node.window.checks[0])
    if node.kind == "holiday":
        country = query.bind(node.country) if node.country else _own(node, scope, "country")
        return _among(query, country, Celebrating(node.names, after, until))
    alias = _yearly(node, scope)
    return f"{_times(alias, until, query)} > {_times(alias, after, query)}"


def _stretch(check: Check) -> tuple[Day, Day]:
    """The day before the window and its last day."""
    assert isinstance(check.value, Span), "the loader gives occasions a span"
    if check.op == "next":
        return TODAY, ahead(check.value)
    return Day(f"day_before_last_{words(check.value)}", span=check.value, sign=-1), TODAY


def _own(node: Occasion, scope: Scope, field: str) -> str:
    """The person's own value, else that of the account."""
    account = f"{scope.alias('account')}.{field}"
    return account if node.scope == "account" else f"coalesce(c.{field}, {account})"


def _among(query: Query, value: str, many: Celebrating | Zones) -> str:
    return query.dialect.is_one_of(value, query.bind(many))


def _yearly(node: Occasion, scope: Scope) -> str:
    """The alias of the year and the month * 100 + day of everyone's date."""
    assert node.by is not None, "the loader gives a yearly date its field"
    entity: Entity = "account" if node.by.scope == "account" else "contact"
    query, every = scope.query, Scope(scope.query, entity)
    day = every.field(node.by)
    if node.by.type == "instant":
        day = query.dialect.local_day(day, query.bind(ZONE))
    columns = [
        f"{every.id} AS owner_id",
        f"extract(YEAR FROM {day}) AS year",
        f"extract(MONTH FROM {day}) * 100 + extract(DAY FROM {day}) AS month_day",
    ]
    found = clauses(selected(columns), every.source())
    return scope.joined(query.sub("yearly", found), entity)


def _times(alias: str, day: Day, query: Query) -> str:
    """How many anniversaries there were up to a day, itself included."""
    year, month_day = query.bind(Year(day)), query.bind(MonthDay(day))
    early = f"CASE WHEN {alias}.month_day > {month_day} THEN 1 ELSE 0 END"
    return f"greatest({year} - {alias}.year - {early}, 0)"
