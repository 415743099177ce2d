"""The fake's paths: login, segments, their members, limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from audiencehub.sandbox.kit import VendorSandbox
from connectors.linkedin_ads.sandbox import members, segments
from connectors.linkedin_ads.sandbox.restli import (
    OLDEST,
    RestliError,
    check_headers,
    check_method,
    document,
)

if TYPE_CHECKING:
    from audiencehub.sandbox.company import Company

TOKEN = "sandbox-token"  # noqa: S105 - the fake's own
FETCHED = "sandbox-access-token"
LOGIN = {"refresh_token": "sandbox-refresh_token", "client_secret": "sandbox-client_secret"}
PER_MINUTE = {"USER": 600, "COMPANY": 300}
KINDS = {"users": "USER", "companies": "COMPANY"}


class LinkedInSandbox(VendorSandbox):
    """Options: `alias_lag` (how often a new segment is unknown to /users and /companies first),
    `calls_per_minute` and `elements_per_minute` (429), `oldest_version`, `platforms` (names of
    sourcePlatform that are the app's; ACME_ANALYTICS), `build` = "fails".

    `GET /__members/<segment>` answers the stored elements.
    """

    vendor = "linkedin_ads"
    keeps = ("member:",)

    @property
    def platforms(self) -> list[str]:
        """The names that LinkedIn assigned to this app."""
        return list(self.options.get("platforms", ["ACME_ANALYTICS"]))

    def seed(self, company: Company) -> None:
        """An ad account has no segments at first."""
        self.store.table("account").put({"default": {"company": company.name}})

    def advance(self, before: Company, after: Company) -> None:
        """Segments grow older by the clock alone."""

    def routes(self) -> list[Route]:
        """The versioned REST paths and the token endpoint."""
        return [
            Route("/oauth/v2/accessToken", self._login, methods=["POST"]),
            Route("/rest/{path:path}", self._rest, methods=["GET", "POST", "PUT", "DELETE"]),
        ]

    def doors(self) -> list[Route]:
        """`/__members/<segment>`."""
        return [Route("/__members/{segment}", self._members, methods=["GET"])]

    def throttled(self, kind: str, *, call: bool = False) -> RestliError | None:
        """Count one element, or one call, against the minute's limit of its path."""
        option = "calls_per_minute" if call else "elements_per_minute"
        limit = self.options.get(option, PER_MINUTE[kind] if call else None)
        if limit is None:
            return None
        minute = self.clock.now().strftime("%Y-%m-%dT%H:%M")
        table, key = self.store.table("calls"), f"{kind}:{option}"
        entry = table.get(key, {"minute": minute, "count": 0})
        count = entry["count"] if entry["minute"] == minute else 0
        if count >= limit:
            return RestliError(
                429, "TOO_MANY_REQUESTS", "Resource level throttle limit for calls to this resource"
            )
        table[key] = {"minute": minute, "count": count + 1}
        return None

    async def _members(self, request: Request) -> Response:
        table = self.store.table(f"member:{request.path_params['segment']}")
        hidden = ("ids", "matched")
        return JSONResponse(
            [{n: v for n, v in row.items() if n not in hidden} for row in table.values()]
        )

    async def _login(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        if form.get("grant_type") != "refresh_token" or not form.get("client_id"):
            return JSONResponse({"error": "invalid_request"}, 400)
        if any(form.get(name) != value for name, value in LOGIN.items()):
            return JSONResponse({"error": "invalid_client"}, 401)
        life = {"expires_in": 5_184_000, "refresh_token_expires_in": 31_536_000}
        return JSONResponse(
            {"access_token": FETCHED, "refresh_token": LOGIN["refresh_token"], **life}
        )

    async def _rest(self, request: Request) -> Response:
        try:
            self._authorize(request)
            oldest = str(self.options.get("oldest_version", OLDEST))
            check_headers(request, self.clock.now(), oldest)
            return await self._dispatch(request)
        except RestliError as error:
            return error.response()

    def _authorize(self, request: Request) -> None:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind != "Bearer" or token not in (TOKEN, FETCHED):
            expired = token.endswith("expired")
            raise RestliError(
                401,
                "EXPIRED_ACCESS_TOKEN" if expired else "INVALID_ACCESS_TOKEN",
                "The token used in the request has expired" if expired else "Invalid access token",
                65602 if expired else 65600,
            )

    async def _dispatch(self, request: Request) -> Response:
        parts = request.path_params["path"].strip("/").split("/")
        resource, segment, below = (*parts, "", "")[:3]
        if resource != "dmpSegments" or len(parts) > 3:
            raise RestliError(404, "RESOURCE_NOT_FOUND", "No virtual resource found")
        if below in KINDS and request.method == "POST":
            return await self._batch(request, segment, KINDS[below])
        if not segment and request.method == "GET":
            return JSONResponse(segments.listed(self, dict(request.query_params)))
        if not segment and request.method == "POST":
            check_method(request, "CREATE")
            made = segments.create(self, await document(request))
            place = f"/rest/dmpSegments/{made}"
            return Response(status_code=201, headers={"x-restli-id": made, "location": place})
        if segment and not below:
            return await self._one(request, segments.find(self, segment))
        if below == "destinations" and request.method == "GET":
            found = segments.shown(self, segments.find(self, segment))["destinations"]
            return JSONResponse({"elements": found, "paging": {"start": 0, "count": 10}})
        raise RestliError(405, "METHOD_NOT_ALLOWED", "The resource has no such method")

    async def _batch(self, request: Request, segment: str, kind: str) -> Response:
        check_method(request, "BATCH_CREATE", needed=True)
        limit = self.throttled(kind, call=True)
        if limit:
            raise limit
        body = await document(request)
        answer = members.batch(self, segments.writable(self, segment, kind), body)
        return JSONResponse(answer)

    async def _one(self, request: Request, segment: dict[str, Any]) -> Response:
        if request.method == "GET":
            return JSONResponse(segments.shown(self, segment))
        if request.method == "POST":
            check_method(request, "PARTIAL_UPDATE", needed=True)
            segments.patch(self, segment, await document(request))
        elif request.method == "DELETE":
            segments.delete(self, segment)
        else:
            raise RestliError(405, "METHOD_NOT_ALLOWED", "The resource has no such method")
        return Response(status_code=204)
