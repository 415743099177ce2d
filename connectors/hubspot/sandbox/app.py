"""HubSpot on loopback: every path in its numbered and its dated spelling, behind one doorkeeper."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from audiencehub.sandbox.clock import SandboxClock
from audiencehub.sandbox.kit import VendorSandbox
from audiencehub.sandbox.store import Store
from connectors.hubspot.sandbox import account, replies, seed
from connectors.hubspot.sandbox.call import Call, Handler
from connectors.hubspot.sandbox.routes import ROUTES, spellings
from connectors.hubspot.sandbox.state import Records

if TYPE_CHECKING:
    from audiencehub.sandbox.company import Company

LONGEST_URL = 8_192
BURST_MS = 10_000


class HubSpotSandbox(VendorSandbox):
    """One HubSpot account.

    Options: `index_lag_ms` (search sees changes that late), `id_order` (`text` | `numeric`),
    `short_pages` (search gives half of what was asked, and goes on), `strict_search` (all five
    body keys), `shuffle_batches`, `merged_ids` (`missing` | `winner`), `burst_limit` (calls in ten
    seconds), `daily_limit`, `missing_scopes`, `oauth` (no daily headers), `timezone`,
    `blind_list_search` (lists are found by their whole name alone).
    """

    vendor = "hubspot"
    keeps = ("object:", "members:")

    def __init__(
        self, store: Store, clock: SandboxClock, options: dict[str, Any] | None = None
    ) -> None:
        super().__init__(store, clock, options)
        self.records = Records(store, clock, self.options)
        self.monotonic = time.monotonic
        self._burst: list[float] = []
        self._today = (clock.day, account.used(self.records))

    def seed(self, company: Company) -> None:
        """Contacts, companies, deals, engagements and subscriptions of the company's HubSpot."""
        seed.fill(self.records, company)

    def advance(self, before: Company, after: Company) -> None:
        """Only what differs between the two days, stamped anew; tags stay as they are."""
        seed.advance(self.records, before, after)

    def routes(self) -> list[Route]:
        """Both path families."""
        return [
            Route(path, self._endpoint(handler, scope), methods=[method])
            for method, family, rest, handler, scope in ROUTES
            for path in spellings(family, rest)
        ]

    def _endpoint(self, handler: Handler, scope: str | None) -> Any:
        async def endpoint(request: Request) -> Response:
            headers: dict[str, str] = {}
            try:
                headers = self._admit(request, scope)
                body = _body(await request.body(), request.headers.get("content-type", ""))
                status, reply = handler(Call(request, self.records, self.record_write, body))
            except replies.Refusal as refusal:
                return JSONResponse(refusal.body, refusal.status, {**headers, **refusal.headers})
            if status == 204:
                return Response(status_code=204, headers=headers)
            return JSONResponse(reply, status, headers)

        return endpoint

    def _admit(self, request: Request, scope: str | None) -> dict[str, str]:
        """Headers of the reply; refuses long addresses, bad keys, missing scopes, full windows."""
        if len(str(request.url)) - len(str(request.base_url)) > LONGEST_URL:
            raise replies.Refusal(414, {"message": "URI Too Long"})
        if scope is None:
            return {}
        if not self._known(request.headers.get("authorization", "")):
            raise replies.unauthorized()
        headers = self._count(search=request.url.path.endswith("/search"))
        if scope in self.options.get("missing_scopes", ()):
            raise replies.missing_scope(scope)
        return headers

    def _known(self, header: str) -> bool:
        word, _, token = header.partition(" ")
        given = token.startswith(("sandbox-", "pat-")) or token in self.store.table("token")
        return word.lower() == "bearer" and given

    def _count(self, *, search: bool) -> dict[str, str]:
        """One more call of the day and of the ten seconds; search replies tell nothing of it."""
        day, count = self._today
        self._today = (self.clock.day, count + 1 if day == self.clock.day else 1)
        self.store.table("usage")[str(self._today[0])] = {"n": self._today[1]}
        daily = int(self.options.get("daily_limit") or account.DAILY)
        burst = int(self.options.get("burst_limit") or 190)
        now = self.monotonic()
        self._burst = [at for at in self._burst if now - at < BURST_MS / 1000]
        headers = {
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(BURST_MS),
            "X-HubSpot-RateLimit-Max": str(burst),
            "X-HubSpot-RateLimit-Remaining": str(max(0, burst - len(self._burst) - 1)),
            "X-HubSpot-Correlation-Id": replies.correlation(self._today),
        }
        if not self.options.get("oauth"):
            headers["X-HubSpot-RateLimit-Daily"] = str(daily)
            headers["X-HubSpot-RateLimit-Daily-Remaining"] = str(max(0, daily - self._today[1]))
        if self._today[1] > daily:
            raise replies.too_many("DAILY", headers)
        if self.options.get("burst_limit") and len(self._burst) >= burst:
            wait = BURST_MS / 1000 - (now - self._burst[0])
            headers["Retry-After"] = str(int(wait) + 1)
            raise replies.too_many("TEN_SECONDLY_ROLLING", headers)
        self._burst.append(now)
        return {} if search else headers


def _body(raw: bytes, kind: str) -> Any:
    if kind.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(raw.decode()))
    if not raw:
        return {}
    try:
        return json.loads(raw)
    except ValueError:
        raise replies.error(400, "VALIDATION_ERROR", "Invalid input JSON") from None
