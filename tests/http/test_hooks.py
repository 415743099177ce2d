"""Hooks: what proves the caller, and addresses that nobody may read."""

import hashlib
import hmac

import pytest

from audiencehub.errors import ConfigError
from audiencehub.http import hidden, origin_of, redact, signature, slack_text


def test_the_signature_covers_every_byte_and_the_time():
    """A receiver checks it with its own library; a body or time that it does not cover can be
    exchanged on the way."""
    body = '{"größe": 1}'.encode()
    by_hand = hmac.new("schlüssel".encode(), body, hashlib.sha256).hexdigest()
    assert signature("schlüssel", body) == f"sha256={by_hand}"
    timed = hmac.new(b"key", b"1763280000." + body, hashlib.sha256).hexdigest()
    assert signature("key", body, 1763280000) == f"sha256={timed}"
    signed = {signature("key", body, at) for at in (None, 1, 2)} | {signature("kez", body, 1)}
    assert len(signed) == 4


def test_a_secret_address_is_shown_nowhere():
    """Whoever reads the address of a hook in a log can write to the channel."""
    url = hidden("https://hooks.example/services/T0000/B0000/abcdefgh?token=ijklmnop")
    assert redact(f"POST {url} failed") == "POST [secret] failed"
    assert redact("POST /services/T0000/B0000/abcdefgh") == "POST [secret]"


@pytest.mark.parametrize("url", ["hooks.example/x", "", "https://[bad/x"])
def test_what_is_no_address_is_refused_without_being_shown(url):
    """A typing error in a secret must not print the secret."""
    with pytest.raises(ConfigError) as refused:
        origin_of(url, "url")
    assert "hooks.example" not in str(refused.value) and "[bad" not in str(refused.value)
    assert origin_of("https://hooks.example:8443/x?y", "url") == "https://hooks.example:8443"


def test_slack_reads_nothing_into_a_text():
    """A segment called <!channel> would call everybody in the channel."""
    assert slack_text("<!channel> R&D") == "&lt;!channel&gt; R&amp;D"
