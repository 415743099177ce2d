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
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from audiencehub.sandbox.clock import SandboxClock
from audiencehub.sandbox.faults import Fault, FaultScript
from audiencehub.sandbox.store import Store

if TYPE_CHECKING:
    from audiencehub.sandbox.company import Company

Handler = Callable[[Request], Awaitable[Response]]


class VendorSandbox(ABC):
    """One vendor's fake: state in a store, time from the sandbox clock."""

    vendor: ClassVar[str]

    def __init__(self, store: Store, clock: SandboxClock, options: dict[str, Any] | None = None) -> None:
        self.store, self.clock, self.options = store, clock, options or {}
        self.faults = FaultScript(store)

    @abstractmethod
    def routes(self) -> list[Route]:
        """The vendor's own paths."""

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

    def app(self) -> Starlette:
        """The fake as an ASGI application."""
        control = [
            Route("/__faults", self._get_faults, methods=["GET"]),
            Route("/__faults", self._set_faults, methods=["POST", "DELETE"]),
            Route("/__writes", self._writes, methods=["GET", "DELETE"]),
            Route("/__requests", self._requests, methods=["GET", "DELETE"]),
        ]
        self.requests: list[dict[str, Any]] = []
        inner = Starlette(routes=self.routes())
        return Starlette(
            routes=[*control, Route("/{path:path}", _Guarded(self, inner), methods=None)],
        )

    async def _get_faults(self, _: Request) -> Response:
        return JSONResponse([fault.as_json() for fault in self.faults.all()])

    async def _set_faults(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.faults.clear()
            return Response(status_code=204)
        for entry in json.loads(await request.body()):
            self.faults.add(Fault(**entry))
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

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        body = await request.body()
        self.sandbox.requests.append({"method": request.method, "path": request.url.path})
        fault = self.sandbox.faults.hit(request.method, request.url.path, body)
        if fault and fault.delay:
            await asyncio.sleep(fault.delay)
        if fault and not fault.after_apply and await fault.answer(scope, receive, send):
            return

        async def replay() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        if fault and (fault.after_apply or fault.reshapes):
            reply = _Capture()
            await self.inner(scope, replay, reply)
            if fault.after_apply and await fault.answer(scope, receive, send):
                return
            await fault.reshape(reply, send)
            return
        await self.inner(scope, replay, send)


class _Capture:
    """Collects a response instead of sending it."""

    def __init__(self) -> None:
        self.status, self.headers, self.body = 200, [], b""

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")
