"""A Meta fake on loopback, the destination against it, and hashes made without the product."""

import hashlib
from datetime import UTC, datetime

import pytest
import requests

from audiencehub.connector import Context
from audiencehub.model import Change, Target
from audiencehub.sandbox.clock import SandboxClock
from audiencehub.sandbox.host import serve
from audiencehub.sandbox.store import Store
from connectors.meta_ads.destination import MetaAds
from connectors.meta_ads.sandbox import MetaSandbox

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
ACCOUNT = "100200300"


class Fake:
    """The fake's doors, as a test needs them."""

    def __init__(self, url, sandbox):
        self.url, self.sandbox = url, sandbox

    def graph(self, method, path, token="sandbox-token", version="v25.0", **kwargs):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.request(
            method, f"{self.url}/{version}/{path}", headers=headers, timeout=20, **kwargs
        )

    def members(self, audience):
        return requests.get(f"{self.url}/__members/{audience}", timeout=20).json()

    def writes(self):
        return requests.get(f"{self.url}/__writes", timeout=20).json()

    def requests(self):
        return requests.get(f"{self.url}/__requests", timeout=20).json()

    def fault(self, **fault):
        assert requests.post(f"{self.url}/__faults", json=[fault], timeout=20).status_code == 204

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


@pytest.fixture
def fake_with():
    """Fakes with options of their own; all are stopped at the end."""
    running = []

    def start(**options):
        store = Store()
        sandbox = MetaSandbox(store, SandboxClock(store), {"alias_lag": 0, **options})
        server = serve(sandbox)
        running.append(server)
        return Fake(server.__enter__(), sandbox)

    yield start
    for server in running:
        server.__exit__(None, None, None)


@pytest.fixture
def fake(fake_with):
    return fake_with()


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
def opened():
    return connect


@pytest.fixture
def destination(fake):
    return connect(fake)


@pytest.fixture
def target():
    return Target("meta_ads", "list", "buyers", label="Recent buyers")


@pytest.fixture
def ready(destination, target):
    """The target with its audience made."""
    return Target("meta_ads", "list", "buyers", destination.ensure(target, []), "Recent buyers")


def digest(text):
    """SHA-256 by hand: nothing of the product takes part in what tests expect."""
    return hashlib.sha256(text.strip().lower().encode()).hexdigest()


@pytest.fixture
def hashed_rows():
    """The rows that the audience must hold for these raw e-mail addresses, in any order."""
    return lambda emails: sorted(({"EMAIL": digest(e)} for e in emails), key=str)


@pytest.fixture
def changes():
    """Changes for raw e-mail addresses, hashed by hand."""

    def make(emails, op="add", **more):
        return [
            Change(f"person-{n}", op, identifiers={"email": digest(e), **more})
            for n, e in enumerate(emails)
        ]

    return make
