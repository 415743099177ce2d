"""Routes, credentials and the rate limit of the fake."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from audiencehub.sandbox.kit import VendorSandbox
from connectors.microsoft_ads.sandbox import audiences, items, soap
from connectors.microsoft_ads.sandbox.faults import ApiFault
from connectors.microsoft_ads.sandbox.login import Login

if TYPE_CHECKING:
    from audiencehub.sandbox.company import Company

Handler = Callable[["MicrosoftSandbox", dict[str, Any]], dict[str, Any]]
CALLS: dict[tuple[str, str], Handler] = {
    ("POST", "Audiences"): audiences.add,
    ("PUT", "Audiences"): audiences.update,
    ("DELETE", "Audiences"): audiences.delete,
    ("POST", "Audiences/QueryByIds"): audiences.query,
    ("POST", "CustomerListUserData/Apply"): items.apply,
}


class MicrosoftSandbox(VendorSandbox):
    """Options: `calls_per_minute`, `token_seconds`, `expired_status` (500, as seen), `terms` =
    "unsigned" (nothing goes) or "uploads" (uploads must accept them), `accounts` (which the user
    may use), `match` (share of items that are somebody), `replace_clears` = "all".

    `GET /__members/<list>` answers the stored items, `[{"kind", "value", "at"}, …]`.
    """

    vendor = "microsoft_ads"
    keeps = ("item:",)
    account = ""

    def seed(self, company: Company) -> None:
        """An account has no lists at first."""
        self.store.table("company")["name"] = {"name": company.name}

    def advance(self, before: Company, after: Company) -> None:
        """A day changes nothing here; items expire by the clock."""

    def routes(self) -> list[Route]:
        """The token endpoint, and Campaign Management v13 through both its doors."""
        login = Login(self.store, self.clock, self.options)
        every = ["GET", "POST", "PUT", "DELETE"]
        return [
            Route("/{tenant}/oauth2/v2.0/token", login.token, methods=["POST"]),
            Route("/CampaignManagement/v13/{path:path}", self._called, methods=every),
            Route("/{path:path}/CampaignManagementService.svc", self._soap, methods=["POST"]),
        ]

    def doors(self) -> list[Route]:
        """`/__members/<list>`."""
        return [Route("/__members/{audience}", self._members, methods=["GET"])]

    async def _members(self, request: Request) -> Response:
        return JSONResponse(list(audiences.alive(self, request.path_params["audience"]).values()))

    async def _called(self, request: Request) -> Response:
        body = await request.body()
        tracking = hashlib.sha256(body + str(len(self.requests)).encode()).hexdigest()[:32]
        try:
            self._gate(request.headers)
            handler = CALLS.get((request.method, request.path_params["path"]))
            if handler is None:
                return Response(status_code=404)
            return JSONResponse(
                handler(self, _document(request, body)), headers={"TrackingId": tracking}
            )
        except ApiFault as fault:
            return fault.response(tracking)

    async def _soap(self, request: Request) -> Response:
        """The same calls for Microsoft's own libraries; credentials are in the envelope."""
        body = await request.body()
        tracking = hashlib.sha256(body + str(len(self.requests)).encode()).hexdigest()[:32]
        try:
            operation, said, document = soap.read(body)
            token = said.get("authenticationtoken", "")
            self._gate({**said, "authorization": f"Bearer {token}"})
            found = soap.OPERATIONS[operation](self, document)
            return soap.answer(operation, found, tracking)
        except ApiFault as fault:
            return soap.fault(fault, tracking)

    def _gate(self, headers: Mapping[str, str]) -> None:
        """Who is asking, for which account, and how often."""
        state = Login(self.store, self.clock, self.options).state(headers.get("authorization", ""))
        if state == "expired":
            status = int(self.options.get("expired_status", 500))
            raise ApiFault(109, "Authentication token expired.", status, operation=False)
        developer = headers.get("developertoken")
        if state == "unknown" or developer != "sandbox-developer_token":
            raise ApiFault(105, "Authentication failed.", 401, operation=False)
        account, customer = headers.get("customeraccountid", ""), headers.get("customerid", "")
        allowed = self.options.get("accounts", [account])
        if not (account.isdecimal() and customer.isdecimal() and account in allowed):
            raise ApiFault(106, "The user is not authorized.", 400, operation=False)
        self.account = account
        self._count()

    def _count(self) -> None:
        most = self.options.get("calls_per_minute")
        minute = self.clock.now().strftime("%Y-%m-%dT%H:%M")
        entry = self.store.table("calls").get(self.account, {"minute": minute, "count": 0})
        count = entry["count"] if entry["minute"] == minute else 0
        if most is not None and count >= int(most):
            raise ApiFault(117, "Wait at least 60 seconds.", 400, operation=False)
        self.store.table("calls")[self.account] = {"minute": minute, "count": count + 1}


def _document(request: Request, body: bytes) -> dict[str, Any]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        document = json.loads(body) if kind == "application/json" else None
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ApiFault(100, "The request message is null.")
    return document
