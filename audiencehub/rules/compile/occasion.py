"""SQL of occasions. What the clock decides is bound as a list: the countries that celebrate, the
days of the year in the window, the time zones in which it is that hour. So no engine's own
calendar or time zone data decides, and an unknown zone is merely in no list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from audiencehub.rules.compile.bind import Binder, Timed, Zone
from audiencehub.rules.compile.words import quoted
from audiencehub.rules.language.calendars import countries, feasts
from audiencehub.rules.language.form import Check, Occasion, Span
from audiencehub.rules.language.spans import shift
from audiencehub.rules.language.zones import zones

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Celebrating(Timed):
    """The countries in which one of these holidays (none: any) falls in a window."""

    names: tuple[str, ...]
    window: Check

    def at(self, clock: datetime, zone: ZoneInfo) -> list[str]:
        """Alpha-2 codes, sorted."""
        low, high = stretch(self.window, clock, zone)
        wanted = frozenset(self.names)
        return [code for code in countries() if _celebrates(code, wanted, low, high)]


@dataclass(frozen=True, slots=True)
class Anniversaries(Timed):
    """The days of the year in the part of a window that lies in its first or its last year."""

    window: Check
    last: bool

    def at(self, clock: datetime, zone: ZoneInfo) -> list[int]:
        """Month * 100 + day; 29 February beside the 28th where the year has none."""
        low, high = stretch(self.window, clock, zone)
        year = high.year if self.last else low.year
        if self.last and low.year == high.year:
            return []
        days = [low + timedelta(days=n) for n in range((high - low).days + 1)]
        found = {day.month * 100 + day.day for day in days if day.year == year}
        if 228 in found and not _leap(year):
            found.add(229)
        return sorted(found)


@dataclass(frozen=True, slots=True)
class YearOf(Timed):
    """The first or last year of a window."""

    window: Check
    last: bool

    def at(self, clock: datetime, zone: ZoneInfo) -> int:
        """The year."""
        return stretch(self.window, clock, zone)[self.last].year


@dataclass(frozen=True, slots=True)
class ZonesAt(Timed):
    """The time zones in which it is now one of these days, between these minutes."""

    days: tuple[str, ...]
    hours: tuple[int, int] | None

    def at(self, clock: datetime, zone: ZoneInfo) -> list[str]:
        """IANA names, sorted."""
        now = clock.astimezone(zone)
        return [name for name, one in zones().items() if self._is(now.astimezone(one))]

    def _is(self, local: datetime) -> bool:
        if self.days and WEEK[local.weekday()] not in self.days:
            return False
        if self.hours is None:
            return True
        minute, (start, end) = local.hour * 60 + local.minute, self.hours
        if start < end:
            return start <= minute < end
        return minute >= start or minute < end


def stretch(window: Check, clock: datetime, zone: ZoneInfo) -> tuple[date, date]:
    """First and last day of a window."""
    today = clock.astimezone(zone).date()
    assert isinstance(window.value, Span), "the loader gives occasions a span"
    if window.op == "within":
        return shift(today, window.value, -1) + timedelta(days=1), today
    return today + timedelta(days=1), shift(today, window.value, 1)


def occasion_sql(leaf: Occasion, bind: Binder) -> str:
    """True or false, from the row `e` and, for a contact, its account's row `a`."""
    if leaf.kind == "local_time":
        return _listed(_either(leaf, "timezone"), bind(ZonesAt(leaf.days, leaf.hours)), "VARCHAR")
    assert leaf.window is not None, "the loader gives holidays and yearly dates a window"
    window = leaf.window.checks[0]
    if leaf.kind == "holiday":
        where = bind(leaf.country) if leaf.country else _either(leaf, "country")
        return _listed(where, bind(Celebrating(leaf.names, window)), "VARCHAR")
    day = _day(leaf, bind)
    key = f"(month({day}) * 100 + day({day}))"
    parts = [
        f"({_listed(key, bind(Anniversaries(window, last)), 'INTEGER')}"
        f" AND coalesce(year({day}) < {bind(YearOf(window, last))}, false))"
        for last in (False, True)
    ]
    return f"({' OR '.join(parts)})"


def reads_account(leaf: Occasion) -> bool:
    """Whether the row of a contact's account is read beside the contact's own."""
    own = leaf.kind == "yearly" or bool(leaf.country)
    return leaf.scope == "contact" and not own


def _either(leaf: Occasion, field: str) -> str:
    own = f"e.{quoted(field)}"
    return f"coalesce({own}, a.{quoted(field)})" if leaf.scope == "contact" else own


def _listed(value: str, many: str, kind: str) -> str:
    return f"coalesce({value} IN (SELECT unnest(CAST({many} AS {kind}[]))), false)"


def _day(leaf: Occasion, bind: Binder) -> str:
    assert leaf.by is not None, "the loader gives a yearly date its field"
    column = f"{'t' if leaf.by.trait else 'e'}.{quoted(leaf.by.field)}"
    if leaf.by.type == "date":
        return column
    return f"CAST(({column} AT TIME ZONE 'UTC') AT TIME ZONE {bind(Zone())} AS DATE)"


def _celebrates(code: str, wanted: frozenset[str], low: date, high: date) -> bool:
    return any(
        low <= day <= high and (not wanted or wanted & names)
        for year in range(low.year, high.year + 1)
        for day, names in feasts(code, year).items()
    )


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
