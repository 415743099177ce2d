"""A server of raw bytes in front of a fake: answers are the vendor's own, until one is spoiled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from audiencehub.sandbox.faults import HangUp

MOST = 3000
"""Requests of one pull after which nothing is answered any more: a test shall end."""
NO_LENGTH = ("content-length", "transfer-encoding")


@dataclass
class Answer:
    """One answer as it will go over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes
    method: str = "GET"
    path: str = ""
    declare: str | None = None
    """The Content-Length to claim; None: the true one, empty: none at all."""
    wire: bytes | None = None
    """Sent in place of everything else."""
    stall: bool = False
    """Stay silent after that, until the client gives up."""
    drip: float = 0.0
    """Seconds between single bytes, never long enough to count as silence."""

    def data(self) -> bytes:
        """What is sent."""
        if self.wire is not None:
            return self.wire
        headers = {k: v for k, v in self.headers.items() if k not in NO_LENGTH}
        if self.declare != "":
            headers["content-length"] = self.declare or str(len(self.body))
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {self.status} X\r\n{head}\r\n".encode("latin-1") + self.body


Spoil = Callable[[Answer, "Front"], Answer | None]


@dataclass
class Front:
    """Asks the fake, and spoils what it is told to. `app` and `url` are those of a `Stage`."""

    app: Any = None
    url: str = ""
    spoil: Spoil | None = None
    skip: int = 0
    """Requests that pass before the first that is spoiled."""
    times: int = 1
    asked: list[tuple[str, str]] = field(default_factory=list)
    struck: int = 0
    """Answers spoiled so far; 0 where the kind did not fit any of them."""
    where: str = ""
    """The request whose answer was spoiled last."""
    before: dict[str, bytes] = field(default_factory=dict)
    """Path to the true body of its latest answer."""
    truths: list[Answer] = field(default_factory=list)
    """True answers, in the order of the requests."""

    def arm(self, spoil: Spoil, skip: int, times: int = 1) -> None:
        """Spoil the next answers but `skip`."""
        self.spoil, self.skip, self.times, self.struck = spoil, skip, times, 0
        self.asked.clear()
        self.before.clear()
        self.truths.clear()

    def heal(self) -> None:
        """Spoil nothing from now on."""
        self.spoil = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (answer := await self._answer(reader)) is not None:
                data = answer.data()
                if answer.drip:
                    await _dripped(writer, data, answer.drip)
                writer.write(data)
                await writer.drain()
                if answer.stall:
                    await reader.read()
                if answer.wire is not None or answer.declare is not None or answer.stall:
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, HangUp):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> Answer | None:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        pairs = [line.split(": ", 1) for line in lines if line]
        headers = [(k.lower().encode(), v.encode("latin-1")) for k, v in pairs]
        length = int(dict(headers).get(b"content-length", b"0"))
        body = await reader.readexactly(length)
        path, _, query = target.partition("?")
        truth = await self._true(method, path, query, headers, body)
        return self._spoiled(truth)

    async def _true(
        self, method: str, path: str, query: str, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> Answer:
        found = Answer(200, {}, b"", method, path)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                found.status = message["status"]
                found.headers = {k.decode(): v.decode() for k, v in message["headers"]}
            else:
                found.body += message.get("body", b"")

        scope = {
            "type": "http", "http_version": "1.1", "method": method, "path": path,
            "raw_path": path.encode(), "query_string": query.encode(), "headers": headers,
            "scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1),
            "root_path": "", "asgi": {"version": "3.0"},
        }  # fmt: skip
        try:
            await self.app(scope, receive, send)
        except HangUp:
            raise
        except Exception:  # noqa: BLE001 - a cursor that no vendor gave out: it would refuse it
            return Answer(400, {"content-type": "application/json"}, b"{}", method, path)
        return found

    def _spoiled(self, truth: Answer) -> Answer:
        place = len(self.asked)
        if place > MOST:
            raise HangUp
        self.asked.append((truth.method, truth.path))
        self.truths.append(truth)
        kept, body = truth, truth.body
        if self.spoil is not None and self.skip <= place and self.struck < self.times:
            spoiled = self.spoil(truth, self)
            if spoiled is not None:
                self.struck += 1
                self.where = f"{truth.method} {truth.path}"
                kept = spoiled
        self.before[truth.path] = body
        return kept


async def _dripped(writer: asyncio.StreamWriter, data: bytes, gap: float) -> None:
    for place in range(len(data)):
        writer.write(data[place : place + 1])
        await writer.drain()
        await asyncio.sleep(gap)


@contextmanager
def front() -> Iterator[Front]:
    """A front on loopback while the block runs; the fake is named later."""
    made, loop = Front(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(
        asyncio.start_server(made._serve, "127.0.0.1", 0), loop
    ).result(20)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        asyncio.run_coroutine_threadsafe(_closed(server), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


async def _closed(server: asyncio.Server) -> None:
    """Stop listening, and let go of the connections that clients keep."""
    server.close()
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
