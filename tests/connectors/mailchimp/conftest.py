"""A Mailchimp fake on loopback and the destination against it."""

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
from connectors.mailchimp.destination import Mailchimp
from connectors.mailchimp.sandbox import MailchimpSandbox

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
AUDIENCE = "a1b2c3d4e5"


class Fake:
    """The fake's doors, as a test needs them."""

    def __init__(self, url, sandbox):
        self.url, self.sandbox = url, sandbox

    def call(self, method, path, key="sandbox-api_key", **kwargs):
        auth = ("anything", key) if key else None
        return requests.request(method, f"{self.url}/3.0/{path}", auth=auth, timeout=20, **kwargs)

    def door(self, name):
        return requests.get(f"{self.url}/__{name}", timeout=20).json()

    def members(self, tag):
        return sorted(one["email"] for one in self.door(f"members/{tag}"))

    def consent(self):
        return self.door("consent")

    def requests(self):
        return self.door("requests")

    def fault(self, **fault):
        assert requests.post(f"{self.url}/__faults", json=[fault], timeout=20).status_code == 204

    def knows(self, *emails, status="subscribed"):
        """Contacts of this status, made behind the API's back."""
        fresh = {
            digest(one): {"email_address": one, "status": status, "merge_fields": {}}
            for one in emails
        }
        self.sandbox.store.table(f"contact:{AUDIENCE}").put(fresh)


def digest(email):
    """The subscriber hash by hand."""
    return hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest()


@pytest.fixture
def hashed():
    return digest


@pytest.fixture
def fake_with():
    """Fakes with options of their own; all are stopped at the end."""
    running = []

    def start(**options):
        store = Store()
        sandbox = MailchimpSandbox(store, SandboxClock(store), options)
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
    """Waits of the HTTP client pass at once, and are remembered."""
    made = Patience()
    made.install(monkeypatch)
    return made


def connect(fake, *, api_key="sandbox-api_key", **options):
    """The destination as the hub opens it; without a fake, against Mailchimp's own address."""
    return Mailchimp(
        Context(
            name="mailchimp",
            options={"audience_id": AUDIENCE, **options},
            secret={"api_key": api_key}.__getitem__,
            now=NOW,
            base_url=fake.url if fake else None,
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
    return Target("mailchimp", "list", "buyers", label="Recent buyers")


def made(destination, target):
    """The target with its tag."""
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
            Change(f"person-{op}-{n}", op, identifiers={"email": e, **more})
            for n, e in enumerate(emails)
        ]

    return make
