"""Mailchimp's errors, by what must happen next.

Source: mailchimp.com/developer/marketing/docs/errors. Titles only: details quote addresses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from audiencehub.connector import MAKE_ANEW
from audiencehub.errors import BatchRefused, HubError, Stop, Wait
from audiencehub.http import Reply

HANDLED = frozenset({200, 204, 400, 403, 404, 405, 409, 413, 414, 422})
"""Statuses that this room judges itself; 401, limits and outages are the client's."""
_TITLE = re.compile(r"[A-Za-z][A-Za-z ]{0,59}")
_STOPS: Mapping[str, tuple[str, str]] = {
    "API Key Missing": ("the API key is refused", "Renew the key of this destination"),
    "API Key Invalid": ("the API key is refused", "Renew the key of this destination"),
    "Wrong Datacenter": (
        "the key belongs to another data centre",
        "Copy the key with its ending (-us6, …), which names the data centre",
    ),
    "User Disabled": ("the user of the key is switched off", "Make a key of an active user"),
    "Compliance Related": (
        "the account is under review",
        "Read Mailchimp's notice in the account; nothing is sent until it is settled",
    ),
}


def throttled(reply: Reply) -> float | None:
    """Seconds to wait (0: choose) where very many calls are answered with a 403 that is no JSON
    (Marketing API fundamentals, "API Limits"); None for any other reply."""
    return (
        0.0 if reply.status == 403 and "json" not in reply.headers.get("content-type", "") else None
    )


def error_of(reply: Reply, *, rows: bool = False) -> HubError:
    """The error for a reply with a status of 400 or more; `rows`: a call whose rows may be to
    blame. Raises OutcomeUnknown or Incomplete when the body is not JSON."""
    body = reply.json()
    title = title_of(body if isinstance(body, dict) else {})
    said = f"{reply.what}: Mailchimp answers {reply.status} {title}".rstrip()
    if title in _STOPS:
        what, hint = _STOPS[title]
        return Stop(f"{said}: {what}.", hint=hint)
    if rows and reply.status in (400, 413, 422):
        return BatchRefused(
            f"{said}: the call is refused as a whole.",
            hint="Run again: smaller batches find the row to blame",
        )
    if reply.status == 404:
        # Somebody deleted it; making another by itself would undo their decision.
        return Stop(
            f"{said}: the tag or the audience does not exist any more.",
            hint=MAKE_ANEW,
        )
    if reply.status == 409:
        return Wait(f"{said}: something else writes at the same time.", hint="Run again later")
    return Stop(f"{said}: refused.", hint="Look the title up in Mailchimp's error glossary")


def title_of(body: Mapping[str, Any]) -> str:
    """Mailchimp's name for an error, if it is words and nothing else."""
    found = body.get("title")
    return found if isinstance(found, str) and _TITLE.fullmatch(found) else ""
