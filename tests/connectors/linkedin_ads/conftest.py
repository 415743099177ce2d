"""A LinkedIn fake on loopback, the destination against it, and hashes made without the product."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
import requests

from audiencehub.connector import Context
from audiencehub.model import Change, Target
from audiencehub.sandbox.clock import SandboxClock
from audiencehub.sandbox.host import serve
from audiencehub.sandbox.store import Store
from audiencehub.testing.bench import Patience
from connectors.linkedin_ads.destination import LinkedInAds
from connectors.linkedin_ads.sandbox import LinkedInSandbox

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
ACCOUNT = "512345678"
HEADERS = {
    "Authorization": "Bearer sandbox-token",
    "LinkedIn-Version": "202604",
    "X-Restli-Protocol-Version": "2.0.0",
}


class Fake:
    """The fake's doors, as a test needs them."""

    def __init__(self, url, sandbox):
        self.url, self.sandbox = url, sandbox

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

    def members(self, segment):
        return requests.get(f"{self.url}/__members/{segment}", timeout=20).json()

    def emails(self, segment):
        return sorted(row["userIds"][0]["idValue"] for row in self.members(segment))

    def requests(self):
        return requests.get(f"{self.url}/__requests", timeout=20).json()

    def fault(self, **fault):
        assert requests.post(f"{self.url}/__faults", json=[fault], timeout=20).status_code == 204

    def pass_time(self, **span):
        self.sandbox.clock.set(self.sandbox.clock.now() + timedelta(**span))


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Waits of the HTTP client pass at once, and are remembered."""
    made = Patience()
    made.install(monkeypatch)
    return made


@pytest.fixture
def fake_with():
    """Fakes with options of their own; all are stopped at the end."""
    running = []

    def start(**options):
        store = Store()
        sandbox = LinkedInSandbox(store, SandboxClock(store), {"alias_lag": 0, **options})
        server = serve(sandbox)
        running.append(server)
        return Fake(server.__enter__(), sandbox)

    yield start
    for server in running:
        server.__exit__(None, None, None)


@pytest.fixture
def fake(fake_with):
    return fake_with()


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
def opened():
    return connect


@pytest.fixture
def destination(fake):
    return connect(fake)


@pytest.fixture
def target():
    return Target("linkedin_ads", "list", "buyers", label="Recent buyers")


@pytest.fixture
def ready(destination, target):
    """The target with its segment made."""
    return Target("linkedin_ads", "list", "buyers", destination.ensure(target, []), "Recent buyers")


def digest(text):
    """SHA-256 by hand: nothing of the product takes part in what tests expect."""
    return hashlib.sha256(text.strip().lower().encode()).hexdigest()


@pytest.fixture
def changes():
    """Changes for raw e-mail addresses, hashed by hand."""

    def make(emails, op="add", **more):
        return [
            Change(f"person-{n}", op, identifiers={"email": digest(e), **more})
            for n, e in enumerate(emails)
        ]

    return make


@pytest.fixture
def hashes():
    return lambda emails: sorted(map(digest, emails))
