"""The fake Marketing API: accounts, audiences, members, limits."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from audiencehub.sandbox.kit import VendorSandbox
from connectors.meta_ads.sandbox import audiences, members
from connectors.meta_ads.sandbox.graph import GraphError, chosen, parameters, too_long

if TYPE_CHECKING:
    from audiencehub.sandbox.company import Company

TOKEN = "sandbox-token"  # noqa: S105 - the fake's own
APP_SECRET = "sandbox-app_secret"  # noqa: S105
PER_HOUR = {"limited": 5_000, "full": 190_000}


class MetaSandbox(VendorSandbox):
    """Options: `tier` limited or full, `calls_per_hour` instead of the tier's, `alias_lag` (how
    often a new audience is unknown first), `terms` = "unsigned", `linked` = false.

    `GET /__members/<audience>` answers the stored rows, `[{"EMAIL": "<hash>", …}, …]`.
    """

    vendor = "meta_ads"
    keeps = ("member:",)

    def seed(self, company: Company) -> None:
        """An ad account has no audiences at first."""
        self.store.table("account").put({"default": {"company": company.name}})

    def advance(self, before: Company, after: Company) -> None:
        """A day changes nothing here; audiences change by uploads alone."""

    def routes(self) -> list[Route]:
        """Graph paths of any version."""
        every = ["GET", "POST", "DELETE"]
        return [Route("/{version}/{path:path}", self._graph, methods=every)]

    def doors(self) -> list[Route]:
        """`/__members/<audience>`."""
        return [Route("/__members/{audience}", self._members, methods=["GET"])]

    async def _members(self, request: Request) -> Response:
        table = self.store.table(f"member:{request.path_params['audience']}")
        return JSONResponse(list(table.values()))

    async def _graph(self, request: Request) -> Response:
        page = too_long(request)
        if page is not None:
            return page
        try:
            method, params = await parameters(request)
            if not re.fullmatch(r"v\d{1,2}\.0", request.path_params["version"]):
                raise GraphError(2635, "You are calling a deprecated version of the Ads API")
            self._authorize(request, params)
            return self._dispatch(method, request.path_params["path"], params)
        except GraphError as error:
            return error.response()

    def _authorize(self, request: Request, params: dict[str, Any]) -> None:
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        carried = value if kind in ("Bearer", "OAuth") else ""
        token = str(params.pop("access_token", "") or carried)
        if not token:
            raise GraphError(104, "An access token is required", status=401)
        if token != TOKEN:
            subcode = {"expired": 463, "revoked": 460}.get(token.rpartition("-")[2])
            raise GraphError(190, "Error validating access token", subcode)
        proof = params.pop("appsecret_proof", None)
        own = hmac.new(APP_SECRET.encode(), token.encode(), hashlib.sha256).hexdigest()
        if proof is not None and not hmac.compare_digest(str(proof), own):
            raise GraphError(
                100,
                "Invalid appsecret_proof provided in the API argument",
                type="GraphMethodException",
            )

    def _dispatch(self, method: str, path: str, params: dict[str, Any]) -> Response:
        first, _, edge = path.strip("/").partition("/")
        account = re.fullmatch(r"act_(\d+)", first)
        if account:
            self._count(account[1])
            answer = self._account(account[1], method, edge, params)
            return self._answer(answer, account[1])
        audience = audiences.find(self, first, method)
        self._count(audience["account_id"])
        if (method, edge) in (("POST", "users"), ("DELETE", "users")):
            # No usage header here: the real one leaves it out on uploads.
            return JSONResponse(members.change(self, audience, method, params))
        if (method, edge) == ("POST", "usersreplace"):
            return JSONResponse(members.replace(self, audience, params))
        if edge:
            raise GraphError(100, "Unsupported request", 33, type="GraphMethodException")
        return self._answer(audiences.one(self, audience, method, params), audience["account_id"])

    def _account(
        self, account: str, method: str, edge: str, params: dict[str, Any]
    ) -> dict[str, Any]:
        if (method, edge) == ("GET", ""):
            signed = self.options.get("terms") != "unsigned"
            return chosen(
                {
                    "id": f"act_{account}",
                    "account_id": account,
                    "name": "Acme Analytics",
                    "account_status": 1,
                    "tos_accepted": {"custom_audience_tos": 1} if signed else {},
                },
                params,
            )
        if (method, edge) == ("GET", "customaudiences"):
            return audiences.listed(self, account, params)
        if (method, edge) == ("POST", "customaudiences"):
            return audiences.create(self, account, params)
        if (method, edge) == ("DELETE", "usersofanyaudience"):
            return members.erase(self, account, params)
        raise GraphError(100, "Unsupported request", 33, type="GraphMethodException")

    def _limit(self, account: str) -> int:
        own = self.options.get("calls_per_hour")
        mine = sum(a["account_id"] == account for a in self.store.table("audience").values())
        tier = PER_HOUR[self.options.get("tier", "limited")] + 40 * mine
        return int(own) if own is not None else min(700_000, tier)

    def _count(self, account: str) -> None:
        calls, now = self.store.table("calls"), self.clock.now()
        hour = now.strftime("%Y-%m-%dT%H")
        entry = calls.get(account, {"hour": hour, "count": 0})
        count = entry["count"] if entry["hour"] == hour else 0
        if count >= self._limit(account):
            raise _Throttled(
                80003,
                "There have been too many calls to this ad-account. Wait a bit and try again.",
                usage=self._usage(account, 60 - now.minute),
            )
        calls[account] = {"hour": hour, "count": count + 1}

    def _usage(self, account: str, regain: int = 0) -> str:
        used = self.store.table("calls")[account]["count"] if not regain else self._limit(account)
        percent = 100 * used // max(1, self._limit(account))
        return json.dumps(
            {
                account: [
                    {
                        "type": "custom_audience",
                        "call_count": percent,
                        "total_cputime": percent // 4,
                        "total_time": percent // 3,
                        "estimated_time_to_regain_access": regain,
                    }
                ]
            }
        )

    def _answer(self, body: dict[str, Any], account: str) -> Response:
        return JSONResponse(body, headers={"X-Business-Use-Case-Usage": self._usage(account)})


class _Throttled(GraphError):
    """80003 with the header that says for how long."""

    def __init__(self, code: int, message: str, *, usage: str) -> None:
        super().__init__(code, message)
        self.usage = usage

    def response(self) -> Response:
        reply = super().response()
        reply.headers["X-Business-Use-Case-Usage"] = self.usage
        return reply
