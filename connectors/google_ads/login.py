"""Access tokens of Google: for a user's refresh token, or for a service account's key."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from audiencehub.errors import ConfigError
from audiencehub.http import HttpClient, MachineClock, OAuth, hide
from connectors.google_ads.options import Options

TOKENS = "https://oauth2.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/datamanager"
LIFE = 3600
"""Seconds that an assertion is good for, the longest allowed (Google Identity, "Using OAuth 2.0
for server to server applications")."""


def login(options: Options, secret: Callable[[str], str], base_url: str | None) -> OAuth:
    """Tokens by the service account's key where one is set, else by the refresh token.

    Raises Stop where Google refuses, ConfigError where a credential is missing or no key.
    """

    def refreshed() -> Mapping[str, str]:
        return {
            "grant_type": "refresh_token",
            "client_id": options.client_id or "",
            "client_secret": hide(secret("client_secret")),
            "refresh_token": hide(secret("refresh_token")),
        }

    def asserted() -> Mapping[str, str]:
        return {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": hide(_assertion(secret("service_account"))),
        }

    form = asserted if options.service_account else refreshed
    return OAuth(HttpClient(base_url or TOKENS), "token", form)


def _assertion(key: str) -> str:
    """A signed claim of the service account, from the JSON of its key (RFC 7523 §2.1)."""
    from google.auth import crypt, jwt

    library: Any = crypt
    try:
        known = json.loads(key)
        hide(str(known["private_key"]))
        signer = library.RSASigner.from_service_account_info(known)
        who = str(known["client_email"])
    except (ValueError, KeyError, TypeError):
        raise ConfigError(
            "service_account holds no service account's key.",
            hint="Refer to the JSON file that Google Cloud gave out when the key was made",
        ) from None
    # The machine's time: Google compares it with its own.
    now = int(MachineClock().now().timestamp())
    claim = {
        "iss": who,
        "scope": SCOPE,
        "aud": f"{TOKENS}/token",
        "iat": now,
        "exp": now + LIFE,
    }
    library = jwt
    signed: bytes = library.encode(signer, claim)
    return signed.decode("ascii")
