"""Puts a fake on a loopback port: real HTTP, in a thread, stopped cleanly."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from audiencehub.errors import ConfigError
from audiencehub.sandbox.faults import HangUp
from audiencehub.sandbox.kit import VendorSandbox

LOOPBACK = "127.0.0.1"
_START_SECONDS = 20
_STOP_SECONDS = 5


@contextmanager
def serve(sandbox: VendorSandbox, port: int = 0) -> Iterator[str]:
    """`http://127.0.0.1:<port>` of the fake while the block runs.

    Port 0 lets the server bind a free one itself. Raises ConfigError when the port is taken.
    """
    with serve_app(sandbox.app(), port) as url:
        yield url


@contextmanager
def serve_app(app: Any, port: int = 0) -> Iterator[str]:
    """Like `serve`, for any ASGI application."""
    server = _Server(app, port)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


class _Server(uvicorn.Server):
    """uvicorn in a daemon thread."""

    def __init__(self, app: Any, port: int) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=LOOPBACK,
                port=port,
                http=_Protocol,
                ws="none",
                lifespan="off",
                loop="asyncio",
                access_log=False,
                log_config=None,
                timeout_keep_alive=60,
                timeout_graceful_shutdown=1,
            )
        )
        self.url = ""
        self._settled = threading.Event()
        self._thread = threading.Thread(target=self._work, name="sandbox", daemon=True)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            port = self.servers[0].sockets[0].getsockname()[1]
            self.url = f"http://{LOOPBACK}:{port}"
        self._settled.set()

    def start(self) -> None:
        """Returns when the port answers."""
        self._thread.start()
        self._settled.wait(_START_SECONDS)
        if not self.url:
            raise ConfigError(
                f"Nothing can listen on {LOOPBACK}:{self.config.port}.",
                hint="Free that port, or use another --port-base",
            )

    def stop(self) -> None:
        """Returns when the thread has ended and the port is free again."""
        self.should_exit = True
        self._thread.join(_STOP_SECONDS)

    def _work(self) -> None:
        try:
            self.run()
        except SystemExit:  # uvicorn's way to say that the port is taken
            logging.getLogger(__name__).debug("the sandbox server did not start")
        finally:
            self._settled.set()


class _Protocol(H11Protocol):
    """Closes the connection without another byte where an application raises HangUp.

    uvicorn by itself would answer 500 in that place.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        inner = self.app

        async def hang_up(scope: Any, receive: Any, send: Any) -> None:
            try:
                await inner(scope, receive, send)
            except HangUp:
                self.transport.close()
                while (await receive())["type"] != "http.disconnect":
                    pass

        self.app = hang_up
