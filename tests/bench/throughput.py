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
from audiencehub.errors import Wait
from audiencehub.http.clock import MACHINE
from audiencehub.model import Change, Target
from audiencehub.privacy.identifiers import identify
from audiencehub.privacy.rule import Identifier
from audiencehub.sandbox.kit import VendorSandbox
from connectors.hubspot import api
from tests.platforms.clock import skipping
from tests.platforms.stands import SLACK, STANDS, Stand, opened, stood

LONG = 120.0
"""Seconds of a run, in whole windows; of one that is longer, one."""
WAITED, REAL = "hubspot", 20.0
"""Run in real time too, for two of its windows."""
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
    "google_ads": (Rule(300, 60.0, "POST /v1/audienceMembers:"),),
    "meta_ads": (Rule(5_000, 3_600.0),),
    "linkedin_ads": (Rule(600, 60.0, "POST .*/users$"),),
    "microsoft_ads": (Rule(300, 60.0, "/CampaignManagement/", published=False),),
    "tiktok_ads": (Rule(10, 1.0, published=False),),
    "klaviyo": (
        Rule(150, 60.0, "POST .*/profile-bulk-import-jobs"),
        Rule(10, 1.0, "POST .*/profile-bulk-import-jobs"),
    ),
    "mailchimp": (Rule(50, 1.0, published=False),),
    "webhook": (Rule(5, 1.0, published=False),),
    "slack": (Rule(1, 1.0),),
    "hubspot": (Rule(100, 10.0),),
    "salesforce": (Rule(20, 1.0, "/services/data/", published=False),),
}
"""The vendors' pages, as `reference/ads.md` §1.4, §2.4, §3.3, §4, §5 and `crm.md` name them. The
first rule is the one whose share is told; all are counted. Meta: an app of the tier Limited, before
the 40 more that each audience in use gives. Klaviyo: an endpoint of the middle tier. HubSpot: Free
and Starter."""


@dataclass
class Counter:
    """Counts before the fake, refuses what is above, and lets the rest through."""

    inner: Any
    rules: Sequence[Rule]
    times: list[float] = field(default_factory=list)
    """When each request arrived that the first rule counts."""
    every: int = 0
    """Requests, counted by a rule or not."""
    above: int = 0

    def __post_init__(self) -> None:
        self._windows: list[deque[float]] = [deque() for _ in self.rules]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        now, what = MACHINE.monotonic(), f"{scope['method']} {scope['path']}"
        self.every += 1
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

    rule: Rule
    times: Sequence[float]
    """When each request of the rule arrived."""
    above: int
    cpu: float = 0.0
    """Client CPU seconds per 10,000 members."""
    calls: int = 0
    """Requests for these."""

    @property
    def share(self) -> float:
        """Of the ceiling, in as many whole windows as there were, from the first request on."""
        first, last = self.times[0], self.times[-1]
        windows = int((last - first) / self.rule.seconds)
        if not windows:
            return (len(self.times) - 1) / (last - first) * self.rule.seconds / self.rule.calls
        until = first + windows * self.rule.seconds
        return sum(one < until for one in self.times) / (windows * self.rule.calls)


def changes(there: Opened, first: int, many: int) -> list[Change]:
    """People to add, each with every identifier that the platform takes of these."""
    return [
        Change(str(n), "add", identifiers=_identifiers(there, n), why="entered bench")
        for n in range(first, first + many)
    ]


def _identifiers(there: Opened, number: int) -> dict[str, str]:
    can = there.destination.can
    if there.stand.record:
        return {"records": there.stand.record(there.fake, number)}
    if "person" in can.identifiers:
        return {"person": str(number)}
    said = {
        "email": f"p{number}@acme.example",
        "phone": f"+1650{2_000_000 + number:07d}",
        "first_name": "Pat",
        "last_name": "Weiß",
    }
    made = {
        name: identify(can.platform, name, value)
        for name, value in said.items()
        if name in can.identifiers
    }
    return {name: one.sent for name, one in made.items() if isinstance(one, Identifier)}


@dataclass(frozen=True)
class Opened:
    """A destination with an audience made."""

    stand: Stand
    fake: VendorSandbox
    counter: Counter
    destination: Destination
    target: Target


@contextmanager
def _opened(stand: Stand, people: int) -> Iterator[Opened]:
    """Behind a counter that begins with it; the platform knows so many people."""
    rules = DOCUMENTED[stand.connector]
    with stood(stand, lambda app: Counter(app, rules), people) as (at, fake, counter):
        destination = _reached(stand, at)
        target = Target(stand.connector, "list", "bench", label="Bench")
        target = replace(target, remote=destination.ensure(target, ()))
        yield Opened(stand, fake, counter, destination, target)


def _reached(stand: Stand, at: str) -> Destination:
    """HubSpot's destination keeps no limit before a fake, so that the fake stands in its place."""
    if stand.connector != "hubspot":
        return opened(stand, at)
    api.HOST = at
    return opened(stand, None)


def fast(stand: Stand, until: float | None = None) -> Result:
    """Batches of one person each, until some windows are over, or so many seconds. Where the next
    place is too far off for one push, the next push comes when that one said."""
    rule = DOCUMENTED[stand.connector][0]
    windows = max(1, round(LONG / rule.seconds))
    length = windows * rule.seconds if until is None else until
    people = int(length / rule.seconds * rule.calls) + 100
    with _opened(stand, people) as there:
        for number in count():
            try:
                there.destination.apply(there.target, changes(there, number, 1))
            except Wait as error:
                MACHINE.sleep(error.seconds or 0.0)
            times = there.counter.times
            if times and times[-1] - times[0] >= length:
                return Result(rule, times, there.counter.above)
    raise AssertionError("counting does not end")


def cost(stand: Stand) -> tuple[float, int]:
    """Client CPU seconds and requests for ten thousand members, in batches as documented."""
    with _opened(stand, MEMBERS) as there:
        people = changes(there, 0, MEMBERS)
        size = there.destination.batch_size(there.target, MEMBERS)
        before, began = there.counter.every, time.thread_time()
        for start in range(0, MEMBERS, size):
            there.destination.apply(there.target, people[start : start + size])
        return time.thread_time() - began, there.counter.every - before


def main(names: Sequence[str] = ()) -> None:
    """Measure and print."""
    print("\nThroughput: share of the documented ceiling, requests above it, client CPU\n")
    heads = ("platform", "ceiling", "requests", "share", "above", "CPU s/10,000", "calls/10,000")
    print("{:<22}{:>14}{:>10}{:>8}{:>7}{:>14}{:>14}".format(*heads))
    for name in names or DOCUMENTED:
        stand = STANDS.get(name, SLACK)
        stand = replace(stand, fake={**stand.fake, **stand.unlimited})
        with skipping():
            result = fast(stand)
            cpu, calls = cost(stand)
        _line(name, replace(result, cpu=cpu, calls=calls))
    print(f"\n{WAITED}, {REAL:.0f} s of real time, and as long with waits skipped:")
    _line("real", fast(STANDS[WAITED], REAL))
    with skipping():
        _line("skipped", fast(STANDS[WAITED], REAL))


def _line(name: str, one: Result) -> None:
    ceiling = f"{one.rule.calls:,}/{one.rule.seconds:,.0f} s" + "*" * (not one.rule.published)
    cost = f"{one.cpu:>14.2f}{one.calls:>14,}" if one.calls else ""
    print(f"{name:<22}{ceiling:>14}{len(one.times):>10,}{one.share:>8.1%}{one.above:>7,}{cost}")


if __name__ == "__main__":
    main()
