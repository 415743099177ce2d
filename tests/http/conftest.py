"""A scripted server on loopback, and a clock that nobody waits for."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

Answer = bytes | Callable[[socket.socket], None]


class FakeClock:
    """Time moves only by sleeping."""

    def __init__(self) -> None:
        self.seconds, self.slept, self.late = 1000.0, [], 0.0
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime(2026, 11, 16, 9, tzinfo=UTC) + timedelta(seconds=self.seconds - 1000)

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.seconds += seconds


def http(status: int, body: bytes = b"{}", *headers: str, kind: str = "application/json") -> bytes:
    """A whole answer as bytes."""
    lines = [f"HTTP/1.1 {status} Word", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


def reset(connection: socket.socket) -> None:
    """Close with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def hang(connection: socket.socket) -> None:
    """Say nothing until the client gives up."""
    with contextlib.suppress(OSError):
        while connection.recv(4096):
            pass


@dataclass
class Server:
    """Answers each request with the next of `script`; the last one repeats."""

    script: list[Answer] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    applied: list[bytes] = field(default_factory=list)
    """Bodies of requests received whole: what a vendor would have carried out."""
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def heads(self) -> list[str]:
        return [one.split(b"\r\n", 1)[0].decode() for one in self.requests]

    def talk(self, connection: socket.socket) -> None:
        stream = connection.makefile("rb")
        with contextlib.suppress(OSError, ValueError):
            while head := stream.readline():
                while (line := stream.readline()) not in (b"\r\n", b""):
                    head += line
                length = next(
                    (
                        int(line[15:])
                        for line in head.split(b"\r\n")
                        if line.lower().startswith(b"content-length:")
                    ),
                    0,
                )
                self.applied.append(stream.read(length))
                self.requests.append(head)
                answer = self.script[min(len(self.requests), len(self.script)) - 1]
                if callable(answer):
                    answer(connection)
                    break
                connection.sendall(answer)
        with contextlib.suppress(OSError):
            stream.close()
            connection.close()


@contextlib.contextmanager
def listening(
    script: list[Answer], wrap: Callable[[socket.socket], socket.socket] | None = None
) -> Iterator[Server]:
    """A server on a port of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(script, port=listener.getsockname()[1])

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                connection = wrap(connection) if wrap else connection
            except OSError:
                continue
            threading.Thread(target=server.talk, args=[connection], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    with contextlib.ExitStack() as stack:
        yield lambda *script, **kw: stack.enter_context(listening(list(script), **kw))
