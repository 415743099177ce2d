"""A TikTok fake on loopback, the destination against it, and hashes made without the product."""

import pytest
import requests

from audiencehub.connector import Context
from connectors.tiktok_ads.destination import TikTokAds
from connectors.tiktok_ads.sandbox import TikTokSandbox
from tests.connectors.vendor import NOW, Doors, Vendor, digest

ADVERTISER = "7000000000000000001"


class Fake(Doors):
    """The fake's doors, as a test needs them."""

    def call(self, method, path, token="sandbox-token", **kwargs):
        reply = requests.request(
            method,
            f"{self.url}/open_api/v1.3/{path}",
            headers={"Access-Token": token} if token else {},
            timeout=20,
            **kwargs,
        )
        assert reply.status_code == 200, "every answer comes with HTTP 200"
        return reply.json()

    def audience(self, name="Buyers", **more):
        body = {"advertiser_id": ADVERTISER, "custom_audience_name": name, "action": "create"}
        return self.call("POST", "segment/audience/", json={**body, **more})

    def mapping(self, rows, schema=("EMAIL_SHA256",), **more):
        body = {
            "advertiser_ids": [ADVERTISER],
            "action": "add",
            "id_schema": list(schema),
            "batch_data": rows,
        }
        return self.call("POST", "segment/mapping/", json={**body, **more})

    def ids(self, audience):
        return sorted((one["kind"], one["id"]) for one in self.members(audience))


def connect(fake, *, token="sandbox-token", now=NOW, **options):
    """The destination as the hub opens it."""
    return TikTokAds(
        Context(
            name="tiktok_ads",
            options={"advertiser_id": ADVERTISER, **options},
            secret={"token": token}.__getitem__,
            now=now,
            base_url=fake.url,
        )
    )


@pytest.fixture
def mapped():
    """What the audience must hold for these raw e-mail addresses."""
    return lambda emails: sorted(("EMAIL_SHA256", digest(e)) for e in emails)


@pytest.fixture(scope="session")
def vendor():
    return Vendor("tiktok_ads", TikTokSandbox, Fake, connect)
