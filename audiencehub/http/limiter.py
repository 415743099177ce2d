"""One limiter per credential, shared by every client, flow and thread of the process."""

from __future__ import annotations

import hashlib
import threading
from bisect import bisect_right, insort
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from audiencehub.errors import Wait
from audiencehub.http.clock import MACHINE, Clock

_LATER = "Run again later; what was fetched so far is kept"


@dataclass(slots=True)
class _Window:
    """So many requests in so many seconds, wherever a vendor begins to count them."""

    count: int
    seconds: float
    ends: list[float] = field(default_factory=list)
    """When the latest answers came, in order; those of more than `seconds` ago are dropped."""

    def free(self, now: float, ahead: Sequence[float]) -> float:
        """When the next may go. `ahead`: the earliest ends of those not answered yet, in order."""
        del self.ends[: bisect_right(self.ends, now - self.seconds)]
        over = len(self.ends) + len(ahead) - self.count
        if over < 0:
            return now
        known = len(self.ends)
        return (self.ends[over] if over < known else ahead[over - known]) + self.seconds


@dataclass(slots=True, eq=False)
class _Place:
    """A request that may go at `start`, and has gone or waits for that."""

    start: float
    paced: bool = False
    gone: bool = False


class Limiter:
    """Never more than `rate` requests in any `per` seconds, and at most `burst` of them at once.

    That holds where they arrive, however long each takes to get there: a place is given again `per`
    seconds after its answer, for between sending and answer lies the moment at which it was
    counted. So a vendor that counts by sliding or by fixed windows never counts more than it
    allows; what this costs is the time to an answer, once in `per` seconds.

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
        self._windows = [_window(rate, per)] if rate else []
        self._places: list[_Place] = []
        """Taken and not answered yet, in the order in which they were asked for."""
        # The moment at which the bucket is full again (the generic cell rate algorithm).
        self._full_at = clock.monotonic()
        self._paused_until = self._open_until = clock.monotonic()
        self._failures = 0

    def tighten(self, rate: float, per: float) -> None:
        """Two callers that disagree on one credential's limit both get the lower one."""
        new = _window(rate, per)
        with self._lock:
            self._gap = max(self._gap, per / rate)
            for one in self._windows:
                if one.seconds == new.seconds:
                    one.count = min(one.count, new.count)
                    return
            new.ends = max(([*one.ends] for one in self._windows), key=len, default=[])
            self._windows.append(new)

    @contextmanager
    def place(self, budget: float) -> Iterator[None]:
        """The next place, waited for, until the block ends, which must be when the answer is there.

        Raises Wait when it lies beyond `budget` seconds.
        """
        taken = self._taken(budget)
        try:
            yield
        finally:
            self._answered(taken)

    def acquire(self, budget: float) -> None:
        """Take the next place for a request that arrives at once. Raises Wait as `place` does."""
        self._answered(self._taken(budget))

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

    def _taken(self, budget: float) -> _Place:
        now = self._clock.monotonic()
        end = now + budget
        with self._lock:
            paced = self._full_at - (self._burst - 1) * self._gap
            place = _Place(max(paced, self._earliest(now, self._places)))
            self._places.append(place)
            self._settled(place, now, end)
        while not place.gone:
            self._clock.sleep(place.start - self._clock.monotonic())
            with self._lock:
                # Who had not answered when the place was taken may have by now, or not for long.
                now = self._clock.monotonic()
                before = self._places[: self._places.index(place)]
                overtook = [one for one in self._places if one.gone and one not in before]
                place.start = self._earliest(now, before + overtook)
                self._settled(place, now, end)
        return place

    def _settled(self, place: _Place, now: float, end: float) -> None:
        """The place goes now, or stands for its moment; given up, with Wait, where that is late."""
        try:
            self._demand_closed(now)
            self._demand_within(place.start, now, end)
        except Wait:
            self._places.remove(place)
            raise
        place.gone = place.start <= now
        if not place.paced:
            self._full_at = max(self._full_at, place.start) + self._gap
        elif not place.gone:
            self._full_at = max(self._full_at, place.start + self._gap)
        # One that woke late has its pace from when it should have gone: the next one catches up.
        place.paced = True

    def _earliest(self, now: float, ahead: Sequence[_Place]) -> float:
        unanswered = sorted(now if one.gone else max(now, one.start) for one in ahead)
        return max(now, self._paused_until, *(w.free(now, unanswered) for w in self._windows))

    def _answered(self, place: _Place) -> None:
        now = self._clock.monotonic()
        with self._lock:
            self._places.remove(place)
            for one in self._windows:
                insort(one.ends, now)

    def _demand_closed(self, now: float) -> None:
        if now < self._open_until:
            raise Wait(
                "Nothing is sent: the last requests with this credential all failed.",
                hint=_LATER,
                seconds=self._open_until - now,
            )

    def _demand_within(self, start: float, now: float, end: float) -> None:
        if start > end:
            raise Wait(
                f"The next request may go out in {start - now:.0f} s: too long to wait.",
                hint=_LATER,
                seconds=start - now,
            )


def _window(rate: float, per: float) -> _Window:
    """The window of a rate; one that is no whole number is kept over a shorter or longer time."""
    count = max(1, int(rate))
    return _Window(count, per * count / rate)


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
