"""When to try again, and how long to wait first."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audiencehub.http.reply import Reply

LONGEST_WAIT = 900.0
"""Seconds; a vendor that asks for more gets its request back as Wait."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient one client is. All times in seconds."""

    attempts: int = 6
    """Tries in all."""
    connect: float = 10.0
    read: float = 60.0
    """Longest silence of the other side."""
    reply: float = 180.0
    """From the first byte sent to the last byte received, however slowly they drip."""
    deadline: float = 900.0
    """Tries and waits together; a wait that does not fit raises Wait at once."""
    backoff: float = 0.5
    """Ceiling of the first wait; doubles with every try."""
    longest_backoff: float = 60.0
    max_body: int = 64 * 1024 * 1024
    """Bytes, before and after decompression."""
    throttle: Callable[[Reply], float | None] | None = None
    """Reads a vendor's own way of saying "slow down" from a reply with status 400 or more: seconds
    to wait (0: choose), or None when it is no limit. Such a request was not carried out."""
    seed: int | None = None
    """For the jitter; None: differs in every process, so that a herd spreads."""


def retry_after(value: str | None, date: str | None, now: datetime) -> float | None:
    """Seconds of a Retry-After header, which holds seconds or an HTTP date (RFC 9110 §10.2.3).

    A date counts from the reply's own Date header, so that a wrong clock here does no harm; None
    when there is no header or it says nothing usable.
    """
    text = (value or "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text):
        return float(text)
    until = _date(text)
    if until is None:
        return None
    return max(0.0, (until - (_date(date or "") or now)).total_seconds())


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def jitter(policy: Policy, attempt: int, rng: random.Random) -> float:
    """Full jitter: anything between nothing and the ceiling that doubles with each try."""
    ceiling = min(policy.longest_backoff, policy.backoff * 2.0 ** (attempt - 1))
    return rng.uniform(0.0, ceiling)
