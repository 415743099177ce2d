"""What runs when, from `prefect.yaml` alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
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
    step = timedelta(seconds=schedule.interval or 0)
    text = schedule.anchor_date
    anchor = datetime.fromisoformat(text) if text else datetime(2020, 1, 1, tzinfo=zone)
    anchor = anchor if anchor.tzinfo else anchor.replace(tzinfo=zone)
    # Shorter than a day counts hours; a day or more keeps the wall clock's hour, as Prefect does.
    anchor = anchor.astimezone(UTC if step < timedelta(days=1) else zone)
    at = anchor + step * ((now - anchor) // step)
    while True:
        if at > now:
            yield at
        at += step
