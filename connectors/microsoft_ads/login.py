"""Access tokens from a refresh token that changes with every use.

Source: learn.microsoft.com, "Refresh tokens in the Microsoft identity platform": good for 90 days,
replaced at every use, the old one not revoked by that.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from audiencehub.connector import Context
from audiencehub.errors import Stop
from audiencehub.http import HttpClient, OAuth, hide
from connectors.microsoft_ads.options import Options

HOST = "https://login.microsoftonline.com"
SCOPE = "https://ads.microsoft.com/msads.manage offline_access"


class Login(OAuth):
    """One login of one process. Of what Microsoft gives back, the newest refresh token is used."""

    def __init__(self, context: Context, options: Options) -> None:
        self._context, self._options = context, options
        self._newest: str | None = None
        self._used = ""
        client = HttpClient(context.base_url or HOST)
        super().__init__(
            client, f"{options.tenant}/oauth2/v2.0/token", self._asked, save=self._rotated
        )

    def read(self) -> Mapping[str, str]:
        """Fetch a token. Raises Stop when Microsoft refuses the login."""
        try:
            return super().read()
        except Stop as error:
            raise Stop(
                error.message,
                hint="Log in to Microsoft Advertising again and renew refresh_token, which is good "
                "for 90 days; check client_id and client_secret",
            ) from None

    def _asked(self) -> dict[str, str]:
        self._used = self._newest or hide(self._context.secret("refresh_token"))
        form = {
            "grant_type": "refresh_token",
            "client_id": self._options.client_id,
            "refresh_token": self._used,
            "scope": SCOPE,
        }
        if self._options.client_secret is not None:
            form["client_secret"] = hide(self._context.secret("client_secret"))
        return form

    def _rotated(self, reply: Mapping[str, Any]) -> None:
        newest = reply.get("refresh_token")
        if not isinstance(newest, str) or not newest or newest == self._used:
            return
        self._newest = hide(newest)
        place = (self._options.refresh_token or {}).get("file")
        if place:
            # A folder that takes no writing is no fault today: the old token is good for 90 days.
            with suppress(OSError):
                keep(Path(place).expanduser(), self._used, newest)


def keep(path: Path, old: str, new: str) -> None:
    """Put the new token in the file's place, if the file still holds the old one. Raises OSError.

    A file that somebody has written anew in the meantime is left as it is.
    """
    if path.read_text("utf-8").strip() != old:
        return
    # Links are followed, or the link would become a file beside what it led to.
    path = path.resolve()
    handle, half = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{new}\n")
            file.flush()
            os.fsync(file.fileno())
        Path(half).replace(path)
    except OSError:
        Path(half).unlink(missing_ok=True)
        raise
