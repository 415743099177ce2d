"""The page for whoever writes a receiver."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import tomllib
from pathlib import Path

from audiencehub.http import signature
from connectors.webhook.options import Options

PAGE = (Path(__file__).parents[3] / "docs" / "webhook.md").read_text("utf-8")


def block(language):
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)
    return found


def test_the_check_that_is_shown_accepts_what_the_hub_signs():
    """Whoever copies it would refuse every message, or take any."""
    names = {"hmac": hmac, "hashlib": hashlib}
    exec(block("python"), names)
    genuine, body, at = names["genuine"], b'{"added":[]}', 1_763_280_000
    signed = signature("sandbox-key", body, at)
    assert genuine(b"sandbox-key", str(at), signed, body, at + 10.0)
    assert not genuine(b"another-key", str(at), signed, body, at + 10.0)
    assert not genuine(b"sandbox-key", str(at), signed, body + b" ", at + 10.0)
    assert not genuine(b"sandbox-key", str(at), signed, body, at + 301.0)


def test_the_settings_and_the_message_that_are_shown_are_real(receiver):
    """An example that is refused costs whoever starts with it an afternoon."""
    entry = tomllib.loads(re.sub(r"(?m)^# ", "", block("toml")))
    (entry,) = entry["destinations"].values()
    Options(**entry["options"])
    assert receiver.post(json.loads(block("json"))) == (200, None)
    assert [*receiver.held("in_market_fintech")[0]] == ["email_sha256"]
