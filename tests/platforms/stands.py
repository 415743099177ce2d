"""Each list destination on its fake: how it is opened, and how the fake is asked who is there.

A destination that keeps people by an address, as it stands or hashed, is one entry here; the tests
and the benchmark take them all from `STANDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from audiencehub import connector
from audiencehub.connector import Capabilities
from audiencehub.sandbox.kit import VendorSandbox
from tests.platforms.crowd import digest


@dataclass(frozen=True)
class Stand:
    """One destination."""

    connector: str
    held: Callable[[VendorSandbox], Iterable[str]]
    """Who is in any audience of the fake, each by their address as the platform keeps it."""
    known_as: Callable[[str], str] = digest
    """What the platform keeps of an address."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """As the settings entry holds them."""
    fake: Mapping[str, Any] = field(default_factory=dict)
    """Options of the fake."""

    @property
    def can(self) -> Capabilities:
        """What the destination declares."""
        found: Capabilities = connector.load(str(connector.spec(self.connector).destination)).can
        return found


def _meta(fake: VendorSandbox) -> Iterable[str]:
    tables = (fake.store.table(f"member:{one}") for one in fake.store.table("audience"))
    return [row["EMAIL"] for table in tables for row in table.values()]


STANDS: Mapping[str, Stand] = {
    one.connector: one
    for one in (
        Stand(
            "meta_ads",
            _meta,
            options={"ad_account_id": "100200300"},
            fake={"alias_lag": 0, "tier": "full"},
        ),
    )
}
