"""One limiter per credential."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiencehub.errors import Wait
from audiencehub.http import HttpClient, Limiter, limiter_for

from .conftest import FakeClock, http


@given(
    rate=st.integers(1, 50),
    per=st.sampled_from([1.0, 10.0, 60.0]),
    burst=st.integers(1, 20),
    gaps=st.lists(st.floats(0, 5), max_size=60),
)
def test_no_window_ever_holds_more_than_rate_and_burst(rate, per, burst, gaps):
    """A quota is exceeded once and the vendor locks the whole company out."""
    clock, times = FakeClock(), []
    limiter = Limiter(rate, per, burst, clock=clock)
    for gap in gaps:
        clock.seconds += gap
        limiter.acquire(1e9)
        times.append(clock.seconds)

    for start in times:
        inside = [t for t in times if start <= t < start + per - 1e-6]
        assert len(inside) <= rate + burst - 1 + 1e-9


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
