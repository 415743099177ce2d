"""The time zones that a rule about local time knows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from zoneinfo import ZoneInfo, available_timezones


@cache
def zones() -> Mapping[str, ZoneInfo]:
    """Every zone of this machine by its IANA name, sorted. Kept, for `ZoneInfo` remembers eight,
    and reads the file of any other anew."""
    return {name: ZoneInfo(name) for name in sorted(available_timezones())}
