"""The fake Klaviyo: keys, revisions, limits, and where each call goes."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from audiencehub.sandbox.kit import VendorSandbox
from connectors.klaviyo.sandbox import imports, lists, people
from connectors.klaviyo.sandbox.jsonapi import (
    MEDIA,
    Fault,
    answer,
    body_of,
    chosen,
    demand_fields,
    page,
)

if TYPE_CHECKING:
    from audiencehub.sandbox.company import Company

KEY = "sandbox-api_key"
SMALL = 1_000_000
LISTED = {"name", "created", "updated", "opt_in_process"}
Handler = Callable[[Request], Awaitable[Response]]


class KlaviyoSandbox(VendorSandbox):
    """Options: `job_lag` (how many looks a job takes to end), `calls_per_minute` (of each endpoint,
    by the sandbox's clock, in place of no limit), `scopes` = "read" for a key that may not write.

    `GET /__members/<list>` answers who is on a list, `[{"email": …}, …]`; `GET /__consent` every
    profile's consent, address to `{"consent": …, "suppression": […]}`.
    """

    vendor = "klaviyo"
    keeps = ("member:",)

    def seed(self, company: Company) -> None:
        """Two thirds of the company's people are profiles; their consent is of every kind."""
        found = {}
        for at, person in enumerate(company.contacts):
            if not people.valid(person.email) or at % 3 == 2 or not person.email:
                continue
            out = bool(person.email_opt_out)
            state = ("SUBSCRIBED", people.NEVER, "UNSUBSCRIBED")[at // 3 % 3]
            reason = [{"reason": "HARD_BOUNCE", "timestamp": company.now.isoformat()}]
            bounced = reason if at % 20 == 0 else None
            made = people.fresh(person.email, "UNSUBSCRIBED" if out else state, bounced)
            found[made["id"]] = made
        self.store.table("profile").put(found)

    def advance(self, before: Company, after: Company) -> None:
        """A day changes nothing here; lists change by calls alone."""

    def routes(self) -> list[Route]:
        """Paths under /api, as the revision of 2026-10-15 has them."""
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/api/accounts", self._accounts),
            ("GET", "/api/lists", self._lists),
            ("POST", "/api/lists", self._make_list),
            ("GET", "/api/lists/{id}", self._list),
            ("DELETE", "/api/lists/{id}", self._delete_list),
            ("GET", "/api/lists/{id}/profiles", self._list_profiles),
            ("POST", "/api/lists/{id}/relationships/profiles", self._relate),
            ("DELETE", "/api/lists/{id}/relationships/profiles", self._relate),
            ("GET", "/api/profiles", self._profiles),
            ("POST", "/api/profiles", self._make_profile),
            ("GET", "/api/profile-bulk-import-jobs", self._jobs),
            ("POST", "/api/profile-bulk-import-jobs", self._import),
            ("GET", "/api/profile-bulk-import-jobs/{id}", self._job),
            ("GET", "/api/profile-bulk-import-jobs/{id}/import-errors", self._errors),
            ("GET", "/api/profile-bulk-import-jobs/{id}/relationships/lists", self._job_lists),
            ("POST", "/api/profile-subscription-bulk-create-jobs", self._subscribe),
        ]
        return [
            Route(path, self._guarded(f"{method} {path}", handler), methods=[method])
            for method, path, handler in table
        ]

    def doors(self) -> list[Route]:
        """`/__members/<list>` and `/__consent`."""
        return [
            Route("/__members/{list}", self._members, methods=["GET"]),
            Route("/__consent", self._consent, methods=["GET"]),
        ]

    async def _members(self, request: Request) -> Response:
        table = self.store.table(f"member:{request.path_params['list']}")
        return JSONResponse([{"email": one["email"]} for one in table.values()])

    async def _consent(self, _: Request) -> Response:
        found = {
            one["email"]: {"consent": one["consent"], "suppression": one["suppression"]}
            for one in self.store.table("profile").values()
        }
        return JSONResponse(found)

    def _guarded(self, endpoint: str, handler: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            try:
                self._authorize(request)
                left = self._count(endpoint)
                reply = await handler(request)
            except Fault as fault:
                return fault.response()
            reply.headers["RateLimit-Limit"] = "10, 10;w=1, 150;w=60"
            reply.headers["RateLimit-Remaining"] = str(left)
            reply.headers["RateLimit-Reset"] = "60"
            return reply

        return guarded

    def _authorize(self, request: Request) -> None:
        given = request.headers.get("authorization", "")
        if not given:
            raise Fault(401, "not_authenticated", "Authentication credentials were not provided.")
        if given != f"Klaviyo-API-Key {KEY}":
            raise Fault(401, "authentication_failed", "Incorrect authentication credentials.")
        if request.method != "GET" and self.options.get("scopes") == "read":
            raise Fault(403, "permission_denied", "The API key lacks the scope lists:write.")
        if not re.fullmatch(r"20\d\d-\d\d-\d\d(\.\w+)?", request.headers.get("revision", "")):
            raise Fault(400, "invalid", "A valid revision header is required.", "revision")
        accepts = request.headers.get("accept", "*/*")
        if not any(one in accepts for one in (MEDIA, "application/json", "*/*")):
            raise Fault(406, "not_acceptable", "Could not satisfy the request Accept header.")

    def _count(self, endpoint: str) -> int:
        most = self.options.get("calls_per_minute")
        if most is None:
            return 150
        calls, minute = self.store.table("calls"), self.clock.now().strftime("%Y-%m-%dT%H:%M")
        entry = calls.get(endpoint, {"minute": minute, "count": 0})
        count = entry["count"] if entry["minute"] == minute else 0
        if count >= int(most):
            detail = "Request was throttled. Expected available in 30 seconds."
            raise Fault(429, "throttled", detail, headers={"Retry-After": "30"})
        calls[endpoint] = {"minute": minute, "count": count + 1}
        return int(most) - count - 1

    async def _accounts(self, request: Request) -> Response:
        attributes = {"contact_information": {"organization_name": "Acme Analytics"}}
        one = {"type": "account", "id": "AcMe01", "attributes": attributes, "links": {"self": ""}}
        return answer(page(request, [one], 100, 100))

    async def _lists(self, request: Request) -> Response:
        wanted = chosen(request, {"name": {"any", "equals"}, "id": {"any", "equals"}})
        demand_fields(request, "list", LISTED)
        if "additional-fields[list]" in request.query_params:
            detail = "Additional fields are of a list asked for alone."
            raise Fault(400, "invalid", detail, "additional-fields[list]")
        every = sorted(self.store.table("list").values(), key=lambda one: one["id"])
        if wanted:
            every = [one for one in every if one[wanted[0]] in wanted[1]]
        rows = [lists.shown(self, request, one) for one in every]
        return answer(page(request, rows, 10, 10))

    async def _make_list(self, request: Request) -> Response:
        made = lists.create(self, await body_of(request, SMALL))
        return answer({"data": lists.shown(self, request, made)}, 201)

    async def _list(self, request: Request) -> Response:
        one = lists.find(self, request.path_params["id"])
        return answer({"data": lists.shown(self, request, one)})

    async def _delete_list(self, request: Request) -> Response:
        lists.delete(self, request.path_params["id"])
        return answer(None, 204)

    async def _list_profiles(self, request: Request) -> Response:
        one = lists.find(self, request.path_params["id"])
        profiles = self.store.table("profile")
        on = [profiles[key] for key in self.store.table(f"member:{one['id']}") if key in profiles]
        return answer(page(request, self._picked(request, on), 100, 20))

    async def _relate(self, request: Request) -> Response:
        body = await body_of(request, SMALL)
        lists.relate(self, request.path_params["id"], request.method, body)
        return answer(None, 204)

    async def _profiles(self, request: Request) -> Response:
        every = list(self.store.table("profile").values())
        return answer(page(request, self._picked(request, every), 100, 20))

    def _picked(
        self, request: Request, profiles: list[dict[str, object]]
    ) -> list[dict[str, object]]:
        wanted = chosen(request, {"email": {"any", "equals"}})
        demand_fields(request, "profile", {"email", "subscriptions", *people.KEPT})
        if wanted:
            addresses = {one.strip().lower() for one in wanted[1]}
            profiles = [one for one in profiles if one["email"] in addresses]
        return [people.shown(request, one) for one in profiles]

    async def _make_profile(self, request: Request) -> Response:
        made = people.create(self, await body_of(request, SMALL))
        return answer({"data": people.shown(request, made)}, 201)

    async def _jobs(self, request: Request) -> Response:
        wanted = chosen(request, {"status": {"any", "equals"}})
        every = [imports.find(self, key) for key in list(self.store.table("job"))]
        if wanted:
            every = [one for one in every if one["status"] in wanted[1]]
        return answer(page(request, [imports.shown(one) for one in every], 100, 20))

    async def _import(self, request: Request) -> Response:
        job = imports.start(self, await body_of(request, imports.MOST_BYTES))
        return answer({"data": imports.shown(job)}, 202)

    async def _job(self, request: Request) -> Response:
        return answer({"data": imports.shown(imports.find(self, request.path_params["id"]))})

    async def _errors(self, request: Request) -> Response:
        job = imports.find(self, request.path_params["id"])
        return answer(page(request, imports.errors_of(job), 100, 20))

    async def _job_lists(self, request: Request) -> Response:
        job = imports.find(self, request.path_params["id"])
        return answer({"data": [{"type": "list", "id": one} for one in job["lists"]]})

    async def _subscribe(self, request: Request) -> Response:
        people.subscribe(self, await body_of(request, SMALL))
        return answer(None, 202)
