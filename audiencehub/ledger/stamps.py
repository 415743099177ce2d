"""Instants and documents as the ledger writes them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any


def stamp(at: datetime) -> str:
    """UTC, microseconds, of one width, so that text order is time order."""
    if at.tzinfo is None:
        raise ValueError("the ledger takes aware instants only")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def instant(text: str) -> datetime:
    """The aware instant of a stamp."""
    return datetime.fromisoformat(text)


def maybe(text: str | None) -> datetime | None:
    """The instant, where there is one."""
    return None if text is None else instant(text)


def document(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
