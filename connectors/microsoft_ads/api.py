"""One account's calls: credentials on each, an expired token renewed once, rest when asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from audiencehub.connector import Context
from audiencehub.errors import Incomplete, OutcomeUnknown, Stop, Wait
from audiencehub.http import HttpClient, Policy, Reply, hide, limiter_for
from connectors.microsoft_ads import faults
from connectors.microsoft_ads.login import Login
from connectors.microsoft_ads.options import Options

HOST = "https://campaign.api.bingads.microsoft.com"
# An expired token comes as 500 with a code of its own.
_HANDLED = frozenset({200, 400, 401, 403, 404, 500})
_TRACKING = re.compile(r"[0-9A-Za-z-]{1,64}")


class Api:
    """Campaign Management v13, REST. Thread safe."""

    def __init__(self, context: Context, options: Options) -> None:
        self._context, self._options = context, options
        base = context.base_url or HOST
        self._login = Login(context, options)
        self._client = HttpClient(
            base,
            policy=Policy(throttle=_rest),
            limiter=limiter_for((base, options.account_id), rate=options.calls_per_minute, per=60),
        )

    def call(
        self, method: str, path: str, body: Mapping[str, Any], *, writes: bool = False
    ) -> tuple[Reply, Mapping[str, Any]]:
        """The reply, and its JSON object. Errors of single elements stay in `PartialErrors`.

        Raises Stop, Wait, BatchRefused, and with `writes` OutcomeUnknown.
        """
        for last in (False, True):
            sent = self._login.headers()
            reply, document = self._send(method, path, body, sent, writes=writes)
            found = faults.errors(document)
            expired = reply.status == 401 or faults.EXPIRED in faults.codes(found)
            if not (expired and not last and self._login.refresh(sent)):
                break
        if reply.status == 401 and not found:
            found = [faults.Error(105)]
        if found or reply.status != 200 or not isinstance(document, Mapping):
            raise faults.error_of(found, reply.what, writes=writes)
        return reply, document

    def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any],
        login: Mapping[str, str],
        *,
        writes: bool,
    ) -> tuple[Reply, Any]:
        developer = hide(self._context.secret("developer_token"))
        if not (developer.isascii() and developer.isprintable()):
            raise Stop(
                "The developer token holds a line break or another character that no header may.",
                hint="Paste it again, without surrounding blanks or lines",
            )
        try:
            reply = self._client.request(
                method,
                f"CampaignManagement/v13/{path}",
                json=body,
                headers={
                    **login,
                    "DeveloperToken": developer,
                    "CustomerAccountId": self._options.account_id,
                    "CustomerId": self._options.customer_id,
                },
                accept=_HANDLED,
                writes=writes,
            )
            # A refused login may come without a body.
            document = None if reply.status == 401 and not reply.content else reply.json()
        except Incomplete as error:
            raise Wait(error.message, hint="Run again later") from None
        return reply, document


def proof(reply: Reply, digest: str) -> str:
    """What shows later that this call was made: status, Microsoft's tracking id, our digest."""
    tracking = str(reply.headers.get("TrackingId") or "")
    named = f" tracking {tracking}" if _TRACKING.fullmatch(tracking) else ""
    return f"{reply.status}{named} items {digest}"


def partial(reply: Reply, document: Mapping[str, Any]) -> list[faults.Error]:
    """The errors of single elements. Raises OutcomeUnknown where the reply does not say."""
    entries = document.get("PartialErrors", False)
    if entries is not None and not isinstance(entries, list):
        raise OutcomeUnknown(
            f"{reply.what}: the answer does not say what became of it.",
            hint="Run again: the same is said anew",
        )
    return faults.errors(document, "PartialErrors")


def _rest(reply: Reply) -> float | None:
    """A limit that Microsoft tells in the body: the call was not carried out."""
    try:
        document = reply.json()
    except (Incomplete, OutcomeUnknown):
        return None
    return faults.REST if faults.codes(faults.errors(document)) & faults.THROTTLED else None
