"""A Meta fake on loopback, the destination against it, and hashes made without the product."""

import pytest
import requests

from audiencehub.connector import Context
from connectors.meta_ads.destination import MetaAds
from connectors.meta_ads.sandbox import MetaSandbox
from tests.connectors.vendor import NOW, Doors, Vendor, digest

ACCOUNT = "100200300"


class Fake(Doors):
    """The fake's doors, as a test needs them."""

    def graph(self, method, path, token="sandbox-token", version="v25.0", **kwargs):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.request(
            method, f"{self.url}/{version}/{path}", headers=headers, timeout=20, **kwargs
        )

    def audience(self, name="Buyers"):
        reply = self.graph(
            "POST",
            f"act_{ACCOUNT}/customaudiences",
            json={
                "name": name,
                "customer_file_source": "USER_PROVIDED_ONLY",
            },
        )
        return reply.json()["id"]


def connect(fake, *, now=NOW, token="sandbox-token", **options):
    """The destination as the hub opens it."""
    values = {"token": token, "app_secret": "sandbox-app_secret"}
    return MetaAds(
        Context(
            name="meta_ads",
            options={"ad_account_id": ACCOUNT, **options},
            secret=values.__getitem__,
            now=now,
            base_url=fake.url,
        )
    )


@pytest.fixture
def hashed_rows():
    """The rows that the audience must hold for these raw e-mail addresses, in any order."""
    return lambda emails: sorted(({"EMAIL": digest(e)} for e in emails), key=str)


@pytest.fixture(scope="session")
def vendor():
    return Vendor("meta_ads", MetaSandbox, Fake, connect, {"alias_lag": 0})
