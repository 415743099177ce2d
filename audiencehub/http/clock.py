"""Time as a parameter: what waiting and dates mean to the HTTP client."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where seconds come from; tests hand in one that does not wait."""

    def monotonic(self) -> float:
        """Seconds that only grow."""

    def now(self) -> datetime:
        """The wall clock, aware, UTC; read only to turn a date into a number of seconds."""

    def sleep(self, seconds: float) -> None:
        """Let that many seconds pass."""


class MachineClock:
    """The machine's own time."""

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    def now(self) -> datetime:
        """The wall clock, aware, UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Block this thread."""
        time.sleep(max(0.0, seconds))


MACHINE = MachineClock()
