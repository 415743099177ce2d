"""What came afterwards: orders, revenue, deals and activity of members against the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from audiencehub.insight.trial import Connection
from audiencehub.model import Entity
from audiencehub.warehouse.scratch import COPY

Money = Mapping[str, Decimal]
"""Currency to amount; amounts of different currencies are never added."""


@dataclass(frozen=True, slots=True)
class Group:
    """One side: those who were members, or all others there were."""

    heads: int
    orders: int
    buyers: int
    """Heads with an order."""
    revenue: Money
    """Of the orders: net where the shop says it, else the total."""
    deals_won: int
    """Each once. A contact's are those of the contact's account."""
    won: Money
    events: int
    active: int
    """Heads with an event."""

    def per_head(self, amount: Decimal | int) -> float:
        """Divided by the heads; 0 where there are none."""
        return float(amount) / self.heads if self.heads else 0.0

    def json(self) -> dict[str, Any]:
        """As JSON values; money as text, that no cent is lost."""
        return {
            "heads": self.heads,
            "orders": self.orders,
            "orders_per_head": self.per_head(self.orders),
            "buyers": self.buyers,
            "revenue": {key: str(value) for key, value in self.revenue.items()},
            "deals_won": self.deals_won,
            "won": {key: str(value) for key, value in self.won.items()},
            "events": self.events,
            "events_per_head": self.per_head(self.events),
            "active": self.active,
        }


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Both sides over the days after a date."""

    first: date
    last: date
    """Both inclusive; `last` is never after what the copy knows."""
    asked: int
    """Days wanted; fewer have passed where the copy is younger."""
    members: Group
    rest: Group

    @property
    def days(self) -> int:
        """Days that are counted; 0: none has passed."""
        return max(0, (self.last - self.first).days + 1)

    def json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "days": self.days,
            "days_asked": self.asked,
            "members": self.members.json(),
            "rest": self.rest.json(),
        }


def outcomes(
    connection: Connection,
    entity: Entity,
    heads: str,
    at: datetime,
    until: datetime,
    days: int,
    zone: ZoneInfo,
) -> Outcomes:
    """What the heads did in so many days after the local day of `at`, by what is known today.

    `heads` is SQL of (id, inside): everyone there was, and who was a member. `until` is the clock
    of the run that left the copy. Reads the published copy itself, not what was set back.
    """
    first = at.astimezone(zone).date() + timedelta(days=1)
    last = min(first + timedelta(days=days - 1), until.astimezone(zone).date())
    values = {
        "start": _midnight(first, zone),
        "end": _midnight(max(last, first - timedelta(days=1)) + timedelta(days=1), zone),
        "first": first,
        "last": last,
    }
    connection.execute(f"CREATE OR REPLACE TEMP TABLE head AS {heads}")
    sides = {}
    for inside in (True, False):
        sides[inside] = _group(connection, entity, inside, values)
    connection.execute("DROP TABLE temp.head")
    return Outcomes(first, last, days, sides[True], sides[False])


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    return start.astimezone(UTC).replace(tzinfo=None)


def _group(
    connection: Connection, entity: Entity, inside: bool, values: Mapping[str, Any]
) -> Group:
    def rows(sql: str) -> list[tuple[Any, ...]]:
        named = {key: value for key, value in values.items() if f"${key}" in sql}
        return connection.execute(sql, {**named, "inside": inside}).fetchall()

    ((heads,),) = rows("SELECT count(*) FROM head WHERE inside = $inside")
    orders = rows(_facts("order", entity, "f.currency, sum(coalesce(f.revenue, f.total))"))
    ((events, active, _),) = rows(_facts("event", entity, "NULL", whole=True))
    ((placed, buyers, _),) = rows(_facts("order", entity, "NULL", whole=True))
    deals = rows(_deals(entity))
    return Group(
        heads=int(heads),
        orders=int(placed),
        buyers=int(buyers),
        revenue=_money([(currency, amount) for _, _, currency, amount in orders]),
        deals_won=sum(int(count) for count, _, _ in deals),
        won=_money([(currency, amount) for _, currency, amount in deals]),
        events=int(events),
        active=int(active),
    )


def _money(rows: list[tuple[Any, Any]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for currency, amount in rows:
        if amount:
            key = currency or "unknown currency"
            found[key] = found.get(key, Decimal(0)) + Decimal(amount)
    return dict(sorted(found.items()))


def _facts(table: str, entity: Entity, more: str, *, whole: bool = False) -> str:
    """Rows of people in the time, with how many heads they are of; by currency unless `whole`."""
    owner = "f.contact_id"
    join = ""
    if entity == "account":
        owner = "coalesce(c.account_id, f.account_id)"
        join = f" LEFT JOIN {COPY}.contact AS c ON c.contact_id = f.contact_id"
    group = "" if whole else " GROUP BY f.currency"
    return (
        f'SELECT count(*), count(DISTINCT head.id), {more} FROM {COPY}."{table}" AS f{join} '
        f"JOIN head ON head.id = {owner} AND head.inside = $inside "
        f"WHERE f.at >= $start AND f.at < $end{group}"
    )


def _deals(entity: Entity) -> str:
    owners = "SELECT id FROM head WHERE inside = $inside"
    if entity == "contact":
        owners = (
            f"SELECT c.account_id FROM head JOIN {COPY}.contact AS c ON c.contact_id = head.id "
            "WHERE head.inside = $inside"
        )
    return (
        f"SELECT count(*), currency, sum(amount) FROM {COPY}.deal WHERE is_won "
        f"AND close_date >= $first AND close_date <= $last AND account_id IN ({owners}) "
        "GROUP BY currency"
    )
