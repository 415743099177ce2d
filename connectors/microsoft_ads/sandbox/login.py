"""The token endpoint: refresh tokens that change with every use, access tokens that run out."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from audiencehub.sandbox.clock import SandboxClock
from audiencehub.sandbox.store import Store

SCOPE = "https://ads.microsoft.com/msads.manage"
FIRST, SECRET = "sandbox-refresh_token", "sandbox-client_secret"
LIFE = timedelta(days=90)


class Login:
    """Who may call. Tokens live in the store: `refresh` and `access`."""

    def __init__(self, store: Store, clock: SandboxClock, options: dict[str, Any]) -> None:
        self.store, self.clock, self.options = store, clock, options

    async def token(self, request: Request) -> Response:
        """`POST /{tenant}/oauth2/v2.0/token`, grant refresh_token."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        body = (await request.body()).decode()
        form = dict(parse_qsl(body)) if kind == "application/x-www-form-urlencoded" else {}
        wrong = self._wrong(form)
        if wrong:
            return JSONResponse({"error": wrong, "error_description": "AADSTS"}, 400)
        number = len(self.store.table("access")) + 1
        seconds = int(self.options.get("token_seconds", 3600))
        now = self.clock.now()
        access, refresh = f"EwB-{number:06d}", f"M.C5-{number:06d}"
        self.store.table("access")[access] = {
            "until": (now + timedelta(seconds=seconds)).isoformat()
        }
        # The old one goes on working: Microsoft does not revoke it.
        self.store.table("refresh")[refresh] = {"until": (now + LIFE).isoformat()}
        return JSONResponse(
            {
                "token_type": "Bearer",
                "scope": SCOPE,
                "expires_in": seconds,
                "access_token": access,
                "refresh_token": refresh,
            }
        )

    def state(self, header: str) -> str:
        """`good`, `expired` or `unknown`."""
        kind, _, token = header.partition(" ")
        known = self.store.table("access").get(token) if kind == "Bearer" else None
        if known is None:
            return "unknown"
        return "good" if self.clock.now() < datetime.fromisoformat(known["until"]) else "expired"

    def _wrong(self, form: dict[str, str]) -> str | None:
        rules = {
            "unsupported_grant_type": form.get("grant_type") == "refresh_token",
            "unauthorized_client": re.fullmatch(r"[0-9a-fA-F-]{36}", form.get("client_id", "")),
            "invalid_client": form.get("client_secret", SECRET) == SECRET,
            "invalid_scope": SCOPE in form.get("scope", "").split(),
            "invalid_grant": self._good(form.get("refresh_token", "")),
        }
        return next((code for code, kept in rules.items() if not kept), None)

    def _good(self, refresh: str) -> bool:
        known = self.store.table("refresh").get(refresh)
        until = datetime.fromisoformat(known["until"]) if known else self.clock.now()
        return refresh == FIRST or self.clock.now() < until
