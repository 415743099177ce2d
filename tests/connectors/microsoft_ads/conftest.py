"""A Microsoft Advertising fake on loopback, the destination against it, hashes made by hand."""

import hashlib
from datetime import UTC, datetime

import pytest
import requests

from audiencehub.connector import Context
from audiencehub.model import Change, Target
from audiencehub.sandbox.clock import SandboxClock
from audiencehub.sandbox.host import serve
from audiencehub.sandbox.store import Store
from audiencehub.testing.bench import Patience
from connectors.microsoft_ads.destination import MicrosoftAds
from connectors.microsoft_ads.sandbox import MicrosoftSandbox

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
ACCOUNT, CUSTOMER = "1001", "2002"
CLIENT = "3f2b8a10-0000-4000-8000-000000000001"
SCOPE = "https://ads.microsoft.com/msads.manage offline_access"


class Fake:
    """The fake's doors, as a test needs them."""

    def __init__(self, url, sandbox):
        self.url, self.sandbox = url, sandbox

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
        found = requests.get(f"{self.url}/__members/{audience}", timeout=20).json()
        return sorted((one["kind"], one["value"]) for one in found)

    def writes(self):
        return requests.get(f"{self.url}/__writes", timeout=20).json()

    def requests(self, part=""):
        found = requests.get(f"{self.url}/__requests", timeout=20).json()
        return [one for one in found if part in one["path"]]

    def fault(self, **fault):
        assert requests.post(f"{self.url}/__faults", json=[fault], timeout=20).status_code == 204

    def later(self, **by):
        from datetime import timedelta

        self.sandbox.clock.set(self.sandbox.clock.now() + timedelta(**by))


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Waits of the HTTP client pass at once, and are remembered."""
    made = Patience()
    made.install(monkeypatch)
    Patience.skipped += 86_400.0
    return made


@pytest.fixture
def fake_with():
    """Fakes with options of their own; all are stopped at the end."""
    running = []

    def start(**options):
        store = Store()
        sandbox = MicrosoftSandbox(store, SandboxClock(store), options)
        server = serve(sandbox)
        running.append(server)
        return Fake(server.__enter__(), sandbox)

    yield start
    for server in running:
        server.__exit__(None, None, None)


@pytest.fixture
def fake(fake_with):
    return fake_with()


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
def opened():
    return connect


@pytest.fixture
def destination(fake):
    return connect(fake)


@pytest.fixture
def target():
    return Target("microsoft_ads", "list", "buyers", label="Recent buyers")


@pytest.fixture
def ready(destination, target):
    """The target with its list made."""
    return Target("microsoft_ads", "list", "buyers", destination.ensure(target, []), target.label)


def digest(text):
    """SHA-256 by hand: nothing of the product takes part in what tests expect."""
    return hashlib.sha256(text.strip().lower().encode()).hexdigest()


@pytest.fixture
def emails():
    """The items that a list must hold for these raw addresses."""
    return lambda raw: sorted(("Email", digest(one)) for one in raw)


@pytest.fixture
def changes():
    """Changes for raw e-mail addresses, hashed by hand."""

    def make(raw, op="add", **more):
        return [
            Change(f"person-{n}", op, identifiers={"email": digest(e), **more})
            for n, e in enumerate(raw)
        ]

    return make
