"""Calls of Klaviyo's API: a limiter per endpoint, since that is how Klaviyo counts.

Source of all limits: the reference page of each endpoint, revision 2026-10-15. Each has a window of
a second and one of a minute (developers.klaviyo.com/en/docs/rate_limits_and_error_handling).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

from audiencehub.connector import Context
from audiencehub.errors import Incomplete, Wait
from audiencehub.http import Header, HttpClient, Reply, limiter_for, pages
from connectors.klaviyo import faults
from connectors.klaviyo.options import Options

HOST = "https://a.klaviyo.com"
MEDIA = "application/vnd.api+json"
SMALL, MEDIUM, LARGE = (1, 15), (10, 150), (75, 750)
LIMITS: Mapping[str, tuple[int, int]] = {
    "accounts": SMALL,
    "list count": SMALL,
    "lists": LARGE,
    "list": LARGE,
    "new list": MEDIUM,
    "list profiles": LARGE,
    "profiles": LARGE,
    "put on list": MEDIUM,
    "take off list": MEDIUM,
    "import": MEDIUM,
    "import status": MEDIUM,
    "imports": MEDIUM,
    "import lists": MEDIUM,
    "import errors": MEDIUM,
}
"""Endpoint to calls in a second and in a minute."""
_AGAIN = "Run again later; what is done is recorded"


class Api:
    """One account by one private key."""

    def __init__(self, context: Context, options: Options) -> None:
        self._context, self._options = context, options
        self._base = context.base_url or HOST
        self._auth = Header("Authorization", lambda: f"Klaviyo-API-Key {self._key()}")
        self._clients: dict[str, HttpClient] = {}
        self._lock = threading.Lock()

    def read(self, endpoint: str, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """The document at this path; None where there is none. Raises Stop, Wait."""
        try:
            reply = self._call(endpoint, "GET", path, params=params)
            if reply.status in (404, 410):
                return None
            body = reply.json()
        except Incomplete as error:
            raise Wait(error.message, hint=_AGAIN) from None
        if not isinstance(body, dict) or "data" not in body:
            raise Wait(f"{reply.what}: an answer without data.", hint=_AGAIN)
        return body

    def each(self, endpoint: str, path: str, params: Mapping[str, Any]) -> Iterator[Any]:
        """Every resource of all pages. Raises Stop, Wait."""
        try:
            for reply in pages(
                self._client(endpoint),
                path,
                next=_next,
                params=params,
                headers=self._headers(),
                accept=faults.HANDLED,
            ):
                if reply.status >= 400:
                    raise faults.error_of(reply)
                yield from _data(reply)
        except Incomplete as error:
            raise Wait(error.message, hint=_AGAIN) from None

    def write(
        self, endpoint: str, method: str, path: str, body: Mapping[str, Any], *, rows: bool = False
    ) -> Reply:
        """The reply of a write that was taken; with `rows` also a 400 that blames some of them.

        Raises Stop, Wait, BatchRefused, OutcomeUnknown.
        """
        reply = self._call(endpoint, method, path, json=body)
        if reply.status < 400 or (rows and reply.status == 400 and faults.rows_named(reply)):
            return reply
        raise faults.error_of(reply, rows=rows)

    def _call(self, endpoint: str, method: str, path: str, **more: Any) -> Reply:
        reply = self._client(endpoint).request(
            method,
            path,
            headers=self._headers(),
            accept=faults.HANDLED,
            writes=method != "GET",
            **more,
        )
        if method == "GET" and reply.status >= 400 and reply.status not in (404, 410):
            raise faults.error_of(reply)
        return reply

    def _headers(self) -> dict[str, str]:
        return {"Accept": MEDIA, "Content-Type": MEDIA, "revision": self._options.revision}

    def _key(self) -> str:
        return self._context.secret("api_key")

    def _client(self, endpoint: str) -> HttpClient:
        with self._lock:
            if endpoint not in self._clients:
                second, minute = LIMITS[endpoint]
                limiter = limiter_for((self._base, self._key(), endpoint), minute, 60.0, second)
                limiter.tighten(second, 1.0)
                self._clients[endpoint] = HttpClient(
                    f"{self._base.rstrip('/')}/api", auth=self._auth, limiter=limiter
                )
            return self._clients[endpoint]


def _data(reply: Reply) -> list[Any]:
    body = reply.json()
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
        raise Wait(f"{reply.what}: an answer without data.", hint=_AGAIN)
    return data


def _next(reply: Reply) -> str | None:
    links = reply.json().get("links") or {}
    found = links.get("next") if isinstance(links, dict) else None
    return found if isinstance(found, str) else None
