"""A Klaviyo fake on loopback and the destination against it."""

from datetime import UTC, datetime

import pytest
import requests

from audiencehub.connector import Context
from audiencehub.model import Change, Target
from audiencehub.sandbox.clock import SandboxClock
from audiencehub.sandbox.host import serve
from audiencehub.sandbox.store import Store
from audiencehub.testing.bench import Patience
from connectors.klaviyo.destination import Klaviyo
from connectors.klaviyo.sandbox import KlaviyoSandbox

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
HEADERS = {
    "Authorization": "Klaviyo-API-Key sandbox-api_key",
    "revision": "2026-10-15",
    "Content-Type": "application/vnd.api+json",
}


class Fake:
    """The fake's doors, as a test needs them."""

    def __init__(self, url, sandbox):
        self.url, self.sandbox = url, sandbox

    def call(self, method, path, headers=None, **kwargs):
        return requests.request(
            method, f"{self.url}/api/{path}", headers=headers or HEADERS, timeout=20, **kwargs
        )

    def door(self, name):
        return requests.get(f"{self.url}/__{name}", timeout=20).json()

    def members(self, audience):
        return sorted(one["email"] for one in self.door(f"members/{audience}"))

    def consent(self):
        return self.door("consent")

    def requests(self):
        return self.door("requests")

    def fault(self, **fault):
        assert requests.post(f"{self.url}/__faults", json=[fault], timeout=20).status_code == 204

    def heal(self):
        requests.delete(f"{self.url}/__faults", timeout=20)

    def knows(self, email, consent="NEVER_SUBSCRIBED", reason=None):
        """A profile, with this consent and suppressed for this reason."""
        body = {"data": {"type": "profile", "attributes": {"email": email}}}
        made = self.call("POST", "profiles", json=body).json()["data"]["id"]
        table = self.sandbox.store.table("profile")
        suppression = [{"reason": reason, "timestamp": NOW.isoformat()}] if reason else []
        table[made] = {**table[made], "consent": consent, "suppression": suppression}
        return made


@pytest.fixture
def fake_with():
    """Fakes with options of their own; all are stopped at the end."""
    running = []

    def start(**options):
        store = Store()
        sandbox = KlaviyoSandbox(store, SandboxClock(store), options)
        server = serve(sandbox)
        running.append(server)
        return Fake(server.__enter__(), sandbox)

    yield start
    for server in running:
        server.__exit__(None, None, None)


@pytest.fixture
def fake(fake_with):
    return fake_with()


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Waits of the HTTP client and of polling pass at once, and are remembered."""
    made = Patience()
    made.install(monkeypatch)
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


@pytest.fixture
def opened():
    return connect


@pytest.fixture
def destination(fake):
    return connect(fake)


@pytest.fixture
def target():
    return Target("klaviyo", "list", "buyers", label="Recent buyers")


def made(destination, target):
    """The target with its list."""
    remote = destination.ensure(target, [])
    return Target(target.destination, "list", target.place, remote, target.label)


@pytest.fixture
def ready(destination, target):
    return made(destination, target)


@pytest.fixture
def make_ready():
    return made


@pytest.fixture
def changes():
    def make(emails, op="add", **more):
        return [
            Change(f"person-{n}", op, identifiers={"email": e, **more})
            for n, e in enumerate(emails)
        ]

    return make
