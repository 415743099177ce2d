"""Dates and instants in the spellings of the sources. A time without a zone is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

from audiencehub.cleaning.basic import Unclean
from audiencehub.cleaning.number import decimal

EARLIEST, LATEST = 1900, 2200
_UNITS = ((10**17, 10**9), (10**14, 10**6), (10**11, 10**3))
"""Epoch numbers by size: nano-, micro- (GA4) or milliseconds (BuiltWith); else seconds."""
SMALLEST_EPOCH = 10**8
"""Below (3 March 1973 in seconds) stand the day numbers of spreadsheets, years and `YYYYMMDD`,
which would all pass for seconds of 1970."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)
_LONGEST = 64
_ZONE = re.compile(r"\s*(?:Z|UTC|GMT)$", re.IGNORECASE)
_MAIL = re.compile(r"(?:[A-Za-z]{3}, ?)?\d{1,2} [A-Za-z]{3} \d{4} [\d:]+ (?:[+-]\d{4}|GMT|UTC)")


def instant(value: Any, _: Mapping[str, Any]) -> datetime:
    """Naive UTC, for the warehouse. ISO 8601 or a mail header's date with zone, or an epoch
    number of any unit. Day numbers of spreadsheets are refused."""
    if isinstance(value, datetime):
        return _stored(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise Unclean("not_a_time")
    if not isinstance(value, str):
        return _stored(_of_epoch(decimal(value)))
    if len(value) > _LONGEST:
        raise Unclean("not_a_time")
    return _spelled(value.strip())


@lru_cache(maxsize=65_536)
def _spelled(value: str) -> datetime:
    if _NUMBER.fullmatch(value):
        if re.search("[eE]", value):
            raise Unclean("mangled_by_spreadsheet")
        return _stored(_of_epoch(Decimal(value)))
    return _stored(_iso(value))


def _stored(when: datetime) -> datetime:
    if when.tzinfo is None:
        raise Unclean("no_time_zone")
    try:
        utc = when.astimezone(UTC)
    except (OverflowError, ValueError):
        raise Unclean("out_of_range") from None
    if not EARLIEST <= utc.year <= LATEST:
        raise Unclean("out_of_range")
    return utc.replace(tzinfo=None)


def _of_epoch(value: Decimal) -> datetime:
    if abs(value) < SMALLEST_EPOCH:
        raise Unclean("ambiguous_number")
    divisor = next((unit for floor, unit in _UNITS if abs(value) >= floor), 1)
    try:
        # Whole microseconds, exactly: as a float, seconds of today are off by some of them.
        return _EPOCH + timedelta(microseconds=int(value * 10**6 / divisor))
    except OverflowError:
        raise Unclean("out_of_range") from None


def _iso(value: str) -> datetime:
    if not value.isascii():
        raise Unclean("not_a_time")
    try:
        if _MAIL.fullmatch(value):
            return parsedate_to_datetime(value.replace("UTC", "GMT"))
        value = _ZONE.sub("+00:00", value)
        # Salesforce REST writes +0000 without a colon; Postgres writes +00.
        value = re.sub(r"(:\d\d(?:\.\d+)?) ?([+-]\d\d):?(\d\d)?$", _with_zone, value)
        return datetime.fromisoformat(value)
    except ValueError:
        raise Unclean("not_a_time") from None


def _with_zone(found: re.Match[str]) -> str:
    return f"{found[1]}{found[2]}:{found[3] or '00'}"


def day(value: Any, known: Mapping[str, Any]) -> date:
    """A calendar date; of an instant, its date in UTC. Day and month in an order that only the
    reader's country tells (`03/04/2026`) are refused."""
    if isinstance(value, date) and not isinstance(value, datetime):
        found = value
    else:
        found = _written(value) or instant(value, known).date()
    if not EARLIEST <= found.year <= LATEST:
        raise Unclean("out_of_range")
    return found


def _written(value: Any) -> date | None:
    if not isinstance(value, str):
        return None
    whole = re.fullmatch(
        r"(\d{4})([-/.]?)(\d\d)\2(\d\d)(?:[T ]00:00(?::00(?:\.0+)?)?)?", value.strip(), re.ASCII
    )
    if whole is None:
        if re.fullmatch(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}", value.strip(), re.ASCII):
            raise Unclean("not_a_date")
        return None
    try:
        return date(int(whole[1]), int(whole[3]), int(whole[4]))
    except ValueError:
        raise Unclean("not_a_date") from None
