"""The fake Mailchimp: keys, connections, and where each call goes."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from audiencehub.sandbox.kit import VendorSandbox
from audiencehub.sandbox.store import Table
from connectors.mailchimp.sandbox import contacts, tags
from connectors.mailchimp.sandbox.problem import Document, Problem, answer, body_of, bounds, missing

if TYPE_CHECKING:
    from audiencehub.sandbox.company import Company

KEY = "sandbox-api_key"
AUDIENCE = "a1b2c3d4e5"
CONNECTIONS = 10
TAG = "/lists/{list}/segments/{tag}"
CONTACT = "/lists/{list}/members/{contact}"
Handler = Callable[[Request], Awaitable[Response]]


class MailchimpSandbox(VendorSandbox):
    """Options: `audience` (the id of the one audience there is), `already` = silent, listed or
    error: how a reply tells of contacts that have the tag already, which Mailchimp does not
    document; `status` of everybody whom a seed makes, in place of every kind.

    `GET /__members/<tag>` answers who has a tag, `[{"email": …}, …]`; `GET /__consent` everybody's
    status, address to status; `GET /__crowd` the most calls that were under way at once.
    """

    vendor = "mailchimp"
    keeps = ("member:",)
    _going = 0
    _most = 0

    @property
    def audience(self) -> str:
        """The id of the one audience."""
        return str(self.options.get("audience", AUDIENCE))

    def contacts(self, audience: str) -> Table:
        """Hash to contact. Raises 404 for another audience."""
        if audience != self.audience:
            raise missing()
        return self.store.table(f"contact:{audience}")

    def tags(self, audience: str) -> Table:
        """Id to tag. Raises 404 for another audience."""
        self.contacts(audience)
        return self.store.table(f"tag:{audience}")

    def tagged(self, audience: str, tag: str) -> Table:
        """Hash to address, of those with a tag."""
        return self.store.table(f"member:{audience}:{tag}")

    def seed(self, company: Company) -> None:
        """Most of the company's people are contacts, of every status; one in ten is not."""
        states = (*["subscribed"] * 12, "unsubscribed", "unsubscribed", "cleaned", "pending",
                  "transactional", "archived", None, None)  # fmt: skip
        every, found = self.options.get("status"), {}
        for person in company.contacts:
            if not contacts.valid(person.email) or not person.email:
                continue
            number = contacts.digest(person.email)
            kind = "unsubscribed" if person.email_opt_out else states[int(number[:4], 16) % 20]
            status = every or kind
            if status is not None:
                names = {"FNAME": person.first_name or "", "LNAME": person.last_name or ""}
                found[number] = contacts.fresh(person.email, status, names)
        self.contacts(self.audience).put(found)

    def advance(self, before: Company, after: Company) -> None:
        """A day changes nothing here; tags change by calls alone."""

    def routes(self) -> list[Route]:
        """Paths of the Marketing API 3.0."""
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/ping", self._ping),
            ("GET", "/lists/{list}", self._audience),
            ("POST", "/lists/{list}", self._batch),
            ("GET", "/lists/{list}/segments", self._tags),
            ("POST", "/lists/{list}/segments", self._make_tag),
            ("GET", TAG, self._tag),
            ("POST", TAG, self._change),
            ("DELETE", TAG, self._delete_tag),
            ("GET", f"{TAG}/members", self._tag_members),
            ("GET", CONTACT, self._contact),
            ("PUT", CONTACT, self._put),
            ("GET", f"{CONTACT}/tags", self._contact_tags),
            ("POST", f"{CONTACT}/tags", self._mark),
        ]
        return [
            Route(f"/3.0{path}", self._guarded(handler), methods=[method])
            for method, path, handler in table
        ]

    def doors(self) -> list[Route]:
        """`/__members/<tag>`, `/__consent` and `/__crowd`."""
        return [
            Route("/__members/{tag}", self._members, methods=["GET"]),
            Route("/__consent", self._consent, methods=["GET"]),
            Route("/__crowd", self._crowd, methods=["GET"]),
        ]

    def app(self) -> ASGIApp:
        """The fake, counting what is under way at once."""
        rest = super().app()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"].startswith("/__"):
                await rest(scope, receive, send)
                return
            self._going += 1
            self._most = max(self._most, self._going)
            try:
                await (rest if self._going <= CONNECTIONS else _too_many)(scope, receive, send)
            finally:
                self._going -= 1

        return app

    async def _members(self, request: Request) -> Response:
        table = self.tagged(self.audience, request.path_params["tag"])
        return JSONResponse([{"email": one["email"]} for one in table.values()])

    async def _consent(self, _: Request) -> Response:
        every = self.contacts(self.audience).values()
        return JSONResponse({one["email_address"].lower(): one["status"] for one in every})

    async def _crowd(self, _: Request) -> Response:
        return JSONResponse(self._most)

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            try:
                self._authorize(request)
                return await handler(request)
            except Problem as problem:
                return problem.response()

        return guarded

    def _authorize(self, request: Request) -> None:
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        if kind not in ("Basic", "Bearer"):
            text = "Your request did not include an API key."
            raise Problem(401, "API Key Missing", text)
        try:
            given = base64.b64decode(value).decode().partition(":")[2] if kind == "Basic" else value
        except ValueError:
            given = ""
        # A key may carry the data centre behind a hyphen; the fake stands for all of them.
        if given not in (KEY, f"{KEY}-us6"):
            text = (
                "Your API key may be invalid, or you've attempted to access the wrong datacenter."
            )
            raise Problem(401, "API Key Invalid", text)

    async def _ping(self, request: Request) -> Response:
        return answer(request, {"health_status": "Everything's Chimpy!"})

    async def _audience(self, request: Request) -> Response:
        key = request.path_params["list"]
        every = list(self.contacts(key).values())
        count = sum(one["status"] == "subscribed" for one in every)
        stats = {"member_count": count, "total_contacts": len(every)}
        return answer(request, {"id": key, "name": "Acme Analytics", "stats": stats})

    async def _batch(self, request: Request) -> Response:
        keys = {"members", "sync_tags", "update_existing"}
        body = await body_of(request, keys)
        return answer(request, contacts.batch(self, request.path_params["list"], body))

    async def _tags(self, request: Request) -> Response:
        key = request.path_params["list"]
        offset, count = bounds(request)
        every = [tags.shown(self, key, one) for one in self.tags(key)]
        if request.query_params.get("type", "static") != "static":
            every = []
        page: Document = {"segments": every[offset : offset + count], "total_items": len(every)}
        return answer(request, page)

    async def _make_tag(self, request: Request) -> Response:
        body = await body_of(request, {"name", "static_segment", "options"})
        return answer(request, tags.create(self, request.path_params["list"], body))

    async def _tag(self, request: Request) -> Response:
        place = request.path_params
        return answer(request, tags.shown(self, place["list"], place["tag"]))

    async def _change(self, request: Request) -> Response:
        body = await body_of(request, {"members_to_add", "members_to_remove"})
        place = request.path_params
        return answer(request, tags.change(self, place["list"], place["tag"], body))

    async def _delete_tag(self, request: Request) -> Response:
        tags.delete(self, request.path_params["list"], request.path_params["tag"])
        return answer(request, None)

    async def _tag_members(self, request: Request) -> Response:
        place = request.path_params
        offset, count = bounds(request)
        every = tags.members(self, place["list"], place["tag"], request.query_params)
        page: Document = {"members": every[offset : offset + count], "total_items": len(every)}
        return answer(request, page)

    async def _contact(self, request: Request) -> Response:
        place = request.path_params
        found = contacts.find(self, place["list"], place["contact"])
        return answer(request, contacts.shown(self, place["list"], found))

    async def _put(self, request: Request) -> Response:
        keys = {"email_address", "status", "status_if_new", "merge_fields", "email_type"}
        body, place = await body_of(request, keys), request.path_params
        made = contacts.put(self, place["list"], place["contact"], body)
        return answer(request, contacts.shown(self, place["list"], made))

    async def _contact_tags(self, request: Request) -> Response:
        place = request.path_params
        offset, count = bounds(request)
        contacts.find(self, place["list"], place["contact"])
        number = place["contact"]
        held: list[Document] = [
            {"id": int(key), "name": tag["name"]}
            for key, tag in self.tags(place["list"]).items()
            if number in self.tagged(place["list"], key)
        ]
        page: Document = {"tags": held[offset : offset + count], "total_items": len(held)}
        return answer(request, page)

    async def _mark(self, request: Request) -> Response:
        body, place = await body_of(request, {"tags", "is_syncing"}), request.path_params
        tags.mark(self, place["list"], place["contact"], body)
        return answer(request, None)


async def _too_many(scope: Scope, receive: Receive, send: Send) -> None:
    text = f"You have exceeded the limit of {CONNECTIONS} simultaneous connections."
    await Problem(429, "Too Many Requests", text).response()(scope, receive, send)
