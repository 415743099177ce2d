"""What runs when, from `prefect.yaml` alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Literal
from zoneinfo import ZoneInfo

from cronsim import CronSim

from audiencehub.server.prefect_yaml import Deployment, Document, Schedule


@dataclass(frozen=True, slots=True)
class Upcoming:
    """One schedule's next runs, aware, in the company's time zone; none: it waits for an event."""

    deployment: str
    entrypoint: str
    slug: str
    rule: str
    times: tuple[datetime, ...]
    waits_for: str = ""


PAST = 24
"""Runs of one schedule that are looked back on."""
FARTHEST = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Past:
    """One schedule's last runs that are due by now, newest first, aware."""

    deployment: str
    slug: str
    flow: str
    """The name of the flow's function, which is the kind of its runs in the ledger."""
    parameters: dict[str, Any]
    times: tuple[datetime, ...]


def past(document: Document, now: datetime, late_seconds: float) -> list[Past]:
    """The times at which every schedule was due, but for those that may still be late."""
    until = now - timedelta(seconds=late_seconds)
    return [
        Past(
            one.name,
            schedule.slug,
            one.entrypoint.rpartition(":")[2],
            {**one.parameters, **schedule.parameters},
            tuple(islice(_back(schedule, until), PAST)),
        )
        for one in document.deployments
        for schedule in one.schedules
    ]


def _back(schedule: Schedule, until: datetime) -> Iterator[datetime]:
    """Times at or before `until`, newest first, for a little more than a year."""
    # CronSim leaves out the instant it starts from.
    start = (until + timedelta(seconds=1)).astimezone(ZoneInfo(schedule.timezone))
    times: Iterator[datetime]
    if schedule.cron:
        times = CronSim(schedule.cron, start, reverse=True)
    else:
        times = _stepped(schedule, until, -1)
    for at in times:
        if at < until - FARTHEST:
            return
        if at <= until:
            yield at


def upcoming(document: Document, now: datetime, zone: ZoneInfo, count: int = 5) -> list[Upcoming]:
    """The next `count` runs after `now` of every schedule, in the order of the file."""
    return [row for one in document.deployments for row in _of(one, now, zone, count)]


def _of(one: Deployment, now: datetime, zone: ZoneInfo, count: int) -> Iterator[Upcoming]:
    for schedule in one.schedules:
        times = tuple(at.astimezone(zone) for at in islice(_times(schedule, now), count))
        rule = schedule.cron or f"every {schedule.interval} s"
        yield Upcoming(one.name, one.entrypoint, schedule.slug, rule, times)
    for trigger in one.triggers:
        yield Upcoming(one.name, one.entrypoint, "", "", (), ", ".join(trigger.expect))


def _times(schedule: Schedule, now: datetime) -> Iterator[datetime]:
    zone = ZoneInfo(schedule.timezone)
    if schedule.cron:
        yield from CronSim(schedule.cron, now.astimezone(zone))
        return
    yield from _stepped(schedule, now, 1)


def _stepped(schedule: Schedule, now: datetime, sign: Literal[1, -1]) -> Iterator[datetime]:
    """Times of an interval schedule after `now`, or at and before it when the sign is -1."""
    zone = ZoneInfo(schedule.timezone)
    step = timedelta(seconds=schedule.interval or 0)
    text = schedule.anchor_date
    anchor = datetime.fromisoformat(text) if text else datetime(2020, 1, 1, tzinfo=zone)
    anchor = anchor if anchor.tzinfo else anchor.replace(tzinfo=zone)
    # Shorter than a day counts hours; a day or more keeps the wall clock's hour, as Prefect does.
    anchor = anchor.astimezone(UTC if step < timedelta(days=1) else zone)
    # One step ahead: the wall clock's shift can make the division fall short by one.
    at = anchor + step * ((now - anchor) // step - sign)
    while True:
        if (at > now) == (sign > 0):
            yield at
        at += step * sign
