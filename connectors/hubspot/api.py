"""HubSpot over the hub's HTTP client: paths by version, credentials, its limits."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from audiencehub.connector import Context
from audiencehub.errors import HubError, Incomplete
from audiencehub.http import (
    Auth,
    Bearer,
    Clock,
    HttpClient,
    Limiter,
    MachineClock,
    OAuth,
    Policy,
    Reply,
    limiter_for,
)
from connectors.hubspot.options import Options
from connectors.hubspot.paths import path

HOST = "https://api.hubapi.com"
SEARCHES_PER_SECOND = 4
"""All apps of an account share five a second (developer community; an older page says four)."""
BURST_SECONDS = 10.0


class Api:
    """Calls of one settings entry. Raises what `audiencehub.http` raises."""

    def __init__(self, context: Context, clock: Clock | None = None) -> None:
        self.options, self.now = Options(**context.options), context.now
        self._base = context.base_url or HOST
        self._clock = clock or MachineClock()
        secret = context.secret
        key = secret("token" if self.options.auth == "token" else "refresh_token")
        # A fake has no limit to respect, and its paging should not take minutes.
        self._limiter = Limiter(clock=self._clock)
        self._searches = Limiter(clock=self._clock)
        if context.base_url is None:
            self._limiter = limiter_for(
                (HOST, key), self.options.calls_per_10s, BURST_SECONDS, burst=10, clock=self._clock
            )
            self._searches = limiter_for(
                (HOST, key, "search"), SEARCHES_PER_SECOND, clock=self._clock
            )
        self._auth = self._authorize(context)
        policy = Policy(throttle=self._throttle)
        self._client = self._open(policy, self._limiter)
        self._search_client = self._open(policy, self._searches)
        self.rate: dict[str, str] = {}
        """Rate headers of the latest reply that had any."""

    def get(self, family: str, rest: str, **more: Any) -> Reply:
        """GET of a path below a family."""
        return self._kept(self._client.get(path(self.options.version, family, rest), **more))

    def post(self, family: str, rest: str, body: Any, **more: Any) -> Reply:
        """POST of JSON to a path below a family."""
        return self._kept(
            self._client.post(path(self.options.version, family, rest), json=body, **more)
        )

    def put(self, family: str, rest: str, body: Any, **more: Any) -> Reply:
        """PUT of JSON to a path below a family."""
        return self._kept(
            self._client.put(path(self.options.version, family, rest), json=body, **more)
        )

    def patch(self, family: str, rest: str, body: Any, **more: Any) -> Reply:
        """PATCH of JSON to a path below a family."""
        return self._kept(
            self._client.patch(path(self.options.version, family, rest), json=body, **more)
        )

    def search(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """One search reply with a whole `total` and a list of `results`. Raises Incomplete."""
        # Searches count against both limits.
        where = path(self.options.version, "objects", f"{kind}/search")
        with self._limiter.place(BURST_SECONDS * 6):
            found = results_of(self._search_client.post(where, json=body))
        if not isinstance(found.get("total"), int) or found["total"] < len(found["results"]):
            raise impossible(f"search of {kind}", "says no usable total")
        return found

    def _authorize(self, context: Context) -> Auth:
        secret = context.secret
        if self.options.auth == "token":
            return Bearer(lambda: secret("token"))
        bare = HttpClient(self._base, limiter=self._limiter, clock=self._clock)
        return OAuth(
            bare,
            path(self.options.version, "oauth", "token"),
            lambda: {
                "grant_type": "refresh_token",
                "client_id": secret("client_id"),
                "client_secret": secret("client_secret"),
                "refresh_token": secret("refresh_token"),
            },
            clock=self._clock,
        )

    def _open(self, policy: Policy, limiter: Limiter) -> HttpClient:
        return HttpClient(
            self._base, auth=self._auth, policy=policy, limiter=limiter, clock=self._clock
        )

    def _kept(self, reply: Reply) -> Reply:
        found = {
            name: str(reply.headers[f"X-HubSpot-RateLimit-{name}"])
            for name in ("Daily", "Daily-Remaining", "Max", "Remaining")
            if f"X-HubSpot-RateLimit-{name}" in reply.headers
        }
        self.rate = {**self.rate, **found}
        return reply

    def _throttle(self, reply: Reply) -> float | None:
        """Seconds to rest after a 429: the ten-second window, or the portal's midnight.

        `policyName` tells them apart (HubSpot, "API usage guidelines and limits").
        """
        if reply.status != 429:
            return None
        try:
            body = reply.json()
        except HubError:
            return BURST_SECONDS
        policy = body.get("policyName") if isinstance(body, dict) else None
        return self.until_midnight() if policy == "DAILY" else BURST_SECONDS

    def until_midnight(self) -> float:
        """Seconds to the next midnight in the portal's time zone, by the run's clock."""
        local = self.now.astimezone(ZoneInfo(self.options.portal_timezone or self._zone()))
        day = (local + timedelta(days=1)).date()
        midnight = datetime(day.year, day.month, day.day, tzinfo=local.tzinfo)
        # Aware arithmetic within one zone ignores a change of the clocks; UTC does not.
        return midnight.timestamp() - local.timestamp()

    def _zone(self) -> str:
        """The portal's zone, asked once with a single try; UTC where it does not tell."""
        once = HttpClient(self._base, auth=self._auth, policy=Policy(attempts=1), clock=self._clock)
        try:
            body = once.get(path(self.options.version, "account-info", "details")).json()
            return ZoneInfo(str(body["timeZone"])).key
        except (HubError, KeyError, TypeError, ValueError):
            return "UTC"


def results_of(reply: Reply) -> dict[str, Any]:
    """The body of a collection reply. Raises Incomplete when it has no list of results."""
    body = reply.json()
    if not isinstance(body, dict) or not isinstance(body.get("results"), list):
        raise impossible(reply.what, "has no list of results")
    return body


def next_after(body: dict[str, Any], what: str) -> str | None:
    """The cursor of the next page. Raises Incomplete when paging is there and says nothing."""
    paging = body.get("paging")
    if paging is None:
        return None
    try:
        after = (paging.get("next") or {}).get("after")
    except AttributeError:
        raise impossible(what, "has paging that cannot be read") from None
    return None if after in (None, "") else str(after)


def impossible(what: str, why: str) -> Incomplete:
    """The error for a reply that cannot be true."""
    return Incomplete(
        f"HubSpot's reply to {what} {why}.",
        hint="Run again; nothing is removed on the strength of this pull",
    )
