"""The Graph API: one call at a time, its limits kept, its errors told apart."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Any

from audiencehub.connector import Context
from audiencehub.errors import Incomplete, Wait
from audiencehub.http import Bearer, HttpClient, Policy, Reply, hide, limiter_for
from audiencehub.model import Quota
from connectors.meta_ads import faults
from connectors.meta_ads.options import Options

HOST = "https://graph.facebook.com"
_HANDLED = frozenset({200, 400, 401, 403, 404})
_PAGE = 100


class Graph:
    """Calls with one token. Thread safe but for `quota`."""

    def __init__(self, context: Context, options: Options) -> None:
        self._context, self._options = context, options
        base = context.base_url or HOST
        self._client = HttpClient(
            base,
            auth=Bearer(lambda: context.secret("token")),
            policy=Policy(throttle=_not_known_yet),
            # An hour's calls may be made at once: Meta counts by the hour and by nothing less.
            limiter=limiter_for(
                (base, options.account),
                rate=options.calls_per_hour,
                per=3600,
                burst=options.calls_per_hour,
            ),
        )
        self._usage: list[Mapping[str, Any]] = []

    def call(self, method: str, path: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """The JSON object of the reply. Raises Stop, Wait, for a write OutcomeUnknown."""
        return self.exchange(method, path, params)[1]

    def exchange(
        self, method: str, path: str, params: Mapping[str, Any], *, rows: bool = False
    ) -> tuple[Reply, Mapping[str, Any]]:
        """The reply too. Parameters of a write travel in the body, never in the address.

        `rows`: the call carries rows, so that one of them may be to blame (BatchRefused).
        """
        writes = method != "GET"
        params = {**params, **self._proof()}
        try:
            reply = self._client.request(
                method,
                f"{self._options.api_version}/{path}",
                accept=_HANDLED,
                writes=writes,
                json=params if writes else None,
                params=None if writes else params,
            )
            body = reply.json()
        except Incomplete as error:
            raise Wait(error.message, hint="Run again later") from None
        self._usage = faults.usage(reply.headers) or self._usage
        if not isinstance(body, dict) or (reply.status != 200 and "error" not in body):
            body = {"error": {"code": 1}}
        if "error" in body:
            raise faults.error_of(
                body["error"], reply.headers, reply.what, writes=writes, rows=rows
            )
        return reply, body

    def audiences(self, fields: str) -> Iterator[Mapping[str, Any]]:
        """Every audience of the ad account, newest first, a page at a time. Raises Stop, Wait."""
        after, seen = "", set[str]()
        while True:
            page = self.call(
                "GET",
                f"{self._options.account}/customaudiences",
                {"fields": fields, "limit": _PAGE, **({"after": after} if after else {})},
            )
            data, paging = page.get("data"), page.get("paging") or {}
            if not isinstance(data, list):
                raise Wait("Meta's list of audiences is unreadable.", hint="Run again later")
            yield from data
            if not paging.get("next"):
                return
            after = str((paging.get("cursors") or {}).get("after") or "")
            if not after or after in seen:
                raise Wait("Meta's list of audiences does not end.", hint="Run again later")
            seen.add(after)

    def quota(self) -> Quota | None:
        """Percent of the ad account's hourly allowance left, from the last reply that told; a look
        at the account where none did. Uploads do not tell (Marketing API, "Rate Limiting")."""
        if not self._usage:
            self.call("GET", self._options.account, {"fields": "id"})
        if not self._usage:
            return None
        used = max(
            int(entry.get(name) or 0)
            for entry in self._usage
            for name in ("call_count", "total_cputime", "total_time")
        )
        minutes = max(int(e.get("estimated_time_to_regain_access") or 0) for e in self._usage)
        return Quota(
            "the ad account's hourly allowance",
            100,
            max(0, 100 - used),
            f"in {minutes} min" if minutes else "",
            unit="percent",
        )

    def _proof(self) -> dict[str, str]:
        """`appsecret_proof` (Graph API, "Securing Requests"), where the app has a secret set."""
        if self._options.app_secret is None:
            return {}
        secret, token = (self._context.secret(name) for name in ("app_secret", "token"))
        hide(secret)
        proof = hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        return {"appsecret_proof": hide(proof)}


def _not_known_yet(reply: Reply) -> float | None:
    """803: a new audience that this server does not know yet; the call was not carried out."""
    return 0.0 if reply.code == "803" else None
