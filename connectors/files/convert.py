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


def at_least(value: str) -> str | None:
    """The lower end of a size band: `51-200 employees` is 51, `10,001+` 10001, `myself only` 1.

    A rule that asks for at least so many people is then never wrong; the exact number is nowhere
    in the file.
    """
    if value.strip().lower() == "myself only":
        return "1"
    found = re.match(r"\s*(\d{1,3}(?:,\d{3})+|\d+)", value, re.ASCII)
    return found[1].replace(",", "") if found else None


CONVERT: Mapping[str, Callable[[str], str | None]] = {
    "noon_utc": noon_utc,
    "host": host,
    "at_least": at_least,
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
