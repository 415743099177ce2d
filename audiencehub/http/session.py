"""Our policy in the shape of a requests.Session, to hand to a vendor's library."""

from __future__ import annotations

from collections.abc import Callable
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import BaseAdapter

from audiencehub.errors import ConfigError
from audiencehub.http.exchange import Call, Exchange
from audiencehub.http.wire import loopback

Writes = Callable[[str, str], bool]


def is_write(method: str, url: str) -> bool:
    """All but reading methods and token endpoints."""
    return method.upper() not in ("GET", "HEAD", "OPTIONS") and "/oauth" not in urlsplit(url).path


class PolicyAdapter(BaseAdapter):
    """Carries every request of a session through one Exchange, to the sandbox where there is one.

    simple-salesforce builds https addresses of Salesforce's own hosts whatever it is told, so the
    host is replaced here.
    """

    def __init__(self, exchange: Exchange, base_url: str | None, writes: Writes = is_write) -> None:
        super().__init__()
        self._exchange, self._base, self._writes = exchange, base_url, writes

    def send(
        self, request: requests.PreparedRequest, *args: Any, **options: Any
    ) -> requests.Response:
        """The answer, read whole. The caller's timeout and proxies give way to the policy."""
        del args
        if options.get("verify") is False:
            raise ConfigError(
                "Certificates are always verified.",
                hint="Put a company's own authority into REQUESTS_CA_BUNDLE",
            )
        url = request.url or ""
        if self._base:
            there = urlsplit(self._base)
            request.url = urlsplit(url)._replace(scheme=there.scheme, netloc=there.netloc).geturl()
        elif not url.startswith("https://") and not loopback(url):
            raise ConfigError(
                "A library asks for an address without https.",
                hint="Use https; plain http is for the sandbox on this machine",
            )
        return self._exchange.perform(Call(request, self._writes(request.method or "GET", url)))

    def close(self) -> None:
        """Nothing to let go of: the connections belong to the exchange."""


class PolicySession(requests.Session):
    """A session without cookies or netrc, that leaves its host for no redirect."""

    def __init__(self, exchange: Exchange, base_url: str | None, writes: Writes = is_write) -> None:
        super().__init__()
        self.max_redirects = 3
        self.headers.update({"User-Agent": "audiencehub", "Accept-Encoding": "gzip, deflate"})
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # requests would take credentials from ~/.netrc and put them over ours.
        self.auth = _unchanged
        for scheme in ("https://", "http://"):
            self.mount(scheme, PolicyAdapter(exchange, base_url, writes))

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """The next address if the same is asked of the same host; else None, and the 3xx comes
        back. A redirected POST would become a GET, whose answer says nothing of the POST."""
        target = super().get_redirect_target(resp)
        if not target or resp.request.method not in ("GET", "HEAD"):
            return None
        try:
            here, there = urlsplit(resp.url), urlsplit(urljoin(resp.url, target))
        except ValueError:
            return None
        same = (here.scheme, here.netloc, here.query) == (there.scheme, there.netloc, there.query)
        return target if same else None

    def rebuild_auth(self, *_: Any) -> None:
        """Nothing: a redirect stays on its host, and netrc has no say."""


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
