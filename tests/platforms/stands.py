"""Each list destination on its fake: how it is opened, and how the fake is asked who is there.

A destination that keeps people by an address, as it stands or hashed, is one entry here; the tests
and the benchmark take them all from `STANDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from audiencehub import connector
from audiencehub.connector import Capabilities, Context, Destination
from audiencehub.sandbox.clock import SandboxClock
from audiencehub.sandbox.company import Company
from audiencehub.sandbox.host import serve_app
from audiencehub.sandbox.kit import VendorSandbox
from audiencehub.sandbox.store import Store
from tests.platforms.crowd import START, digest

Front = TypeVar("Front")
Held = Callable[[VendorSandbox], Iterable[str]]


@dataclass(frozen=True)
class Stand:
    """One destination."""

    connector: str
    held: Held
    """Who is in any audience of the fake, each by their address as the platform keeps it."""
    known_as: Callable[[str], str] = digest
    """What the platform keeps of an address."""
    logged_as: Callable[[str], str] | None = None
    """What the fake's log of writes calls the member with that address, where that is neither."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """As the settings entry holds them."""
    fake: Mapping[str, Any] = field(default_factory=dict)
    """Options of the fake."""
    unlimited: Mapping[str, Any] = field(default_factory=dict)
    """Options that switch its own limits off, for whoever counts before it."""

    @property
    def can(self) -> Capabilities:
        """What the destination declares."""
        found: Capabilities = connector.load(str(connector.spec(self.connector).destination)).can
        return found


def kept_in(prefix: str, of: Callable[[Mapping[str, Any]], str]) -> Held:
    """A `held` that reads the members' tables of a fake, each row as `of` says."""

    def held(fake: VendorSandbox) -> Iterable[str]:
        tables = [table for name, table in fake.store.tables() if name.startswith(prefix)]
        return [of(row) for table in tables for row in table.values()]

    return held


def _linkedin_key(address: str) -> str:
    return digest(f"SHA256_EMAIL:{digest(address)}")[:24]


STANDS: Mapping[str, Stand] = {
    one.connector: one
    for one in (
        Stand(
            "meta_ads",
            kept_in("member:", lambda row: row["EMAIL"]),
            options={"ad_account_id": "100200300"},
            fake={"alias_lag": 0, "tier": "full"},
            unlimited={"calls_per_hour": 10**9},
        ),
        Stand(
            "linkedin_ads",
            kept_in("member:", lambda row: row["userIds"][0]["idValue"]),
            logged_as=_linkedin_key,
            options={"account_id": "512345678", "source_platform": "ACME_ANALYTICS"},
            fake={"alias_lag": 0},
            unlimited={"calls_per_minute": 10**9},
        ),
        Stand(
            "microsoft_ads",
            kept_in("item:", lambda row: row["value"]),
            options={
                "account_id": "100200300",
                "customer_id": "400500600",
                "client_id": "0a1b2c3d-1111-2222-3333-444455556666",
            },
        ),
    )
}


@contextmanager
def stood(
    stand: Stand, front: Callable[[Any], Front]
) -> Iterator[tuple[str, VendorSandbox, Front]]:
    """The stand's fake on loopback behind a front: address, fake, front."""
    kind = connector.load(str(connector.spec(stand.connector).sandbox))
    with closing(Store()) as store:
        fake: VendorSandbox = kind(store, SandboxClock(store), dict(stand.fake))
        fake.seed(Company("Acme", 0, START))
        before = front(fake.app())
        with serve_app(before) as url:
            yield url, fake, before


def opened(stand: Stand, url: str) -> Destination:
    """The destination, as the hub opens it."""
    spec = connector.spec(stand.connector)
    options = connector.load(str(spec.options))(**stand.options).model_dump()
    context = Context(
        name=stand.connector,
        options=options,
        now=START,
        base_url=url,
        secret=lambda name: f"sandbox-{name}",
    )
    made: Destination = connector.load(str(spec.destination))(context)
    return made
