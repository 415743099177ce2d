"""The few calls of Prefect's HTTP API that run without importing Prefect."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import requests

from audiencehub.errors import Stop, Wait

TIMEOUT = (5.0, 30.0)
PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds between tries while the server is busy."""


class Api:
    """One Prefect server, by its API address (`http://127.0.0.1:4200/api`) and auth string.

    Source: https://docs.prefect.io/v3/api-ref/rest-api (the paths), and the server's own
    OpenAPI document for the shapes.
    """

    def __init__(self, url: str, auth: str = "", key: str = "") -> None:
        self.url = url.rstrip("/")
        self._session = requests.Session()
        # Loopback must not be asked for by way of a proxy that the environment names.
        self._session.trust_env = False
        if auth:
            user, _, word = auth.partition(":")
            self._session.auth = (user, word)
        elif key:
            self._session.headers["Authorization"] = f"Bearer {key}"

    def healthy(self) -> bool:
        """Whether it answers and takes this login; never raises.

        `/health` would not do: it answers anybody, so also for another server on our port.
        """
        try:
            reply = self._session.get(f"{self.url}/admin/version", timeout=(1, 5))
            return reply.status_code == 200
        except requests.RequestException:
            return False

    def call(self, method: str, path: str, body: Any = None, *, absent_ok: bool = False) -> Any:
        """The decoded reply (None when empty). Raises Stop when refused, Wait when unreachable."""
        reply = self._patiently(method, path, body)
        if reply.status_code == 404 and absent_ok:
            return None
        if reply.status_code == 503:
            raise Wait(f"The Prefect server is busy ({method} {path}).", hint="Try again")
        if reply.status_code in (401, 403):
            raise Stop(
                f"The Prefect server at {self.url} refuses this login.",
                hint="Set PREFECT_API_AUTH_STRING (or PREFECT_API_KEY) to its value",
            )
        if not reply.ok:
            raise Stop(
                f"The Prefect server refused {method} {path} (HTTP {reply.status_code}).",
                hint="Check that client and server run the Prefect of requirements.lock",
            )
        return reply.json() if reply.content else None

    def _patiently(self, method: str, path: str, body: Any) -> requests.Response:
        """The reply; a 503 is SQLite's lock, held for a moment by the server's own services."""
        for pause in (*PAUSES, None):
            try:
                reply = self._session.request(method, self.url + path, json=body, timeout=TIMEOUT)
            except requests.RequestException as error:
                raise Wait(
                    f"The Prefect server at {self.url} does not answer ({type(error).__name__}).",
                    hint="Start it with: audiencehub up",
                ) from None
            if reply.status_code != 503 or pause is None:
                break
            time.sleep(pause)
        return reply

    def all(self, path: str, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Every row of a `/filter` path, page after page."""
        rows: list[dict[str, Any]] = []
        while True:
            page = self.call("POST", path, {**body, "limit": 200, "offset": len(rows)})
            rows += page
            if len(page) < 200:
                return rows

    def emit(self, event: str, resource: str, occurred: str, event_id: str, payload: Any) -> None:
        """Send one event; automations react to it. `occurred` is an ISO instant."""
        self.call(
            "POST",
            "/events",
            [
                {
                    "id": event_id,
                    "event": event,
                    "occurred": occurred,
                    "resource": {"prefect.resource.id": resource},
                    "payload": payload,
                }
            ],
        )
