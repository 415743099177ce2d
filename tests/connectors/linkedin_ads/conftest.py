"""A LinkedIn fake on loopback, the destination against it, and hashes made without the product."""

import pytest
import requests

from audiencehub.connector import Context
from connectors.linkedin_ads.destination import LinkedInAds
from connectors.linkedin_ads.sandbox import LinkedInSandbox
from tests.connectors.vendor import NOW, Doors, Vendor, digest

ACCOUNT = "512345678"
HEADERS = {
    "Authorization": "Bearer sandbox-token",
    "LinkedIn-Version": "202604",
    "X-Restli-Protocol-Version": "2.0.0",
}


class Fake(Doors):
    """The fake's doors, as a test needs them."""

    def call(self, method, path, headers=(), **kwargs):
        sent = {**HEADERS, **dict(headers)}
        return requests.request(
            method,
            f"{self.url}/rest/{path}",
            headers={name: value for name, value in sent.items() if value is not None},
            timeout=20,
            **kwargs,
        )

    def batch(self, segment, elements, path="users", **headers):
        method = {"X-RestLi-Method": "BATCH_CREATE", **headers}
        return self.call("POST", f"dmpSegments/{segment}/{path}", method, json=elements)

    def segment(self, type="USER", **more):
        body = {
            "name": "Buyers",
            "type": type,
            "sourcePlatform": "ACME_ANALYTICS",
            "sourceSegmentId": "mine",
            "account": f"urn:li:sponsoredAccount:{ACCOUNT}",
            "accessPolicy": "PRIVATE",
            "destinations": [{"destination": "LINKEDIN"}],
        }
        return self.call("POST", "dmpSegments", json={**body, **more})

    def emails(self, segment):
        return sorted(row["userIds"][0]["idValue"] for row in self.members(segment))


def connect(fake, *, token="sandbox-token", **options):
    """The destination as the hub opens it."""
    values = {
        "token": token,
        "refresh_token": "sandbox-refresh_token",
        "client_secret": "sandbox-client_secret",
    }
    return LinkedInAds(
        Context(
            name="linkedin_ads",
            options={"account_id": ACCOUNT, "source_platform": "ACME_ANALYTICS", **options},
            secret=values.__getitem__,
            now=NOW,
            base_url=fake.url,
        )
    )


@pytest.fixture
def hashes():
    return lambda emails: sorted(map(digest, emails))


@pytest.fixture(scope="session")
def vendor():
    return Vendor("linkedin_ads", LinkedInSandbox, Fake, connect, {"alias_lag": 0})
