"""What every fake is built from: an ASGI app with a fault script, a write log and a control door.

A vendor's fake subclasses `VendorSandbox` and gives its routes; it shares no code with the source
or destination that it checks.
"""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from audiencehub.sandbox.clock import SandboxClock
from audiencehub.sandbox.faults import Fault, FaultScript
from audiencehub.sandbox.lies import held, unsay
from audiencehub.sandbox.store import Store

if TYPE_CHECKING:
    from audiencehub.sandbox.company import Company

Handler = Callable[[Request], Awaitable[Response]]


class VendorSandbox(ABC):
    """One vendor's fake: state in a store, time from the sandbox clock."""

    vendor: ClassVar[str]
    keeps: ClassVar[tuple[str, ...]] = ("",)
    """How the names of the tables begin that hold what callers write: what a lie puts back."""

    def __init__(
        self, store: Store, clock: SandboxClock, options: dict[str, Any] | None = None
    ) -> None:
        self.store, self.clock, self.options = store, clock, options or {}
        self.faults = FaultScript(store)
        self.requests: list[dict[str, Any]] = []
        """Every request since the start, oldest first: method, path, query."""

    @abstractmethod
    def routes(self) -> list[Route]:
        """The vendor's own paths."""

    def doors(self) -> list[Route]:
        """Control doors of its own, below `/__`, which no fault reaches; none unless it says so."""
        return []

    @abstractmethod
    def seed(self, company: Company) -> None:
        """Fill an empty store from the demo company."""

    @abstractmethod
    def advance(self, before: Company, after: Company) -> None:
        """Bring the store from one day's company to the next; changed records get new stamps."""

    def record_write(self, member: str, op: str, **detail: Any) -> None:
        """One line of the write log, which tests count independently of the product."""
        log = self.store.table("__writes")
        log[f"{len(log):09d}"] = {"member": member, "op": op, **detail}

    def app(self) -> ASGIApp:
        """The fake as an ASGI application: its control doors, and behind the faults its routes."""
        control = Starlette(
            routes=[
                Route("/__faults", self._get_faults, methods=["GET"]),
                Route("/__faults", self._set_faults, methods=["POST", "DELETE"]),
                Route("/__writes", self._writes, methods=["GET", "DELETE"]),
                Route("/__requests", self._requests, methods=["GET", "DELETE"]),
                *self.doors(),
            ]
        )
        guarded = _Guarded(self, Starlette(routes=self.routes()))

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            # Not one Starlette around both: its error page would answer where a fault hangs up.
            inner = control if scope["path"].startswith("/__") else guarded
            await inner(scope, receive, send)

        return app

    async def _get_faults(self, _: Request) -> Response:
        return JSONResponse([fault.as_json() for fault in self.faults.all()])

    async def _set_faults(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.faults.clear()
            return Response(status_code=204)
        try:
            faults = [Fault(**entry) for entry in json.loads(await request.body())]
        except (TypeError, ValueError) as error:
            return JSONResponse({"error": f"a list of faults, please: {error}"}, 400)
        for fault in faults:
            self.faults.add(fault)
        return Response(status_code=204)

    async def _writes(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.store.table("__writes").clear()
        return JSONResponse(list(self.store.table("__writes").values()))

    async def _requests(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.requests.clear()
        return JSONResponse(self.requests)


class _Guarded:
    """The vendor's routes behind the fault script: faults before, instead of, or after the work."""

    def __init__(self, sandbox: VendorSandbox, inner: Starlette) -> None:
        self.sandbox, self.inner = sandbox, inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        method, path, query = request.method, request.url.path, request.url.query
        self.sandbox.requests.append({"method": method, "path": path, "query": query})
        fault = self.sandbox.faults.hit(method, f"{path}?{query}" if query else path, body)

        async def replay() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        if fault is None:
            await self.inner(scope, replay, send)
        elif fault.after_apply or fault.reshapes:
            reply, store, kept = _Capture(), self.sandbox.store, self.sandbox.keeps
            before = held(store, kept) if fault.lie else {}
            await self.inner(scope, replay, reply)
            if fault.lie:
                unsay(store, before, held(store, kept), fault.lie, fault.seed)
            await asyncio.sleep(fault.delay)
            if not await fault.answer(send):
                await fault.reshape(reply, send)
        else:
            await asyncio.sleep(fault.delay)
            if not await fault.answer(send):
                await self.inner(scope, replay, send)


class _Capture:
    """Collects a response instead of sending it."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")
