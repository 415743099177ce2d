"""The bench's counter, and three destinations that it counts through two of their windows."""

from __future__ import annotations

import asyncio

import pytest

from tests.bench import throughput
from tests.bench.throughput import Counter, Rule
from tests.platforms.clock import skipping
from tests.platforms.stands import SLACK, STANDS


@pytest.mark.parametrize("name", ["hubspot", "klaviyo", "slack"])
def test_the_ceiling_is_reached_and_never_passed(name):
    """Above it a vendor refuses and may lock the account out; far below it a push takes hours."""
    with skipping():
        found = throughput.fast(
            STANDS.get(name, SLACK), 2.0 * throughput.DOCUMENTED[name][0].seconds
        )

    assert found.above == 0
    assert found.share >= 0.95


def test_the_counter_refuses_what_is_above():
    """A counter that lets everything through would call every limiter a good one."""
    answers = []

    async def inner(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        if message["type"] == "http.response.start":
            answers.append(message["status"])

    async def asked(counter, path):
        await counter({"method": "POST", "path": path}, None, send)

    with skipping():
        counter = Counter(inner, (Rule(2, 60.0, "POST /users$"), Rule(3, 60.0)))
        for path in ("/users", "/users", "/lists", "/users", "/lists"):
            asyncio.run(asked(counter, path))
        assert answers == [200, 200, 200, 429, 429]
        assert (counter.above, counter.every, len(counter.times)) == (2, 5, 3)
        throughput.MACHINE.sleep(60.0)
        asyncio.run(asked(counter, "/users"))
    assert answers[-1] == 200
