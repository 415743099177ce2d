"""Dates and instants in the spellings of the sources. A time without a zone is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from audiencehub.cleaning.basic import Unclean

EARLIEST, LATEST = 1900, 2200
_UNITS = ((10**17, 10**9), (10**14, 10**6), (10**11, 10**3))
"""Epoch numbers by size: nano-, micro- (GA4) or milliseconds (BuiltWith); else seconds."""


def instant(value: Any, _: Mapping[str, Any]) -> datetime:
    """Naive UTC, for the warehouse. ISO 8601 with zone, or an epoch number of any unit."""
    if isinstance(value, datetime):
        when = value
    elif isinstance(value, bool):
        raise Unclean("not_a_time")
    elif isinstance(value, int | float) or re.fullmatch(
        r"-?\d{9,20}", str(value).strip(), re.ASCII
    ):
        when = _epoch(float(value))
    else:
        when = _iso(str(value).strip())
    if when.tzinfo is None:
        raise Unclean("no_time_zone")
    try:
        utc = when.astimezone(UTC)
    except OverflowError:
        raise Unclean("out_of_range") from None
    if not EARLIEST <= utc.year <= LATEST:
        raise Unclean("out_of_range")
    return utc.replace(tzinfo=None)


def day(value: Any, known: Mapping[str, Any]) -> date:
    """A calendar date; of an instant, its date in UTC."""
    if isinstance(value, date) and not isinstance(value, datetime):
        found = value
    elif isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value.strip(), re.ASCII):
        try:
            found = date.fromisoformat(value.strip())
        except ValueError:
            raise Unclean("not_a_date") from None
    else:
        found = instant(value, known).date()
    if not EARLIEST <= found.year <= LATEST:
        raise Unclean("out_of_range")
    return found


def _epoch(value: float) -> datetime:
    divisor = next((unit for floor, unit in _UNITS if abs(value) >= floor), 1)
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value / divisor)
    except OverflowError:
        raise Unclean("out_of_range") from None


def _iso(value: str) -> datetime:
    # Salesforce REST writes +0000 without a colon.
    value = re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", value)
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise Unclean("not_a_time") from None
