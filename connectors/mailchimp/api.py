"""Calls of Mailchimp's Marketing API: the data centre that the key names, few at once.

Mailchimp limits what is under way at once, to ten per account, and no rate; it sends no headers
about it (Marketing API fundamentals, "API Limits").
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from audiencehub.connector import Context
from audiencehub.errors import Incomplete, Stop, Wait
from audiencehub.http import Basic, HttpClient, Policy, Reply, limiter_for
from connectors.mailchimp import faults

AT_ONCE = 8
"""Calls under way at once in this process: two below the limit, for others who use the account."""
PACE = 50
"""Calls in a second; ours, since Mailchimp names none."""
PAGE = 1_000
"""Most that a page holds."""
_AGAIN = "Run again later; what is done is recorded"
_CENTRE = re.compile(r"[a-z]{2}[0-9]{1,3}")
_doors: dict[str, threading.BoundedSemaphore] = {}
_lock = threading.Lock()


class Api:
    """One account by one API key."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def read(self, path: str, params: Mapping[str, Any] | None = None) -> Mapping[str, Any] | None:
        """The document at this path; None where there is none. Raises Stop, Wait."""
        try:
            reply = self._call("GET", path, params=params)
            if reply.status == 404:
                return None
            if reply.status >= 400:
                raise faults.error_of(reply)
            body = reply.json()
        except Incomplete as error:
            raise Wait(error.message, hint=_AGAIN) from None
        if not isinstance(body, dict):
            raise Wait(f"{reply.what}: an answer that is no object.", hint=_AGAIN)
        return body

    def each(self, path: str, name: str, params: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Every item of all pages of the list `name`. Raises Stop, Wait."""
        offset = 0
        while True:
            asked = {**params, "count": PAGE, "offset": offset}
            body = self.read(path, asked)
            items = body.get(name) if body is not None else []
            if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
                raise Wait(f"GET {path}: an answer without {name}.", hint=_AGAIN)
            yield from items
            offset += len(items)
            total = body.get("total_items") if body is not None else 0
            if not items or (isinstance(total, int) and offset >= total):
                return

    def write(
        self, path: str, body: Mapping[str, Any], *, rows: bool = False, **params: Any
    ) -> Any:
        """The document that answers a POST. Raises Stop, Wait, BatchRefused, OutcomeUnknown."""
        reply = self._call("POST", path, json=body, params=params or None)
        if reply.status >= 400:
            raise faults.error_of(reply, rows=rows)
        return reply.json()

    def _call(self, method: str, path: str, **more: Any) -> Reply:
        with self._door():
            return self._client.request(
                method, path, accept=faults.HANDLED, writes=method != "GET", **more
            )

    @contextmanager
    def _door(self) -> Iterator[None]:
        """A place among the calls under way with this key, waited for."""
        digest = hashlib.sha256(f"{self._base}\0{self._key()}".encode()).hexdigest()
        with _lock:
            door = _doors.setdefault(digest, threading.BoundedSemaphore(AT_ONCE))
        with door:
            yield

    @cached_property
    def _base(self) -> str:
        if self._context.base_url:
            return self._context.base_url.rstrip("/")
        centre = self._key().rpartition("-")[2]
        if not _CENTRE.fullmatch(centre):
            raise Stop(
                "The Mailchimp API key does not end with a data centre.",
                hint="Copy the whole key, with its ending (-us6, …)",
            )
        return f"https://{centre}.api.mailchimp.com"

    @cached_property
    def _client(self) -> HttpClient:
        return HttpClient(
            f"{self._base}/3.0",
            auth=Basic(lambda: "audiencehub", self._key),
            # A call may take two minutes there before it is given up ("API Limits").
            policy=Policy(read=125.0, throttle=faults.throttled),
            limiter=limiter_for((self._base, self._key()), PACE, 1.0, AT_ONCE),
        )

    def _key(self) -> str:
        return self._context.secret("api_key")
