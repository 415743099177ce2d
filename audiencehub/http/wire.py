"""One request on the wire: verified TLS, bounded in time and size, no retry."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import os
import socket
import threading
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NewConnectionError,
    ProxyError,
    SSLError,
)


class Unsent(Exception):
    """No connection was made: nothing can have been applied."""


class Lost(Exception):
    """The request may have reached the other side; no whole answer came."""


class Untrusted(Exception):
    """The other side could not prove who it is."""


class Unreadable(Exception):
    """An answer came that is cut off, or beyond the bounds."""

    def __init__(self, why: str, *, again: bool) -> None:
        super().__init__(why)
        self.why = why
        self.again = again
        """Asking once more may help."""


def loopback(url: str) -> bool:
    """Whether the address is this machine's own."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Watchdog:
    """Cuts the connection of one request when its time is up; recv has only a per-call timeout."""

    def __init__(self, seconds: float) -> None:
        self.sock: socket.socket | None = None
        self.bit = False
        """Time ran out; what was read since may be cut short anywhere."""
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def _cut(self) -> None:
        self.bit = True
        if self.sock is not None:
            with contextlib.suppress(OSError, TypeError):
                # The plain socket's shutdown: that of a TLS socket would wait for the reader.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def stop(self) -> None:
        """The request is over."""
        self._timer.cancel()


class _Current(threading.local):
    watchdog: _Watchdog | None = None


_current = _Current()


class _Lines:
    """The head of a response, and the last line read from it."""

    def __init__(self, stream: Any) -> None:
        self.stream, self.last = stream, b""

    def readline(self, limit: int = -1) -> bytes:
        self.last = self.stream.readline(limit)
        return self.last

    def close(self) -> None:
        self.stream.close()


class _WholeHead(http.client.HTTPResponse):
    """Refuses headers that end with the connection: http.client takes them for complete, and the
    missing ones may have told the length of the body."""

    def begin(self) -> None:
        lines: Any = _Lines(self.fp)
        self.fp = lines
        try:
            super().begin()
        finally:
            self.fp = lines.stream if self.fp is not None else None
        if lines.last not in (b"\r\n", b"\n"):
            raise http.client.IncompleteRead(lines.last)


class _Watched(HTTPConnection):
    """Shows its socket to the watchdog of the request that it serves."""

    response_class = _WholeHead

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        if _current.watchdog is not None:
            _current.watchdog.sock = self.sock
        super().request(*args, **kwargs)


class _WatchedTLS(_Watched, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _PoolTLS(HTTPSConnectionPool):
    ConnectionCls = _WatchedTLS


class Wire(HTTPAdapter):
    """Sends one prepared request and reads the whole answer within its bounds."""

    def __init__(self, connections: int = 16) -> None:
        super().__init__(pool_connections=connections, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Pools of watched connections. The TLS floor is urllib3's: 1.2."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _PoolTLS}

    def exchange(
        self,
        request: requests.PreparedRequest,
        *,
        connect: float,
        read: float,
        reply: float,
        max_body: int,
    ) -> requests.Response:
        """The answer, its body in `content`. Raises Unsent, Lost, Untrusted or Unreadable."""
        from audiencehub.http.limits import check_headers, read_body

        url = request.url or ""
        near = loopback(url)
        bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
        _current.watchdog = watchdog = _Watchdog(reply)
        try:
            response = self.send(
                request,
                stream=True,
                timeout=(connect, min(read, reply)),
                verify=bundle or True,
                proxies={} if near else get_environ_proxies(url),
            )
            try:
                check_headers(response.headers)
                body = read_body(response.raw, max_body)
            except BaseException:
                response.raw.close()
                raise
            # requests then neither reads nor decompresses the raw stream itself.
            response.__dict__.update(_content=body, _content_consumed=True)
            response.raw.release_conn()
            if watchdog.bit:
                raise Lost
            return response
        except (requests.RequestException, HTTPError, OSError) as error:
            raise _meaning(error) from None
        finally:
            watchdog.stop()
            _current.watchdog = None


def _meaning(error: BaseException) -> Exception:
    """What a transport error says about whether the request was sent."""
    for one in _causes(error):
        if isinstance(one, SSLError | requests.exceptions.SSLError):
            return Untrusted()
        if isinstance(one, NewConnectionError | ConnectTimeoutError | ProxyError):
            return Unsent()
        if isinstance(one, http.client.IncompleteRead):
            return Unreadable("is cut off", again=True)
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return Unsent()
    return Lost()


def _causes(error: BaseException | None) -> list[BaseException]:
    """The error and all it wraps; requests and urllib3 hide the reason in arguments."""
    found: list[BaseException] = []
    queue = [error]
    while queue and len(found) < 20:
        one = queue.pop(0)
        if one is None or one in found:
            continue
        found.append(one)
        queue += [a for a in one.args if isinstance(a, BaseException)]
        queue += [one.reason if isinstance(one, MaxRetryError) else None, one.__cause__]
    return found
