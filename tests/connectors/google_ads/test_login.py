"""Logging in to Google: by a user's refresh token, or by a service account's key."""

import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from audiencehub.connector import Context
from audiencehub.errors import ConfigError, Stop
from connectors.google_ads.destination import GoogleAds

EMAIL = "hub@acme.iam.example"
KEY = {"env": "GOOGLE_KEY"}


@pytest.fixture(scope="module")
def pair():
    """A key as Google Cloud gives it out, and what Google keeps of it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    given = {
        "type": "service_account",
        "client_email": EMAIL,
        "private_key": private,
        "private_key_id": "1",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    return given, {"client_email": EMAIL, "public_key": public.decode()}


def connect(fake, key):
    return GoogleAds(
        Context(
            name="google_ads",
            options={"account_id": "1234567890", "service_account": KEY},
            secret={"service_account": key}.__getitem__,
            now=fake.sandbox.clock.now(),
            base_url=fake.url,
        )
    )


def test_a_service_account_logs_in_by_its_key(fake_with, pair, caplog):
    """If this fails, a server without a person behind it cannot use the hub."""
    caplog.set_level("DEBUG")
    given, kept = pair
    fake = fake_with(service_account=kept)
    assert "1234567890" in connect(fake, json.dumps(given)).check()
    assert "PRIVATE KEY" not in caplog.text


def test_another_key_is_refused(fake_with, pair):
    """If this fails, the fake believes anybody, and a revoked key goes unnoticed."""
    given, kept = pair
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    fake = fake_with(service_account=kept)
    for wrong in ({"private_key": other.decode()}, {"client_email": "else@acme.iam.example"}):
        with pytest.raises(Stop):
            connect(fake, json.dumps({**given, **wrong})).check()
    with pytest.raises(Stop):
        connect(fake_with(), json.dumps(given)).check()


@pytest.mark.parametrize("key", ["", "{}", "[]", '{"private_key": "x"}', "not json"])
def test_what_is_no_key_is_said_so(fake, key):
    """If this fails, a file that is pasted wrong ends in a traceback, with the key in it."""
    with pytest.raises(ConfigError, match="service_account") as raised:
        connect(fake, key).check()
    assert "JSON file" in raised.value.hint
