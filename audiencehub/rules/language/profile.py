"""One person or account as a document: what plain evaluation, explain and examples read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from audiencehub.rules.language.catalog import ACCOUNT_ONLY

Row = Mapping[str, Any]
Stay = tuple[datetime, datetime | None]
"""When a membership began and, where it has, ended; aware."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Where a value comes from."""

    source: str
    observed_at: datetime | None = None
    """When the source last changed it, aware."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entity stands among the others of its group."""

    place: int
    """One more than there are strictly ahead of it."""
    of: int | None = None
    """How many of the group have a known value; None where an example leaves it out."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One entity with all that its rules can read.

    Values are canonical: instants aware (naive ones count as UTC), money as Decimal, None unknown.
    """

    contact: Row | None
    """None for a profile of an account."""
    account: Row | None
    """None for a person without an account."""
    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    """Facts by table, chosen by the law of scope: for a contact its own events and orders, and
    its account's deals, technology installs and intent signals; for an account its own rows and
    those of its contacts, each once. A row may say where it comes from under `source`."""
    segments: frozenset[str] = frozenset()
    """Segments it is a member of in this run; a contact also has those of its account."""
    seen: Mapping[str, Seen] = field(default_factory=dict)
    """`account.industry` to where that value comes from, as far as known."""
    traits: Mapping[str, Any] = field(default_factory=dict)
    """Computed traits by id, the contact's own and its account's; None or absent is unknown."""
    thresholds: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """Trait, or `<trait>|<group>`, to the bounds between its parts in the world that the profile
    is of: in the order of the parts, one fewer than there are parts."""
    past: Mapping[str, Sequence[Stay]] = field(default_factory=dict)
    """Segment to the stays in it that the membership log knows, before this run."""
    ranks: Mapping[str, Place] = field(default_factory=dict)
    """`Rank.order` to the place by it; absent where the field or the group is unknown."""
    unfilled: frozenset[str] = frozenset()
    """Tables of facts that no source fills: what is asked of them is unknown."""
    crew: Sequence[Profile] = ()
    """The contacts of an account, as profiles of contacts."""


@dataclass(frozen=True, slots=True)
class Ago:
    """A date in an example, given relative to its clock."""

    days: int = 0
    """Positive in the past, negative ahead."""
    hours: int = 0

    def instant(self, clock: datetime, zone: ZoneInfo) -> datetime:
        """The instant: days keep the local time of day."""
        local = clock.astimezone(zone)
        moved = datetime.combine(local.date() - timedelta(days=self.days), local.timetz())
        return moved.astimezone(clock.tzinfo) - timedelta(hours=self.hours)

    def day(self, clock: datetime, zone: ZoneInfo) -> date:
        """The calendar day in the zone."""
        return self.instant(clock, zone).astimezone(zone).date()


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a day begins in the zone."""
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def profile_from_example(given: Row, clock: datetime, zone: ZoneInfo) -> Profile:
    """The profile that an example describes, at the clock given unless it has its own."""
    rows = _rows(given, clock, zone)
    profile = Profile(
        contact=_fixed(given["contact"], clock, zone) if given.get("contact") is not None else None,
        account=_fixed(given["account"], clock, zone) if given.get("account") is not None else None,
        rows=rows,
        segments=frozenset(given.get("segments", ())),
        ranks=given.get("ranks", {}),
        past={
            segment: tuple(
                (_moment(one["entered"], clock, zone), _moment(one.get("left"), clock, zone))
                for one in stays
            )
            for segment, stays in given.get("past", {}).items()
        },
        traits=_fixed(given.get("traits", {}), clock, zone),
        thresholds=given.get("thresholds", {}),
    )
    crew = tuple(_member(profile, one, clock, zone) for one in given.get("crew", ()))
    return replace(profile, crew=crew, rows=_together(rows, crew)) if crew else profile


def _rows(given: Row, clock: datetime, zone: ZoneInfo) -> dict[str, tuple[Row, ...]]:
    return {
        table: tuple(_fixed(row, clock, zone) for row in rows)
        for table, rows in given.get("rows", {}).items()
    }


def _member(of: Profile, given: Row, clock: datetime, zone: ZoneInfo) -> Profile:
    """One contact of an account's example: has the account's fields, facts and segments."""
    own = profile_from_example(given, clock, zone)
    shared = {table: rows for table, rows in of.rows.items() if table in ACCOUNT_ONLY}
    segments = of.segments | own.segments
    return replace(own, account=of.account, rows={**own.rows, **shared}, segments=segments)


def _together(
    rows: Mapping[str, Sequence[Row]], crew: Sequence[Profile]
) -> dict[str, tuple[Row, ...]]:
    """What an account rule reads: its own rows and those of its contacts."""
    found = {table: tuple(own) for table, own in rows.items()}
    for member in crew:
        for table, own in member.rows.items():
            if table not in ACCOUNT_ONLY:
                found[table] = (*found.get(table, ()), *own)
    return found


def clock_of_example(given: Row, clock: datetime, zone: ZoneInfo) -> datetime:
    """The example's own clock: noon of its `at`, else the one given."""
    own = given.get("at")
    return clock if own is None else midnight(own, zone) + timedelta(hours=12)


def _fixed(row: Row, clock: datetime, zone: ZoneInfo) -> dict[str, Any]:
    return {name: _moment(value, clock, zone) for name, value in row.items()}


def _moment(value: Any, clock: datetime, zone: ZoneInfo) -> Any:
    if not isinstance(value, tuple) or not value or value[0] not in ("date", "instant"):
        return value
    kind, when = value
    if isinstance(when, Ago):
        return when.day(clock, zone) if kind == "date" else when.instant(clock, zone)
    return when if kind == "date" else midnight(when, zone)
