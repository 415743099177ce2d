"""Who gets an access token of the fake: a refresh token, or a service account's assertion."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

SECRETS = {
    "client_secret": "sandbox-client_secret",
    "refresh_token": "sandbox-refresh_token",
}
"""The fake's own."""
ASSERTION = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE = "https://www.googleapis.com/auth/datamanager"
AUDIENCE = "https://oauth2.googleapis.com/token"


def refused(body: str, account: Mapping[str, str] | None) -> str:
    """The error (RFC 6749 §5.2) for this form; "" when a token is due."""
    form = {name: values[-1] for name, values in parse_qs(body).items()}
    grant = form.get("grant_type")
    if grant == ASSERTION:
        return _asserted(form.get("assertion", ""), account or {})
    if grant != "refresh_token":
        return "unsupported_grant_type"
    for name, error in (("client_secret", "invalid_client"), ("refresh_token", "invalid_grant")):
        if form.get(name) != SECRETS[name]:
            return error
    return ""


def _asserted(assertion: str, account: Mapping[str, str]) -> str:
    """The signature and each claim that Google reads (RFC 7523 §3)."""
    from google.auth import crypt, jwt

    untyped: Any = jwt
    verifier: Any = crypt
    try:
        claim = untyped.decode(assertion, verify=False)
        signed, _, signature = assertion.rpartition(".")
        raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
        good = verifier.verify_signature(signed, raw, account["public_key"])
    except (ValueError, KeyError):
        return "invalid_grant"
    right = (
        claim.get("iss") == account["client_email"]
        and claim.get("aud") == AUDIENCE
        and 0 < int(claim.get("exp", 0)) - int(claim.get("iat", 0)) <= 3600
    )
    if not (good and right):
        return "invalid_grant"
    return "" if claim.get("scope") == SCOPE else "invalid_scope"
