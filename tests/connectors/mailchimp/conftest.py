"""A Mailchimp fake on loopback and the destination against it."""

import hashlib

import pytest
import requests

from audiencehub.connector import Context
from connectors.mailchimp.destination import Mailchimp
from connectors.mailchimp.sandbox import MailchimpSandbox
from tests.connectors.vendor import NOW, Doors, Vendor

AUDIENCE = "a1b2c3d4e5"


class Fake(Doors):
    """The fake's doors, as a test needs them."""

    def call(self, method, path, key="sandbox-api_key", **kwargs):
        auth = ("anything", key) if key else None
        return requests.request(method, f"{self.url}/3.0/{path}", auth=auth, timeout=20, **kwargs)

    def members(self, tag):
        return sorted(one["email"] for one in self.door(f"members/{tag}"))

    def consent(self):
        return self.door("consent")

    def knows(self, *emails, status="subscribed"):
        """Contacts of this status, made behind the API's back."""
        fresh = {
            subscriber_hash(one): {"email_address": one, "status": status, "merge_fields": {}}
            for one in emails
        }
        self.sandbox.store.table(f"contact:{AUDIENCE}").put(fresh)


def subscriber_hash(email):
    """What names a contact in an address line, by hand."""
    return hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest()


@pytest.fixture
def hashed():
    return subscriber_hash


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


@pytest.fixture(scope="session")
def vendor():
    return Vendor("mailchimp", MailchimpSandbox, Fake, connect, sent=str)
