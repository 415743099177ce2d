"""The fake Data Manager API: login, quotas, lists, members, statuses."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from audiencehub.http import MachineClock
from audiencehub.sandbox.kit import Handler, VendorSandbox
from connectors.google_ads.sandbox import checks, lists, members, replies, status, tokens
from connectors.google_ads.sandbox.replies import GoogleError, Violation, invalid

if TYPE_CHECKING:
    from audiencehub.sandbox.company import Company

ACCESS = "sandbox-access"
"""An access token that is always good, for clients that bring one."""
LIFE = timedelta(hours=1)
PER_MINUTE = 300
PER_DAY = {"Ingestion": 100_000, "Management": 50_000}


class GoogleSandbox(VendorSandbox):
    """Options: `per_minute` and `per_day` instead of the documented quotas, `manager` (the account
    that every login-account must be), `terms` = "unsigned" (the account's own), `service_account`
    (`{"client_email", "public_key"}`, whose assertions are taken).

    `GET /__members/<list>` answers who is in it: `[["email_address:<hex>", …], …]`.
    """

    vendor = "google_ads"
    keeps = ("member:",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A minute's quota is one of the machine's minutes: the sandbox's own clock stands still.
        self._clock = MachineClock()
        self._calls: dict[str, deque[float]] = {}

    def seed(self, company: Company) -> None:
        """An account has no lists at first."""
        self.store.table("account").put({"default": {"company": company.name}})

    def advance(self, before: Company, after: Company) -> None:
        """A day changes nothing by itself; members leave when they are looked for."""

    def routes(self) -> list[Route]:
        """The token endpoint, and the paths of the two services."""
        parent = "/v1/accountTypes/GOOGLE_ADS/accounts/{account}/userLists"
        return [
            Route("/token", self._token, methods=["POST"]),
            Route("/v1/audienceMembers:{verb}", self._guard(self._change), methods=["POST"]),
            Route("/v1/requestStatus:retrieve", self._guard(self._status), methods=["GET"]),
            Route(parent, self._guard(self._lists), methods=["GET", "POST"]),
            Route(
                f"{parent}/{{number}}", self._guard(self._list), methods=["GET", "PATCH", "DELETE"]
            ),
        ]

    def doors(self) -> list[Route]:
        """`/__members/<list>`."""
        return [Route("/__members/{number}", self._members, methods=["GET"])]

    async def _members(self, request: Request) -> Response:
        number = request.path_params["number"]
        known = number in self.store.table("user_list")
        found = members.living(self, number) if known else []
        return JSONResponse([one["ids"] for one in found])

    def _guard(self, inner: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            try:
                self._authorize(request)
                self._count(request)
                return await inner(request)
            except GoogleError as error:
                return error.response()

        return guarded

    async def _token(self, request: Request) -> Response:
        """An access token for an hour of the sandbox's time."""
        wrong = tokens.refused((await request.body()).decode(), self.options.get("service_account"))
        if wrong:
            return JSONResponse({"error": wrong}, 400)
        table = self.store.table("token")
        token = f"{ACCESS}-{len(table) + 1}"
        table[token] = {"until": (self.clock.now() + LIFE).isoformat()}
        return JSONResponse(
            {
                "access_token": token,
                "expires_in": 3600,
                "token_type": "Bearer",
                "scope": "datamanager",
            }
        )

    def _authorize(self, request: Request) -> None:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        known = self.store.table("token").get(token) if kind == "Bearer" else None
        good = known is not None and self.clock.now() < datetime.fromisoformat(known["until"])
        if not good and (kind, token) != ("Bearer", ACCESS):
            raise GoogleError(
                401, "Request had invalid authentication credentials.", "UNAUTHENTICATED"
            )

    def _count(self, request: Request) -> None:
        """Both quotas of the kind that this request is of; one that is refused costs nothing."""
        service = "Management" if "/userLists" in request.url.path else "Ingestion"
        kind = service + ("Read" if request.method == "GET" else "Mutate")
        now, made = self._clock.monotonic(), self._calls.setdefault(kind, deque())
        while made and made[0] <= now - 60:
            made.popleft()
        day, table = self.clock.now().strftime("%Y-%m-%d"), self.store.table("quota")
        today = table.get(f"{kind} {day}", {"calls": 0})["calls"]
        if today >= int(self.options.get("per_day", PER_DAY[service])):
            raise _exhausted(f"{kind}RequestsPerDayPerProject")
        if len(made) >= int(self.options.get("per_minute", PER_MINUTE)):
            raise _exhausted(f"{kind}RequestsPerMinutePerProject")
        made.append(now)
        table[f"{kind} {day}"] = {"calls": today + 1}

    async def _change(self, request: Request) -> Response:
        from google.ads import datamanager_v1 as dm

        kinds: dict[str, tuple[Any, Any]] = {
            "ingest": (dm.IngestAudienceMembersRequest, dm.IngestAudienceMembersResponse),
            "remove": (dm.RemoveAudienceMembersRequest, dm.RemoveAudienceMembersResponse),
            "removeAll": (dm.RemoveAllAudienceMembersRequest, dm.RemoveAllAudienceMembersResponse),
        }
        verb = request.path_params["verb"]
        if verb not in kinds:
            raise GoogleError(404, "Method not found.", "NOT_FOUND")
        kind, answer = kinds[verb]
        body = await replies.message(request, kind)
        wrong = list(checks.destinations(body))
        if verb != "removeAll":
            wrong += checks.members(body, ingests=verb == "ingest")
        if wrong:
            raise GoogleError(400, violations=wrong)
        found = self._found(body)
        until = self._until(body) if verb == "removeAll" else None
        made = answer.pb()()
        if verb == "ingest":
            for place, said in checks.warnings(body):
                made.field_warnings.add(field=place, description=said, reason=6)
        made.request_id = self._done(verb, body, found, until)
        return replies.answer(request, made)

    def _done(self, verb: str, body: Any, found: dict[str, str], until: datetime | None) -> str:
        if body.validate_only:
            # Nobody may ask for its status: the id is no request's.
            return "00000000-0000-0000-0000-000000000000"
        if verb == "ingest":
            return members.ingest(self, body, found)
        if until is None:
            return members.remove(self, body, found)
        return members.remove_all(self, body, found, until)

    def _until(self, body: Any) -> datetime:
        now = self.clock.now()
        if not body.HasField("remove_as_of_time"):
            return now
        until: datetime = body.remove_as_of_time.ToDatetime(tzinfo=now.tzinfo)
        if until > now:
            raise invalid(Violation("remove_as_of_time", "INVALID_REMOVE_AS_OF_TIME"))
        return until

    def _found(self, body: Any) -> dict[str, str]:
        """Destination reference to list id; every list must be the account's and take the rows."""
        found: dict[str, str] = {}
        for number, one in enumerate(body.destinations):
            self._reachable(one.login_account.account_id or None, one.operating_account.account_id)
            there = self.store.table("user_list").get(one.product_destination_id)
            if there is None or there["account"] != one.operating_account.account_id:
                place = f"destinations[{number}].product_destination_id"
                raise invalid(Violation(place, "INVALID_USER_LIST_ID"))
            for row, member in enumerate(getattr(body, "audience_members", ())):
                if checks.KEYS.get(member.WhichOneof("data")) != there["key"]:
                    raise invalid(Violation(f"audience_members[{row}]", "INVALID_USER_LIST_TYPE"))
            found[one.reference or str(number)] = one.product_destination_id
        return found

    def _reachable(self, login: str | None, account: str) -> None:
        """The login's own account, or that of the manager that it is under."""
        manager = self.options.get("manager")
        if login != manager and not (login == account and manager is None):
            raise GoogleError(403, "The caller does not have permission.", "PERMISSION_DENIED")
        if self.options.get("terms") == "unsigned":
            place = "terms_of_service.customer_match_terms_of_service_status"
            raise invalid(Violation(place, "TERMS_AND_CONDITIONS_NOT_SIGNED"))

    async def _status(self, request: Request) -> Response:
        number = request.query_params.get("requestId", "")
        return replies.answer(request, status.retrieve(self, number))

    def _managed(self, request: Request) -> str:
        """The account of the path, if the header `login-account` leads to it."""
        account: str = request.path_params["account"]
        header = request.headers.get("login-account")
        prefix = "accountTypes/GOOGLE_ADS/accounts/"
        if header is not None and not header.startswith(prefix):
            raise invalid(Violation("login-account", "INVALID_RESOURCE_NAME"))
        manager = self.options.get("manager")
        login = header.removeprefix(prefix) if header else None
        if login != manager and not (login == account and manager is None):
            raise GoogleError(403, "The caller does not have permission.", "PERMISSION_DENIED")
        return account

    async def _lists(self, request: Request) -> Response:
        from google.ads import datamanager_v1 as dm

        account = self._managed(request)
        if request.method == "POST":
            given = await replies.message(request, dm.UserList)
            only_check = request.query_params.get("validateOnly") == "true"
            made = lists.create(self, account, given, only_check=only_check)
            return replies.answer(request, lists.shown(self, made))
        asked = request.query_params
        found, token = lists.listed(self, account, asked.get("pageSize"), asked.get("pageToken"))
        page = dm.ListUserListsResponse.pb()(
            user_lists=[lists.shown(self, one) for one in found], next_page_token=token
        )
        return replies.answer(request, page)

    async def _list(self, request: Request) -> Response:
        from google.ads import datamanager_v1 as dm

        account, number = self._managed(request), request.path_params["number"]
        found = lists.find(self, account, number)
        if request.method == "PATCH":
            given = await replies.message(request, dm.UserList)
            mask = request.query_params.get("updateMask", "")
            found = lists.change(self, account, number, given, mask)
        if request.method == "DELETE":
            self.store.table(f"member:{number}").clear()
            del self.store.table("user_list")[number]
            return JSONResponse({})
        return replies.answer(request, lists.shown(self, found))


def _exhausted(quota: str) -> GoogleError:
    return GoogleError(
        429,
        "Quota exceeded for quota metric.",
        "RATE_LIMIT_EXCEEDED",
        metadata={"quota_limit": quota},
    )
