"""The one HTTP client: what every connector calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from audiencehub.errors import ConfigError, Incomplete
from audiencehub.http.auth import Auth
from audiencehub.http.clock import MACHINE, Clock
from audiencehub.http.exchange import Call, Exchange, reply_of
from audiencehub.http.limiter import Limiter
from audiencehub.http.reply import HttpRefused, Reply
from audiencehub.http.retry import Policy
from audiencehub.http.session import PolicySession, is_write
from audiencehub.http.wire import loopback

OK = frozenset(range(200, 300))
REDIRECTS = 3
DEFAULT = Policy()
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|//")


class HttpClient:
    """Requests to one origin with one credential. Thread safe."""

    def __init__(
        self,
        base_url: str,
        *,
        auth: Auth | None = None,
        policy: Policy = DEFAULT,
        limiter: Limiter | None = None,
        headers: Mapping[str, str] | None = None,
        clock: Clock = MACHINE,
    ) -> None:
        """Raises ConfigError for an address that is neither https nor loopback."""
        self.base_url = checked(base_url).rstrip("/") + "/"
        self._auth, self._headers = auth, dict(headers or {})
        self._exchange = Exchange(policy, limiter, clock)
        self._prepare = PolicySession(self._exchange, None)

    @cached_property
    def session(self) -> requests.Session:
        """A requests.Session under the same policy and limiter, for a vendor's own library.

        With a loopback base address every request goes there, whatever host it names. Credentials
        are the library's affair. Statuses other than limits and outages come back as they are.
        """
        return PolicySession(self._exchange, self.base_url if loopback(self.base_url) else None)

    def get(self, path: str, **kwargs: Any) -> Reply:
        """`request("GET", …)`."""
        return self.request("GET", path, **kwargs)

    def post(self, path: str, **kwargs: Any) -> Reply:
        """`request("POST", …)`."""
        return self.request("POST", path, **kwargs)

    def patch(self, path: str, **kwargs: Any) -> Reply:
        """`request("PATCH", …)`."""
        return self.request("PATCH", path, **kwargs)

    def put(self, path: str, **kwargs: Any) -> Reply:
        """`request("PUT", …)`."""
        return self.request("PUT", path, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> Reply:
        """`request("DELETE", …)`."""
        return self.request("DELETE", path, **kwargs)

    def request(
        self,
        method: str,
        path_or_url: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        accept: frozenset[int] | set[int] = OK,
        writes: bool = False,
        deadline: float | None = None,
    ) -> Reply:
        """One answer whose status is in `accept`.

        Raises Stop (401 after one renewal, 403), HttpRefused (any other status), Wait (limits,
        outages), Incomplete (cut off or out of bounds), and with `writes` OutcomeUnknown where the
        request may have been applied. `deadline` is seconds for tries and waits together.
        """
        url = self._url(path_or_url)
        renewed = False
        for _ in range(REDIRECTS + 2):
            sent = self._auth.headers() if self._auth else {}
            prepared = self._prepare.prepare_request(
                requests.Request(
                    method,
                    url,
                    params=params,
                    json=json,
                    data=data,
                    headers={**self._headers, **(headers or {}), **sent},
                )
            )
            call = Call(prepared, writes, frozenset(accept), deadline)
            reply = reply_of(call, self._exchange.perform(call))
            if reply.status in accept:
                return reply
            if reply.status == 401 and self._auth and not renewed and self._auth.refresh(sent):
                renewed = True
                continue
            if reply.status in (301, 302, 303, 307, 308) and method in ("GET", "HEAD"):
                there = redirected(prepared.url or url, reply.headers.get("location", ""))
                url, params = self._url(there), None
                continue
            raise _refusal(reply)
        raise Incomplete(
            f"{method} {urlsplit(url).path}: too many redirects.",
            hint="Check the address in deployments/",
        )

    def _url(self, path_or_url: str) -> str:
        """The full address; one on another host would be handed our credentials."""
        if not _ABSOLUTE.match(path_or_url):
            return self.base_url + path_or_url.lstrip("/")
        if origin(path_or_url) != origin(self.base_url):
            raise Incomplete(
                "A link in a reply leads to another host.",
                hint="Check the base address of this connector in deployments/",
            )
        return path_or_url


def pages(
    client: HttpClient,
    path: str,
    *,
    next: Callable[[Reply], str | Mapping[str, Any] | None],
    params: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> Iterator[Reply]:
    """Every page from the first to the one that names no next.

    `next(reply)` gives the next address, or the parameters that differ, or None at the end.
    Raises Incomplete when a place comes up twice, for then the pages would never end.
    """
    seen: set[str] = set()
    query: dict[str, Any] | None = dict(params or {})
    while True:
        place = repr((path, sorted((query or {}).items(), key=str)))
        if place in seen:
            raise Incomplete(
                "Paging goes in a circle: a cursor came back.",
                hint="Run again; if it stays, report it to the vendor",
            )
        seen.add(place)
        reply = client.get(path, params=query, **kwargs)
        yield reply
        then = next(reply)
        if then is None or then == "":
            return
        if isinstance(then, str):
            path, query = then, None
        else:
            query = {**(query or {}), **then}


def redirected(url: str, to: str) -> str:
    """The address that a redirect names. Raises Incomplete when it is none, or asks for something
    else: what answers without our query is not what was asked for."""
    try:
        there = urljoin(url, to)
        if to and urlsplit(there).query == urlsplit(url).query:
            return there
    except ValueError:
        pass
    raise Incomplete(
        "A redirect leads to what is no address, or loses the query.",
        hint="Run again; if it stays, check the address in deployments/",
    )


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = 0
    return parts.scheme, parts.hostname or "", port or (443 if parts.scheme == "https" else 80)


def checked(url: str) -> str:
    """The address, if it is https, or http on this machine. Raises ConfigError."""
    parts = urlsplit(url)
    if parts.username or parts.password or not parts.hostname:
        raise ConfigError(
            "The base address holds a credential, or no host.",
            hint="Write https://host; credentials are options of their own",
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback(url)):
        raise ConfigError(
            f"The address of {parts.hostname} is not https.",
            hint="Write https://…; plain http is for the sandbox on this machine",
        )
    return url


def _refusal(reply: Reply) -> HttpRefused:
    said = f"{reply.what}: {reply.status} {reply.code}".strip()
    if reply.status == 401:
        return HttpRefused(
            f"{said}: the credentials are refused.",
            status=401,
            code=reply.code,
            hint="Renew the credential that deployments/ refers to, and run again",
        )
    if reply.status == 403:
        return HttpRefused(
            f"{said}: the credentials lack a permission.",
            status=403,
            code=reply.code,
            hint="Grant the scopes that `audiencehub connectors` lists; run again",
        )
    return HttpRefused(
        f"{said}: refused.",
        status=reply.status,
        code=reply.code,
        hint="Run `audiencehub doctor`; check the connector's options",
    )


def session_for(
    base_url: str | None,
    *,
    policy: Policy = DEFAULT,
    limiter: Limiter | None = None,
    writes: Callable[[str, str], bool] = is_write,
    clock: Clock = MACHINE,
) -> requests.Session:
    """A requests.Session under our policy, for a vendor's own library.

    With a loopback `base_url` every https request goes there instead, path and query kept. A write,
    as `writes(method, url)` tells, is never sent twice; by default all but GET, HEAD, OPTIONS
    and token endpoints. Raises the same errors as HttpClient; statuses other than limits and
    outages come back for the library to judge.
    """
    if base_url is not None:
        checked(base_url)
    target = base_url if base_url and loopback(base_url) else None
    return PolicySession(Exchange(policy, limiter, clock), target, writes)
