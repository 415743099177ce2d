"""A Klaviyo fake on loopback and the destination against it."""

import pytest
import requests

from audiencehub.connector import Context
from connectors.klaviyo.destination import Klaviyo
from connectors.klaviyo.sandbox import KlaviyoSandbox
from tests.connectors.vendor import NOW, Doors, Vendor

HEADERS = {
    "Authorization": "Klaviyo-API-Key sandbox-api_key",
    "revision": "2026-10-15",
    "Content-Type": "application/vnd.api+json",
}


class Fake(Doors):
    """The fake's doors, as a test needs them."""

    def call(self, method, path, headers=None, **kwargs):
        return requests.request(
            method, f"{self.url}/api/{path}", headers=headers or HEADERS, timeout=20, **kwargs
        )

    def members(self, audience):
        return sorted(one["email"] for one in self.door(f"members/{audience}"))

    def consent(self):
        return self.door("consent")

    def knows(self, email, consent="NEVER_SUBSCRIBED", reason=None):
        """A profile, with this consent and suppressed for this reason."""
        body = {"data": {"type": "profile", "attributes": {"email": email}}}
        made = self.call("POST", "profiles", json=body).json()["data"]["id"]
        table = self.sandbox.store.table("profile")
        suppression = [{"reason": reason, "timestamp": NOW.isoformat()}] if reason else []
        table[made] = {**table[made], "consent": consent, "suppression": suppression}
        return made


def connect(fake, *, api_key="sandbox-api_key", **options):
    """The destination as the hub opens it."""
    return Klaviyo(
        Context(
            name="klaviyo",
            options=options,
            secret={"api_key": api_key}.__getitem__,
            now=NOW,
            base_url=fake.url,
        )
    )


@pytest.fixture(scope="session")
def vendor():
    return Vendor("klaviyo", KlaviyoSandbox, Fake, connect, sent=str)
