"""A TikTok fake on loopback, the destination against it, and hashes made without the product."""

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
from connectors.tiktok_ads.destination import TikTokAds
from connectors.tiktok_ads.sandbox import TikTokSandbox

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
ADVERTISER = "7000000000000000001"


class Fake:
    """The fake's doors, as a test needs them."""

    def __init__(self, url, sandbox):
        self.url, self.sandbox = url, sandbox

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
        return sorted(
            (one["kind"], one["id"])
            for one in requests.get(f"{self.url}/__members/{audience}", timeout=20).json()
        )

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
        sandbox = TikTokSandbox(store, SandboxClock(store), options)
        server = serve(sandbox)
        running.append(server)
        return Fake(server.__enter__(), sandbox)

    yield start
    for server in running:
        server.__exit__(None, None, None)


@pytest.fixture
def fake(fake_with):
    return fake_with()


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
def opened():
    return connect


@pytest.fixture
def destination(fake):
    return connect(fake)


@pytest.fixture
def target():
    return Target("tiktok_ads", "list", "buyers", label="Recent buyers")


@pytest.fixture
def ready(destination, target):
    """The target with its audience made."""
    return Target("tiktok_ads", "list", "buyers", destination.ensure(target, []), "Recent buyers")


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
def mapped():
    """What the audience must hold for these raw e-mail addresses."""
    return lambda emails: sorted(("EMAIL_SHA256", digest(e)) for e in emails)
