"""How much of each platform's documented ceiling a push gets, and what its client costs.

A counter stands before each vendor's fake and counts as the vendor would, by sliding windows, the
strictest reading there is: whoever keeps them keeps fixed minutes too. It refuses what is above.
The destination sends as fast as it may, with no limiter but its own. Time is the machine's, and
waits are skipped for both sides alike: one clock serves limiter and counter. One platform is then
run in real time.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from starlette.types import Receive, Scope, Send

from audiencehub.connector import Destination
from audiencehub.http.clock import MACHINE
from audiencehub.model import Change, Target
from audiencehub.privacy.identifiers import identify
from audiencehub.privacy.rule import Identifier
from tests.platforms.clock import skipping
from tests.platforms.stands import STANDS, Stand, opened, stood

LONGEST = 4_000
"""Requests of a run; where a window holds more, the run is shorter than one."""
REAL = 20.0
MEMBERS = 10_000


@dataclass(frozen=True)
class Rule:
    """What a vendor's documentation allows."""

    calls: int
    seconds: float
    of: str = "."
    """Method and path that are counted, as a regular expression."""
    published: bool = True
    """False: the vendor publishes none, and what the hub keeps by itself is counted."""


DOCUMENTED: dict[str, tuple[Rule, ...]] = {
    "linkedin_ads": (Rule(600, 60.0, "POST .*/users"),),
    "meta_ads": (Rule(5_040, 3_600.0),),
    "microsoft_ads": (Rule(300, 60.0, "/CampaignManagement/", published=False),),
}
"""`reference/ads.md` (§1.4, §2.4, §3.3, §4) and the vendors' pages that it names. Meta: the tier
Limited with one audience."""


@dataclass
class Counter:
    """Counts before the fake, refuses what is above, and lets the rest through."""

    inner: Any
    rules: Sequence[Rule]
    times: list[float] = field(default_factory=list)
    """When each request arrived that the first rule counts."""
    above: int = 0

    def __post_init__(self) -> None:
        self._windows: list[deque[float]] = [deque() for _ in self.rules]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        now, what = MACHINE.monotonic(), f"{scope['method']} {scope['path']}"
        mine = [
            (rule, seen)
            for rule, seen in zip(self.rules, self._windows, strict=True)
            if re.search(rule.of, what)
        ]
        over = False
        for rule, seen in mine:
            while seen and seen[0] <= now - rule.seconds:
                seen.popleft()
            over = over or len(seen) >= rule.calls
        for _, seen in mine:
            seen.append(now)
        if any(rule is self.rules[0] for rule, _ in mine):
            self.times.append(now)
        self.above += over
        if over:
            headers = [(b"retry-after", b"60"), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 429, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        await self.inner(scope, receive, send)


@dataclass(frozen=True)
class Result:
    """One line of the table."""

    platform: str
    rule: Rule
    requests: int
    seconds: float
    """From the first request counted to the last."""
    above: int
    cpu: float = 0.0
    """Client CPU seconds per 10,000 members."""
    calls: int = 0
    """Requests for these."""

    @property
    def share(self) -> float:
        """Of the ceiling, over the whole run."""
        return (self.requests - 1) / self.seconds * self.rule.seconds / self.rule.calls


def changes(destination: Destination, first: int, many: int) -> list[Change]:
    """People to add, each with every identifier that the platform takes of these."""
    can, made = destination.can, []
    for number in range(first, first + many):
        said = {
            "email": f"p{number}@acme.example",
            "phone": f"+1650{2_000_000 + number:07d}",
            "first_name": "Pat",
            "last_name": "Weiß",
        }
        found = {
            name: one.sent
            for name, value in said.items()
            if name in can.identifiers
            and isinstance(one := identify(can.platform, name, value), Identifier)
        }
        made.append(Change(str(number), "add", identifiers=found))
    return made


@contextmanager
def _opened(stand: Stand) -> Iterator[tuple[Counter, Destination, Target]]:
    """The destination with an audience made, behind a counter that begins with it."""
    free = replace(stand, fake={**stand.fake, **stand.unlimited})
    with stood(free, lambda app: Counter(app, DOCUMENTED[stand.connector])) as (at, _, counter):
        destination = opened(stand, at)
        target = Target(stand.connector, "list", "bench", label="Bench")
        target = replace(target, remote=destination.ensure(target, ()))
        yield counter, destination, target


def fast(stand: Stand, until: float | None = None) -> Result:
    """Batches of one person each, until two windows are full or so many seconds are over."""
    rule = DOCUMENTED[stand.connector][0]
    with _opened(stand) as (counter, destination, target):
        began, most = MACHINE.monotonic(), min(LONGEST, 3 * rule.calls + 1)
        for number in count():
            destination.apply(target, changes(destination, number, 1))
            over = until is not None and MACHINE.monotonic() - began >= until
            if over or len(counter.times) >= most:
                break
        times = counter.times
        return Result(stand.connector, rule, len(times), times[-1] - times[0], counter.above)


def cost(stand: Stand) -> tuple[float, int]:
    """Client CPU seconds and requests for ten thousand members, in batches as documented."""
    with _opened(stand) as (counter, destination, target):
        people = changes(destination, 0, MEMBERS)
        size = destination.batch_size(target, MEMBERS)
        before, began = len(counter.times), time.thread_time()
        for start in range(0, MEMBERS, size):
            destination.apply(target, people[start : start + size])
        return time.thread_time() - began, len(counter.times) - before


def main(names: Sequence[str] = ()) -> None:
    """Measure and print."""
    print("\nThroughput: share of the documented ceiling, requests above it, client CPU\n")
    heads = ("platform", "ceiling", "requests", "share", "above", "CPU s/10,000", "calls/10,000")
    print("{:<22}{:>14}{:>10}{:>8}{:>7}{:>14}{:>14}".format(*heads))
    for name in names or [one for one in STANDS if one in DOCUMENTED]:
        with skipping():
            result = fast(STANDS[name])
            cpu, calls = cost(STANDS[name])
        _line(name, replace(result, cpu=cpu, calls=calls))
    slowest = "linkedin_ads"
    print(f"\n{slowest}, {REAL:.0f} s of real time, and as long with waits skipped:")
    _line("real", fast(STANDS[slowest], REAL))
    with skipping():
        _line("skipped", fast(STANDS[slowest], REAL))


def _line(name: str, one: Result) -> None:
    ceiling = f"{one.rule.calls:,}/{one.rule.seconds:,.0f} s" + "*" * (not one.rule.published)
    cost = f"{one.cpu:>14.2f}{one.calls:>14,}" if one.calls else ""
    print(f"{name:<22}{ceiling:>14}{one.requests:>10,}{one.share:>8.1%}{one.above:>7,}{cost}")


if __name__ == "__main__":
    main()
