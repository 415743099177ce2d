"""One limiter per credential, shared by every client, flow and thread of the process."""

from __future__ import annotations

import hashlib
import threading

from audiencehub.errors import Wait
from audiencehub.http.clock import MACHINE, Clock


class Limiter:
    """At most `burst` requests at once, and `rate` in every `per` seconds after that.

    It also remembers what the credential as a whole must wait for: a Retry-After that one request
    was told (`pause`), and a row of failed calls (`failed`), after which nothing is sent for a
    while.
    """

    failures_to_open = 3
    open_seconds = 60.0

    def __init__(
        self, rate: float | None = None, per: float = 1.0, burst: int = 1, *, clock: Clock = MACHINE
    ) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._gap = per / rate if rate else 0.0
        self._burst = max(1, burst)
        # The moment at which the bucket is full again (the generic cell rate algorithm).
        self._full_at = clock.monotonic()
        self._paused_until = self._open_until = clock.monotonic()
        self._failures = 0

    def tighten(self, rate: float, per: float) -> None:
        """Two callers that disagree on one credential's limit both get the lower one."""
        with self._lock:
            self._gap = max(self._gap, per / rate)

    def acquire(self, budget: float) -> None:
        """Take the next place, waiting for it. Raises Wait when it lies beyond `budget` seconds."""
        with self._lock:
            now = self._clock.monotonic()
            if now < self._open_until:
                raise Wait(
                    "Nothing is sent: the last requests with this credential all failed.",
                    hint="Run again later; what was fetched so far is kept",
                    seconds=self._open_until - now,
                )
            start = max(now, self._paused_until, self._full_at - (self._burst - 1) * self._gap)
            if start - now > budget:
                raise Wait(
                    f"The next request may go out in {start - now:.0f} s: too long to wait.",
                    hint="Run again later; what was fetched so far is kept",
                    seconds=start - now,
                )
            self._full_at = max(self._full_at, start) + self._gap
        if start > now:
            self._clock.sleep(start - now)

    def pause(self, seconds: float) -> None:
        """Nobody with this credential sends before that many seconds have passed."""
        with self._lock:
            self._paused_until = max(self._paused_until, self._clock.monotonic() + seconds)

    def worked(self) -> None:
        """A call came through: the row of failures is broken."""
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        """A call used up its tries; after three in a row the next minute sends nothing."""
        with self._lock:
            self._failures += 1
            if self._failures >= self.failures_to_open:
                # One more failure after the pause opens it again at once.
                self._failures = self.failures_to_open - 1
                self._open_until = self._clock.monotonic() + self.open_seconds


_registry: dict[bytes, Limiter] = {}
_registry_lock = threading.Lock()


def limiter_for(
    key: str | tuple[str, ...],
    rate: float,
    per: float = 1.0,
    burst: int = 1,
    *,
    clock: Clock = MACHINE,
) -> Limiter:
    """The limiter of one credential: `limiter_for((token, base_url), rate=10, per=1)`.

    The key is kept as a digest only. A second caller gets the same limiter, at the lower rate.
    """
    parts = (key,) if isinstance(key, str) else key
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    with _registry_lock:
        found = _registry.get(digest)
        if found is None:
            return _registry.setdefault(digest, Limiter(rate, per, burst, clock=clock))
    found.tighten(rate, per)
    return found
