"""Profiles by address, and on and off a list by profile.

Klaviyo finds a profile by its address through a filter in the query of a GET and in no other way;
our logs leave queries out. Only removals need it, and adding where no profile may be made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from audiencehub.connector.addresses import Row
from audiencehub.errors import BatchRefused, OutcomeUnknown
from connectors.klaviyo.api import Api

MOST_RELATED = 1_000
"""Profiles per call on or off a list (reference: "Add Profiles to List")."""
MOST_ASKED = 100
LONGEST_FILTER = 6_000
"""Characters of a filter in the address, well below what front servers take."""


def off(api: Api, audience: str, rows: Sequence[Row]) -> tuple[list[Row], list[Row], str]:
    """Rows that were taken off, rows that were not on the list, and the proof.

    Raises Stop, Wait, BatchRefused, OutcomeUnknown.
    """
    found = lookup(api, rows, f"lists/{audience}/profiles", "list profiles")
    ids = sorted({one for profiles in found.values() for one in profiles})
    proof = _change(api, audience, "DELETE", ids) if ids else "200 not on the list"
    return (
        [row for row in rows if row.email in found],
        [row for row in rows if row.email not in found],
        proof,
    )


def on(api: Api, audience: str, rows: Sequence[Row]) -> tuple[list[Row], list[Row], str]:
    """Rows whose profiles are put on the list, rows without a profile, and the proof."""
    found = lookup(api, rows, "profiles", "profiles")
    ids = sorted({one for profiles in found.values() for one in profiles})
    proof = _change(api, audience, "POST", ids) if ids else "200 no profile"
    return (
        [row for row in rows if row.email in found],
        [row for row in rows if row.email not in found],
        proof,
    )


def lookup(api: Api, rows: Sequence[Row], path: str, endpoint: str) -> dict[str, list[str]]:
    """Address to profile ids, of those that are found. Raises Stop, Wait.

    A profile may have several addresses and shows one. Where it shows another than was asked for,
    the addresses are asked for one by one, so that none is taken for absent that is not.
    """
    found: dict[str, list[str]] = {}
    for part in _asked(rows):
        held = _filtered(api, path, endpoint, part)
        if all(email in part for email, _ in held):
            for email, number in held:
                found.setdefault(email, []).append(number)
            continue
        for one in part:
            numbers = [number for _, number in _filtered(api, path, endpoint, [one])]
            if numbers:
                found[one] = numbers
    return found


def _filtered(api: Api, path: str, endpoint: str, emails: Sequence[str]) -> list[tuple[str, str]]:
    values = ",".join(f'"{email}"' for email in emails)
    params = {
        "filter": f"any(email,[{values}])",
        "fields[profile]": "email",
        "page[size]": 100,
    }
    held = []
    for one in api.each(endpoint, path, params):
        attributes = one.get("attributes")
        email = attributes.get("email") if isinstance(attributes, dict) else None
        held.append((str(email or "").strip().lower(), str(one.get("id") or "")))
    return [(email, number) for email, number in held if number]


def _asked(rows: Sequence[Row]) -> Iterator[list[str]]:
    part: list[str] = []
    size = 0
    for row in rows:
        more = len(quote(f'"{row.email}",', safe=""))
        if part and (len(part) == MOST_ASKED or size + more > LONGEST_FILTER):
            yield part
            part, size = [], 0
        part.append(row.email)
        size += more
    if part:
        yield part


def _change(api: Api, audience: str, method: str, ids: Sequence[str]) -> str:
    if len(ids) > MOST_RELATED:
        raise BatchRefused(
            f"These addresses have {len(ids)} profiles: more than one call takes.",
            hint="Run again: smaller batches have fewer",
        )
    endpoint = "put on list" if method == "POST" else "take off list"
    body: dict[str, Any] = {"data": [{"type": "profile", "id": one} for one in ids]}
    path = f"lists/{audience}/relationships/profiles"
    reply = api.write(endpoint, method, path, body, rows=True)
    if reply.status != 204:
        raise OutcomeUnknown(
            f"Klaviyo's answer to {len(ids)} profiles is not the one it documents.",
            hint="Run again: the same profiles are sent anew",
        )
    digest = hashlib.sha256("".join(ids).encode()).hexdigest()[:16]
    return f"204 {len(ids)} profiles {digest}"
