"""Arithmetic of durations in words, on calendar days and on instants."""

from __future__ import annotations

import calendar
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from audiencehub.rules.language.form import Span


def shift(day: date, span: Span, sign: int) -> date:
    """The day one span later (sign 1) or earlier (-1); months and years clip to the month's end."""
    count = sign * span.count
    if span.unit == "day":
        return day + timedelta(days=count)
    if span.unit == "week":
        return day + timedelta(weeks=count)
    months = day.year * 12 + day.month - 1 + count * (12 if span.unit == "year" else 1)
    year, month = divmod(months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def exact(span: Span) -> timedelta:
    """A span of hours or minutes as elapsed time."""
    return timedelta(hours=span.count) if span.unit == "hour" else timedelta(minutes=span.count)


def later(moment: datetime, span: Span, zone: ZoneInfo) -> datetime:
    """The instant one span after another: at the same local time of day, for spans of days."""
    if span.exact:
        return moment + exact(span)
    local = moment.astimezone(zone)
    day = shift(local.date(), span, 1)
    return datetime.combine(day, local.timetz()).astimezone(moment.tzinfo)
