"""Calls to LinkedIn's versioned REST API: headers, login, limits, errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audiencehub.connector import Context
from audiencehub.errors import Incomplete, Wait
from audiencehub.http import (
    Bearer,
    HttpClient,
    HttpRefused,
    OAuth,
    Policy,
    Reply,
    hide,
    limiter_for,
)
from audiencehub.model import Ceiling
from connectors.linkedin_ads.faults import error_of, not_now, unknown_segment
from connectors.linkedin_ads.options import Options

HOST = "https://api.linkedin.com"
LOGIN = "https://www.linkedin.com"
BURST = 20
CEILINGS: Mapping[str, Ceiling] = {
    "USER": Ceiling("calls a minute to /users, per member who granted access", 600, 60.0),
    "COMPANY": Ceiling("calls a minute to /companies, per member who granted access", 300, 60.0),
}
"""learn.microsoft.com/linkedin, DMP Segment Users and DMP Segment Companies, "Rate Limits". The
limit of a day is told in the Developer Portal alone."""


class Client:
    """One ad account, with the credentials of its settings entry."""

    def __init__(self, context: Context, options: Options) -> None:
        self._context, self._options = context, options
        self.absent = False
        """The last reply that asked to wait did not know the segment."""
        base, ceiling = context.base_url or HOST, CEILINGS[options.type]
        # The limit is the member's, whose credential it is, and each path has its own.
        who = str(options.refresh_token or options.token)
        self._http = HttpClient(
            base,
            auth=self._auth(),
            policy=Policy(throttle=self._not_now),
            # Several at once, so that a process that was late catches up with the minute.
            limiter=limiter_for((base, who, options.type), ceiling.calls, ceiling.seconds, BURST),
            headers={
                "LinkedIn-Version": options.api_version,
                "X-Restli-Protocol-Version": "2.0.0",
            },
        )

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Mapping[str, Any] | None:
        """The document at this path; None where there is none. Raises Stop, Wait."""
        reply = self._send("GET", path, params=params, accept={200, 404})
        if reply.status == 404:
            return None
        try:
            body = reply.json()
        except Incomplete as error:
            raise Wait(error.message, hint="Run again later") from None
        if not isinstance(body, dict):
            raise Wait("LinkedIn's answer is no object.", hint="Run again later")
        return body

    def create(self, path: str, body: Mapping[str, Any]) -> str:
        """The id of what was made, "" where the reply names none; its body is empty."""
        reply = self._send("POST", path, json=body, writes=True, accept={200, 201})
        return reply.headers.get("x-restli-id") or reply.headers.get("x-linkedin-id") or ""

    def batch(self, path: str, elements: list[Any]) -> Reply:
        """The reply to a BATCH_CREATE. Raises BatchRefused where an element may be to blame."""
        return self._send(
            "POST",
            path,
            json={"elements": elements},
            headers={"X-RestLi-Method": "BATCH_CREATE"},
            writes=True,
            accept={200},
            rows=len(elements),
        )

    def _send(self, method: str, path: str, *, rows: int = 0, **how: Any) -> Reply:
        try:
            return self._http.request(method, f"rest/{path}", **how)
        except HttpRefused as error:
            raise error_of(error, f"{method} /{path}", rows=rows) from None
        except Incomplete as error:
            raise Wait(error.message, hint="Run again later") from None

    def _not_now(self, reply: Reply) -> float | None:
        self.absent = unknown_segment(reply)
        return not_now(reply)

    def _auth(self) -> Bearer | OAuth:
        secret, options = self._context.secret, self._options
        if options.refresh_token is None:
            return Bearer(lambda: secret("token"))
        # "Refresh Tokens with OAuth 2.0": the refresh token stays the same for its 365 days.
        return OAuth(
            HttpClient(self._context.base_url or LOGIN),
            "oauth/v2/accessToken",
            lambda: {
                "grant_type": "refresh_token",
                "refresh_token": hide(secret("refresh_token")),
                "client_id": options.client_id or "",
                "client_secret": hide(secret("client_secret")),
            },
        )


def whole(value: Any) -> int | None:
    """A count of LinkedIn's, where it is one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
