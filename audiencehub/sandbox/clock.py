"""The sandbox's own time: it stands still until a write or a day moves it, so that every run of
the demo sees the same dates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from audiencehub.sandbox.store import Store

START = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
"""Monday morning of the demo company's first day."""


class SandboxClock:
    """Time of all fakes together; kept in the store."""

    def __init__(self, store: Store, start: datetime = START) -> None:
        self._lock = store.lock
        self._table = store.table("clock")
        if "now" not in self._table:
            self._table["now"] = {"at": start.isoformat(), "day": 0}

    def now(self) -> datetime:
        """The current instant, UTC."""
        return datetime.fromisoformat(self._table["now"]["at"])

    @property
    def day(self) -> int:
        """Days passed since the sandbox began."""
        return int(self._table["now"]["day"])

    def tick(self) -> datetime:
        """One millisecond later: gives every write a stamp of its own."""
        with self._lock:
            at = self.now() + timedelta(milliseconds=1)
            self.set(at)
        return at

    def set(self, at: datetime, day: int | None = None) -> None:
        """Move time to `at`."""
        self._table["now"] = {"at": at.isoformat(), "day": self.day if day is None else day}

    def next_day(self) -> datetime:
        """Nine in the morning (UTC) of the following day."""
        with self._lock:
            at = self.now().replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)
            self.set(at, self.day + 1)
        return at
