"""One list platform as its tests meet it: its fake's doors, and how the destination is opened."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from audiencehub.connector import Destination
from audiencehub.sandbox.kit import VendorSandbox

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)


def digest(text: str) -> str:
    """SHA-256 by hand: nothing of the product takes part in what tests expect."""
    return hashlib.sha256(text.strip().lower().encode()).hexdigest()


class Doors:
    """A fake on loopback, through the doors that only tests know."""

    def __init__(self, url: str, sandbox: VendorSandbox) -> None:
        self.url, self.sandbox = url, sandbox

    def door(self, name: str) -> Any:
        """What the door of that name tells."""
        return requests.get(f"{self.url}/__{name}", timeout=20).json()

    def members(self, place: str) -> list[Any]:
        """Who is on a list."""
        return self.door(f"members/{place}")

    def writes(self) -> list[dict[str, Any]]:
        """The log of writes."""
        return self.door("writes")

    def requests(self) -> list[dict[str, Any]]:
        """The log of requests."""
        return self.door("requests")

    def fault(self, **fault: Any) -> None:
        """Adds one fault to the script."""
        assert requests.post(f"{self.url}/__faults", json=[fault], timeout=20).status_code == 204

    def heal(self) -> None:
        """Forgets the script."""
        requests.delete(f"{self.url}/__faults", timeout=20)

    def later(self, **span: float) -> None:
        """So much time passes at the platform."""
        self.sandbox.clock.set(self.sandbox.clock.now() + timedelta(**span))


@dataclass(frozen=True)
class Vendor:
    """What the fixtures of this folder need to know of a platform."""

    name: str
    sandbox: Callable[..., VendorSandbox]
    doors: type[Doors]
    connect: Callable[..., Destination]
    options: Mapping[str, Any] = field(default_factory=dict)
    """The fake's own, unless a test says otherwise."""
    sent: Callable[[str], str] = digest
    """What an e-mail address becomes before it reaches the destination."""
