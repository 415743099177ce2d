"""One limiter per credential."""

from __future__ import annotations

import heapq
import threading
from bisect import bisect_right

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audiencehub.errors import Wait
from audiencehub.http import HttpClient, Limiter, limiter_for

from .conftest import FakeClock, http


def most(times, per):
    """The most of these moments within any `per` seconds, as a vendor counts them."""
    times = sorted(times)
    # A millionth of a second: moments are sums of floats.
    return max(
        (n + 1 - bisect_right(times, t - per + 1e-6) for n, t in enumerate(times)), default=0
    )


class Traffic:
    """Requests of several lanes, each of which sends its next one when the last is answered.

    Each takes a time of its own to arrive, and one for its answer to come back.
    """

    def __init__(self, limiter, clock, lanes):
        self.limiter, self.clock, self.lanes = limiter, clock, lanes
        self.arrived, self.under_way = [], []
        clock.sleep = self.sleep

    def sleep(self, seconds):
        """Answers come while somebody waits for a place."""
        end = self.clock.seconds + max(0.0, seconds) + self.clock.late
        while self.under_way and self.under_way[0][0] <= end:
            self.answer()
        self.clock.seconds = max(self.clock.seconds, end)

    def answer(self):
        at, _, place = heapq.heappop(self.under_way)
        self.clock.seconds = max(self.clock.seconds, at)
        place.__exit__(None, None, None)

    def send(self, there, back):
        while len(self.under_way) >= self.lanes:
            self.answer()
        place = self.limiter.place(1e9)
        place.__enter__()
        now = self.clock.seconds
        self.arrived.append(now + there)
        heapq.heappush(self.under_way, (now + there + back, len(self.arrived), place))


delay = st.floats(0, 90) | st.floats(0, 1)


@example(rate=2, per=1.0, burst=2, lanes=1, gaps=[(0, 0.9, 0), (0, 0, 0), (0, 0, 0)])
@given(
    rate=st.integers(1, 30),
    per=st.sampled_from([1.0, 10.0, 60.0]),
    burst=st.integers(1, 40),
    lanes=st.integers(1, 8),
    gaps=st.lists(st.tuples(st.floats(0, 5), delay, delay), max_size=80),
)
def test_no_window_ever_holds_more_than_the_ceiling(rate, per, burst, lanes, gaps):
    """A quota is exceeded once and the vendor locks the whole company out."""
    clock = FakeClock()
    traffic = Traffic(Limiter(rate, per, burst, clock=clock), clock, lanes)
    for gap, there, back in gaps:
        traffic.sleep(gap)
        traffic.send(there, back)

    assert most(traffic.arrived, per) <= rate


@given(
    rate=st.integers(1, 60),
    per=st.sampled_from([1.0, 10.0, 60.0]),
    burst=st.integers(1, 40),
    shares=st.lists(st.floats(0, 0.04), min_size=1, max_size=20),
    late=st.floats(0, 0.9),
)
def test_whoever_sends_without_pause_gets_the_whole_ceiling(rate, per, burst, shares, late):
    """A limiter that is too careful makes every push slow: the time to one answer is lost in each
    window (here up to a twenty-fifth of it), and no more. A busy machine wakes who sleeps too late,
    here by up to nine tenths of the pace, but never by more than a hundredth of a window."""
    clock = FakeClock()
    clock.late = min(late * per / rate, 0.01 * per)
    # As many lanes as it takes for the answers not to be what limits.
    lanes = 1 + int(2 * rate * max(shares))
    traffic = Traffic(Limiter(rate, per, burst, clock=clock), clock, lanes)
    for number in range(rate * 8 + 1):
        traffic.send(0, per * shares[number % len(shares)])

    took = traffic.arrived[-1] - traffic.arrived[0]
    assert rate * 8 / took >= 0.95 * rate / per
    assert most(traffic.arrived, per) <= rate


def test_steady_traffic_gets_the_whole_rate(clock):
    """A limiter that is too careful makes every sync slow."""
    limiter = Limiter(10, 1.0, clock=clock)
    for _ in range(101):
        limiter.acquire(60)

    assert clock.seconds == pytest.approx(1010.0)


def test_a_place_beyond_the_budget_is_refused_and_not_taken(clock):
    """A caller that gave up must not make the others wait."""
    limiter = Limiter(1, 10.0, clock=clock)
    limiter.acquire(0)
    for _ in range(5):
        with pytest.raises(Wait) as caught:
            limiter.acquire(9)
        assert caught.value.seconds == pytest.approx(10)

    limiter.acquire(10)
    assert clock.slept == [pytest.approx(10)]


def test_two_limits_of_one_credential_both_hold(clock):
    """A vendor counts by the second and by the minute, and refuses by whichever is full."""
    limiter = Limiter(10, 1.0, burst=10, clock=clock)
    limiter.tighten(30, 60.0)
    times = []
    for _ in range(95):
        limiter.acquire(1e9)
        times.append(clock.seconds)

    assert most(times, 1.0) <= 10
    assert most(times, 60.0) <= 30
    assert times[-1] - times[0] <= 181


def test_a_request_that_is_still_under_way_counts(clock):
    """One that takes long to arrive is counted by the vendor when it does, not when it left."""
    limiter = Limiter(1, 10.0, clock=clock)
    with limiter.place(0):
        clock.sleep(25)
        with pytest.raises(Wait), limiter.place(9):
            raise AssertionError("two in one window")
    clock.slept.clear()
    with limiter.place(10):
        assert clock.slept == [pytest.approx(10)]


def test_a_pause_reaches_those_who_wait(clock):
    """A vendor that asked for rest must not be met by the requests that stood in line before."""
    limiter = Limiter(1, 10.0, clock=clock)
    limiter.acquire(0)
    sleep, told = clock.sleep, []

    def sleeping(seconds):
        sleep(seconds)
        if not told:
            told.append(True)
            limiter.pause(60)

    clock.sleep = sleeping
    limiter.acquire(1000)
    assert clock.seconds == pytest.approx(1070)


def test_one_credential_has_one_limiter_at_the_lower_rate():
    """Source and destination of one vendor share its quota."""
    first = limiter_for(("token-a", "https://api.vendor.example"), rate=10)

    assert limiter_for(("token-a", "https://api.vendor.example"), rate=5) is first
    assert limiter_for(("token-b", "https://api.vendor.example"), rate=10) is not first
    assert first._gap == pytest.approx(0.2)


def test_the_registry_keeps_no_credential():
    """A heap dump or a traceback with locals must not show tokens."""
    from audiencehub.http import limiter

    limiter_for("canary-credential", rate=1)

    assert "canary-credential" not in repr(limiter._registry)


def test_threads_share_the_places_of_one_limiter(serve, clock):
    """Places are handed out once, whoever asks."""
    limiter = Limiter(10, 1.0, clock=clock)
    server = serve(http(200))
    client = HttpClient(server.url, limiter=limiter, clock=clock)
    threads = [
        threading.Thread(target=lambda: [client.get("/") for _ in range(5)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(server.requests) == 20
    assert clock.seconds >= 1000 + 1.9 - 1e-6
