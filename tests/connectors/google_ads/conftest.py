"""A Google fake on loopback, the destination against it, and hashes made without the product."""

import pytest
import requests

from audiencehub.connector import Context
from connectors.google_ads.destination import GoogleAds
from connectors.google_ads.sandbox import GoogleSandbox
from tests.connectors.vendor import NOW, Doors, Vendor, digest

ACCOUNT = "1234567890"
LISTS = f"accountTypes/GOOGLE_ADS/accounts/{ACCOUNT}/userLists"


class Fake(Doors):
    """The fake's doors, as a test needs them."""

    def call(self, method, path, token="sandbox-access", headers=None, **kwargs):
        headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
        return requests.request(
            method, f"{self.url}/v1/{path}", headers=headers, timeout=20, **kwargs
        )

    def asked(self):
        return [one["path"] for one in self.sandbox.requests]

    def list(self, name="Buyers", key="CONTACT_ID", **more):
        body = {
            "displayName": name,
            "ingestedUserListInfo": {"uploadKeyTypes": [key]},
            **more,
        }
        return self.call("POST", LISTS, json=body).json()["id"]

    def body(self, number, *members, **more):
        """An ingestion as the documentation shows it."""
        return {
            "destinations": [
                {
                    "operatingAccount": {"accountId": ACCOUNT, "accountType": "GOOGLE_ADS"},
                    "productDestinationId": number,
                }
            ],
            "audienceMembers": list(members),
            "consent": {
                "adUserData": "CONSENT_GRANTED",
                "adPersonalization": "CONSENT_GRANTED",
            },
            "encoding": "HEX",
            "termsOfService": {"customerMatchTermsOfServiceStatus": "ACCEPTED"},
            **more,
        }


def connect(fake, *, now=NOW, wrong=False, **options):
    """The destination as the hub opens it."""
    return GoogleAds(
        Context(
            name="google_ads",
            options={"account_id": "123-456-7890"} | options,
            secret=lambda name: "wrong" if wrong else f"sandbox-{name}",
            now=now,
            base_url=fake.url,
        )
    )


@pytest.fixture
def sha():
    return digest


@pytest.fixture(scope="session")
def vendor():
    return Vendor("google_ads", GoogleSandbox, Fake, connect)
