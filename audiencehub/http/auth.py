"""Credentials on a request, and how they are renewed: once, whoever notices first."""

from __future__ import annotations

import base64
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from audiencehub.errors import Stop, Wait
from audiencehub.http.clock import MACHINE, Clock
from audiencehub.http.redaction import hide

if TYPE_CHECKING:
    from audiencehub.http.client import HttpClient

Secret = Callable[[], str]


class Auth(ABC):
    """Headers that prove who is asking. Values are read late, cached, and hidden from logs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._headers: Mapping[str, str] | None = None

    @abstractmethod
    def read(self) -> Mapping[str, str]:
        """The headers from the credential as it is now."""

    def stale(self) -> bool:
        """Whether the cached headers are known to have run out."""
        return False

    def headers(self) -> Mapping[str, str]:
        """The headers to send. Raises ConfigError or Stop when there is no credential."""
        with self._lock:
            if self._headers is None or self.stale():
                self._headers = self.read()
            return self._headers

    def refresh(self, refused: Mapping[str, str]) -> bool:
        """Renew after a 401; True when the headers now differ from the refused ones.

        Of many threads that were refused together one reads anew and the others wait for it.
        """
        with self._lock:
            if self._headers is None or dict(self._headers) == dict(refused):
                self._headers = self.read()
            return dict(self._headers) != dict(refused)


class Header(Auth):
    """A header of the vendor's own: `Header("Authorization", lambda: f"API {key}")`."""

    def __init__(self, name: str, value: Secret) -> None:
        super().__init__()
        self._name, self._value = name, value

    def read(self) -> Mapping[str, str]:
        """The one header."""
        value = hide(self._value())
        hide(value.rpartition(" ")[2])
        if not (value.isascii() and value.isprintable()):
            raise Stop(
                "A credential holds a line break or another character that no header may.",
                hint="Paste it again, without surrounding blanks or lines",
            )
        return {self._name: value}


class Bearer(Header):
    """`Authorization: Bearer …` (RFC 6750)."""

    def __init__(self, token: Secret) -> None:
        super().__init__("Authorization", lambda: f"Bearer {token()}")


class Basic(Header):
    """`Authorization: Basic …` (RFC 7617), UTF-8."""

    def __init__(self, user: Secret, password: Secret) -> None:
        super().__init__("Authorization", lambda: _basic(user(), hide(password())))


class OAuth(Auth):
    """A bearer token from a token endpoint (RFC 6749), renewed a minute before it runs out."""

    early = 60.0

    def __init__(
        self,
        client: HttpClient,
        path: str,
        form: Callable[[], Mapping[str, str]],
        *,
        basic: tuple[Secret, Secret] | None = None,
        save: Callable[[Mapping[str, Any]], None] | None = None,
        clock: Clock = MACHINE,
    ) -> None:
        """`form` is posted to `path`; `save` sees the token reply before the token is used, so
        that a rotated refresh token is kept first."""
        super().__init__()
        self._client, self._path, self._form, self._save = client, path, form, save
        self._basic, self._clock, self._until = basic, clock, 0.0

    def stale(self) -> bool:
        """Whether the token runs out within a minute."""
        return self._clock.monotonic() >= self._until

    def read(self) -> Mapping[str, str]:
        """Fetch a token. Raises Stop when the endpoint refuses the credentials."""
        headers = {}
        if self._basic:
            headers["Authorization"] = hide(_basic(self._basic[0](), hide(self._basic[1]())))
        reply = self._client.post(
            self._path, data=dict(self._form()), headers=headers, accept={200, 400, 401, 403}
        )
        body = reply.json() if reply.status == 200 else {}
        token = body.get("access_token") if isinstance(body, dict) else None
        if not isinstance(token, str) or not token:
            raise Stop(
                f"The token endpoint refused the credentials ({reply.status} {reply.code}).",
                hint="Check client id and secret, and that the app is allowed this access",
            )
        if not re.fullmatch(r"[\x21-\x7e]+", token):
            raise Wait(
                "The token endpoint answers with what no header can carry.", hint="Run again later"
            )
        seconds = body.get("expires_in")
        known = isinstance(seconds, int | float | str) and str(seconds).isdecimal()
        life = float(str(seconds)) if known else 1800.0
        self._until = self._clock.monotonic() + max(life / 2, life - self.early)
        if self._save:
            self._save(body)
        return {"Authorization": f"Bearer {hide(token)}"}


class OAuthClientCredentials(OAuth):
    """The client credentials grant (RFC 6749 §4.4), client authenticated by Basic."""

    def __init__(
        self,
        client: HttpClient,
        path: str,
        client_id: Secret,
        client_secret: Secret,
        *,
        scope: str = "",
        clock: Clock = MACHINE,
    ) -> None:
        form = {"grant_type": "client_credentials", **({"scope": scope} if scope else {})}
        super().__init__(client, path, lambda: form, basic=(client_id, client_secret), clock=clock)


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
