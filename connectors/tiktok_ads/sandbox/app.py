"""The fake's paths: audiences, mappings, limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from audiencehub.sandbox.kit import VendorSandbox
from connectors.tiktok_ads.sandbox import audiences, members
from connectors.tiktok_ads.sandbox.business import BusinessError, answer, body_of

if TYPE_CHECKING:
    from audiencehub.sandbox.company import Company

TOKEN = "sandbox-token"  # noqa: S105 - the fake's own


class TikTokSandbox(VendorSandbox):
    """Options: `throttle_every` (each n-th call is one too many, 40100), `visible_hours` (how long
    a new audience is not shown), `error_msg`, `advertisers` (ids that the token may use; any by
    default).

    `GET /__members/<audience>` answers the stored ids, `[{"kind": "EMAIL_SHA256", "id": …}, …]`.
    """

    vendor = "tiktok_ads"
    keeps = ("member:",)

    def seed(self, company: Company) -> None:
        """An advertiser has no audiences at first."""
        self.store.table("account").put({"default": {"company": company.name}})

    def advance(self, before: Company, after: Company) -> None:
        """Audiences grow older by the clock alone."""

    def routes(self) -> list[Route]:
        """Paths of version 1.3; each ends with a slash."""
        root = "/open_api/v1.3"
        return [
            Route(f"{root}/segment/audience/", self._change_audience, methods=["POST"]),
            Route(f"{root}/segment/mapping/", self._change_members, methods=["POST"]),
            Route(f"{root}/dmp/custom_audience/list/", self._list, methods=["GET"]),
            Route(f"{root}/dmp/custom_audience/get/", self._details, methods=["GET"]),
        ]

    def doors(self) -> list[Route]:
        """`/__members/<audience>`."""
        return [Route("/__members/{audience}", self._members, methods=["GET"])]

    def advertiser(self, number: str) -> str:
        """The id, if the token may use that account."""
        allowed = self.options.get("advertisers")
        if not number.isdecimal() or (allowed is not None and number not in allowed):
            raise BusinessError(40001, "No permission to operate advertiser.")
        return number

    async def _members(self, request: Request) -> Response:
        table = self.store.table(f"member:{request.path_params['audience']}")
        return JSONResponse([{"kind": one["kind"], "id": one["id"]} for one in table.values()])

    async def _change_audience(self, request: Request) -> Response:
        return await self._answered(request, audiences.change)

    async def _change_members(self, request: Request) -> Response:
        return await self._answered(request, members.change)

    async def _list(self, request: Request) -> Response:
        return await self._answered(request, audiences.listed)

    async def _details(self, request: Request) -> Response:
        return await self._answered(request, audiences.details)

    async def _answered(self, request: Request, act: Any) -> Response:
        calls = self.store.table("calls")
        number = calls.get("all", {"count": 0})["count"] + 1
        calls["all"] = {"count": number}
        try:
            self._authorize(request)
            every = int(self.options.get("throttle_every", 0))
            if every and number % every == 0:
                raise BusinessError(40100, "You have made too many requests. Try again later.")
            reads = request.method == "GET"
            fields = dict(request.query_params) if reads else await body_of(request)
            return answer(0, "OK", act(self, fields), number)
        except BusinessError as error:
            return answer(error.code, error.message, {}, number)

    def _authorize(self, request: Request) -> None:
        token = request.headers.get("access-token", "")
        if not token:
            raise BusinessError(40104, "Access token is empty.")
        if token.endswith("expired"):
            raise BusinessError(40102, "Access token has expired.")
        if token != TOKEN:
            raise BusinessError(40105, "Access token is incorrect or has been revoked.")
