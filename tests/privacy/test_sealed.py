"""Sealing with the installation's key."""

import hashlib
import hmac
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from audiencehub.errors import ConfigError, Stop
from audiencehub.privacy import Vault, tombstone
from audiencehub.privacy.classes import loggable, privacy_class


def test_what_is_sealed_opens_again(tmp_path):
    """If this fails, a person who was added can never be removed."""
    token = Vault(tmp_path / "env").seal("mary@example.com")
    assert "mary" not in token
    assert Vault(tmp_path / "env").unseal(token) == "mary@example.com"


def test_the_key_is_for_its_owner_alone(tmp_path):
    """If this fails, anyone on the machine can read what was sent."""
    vault = Vault(tmp_path)
    assert vault.path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["install.key"]
    vault.path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        Vault(tmp_path)


def test_a_umask_does_not_open_it(tmp_path):
    """If this fails, a lax umask leaves the key readable."""
    before = os.umask(0)
    try:
        assert Vault(tmp_path).path.stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)


def test_two_processes_make_one_key(tmp_path):
    """If this fails, what one of two first runs sealed is lost."""
    with ThreadPoolExecutor(8) as pool:
        vaults = list(pool.map(lambda _: Vault(tmp_path), range(16)))
    assert {vaults[0].unseal(v.seal("x")) for v in vaults} == {"x"}


def test_another_key_stops(tmp_path):
    """If this fails, a wrong key yields rubbish that is sent as an identifier."""
    token = Vault(tmp_path / "a").seal("x")
    with pytest.raises(Stop, match=r"install\.key"):
        Vault(tmp_path / "b").unseal(token)


def test_a_broken_key_is_said_so(tmp_path):
    """If this fails, a damaged key ends in a traceback."""
    (tmp_path / "install.key").write_text("no key")
    (tmp_path / "install.key").chmod(0o600)
    with pytest.raises(ConfigError, match="not a key"):
        Vault(tmp_path)


def test_tombstones_are_hmac_sha256(tmp_path):
    """If this fails, an erased person is not recognized when they come back."""
    expected = hmac.new(b"key", "é".encode(), hashlib.sha256).hexdigest()
    assert tombstone("é", b"key") == expected
    vault = Vault(tmp_path)
    assert vault.tombstone("x") == Vault(tmp_path).tombstone("x") != tombstone("x", b"other")


def test_classes_fail_closed():
    """If this fails, an unknown or sensitive field reaches a log."""
    assert privacy_class("contact.email") == "identifier"
    assert privacy_class("contact.made_up") == "personal"
    assert privacy_class("contact.gender") == "sensitive"
    assert loggable("contact", {"email": "mary@example.com", "country": "US"}) == {
        "email": "…",
        "country": "US",
    }
