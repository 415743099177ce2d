"""A connector on the bench: opened as the hub opens it, on its own fake, on the demo company."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from audiencehub import connector
from audiencehub.connector import Context, Destination, Enricher, Source, Spec
from audiencehub.http import MachineClock, redact
from audiencehub.sandbox.clock import START, SandboxClock
from audiencehub.sandbox.company import Company, generate, tomorrow
from audiencehub.sandbox.faults import Fault
from audiencehub.sandbox.host import serve_app
from audiencehub.sandbox.kit import VendorSandbox
from audiencehub.sandbox.store import Store

SEED = 20261116
CONTACTS, ACCOUNTS = 400, 60
DAY = 86_400.0
WRONG = "contract-canary-5e1f"
"""The credential that no vendor knows; it must not be seen again."""


@lru_cache(maxsize=8)
def day(number: int) -> Company:
    """The demo company, small, on its n-th day: the same for every suite."""
    return tomorrow(day(number - 1), SEED) if number else generate(SEED, CONTACTS, ACCOUNTS)


@dataclass
class Bench:
    """One connector and what stands behind it."""

    spec: Spec
    options: Mapping[str, Any] = field(default_factory=dict)
    """As the settings entry would hold them, without secrets."""
    root: Path = field(default_factory=Path)
    now: datetime = START
    days: int = 0

    @property
    def company(self) -> Company:
        """What the fake was filled from, as of now."""
        return day(self.days)

    def context(self, *, wrong: bool = False, **options: Any) -> Context:
        """What the hub hands over; `wrong` with credentials that are not valid."""
        values = {**self.options, **options}
        if self.spec.options:
            values = connector.load(self.spec.options)(**values).model_dump()
        return Context(
            name=self.spec.name,
            options=values,
            now=self.now,
            base_url=self.base_url,
            root=self.root,
            secret=lambda name: WRONG if wrong else f"sandbox-{name}",
        )

    @property
    def base_url(self) -> str | None:
        """Where the fake listens; None where there is none."""
        return None

    def source(self, *, wrong: bool = False, **options: Any) -> Source:
        """The connector's source, newly opened."""
        return cast(Source, self._open(self.spec.source, wrong, options))

    def enricher(self, *, wrong: bool = False, **options: Any) -> Enricher:
        """The connector's enricher, newly opened."""
        return cast(Enricher, self._open(self.spec.enricher, wrong, options))

    def destination(self, *, wrong: bool = False, **options: Any) -> Destination:
        """The connector's destination, newly opened."""
        return cast(Destination, self._open(self.spec.destination, wrong, options))

    def _open(self, path: str | None, wrong: bool, options: Mapping[str, Any]) -> Any:
        assert path is not None, f"the SPEC of {self.spec.name} does not name this part"
        return connector.load(path)(self.context(wrong=wrong, **options))

    def next_day(self) -> None:
        """A day passes at the company."""
        self.days += 1
        self.now = day(self.days).now


@dataclass
class FakeBench(Bench):
    """A connector whose vendor is a fake on loopback."""

    sandbox: VendorSandbox = field(kw_only=True)
    url: str = field(kw_only=True)
    known: dict[str, list[str]] = field(default_factory=dict)
    """Members by place, once looked up."""

    @property
    def base_url(self) -> str:
        """Where the fake listens."""
        return self.url

    def next_day(self) -> None:
        """A day passes at the company, and its vendor hears of it."""
        before = self.company
        # Later than the clock, since writes of the suite have moved it too.
        self.sandbox.clock.next_day()
        super().next_day()
        self.sandbox.advance(before, self.company)
        self.now = self.sandbox.clock.now() + timedelta(minutes=1)

    def fault(self, **what: Any) -> None:
        """Add one fault (`sandbox.faults.Fault`) to the script."""
        self.sandbox.faults.add(Fault(**what))

    def heal(self) -> None:
        """Forget every fault, and let the longest limit that one has named pass."""
        self.sandbox.faults.clear()
        Patience.skipped += DAY

    def asked(self) -> list[tuple[str, str]]:
        """Method and path of every request so far."""
        return [(one["method"], one["path"]) for one in self.sandbox.requests]

    def written(self) -> list[str]:
        """The members of the write log, which the fake keeps for itself."""
        return [one["member"] for one in self.sandbox.store.table("__writes").values()]


class Stage:
    """One server for many fakes, one after the other: starting one costs more than most tests."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None
        self.url = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request to the fake that is on."""
        assert self.app is not None, "no fake is on"
        await self.app(scope, receive, send)


@contextmanager
def stage() -> Iterator[Stage]:
    """A stage on loopback while the block runs."""
    made = Stage()
    with serve_app(made) as url:
        made.url = url
        yield made


@contextmanager
def fake_bench(name: str, options: Mapping[str, Any], root: Path, on: Stage) -> Iterator[FakeBench]:
    """The connector of that name on its fake, seeded with the demo company's first day."""
    spec = connector.spec(name)
    assert spec.sandbox is not None, f"the SPEC of {name} names no sandbox"
    with closing(Store()) as store:
        sandbox: VendorSandbox = connector.load(spec.sandbox)(store, SandboxClock(store))
        sandbox.seed(day(0))
        on.app = sandbox.app()
        # Limits that the fake before named are over: limiters go by the address.
        Patience.skipped += DAY
        yield FakeBench(spec, options, root, sandbox=sandbox, url=on.url)
        on.app = None


class Patience:
    """Makes the HTTP client's waits pass at once, and remembers them."""

    skipped = 0.0
    """Seconds not waited in this process. It only grows: limiters outlive a test."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Put this in the place of the machine's clock, for the HTTP client only."""
        monotonic, now = MachineClock.monotonic, MachineClock.now

        def sleep(_: MachineClock, seconds: float) -> None:
            self.slept.append(seconds)
            Patience.skipped += max(0.0, seconds)

        patch.setattr(MachineClock, "sleep", sleep)
        patch.setattr(MachineClock, "monotonic", lambda one: monotonic(one) + Patience.skipped)
        patch.setattr(
            MachineClock, "now", lambda one: now(one) + timedelta(seconds=Patience.skipped)
        )


@lru_cache(maxsize=8)
def personal(number: int) -> frozenset[str]:
    """E-mail addresses and phones of the company's people on a day, in lower case."""
    people = day(number).contacts
    found = {one.email for one in people} | {one.phone for one in people}
    return frozenset(text.casefold() for text in found if text and len(text) >= 8)


def leaks(text: str, bench: Bench) -> list[str]:
    """What stands in this log or message and must not, masked."""
    folded = text.casefold()
    found = [value for value in personal(bench.days) if value in folded]
    kinds = [f"a person's data ({redact(value)})" for value in found]
    return kinds + ["a credential"] * (WRONG in text or "sandbox-token" in text)
