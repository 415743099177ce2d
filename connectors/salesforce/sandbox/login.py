"""The token endpoint, sessions that expire, and the daily call limit."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from audiencehub.sandbox.clock import SandboxClock
from audiencehub.sandbox.store import Store
from connectors.salesforce.sandbox.schema import sf_id

Json = dict[str, Any]
ORG, USER = sf_id("00D", "org"), sf_id("005", "integration-user")
DAILY_CALLS = 100_000
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def error(status: int, code: str, message: str) -> JSONResponse:
    """A refusal in the shape of every REST call: a list of one."""
    return JSONResponse([{"message": message, "errorCode": code}], status)


class Login:
    """Who may call, and how often. Sessions live in the store."""

    def __init__(self, store: Store, clock: SandboxClock, options: Json) -> None:
        self.store, self.clock, self.options = store, clock, options

    async def token(self, request: Request) -> Response:
        """`POST /services/oauth2/token`: client credentials or a signed JWT."""
        form = await request.form()
        grant = str(form.get("grant_type", ""))
        if grant == "client_credentials":
            failure = self._client(
                request, str(form.get("client_id", "")), str(form.get("client_secret", ""))
            )
        elif grant == JWT_GRANT:
            failure = self._jwt(str(form.get("assertion", "")))
        else:
            failure = ("unsupported_grant_type", "grant type not supported")
        if failure:
            return JSONResponse({"error": failure[0], "error_description": failure[1]}, 400)
        sessions = self.store.table("sessions")
        token = f"{ORG[:15]}!sandbox.{len(sessions) + 1:06d}"
        sessions[token] = {"alive": True}
        base = f"{request.url.scheme}://{request.url.netloc}"
        return JSONResponse(
            {
                "access_token": token,
                "instance_url": base,
                "id": f"{base}/id/{ORG}/{USER}",
                "token_type": "Bearer",
                "scope": "api",
                "issued_at": str(int(self.clock.now().timestamp() * 1000)),
                "signature": "c2FuZGJveA==",
            }
        )

    def _client(self, request: Request, key: str, secret: str) -> tuple[str, str] | None:
        kind, _, coded = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            try:
                key, _, secret = base64.b64decode(coded).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                key = secret = ""
        if key != self.options.get("consumer_key", "sandbox-consumer_key"):
            return "invalid_client_id", "client identifier invalid"
        wanted = self.options.get("consumer_secret", "sandbox-consumer_secret")
        if not hmac.compare_digest(secret.encode(), str(wanted).encode()):
            return "invalid_client", "invalid client credentials"
        return None

    def _jwt(self, assertion: str) -> tuple[str, str] | None:
        """The claims as the libraries send them: `exp` may be text."""
        knob = self.store.table("__knobs").get("certificate", {}).get("value")
        try:
            head, body, signature = assertion.split(".")
            claims = json.loads(base64.urlsafe_b64decode(body + "=="))
            key = serialization.load_pem_public_key(str(knob or "").encode())
            assert isinstance(key, rsa.RSAPublicKey)
            key.verify(
                base64.urlsafe_b64decode(signature + "=="),
                f"{head}.{body}".encode(),
                padding.PKCS1v15(),
                hashes.SHA256(),
            )
            int(claims["exp"])
        except (ValueError, KeyError, InvalidSignature, AssertionError):
            return "invalid_grant", "invalid assertion"
        if claims.get("sub") != "integration@acme.example":
            return "invalid_grant", "user hasn't approved this consumer"
        return None

    async def user_info(self, _: Request) -> Response:
        """`GET /services/oauth2/userinfo`."""
        return JSONResponse(
            {
                "user_id": USER,
                "organization_id": ORG,
                "active": True,
                "preferred_username": "integration@acme.example",
            }
        )

    def refuse(self, request: Request) -> Response | None:
        """The refusal of a call without a live session, or beyond the daily limit."""
        token = request.headers.get("authorization", "").partition(" ")[2]
        sessions, knobs = self.store.table("sessions"), self.store.table("__knobs")
        left = knobs.get("expire_after", {}).get("value")
        if left is not None:
            knobs["expire_after"] = {"value": left - 1 if left > 1 else None}
            if left <= 1:
                sessions.put({key: {"alive": False} for key in sessions})
        standing = token == self.options.get("session_id", "sandbox-session_id")
        if not standing and not sessions.get(token, {}).get("alive"):
            return error(401, "INVALID_SESSION_ID", "Session expired or invalid")
        used, most = self.usage()
        if used >= most:
            return error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        self.store.table("usage")[str(self.clock.day)] = {"calls": used + 1}
        return None

    def usage(self) -> tuple[int, int]:
        """Calls used today, and the limit."""
        most = self.store.table("__knobs").get("daily_calls", {}).get("value") or DAILY_CALLS
        return int(self.store.table("usage").get(str(self.clock.day), {}).get("calls", 0)), int(
            most
        )
