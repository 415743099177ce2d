"""A Microsoft Advertising fake on loopback, the destination against it, hashes made by hand."""

import pytest
import requests

from audiencehub.connector import Context
from connectors.microsoft_ads.destination import MicrosoftAds
from connectors.microsoft_ads.sandbox import MicrosoftSandbox
from tests.connectors.vendor import NOW, Doors, Vendor, digest

ACCOUNT, CUSTOMER = "1001", "2002"
CLIENT = "3f2b8a10-0000-4000-8000-000000000001"
SCOPE = "https://ads.microsoft.com/msads.manage offline_access"


class Fake(Doors):
    """The fake's doors, as a test needs them."""

    def token(self, **form):
        asked = {
            "grant_type": "refresh_token",
            "client_id": CLIENT,
            "refresh_token": "sandbox-refresh_token",
            "scope": SCOPE,
            **form,
        }
        return requests.post(f"{self.url}/common/oauth2/v2.0/token", data=asked, timeout=20)

    def call(self, method, path, body, **headers):
        sent = {
            "DeveloperToken": "sandbox-developer_token",
            "CustomerAccountId": ACCOUNT,
            "CustomerId": CUSTOMER,
            **headers,
        }
        if "Authorization" not in sent:
            sent["Authorization"] = f"Bearer {self.token().json()['access_token']}"
        where = f"{self.url}/CampaignManagement/v13/{path}"
        return requests.request(method, where, json=body, headers=sent, timeout=20)

    def upload(self, audience, values, kind="Email", action="Add", **more):
        data = {
            "ActionType": action,
            "AudienceId": audience,
            "CustomerListItemSubType": kind,
            "CustomerListItems": values,
            **more,
        }
        return self.call("POST", "CustomerListUserData/Apply", {"CustomerListUserData": data})

    def audience(self, name="Buyers", **more):
        wanted = {"Name": name, "Type": "CustomerList", **more}
        return self.call("POST", "Audiences", {"Audiences": [wanted]}).json()["AudienceIds"][0]

    def items(self, audience):
        return sorted((one["kind"], one["value"]) for one in self.members(audience))

    def requests(self, part=""):
        return [one for one in super().requests() if part in one["path"]]


def connect(fake, *, secrets=None, **options):
    """The destination as the hub opens it."""
    values = {
        name: f"sandbox-{name}" for name in ("refresh_token", "client_secret", "developer_token")
    } | (secrets or {})
    return MicrosoftAds(
        Context(
            name="microsoft_ads",
            options={
                "account_id": ACCOUNT,
                "customer_id": CUSTOMER,
                "client_id": CLIENT,
                **options,
            },
            secret=values.__getitem__,
            now=NOW,
            base_url=fake.url,
        )
    )


@pytest.fixture
def emails():
    """The items that a list must hold for these raw addresses."""
    return lambda raw: sorted(("Email", digest(one)) for one in raw)


@pytest.fixture(scope="session")
def vendor():
    return Vendor("microsoft_ads", MicrosoftSandbox, Fake, connect)
