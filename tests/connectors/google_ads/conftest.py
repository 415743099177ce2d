"""A Google fake on loopback, the destination against it, and hashes made without the product."""

import hashlib
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
import requests

from audiencehub.connector import Context
from audiencehub.model import Change, Target
from audiencehub.sandbox.clock import SandboxClock
from audiencehub.sandbox.store import Store
from audiencehub.testing.bench import DAY, Patience, stage
from connectors.google_ads.destination import GoogleAds
from connectors.google_ads.sandbox import GoogleSandbox

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
ACCOUNT = "1234567890"
LISTS = f"accountTypes/GOOGLE_ADS/accounts/{ACCOUNT}/userLists"


class Fake:
    """The fake's doors, as a test needs them."""

    def __init__(self, url, sandbox):
        self.url, self.sandbox = url, sandbox

    def call(self, method, path, token="sandbox-access", headers=None, **kwargs):
        headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
        return requests.request(
            method, f"{self.url}/v1/{path}", headers=headers, timeout=20, **kwargs
        )

    def members(self, number):
        return requests.get(f"{self.url}/__members/{number}", timeout=20).json()

    def writes(self):
        return requests.get(f"{self.url}/__writes", timeout=20).json()

    def asked(self):
        return [one["path"] for one in self.sandbox.requests]

    def fault(self, **fault):
        assert requests.post(f"{self.url}/__faults", json=[fault], timeout=20).status_code == 204

    def later(self, passed):
        """So much time passes at Google."""
        self.sandbox.clock.set(self.sandbox.clock.now() + passed)

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


@pytest.fixture(scope="package")
def stages():
    """Servers that one test after the other puts its fakes on: starting one costs more than most
    tests."""
    with ExitStack() as stack:
        made = []

        def nth(number):
            while len(made) <= number:
                made.append(stack.enter_context(stage()))
            return made[number]

        yield nth


@pytest.fixture
def fake_with(stages):
    """Fakes with options of their own."""
    used = []

    def start(**options):
        on, store = stages(len(used)), Store()
        sandbox = GoogleSandbox(store, SandboxClock(store), options)
        on.app = sandbox.app()
        used.append(on)
        return Fake(on.url, sandbox)

    yield start
    for on in used:
        on.app = None


@pytest.fixture
def fake(fake_with):
    return fake_with()


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Waits of the HTTP client pass at once, and are remembered."""
    made = Patience()
    made.install(monkeypatch)
    # Limiters go by the address, which is the one of the test before.
    Patience.skipped += DAY
    return made


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
def opened():
    return connect


@pytest.fixture
def destination(fake):
    return connect(fake)


@pytest.fixture
def target():
    return Target("google_ads", "list", "buyers", label="Recent buyers")


@pytest.fixture
def ready(destination, target):
    """The target with its list made."""
    return Target("google_ads", "list", "buyers", destination.ensure(target, []), "Recent buyers")


def digest(text):
    """SHA-256 by hand: nothing of the product takes part in what tests expect."""
    return hashlib.sha256(text.strip().lower().encode()).hexdigest()


@pytest.fixture
def sha():
    return digest


@pytest.fixture
def changes():
    """Changes for raw e-mail addresses, hashed by hand."""

    def make(emails, op="add", **more):
        return [
            Change(f"person-{n}", op, identifiers={"email": digest(e), **more})
            for n, e in enumerate(emails)
        ]

    return make
