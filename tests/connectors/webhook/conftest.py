"""A receiver on loopback, and the destination that posts to it."""

from __future__ import annotations

import hashlib
import hmac
import json
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
import requests

from audiencehub.connector import Context
from audiencehub.model import Change, Target
from audiencehub.sandbox.clock import SandboxClock
from audiencehub.sandbox.faults import Fault
from audiencehub.sandbox.host import serve
from audiencehub.sandbox.store import Store
from connectors.webhook.destination import Webhook
from connectors.webhook.sandbox import WebhookSandbox

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
TARGET = Target("webhook", "list", "vip", {"audience": "vip"}, "Größte Kunden")


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def people(*names, op="add", **more):
    return [
        Change(name, op, identifiers={"email": digest(f"{name}@x.example"), **more})
        for name in names
    ]


class Receiver:
    """The fake, its address, and what a test asks of both."""

    def __init__(self, url, sandbox):
        self.url, self.sandbox = url, sandbox

    def destination(self, now=NOW, clock=None, **options):
        context = Context(
            "webhook",
            {"calls_per_second": 1000, **options},
            lambda name: f"sandbox-{name}",
            now,
            self.url,
        )
        return Webhook(context, clock)

    def fault(self, **what):
        self.sandbox.faults.add(Fault(**what))

    def held(self, audience="vip"):
        return requests.get(f"{self.url}/__members/{audience}", timeout=5).json()

    def names(self):
        known = {digest(f"{name}@x.example"): name for name in "abcdefghij"}
        return sorted(known[row["email_sha256"]] for row in self.held())

    def keys(self):
        return {k: one["times"] for k, one in self.sandbox.store.table("keys").items()}

    def post(self, body, *, at=None, key="sandbox-key", id_="a-message-1", **headers):
        """A message of somebody else's making; its status and error."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        at = str(int((datetime.now(UTC) if at is None else at).timestamp()))
        signed = hmac.new(key.encode(), at.encode() + b"." + raw, hashlib.sha256).hexdigest()
        sent = {
            "X-Audiencehub-Timestamp": at,
            "X-Audiencehub-Signature": f"sha256={signed}",
            "Idempotency-Key": id_,
            **headers,
        }
        reply = requests.post(f"{self.url}/audiences", data=raw, headers=sent, timeout=5)
        return reply.status_code, reply.json().get("error")


@pytest.fixture
def open_receiver():
    """Receivers with options of their own."""
    with ExitStack() as stack:

        def opened(**options):
            store = Store()
            sandbox = WebhookSandbox(store, SandboxClock(store), options)
            return Receiver(stack.enter_context(serve(sandbox)), sandbox)

        yield opened


@pytest.fixture
def receiver(open_receiver):
    return open_receiver()


@pytest.fixture
def old():
    return datetime.now(UTC) - timedelta(minutes=6)
