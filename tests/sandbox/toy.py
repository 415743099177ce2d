"""A vendor small enough to see every law of the kit on it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from audiencehub.sandbox.company import Company
from audiencehub.sandbox.kit import VendorSandbox


class Toy(VendorSandbox):
    """Keeps notes by id; knows the company's contacts by key."""

    vendor = "toy"

    def routes(self) -> list[Route]:
        return [
            Route("/notes", self._list, methods=["GET"]),
            Route("/notes/{id}", self._put, methods=["PUT"]),
            Route("/people", self._people, methods=["GET"]),
        ]

    def seed(self, company: Company) -> None:
        self.store.table("people").put({c.key: {"email": c.email} for c in company.contacts})

    def advance(self, before: Company, after: Company) -> None:
        old = {c.key: c for c in before.contacts}
        changed = {c.key: {"email": c.email} for c in after.contacts if old.get(c.key) != c}
        self.store.table("people").put(changed)
        self.store.table("days").put({str(after.day): {"changed": len(changed)}})

    async def _list(self, _: Request) -> Response:
        return JSONResponse({"results": list(self.store.table("notes").values()), "next": "2"})

    async def _put(self, request: Request) -> Response:
        note = {"id": request.path_params["id"], "text": (await request.json())["text"]}
        self.store.table("notes")[note["id"]] = {**note, "at": self.clock.tick().isoformat()}
        self.record_write(note["id"], "set")
        return JSONResponse(note, 201)

    async def _people(self, _: Request) -> Response:
        return JSONResponse({"count": len(self.store.table("people"))})
