"""Calls to TikTok's Business API: token, limit, and codes behind HTTP 200."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from audiencehub.connector import Context
from audiencehub.errors import Incomplete, OutcomeUnknown, Wait
from audiencehub.http import Header, HttpClient, Reply, limiter_for
from connectors.tiktok_ads.faults import THROTTLED, error_of
from connectors.tiktok_ads.options import Options

HOST = "https://business-api.tiktok.com"
ROOT = "open_api/v1.3"
PAGE = 100
"""Audiences per page of the list, the most that there may be (Get all audiences)."""
_TRIES = 4
_REQUEST = re.compile(r"[0-9A-Za-z-]{1,64}")


class Client:
    """One advertiser, with the token of its settings entry."""

    def __init__(self, context: Context, options: Options) -> None:
        self._advertiser = options.advertiser_id
        base = context.base_url or HOST
        self._limiter = limiter_for((base, str(options.token)), rate=options.calls_per_second)
        self._http = HttpClient(
            base,
            auth=Header("Access-Token", lambda: context.secret("token")),
            limiter=self._limiter,
        )

    def get(self, path: str, **params: Any) -> Mapping[str, Any]:
        """`data` of the reply. Raises Stop, Wait."""
        asked = {"advertiser_id": self._advertiser, **params}
        try:
            return self._call("GET", path, params=asked)[1]
        except Incomplete as error:
            raise Wait(error.message, hint="Run again later") from None

    def post(
        self, path: str, body: Mapping[str, Any], *, rows: int = 0
    ) -> tuple[Reply, Mapping[str, Any]]:
        """The reply and its `data`. Raises OutcomeUnknown as well, and BatchRefused for rows."""
        return self._call("POST", path, rows=rows, json=body, writes=True)

    def audiences(self) -> Iterator[Mapping[str, Any]]:
        """Every audience of the advertiser. Raises Wait where the list cannot be read to its
        end."""
        seen: set[str] = set()
        page = 1
        while True:
            data = self.get("dmp/custom_audience/list/", page=page, page_size=PAGE)
            found, info = data.get("list"), data.get("page_info")
            total = info.get("total_number") if isinstance(info, dict) else None
            if not isinstance(found, list) or not isinstance(total, int):
                raise Wait("TikTok's list of audiences is unreadable.", hint="Run again later")
            ids = {str(one.get("audience_id")) for one in found if isinstance(one, dict)}
            if len(ids) < len(found) or ids & seen or (not found and len(seen) < total):
                raise Wait("TikTok's list of audiences does not end.", hint="Run again later")
            seen |= ids
            yield from found
            if len(seen) >= total:
                return
            page += 1

    def audience(self, number: str) -> Mapping[str, Any] | None:
        """What TikTok tells of one audience; None while it tells nothing (it shows a new one after
        an hour or more). Raises Stop, Wait."""
        data = self.get("dmp/custom_audience/get/", custom_audience_ids=json.dumps([number]))
        for one in data.get("list") or []:
            details = one.get("audience_details") if isinstance(one, dict) else None
            if isinstance(details, dict) and str(details.get("audience_id")) == number:
                return details
        return None

    def _call(
        self, method: str, path: str, *, rows: int = 0, **how: Any
    ) -> tuple[Reply, Mapping[str, Any]]:
        """A limit comes with HTTP 200, where the HTTP client cannot see it: such a call was not
        carried out and is made again, later each time."""
        what, writes = f"{method} /{path}", bool(how.get("writes"))
        for attempt in range(_TRIES):
            reply = self._http.request(method, f"{ROOT}/{path}", **how)
            body = reply.json()
            code = body.get("code") if isinstance(body, dict) else None
            if not isinstance(code, int) or isinstance(code, bool):
                reply.unreadable("holds no code")
            if code not in THROTTLED or attempt == _TRIES - 1:
                break
            self._limiter.pause(2.0**attempt)
        if code:
            raise error_of(code, what, writes=writes, rows=rows)
        data = body.get("data")
        return reply, data if isinstance(data, dict) else {}


def request_id(reply: Reply) -> str:
    """TikTok's own name of the call, which its support asks for."""
    found = str(reply.json().get("request_id") or "")
    return found if _REQUEST.fullmatch(found) else "unnamed"


def named(data: Mapping[str, Any]) -> str:
    """The id of an audience that was made. Raises OutcomeUnknown where there is none."""
    number = str(data.get("audience_id") or "")
    if not number.isdecimal():
        raise OutcomeUnknown(
            "TikTok made an audience but named none.", hint="Run again: it is found by its name"
        )
    return number
