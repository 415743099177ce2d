"""Occasions of one person, looked up day by day."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from audiencehub.rules.judge import move
from audiencehub.rules.language.calendars import feasts
from audiencehub.rules.language.form import Occasion, Span
from audiencehub.rules.language.zones import zones
from audiencehub.rules.plain.clause import Clause

if TYPE_CHECKING:
    from audiencehub.rules.evaluate import Evaluation


def judge(node: Occasion, at: Evaluation) -> Clause:
    """The verdict, with what it was decided by: country, date, or local time; None is unknown."""
    if node.kind == "local_time":
        return _local_time(node, at)
    days = _days(node, at)
    if node.kind == "holiday":
        country = node.country or _place(node, at, "country")
        held = [day for day in days if country and _is_held(node, country, day)]
        return Clause(node, bool(held), held[0] if held else country)
    born = _date(node, at)
    if born is None:
        return Clause(node, False)
    return Clause(node, any(anniversary(born, day) for day in days), born)


def _days(node: Occasion, at: Evaluation) -> list[date]:
    assert node.window is not None, "the loader gives holidays and yearly dates a window"
    (check,) = node.window.checks
    assert isinstance(check.value, Span), "the loader gives occasions a span"
    found, step = [], 1 if check.op == "next" else -1
    day = at.today + timedelta(days=1) if step == 1 else at.today
    last = move(at.today, check.value, step)
    while day <= last if step == 1 else day > last:
        found.append(day)
        day += timedelta(days=step)
    return found


def _is_held(node: Occasion, country: str, day: date) -> bool:
    names = feasts(country, day.year).get(day, frozenset())
    return bool(names & set(node.names)) if node.names else bool(names)


def anniversary(born: date, day: date) -> bool:
    """Whether a year or more has passed to the day; 29 February counts on the 28th elsewhere."""
    if day.year <= born.year:
        return False
    try:
        return born.replace(year=day.year) == day
    except ValueError:
        return (day.month, day.day) == (2, 28)


def _date(node: Occasion, at: Evaluation) -> date | None:
    assert node.by is not None, "the loader gives a yearly date its field"
    value: date | None = at.field(node.by).value
    return None if value is None else at.judge.day(value)


def _place(node: Occasion, at: Evaluation, name: str) -> Any:
    """The person's own value, else the one of the account."""
    account = at.profile.account or {}
    own = at.profile.contact or {}
    if node.scope == "contact" and own.get(name) is not None:
        return own[name]
    return account.get(name)


def _local_time(node: Occasion, at: Evaluation) -> Clause:
    zone = zones().get(_place(node, at, "timezone"))
    if zone is None:
        return Clause(node, False)
    local = at.clock.astimezone(zone)
    return Clause(node, _is_time(node, local), local.strftime("%A %H:%M"))


def _is_time(node: Occasion, local: datetime) -> bool:
    if node.days and local.strftime("%A").lower() not in node.days:
        return False
    if node.hours is None:
        return True
    since = (local.hour * 60 + local.minute - node.hours[0]) % 1440
    return since < (node.hours[1] - node.hours[0]) % 1440
