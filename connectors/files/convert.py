"""Conversions that a column may need before the hub's own cleaning, and the period of a file."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta

_HOST = re.compile(r"([^\s./@:]+\.)+[^\s./@:0-9][^\s./@:]*")


def noon_utc(value: str) -> str | None:
    """`19970101` or `1997-01-01` as noon of that day, UTC: the same date in nearly every zone."""
    if not re.fullmatch(r"\d{8}|\d{4}-\d\d-\d\d", value, re.ASCII):
        return None
    try:
        return f"{date.fromisoformat(value).isoformat()}T12:00:00+00:00"
    except ValueError:
        return None


def host(value: str) -> str | None:
    """A host name without scheme and path, lower case; None for what cannot be one."""
    bare = re.sub(r"^[a-z][a-z0-9+.-]*://", "", value.strip().lower())
    bare = re.split(r"[/?#]", bare, maxsplit=1)[0].strip(".")
    return bare if _HOST.fullmatch(bare) and len(bare) <= 253 else None


CONVERT: Mapping[str, Callable[[str], str | None]] = {
    "noon_utc": noon_utc,
    "host": host,
}
"""None: the value cannot be converted."""


def period(text: str) -> tuple[date, date] | None:
    """First and last day: of a month `2015-07`, of the week that begins on `2015-07-06`, or of
    `2015-07-06/2015-07-19`. None when it is none of these."""
    try:
        if found := re.fullmatch(r"(\d{4})-(\d\d)", text, re.ASCII):
            year, month = int(found[1]), int(found[2])
            return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            first = date.fromisoformat(text)
            return first, first + timedelta(days=6)
        if re.fullmatch(r"\d{4}-\d\d-\d\d/\d{4}-\d\d-\d\d", text, re.ASCII):
            first, last = (date.fromisoformat(part) for part in text.split("/"))
            return (first, last) if first <= last else None
    except (ValueError, OverflowError):
        return None
    return None


def period_in_name(name: str) -> tuple[date, date] | None:
    """The week whose Monday stands in a file's name: `intent-2026-11-09.csv`."""
    found = re.findall(r"(?<!\d)\d{4}-\d\d-\d\d(?!\d)", name, re.ASCII)
    return period(found[-1]) if found else None
