"""Klaviyo's errors, by what must happen next.

Source: developers.klaviyo.com/en/docs/rate_limits_and_error_handling. Codes and places only: the
texts may quote what was sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from audiencehub.connector import MAKE_ANEW
from audiencehub.errors import BatchRefused, HubError, Stop, Wait
from audiencehub.http import Reply

HANDLED = frozenset({200, 201, 202, 204, 400, 404, 409, 410, 413, 415, 422})
"""Statuses that this room judges itself; 401, 403, limits and outages are the client's."""
_ROW = re.compile(r"/data/attributes/profiles/data/([0-9]{1,6})(?:/.*)?")
_RELATED = re.compile(r"/data/[0-9]{1,6}(?:/.*)?")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")


def entries(reply: Reply) -> list[Mapping[str, Any]]:
    """The errors of a reply. Raises OutcomeUnknown or Incomplete when it is not JSON."""
    body = reply.json()
    found = body.get("errors") if isinstance(body, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def rows_named(reply: Reply) -> dict[int, str]:
    """Rows of an import that a refusal blames, to the code."""
    found = {}
    for one in entries(reply):
        match = _ROW.fullmatch(pointer(one))
        if match:
            found[int(match[1])] = code(one)
    return found


def error_of(reply: Reply, *, rows: bool = False) -> HubError:
    """The error for a reply with a status of 400 or more; `rows`: a call whose rows may be to
    blame. Raises as `entries` does."""
    known = entries(reply)
    said = f"{reply.what}: Klaviyo answers {reply.status} {code(known[0]) if known else ''}".strip()
    if rows and reply.status in (400, 413, 422):
        return BatchRefused(f"{said}.", hint="Run again: smaller batches find the row to blame")
    if (
        rows
        and reply.status == 404
        and known
        and all(_RELATED.fullmatch(pointer(one)) for one in known)
    ):
        return BatchRefused(f"{said}: a profile is gone.", hint="Run again: it is looked up anew")
    if reply.status in (404, 410):
        # Somebody deleted it; making another by itself would undo their decision.
        return Stop(
            f"{said}: the list does not exist any more, or the key may not see it.",
            hint=MAKE_ANEW,
        )
    if reply.status == 409:
        return Wait(f"{said}: something else writes at the same time.", hint="Run again later")
    return Stop(f"{said}: refused.", hint="Check `revision` in deployments/; see Klaviyo's errors")


def code(entry: Mapping[str, Any]) -> str:
    """Klaviyo's word for what is wrong, if it is a word."""
    found = entry.get("code")
    return found if isinstance(found, str) and _CODE.fullmatch(found) else "invalid"


def pointer(entry: Mapping[str, Any]) -> str:
    """The place in the body that is to blame; "" where none is named."""
    source = entry.get("source")
    found = source.get("pointer") if isinstance(source, Mapping) else None
    return found if isinstance(found, str) else ""


def row_of(entry: Mapping[str, Any]) -> int | None:
    """The number of the row that an import error is about, where it tells."""
    match = _ROW.fullmatch(pointer(entry))
    return int(match[1]) if match else None
