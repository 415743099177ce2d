"""Segments of the fake: create, find, change, delete, and the states they pass through."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from connectors.linkedin_ads.sandbox.restli import RestliError, known_fields

if TYPE_CHECKING:
    from connectors.linkedin_ads.sandbox.app import LinkedInSandbox

FIRST = 9821700
BUILD = timedelta(hours=48)
UPDATE = timedelta(hours=4)
ARCHIVED, EXPIRED = timedelta(days=30), timedelta(days=90)
ROLLING = 7
"""Days over which inputs and matches are counted."""
_ACCOUNT = re.compile(r"urn:li:sponsoredAccount:[0-9]+")
_FIELDS = frozenset(
    "name description type sourcePlatform sourceSegmentId account accessPolicy destinations".split()  # noqa: SIM905
)
_NEEDED = ("name", "type", "sourcePlatform", "account", "accessPolicy", "destinations")

Document = dict[str, Any]


def create(fake: LinkedInSandbox, body: Document) -> str:
    """The id of a new, empty segment; neither names nor sourceSegmentIds need be unique."""
    known_fields(body, _FIELDS)
    for name in _NEEDED:
        if not body.get(name):
            raise RestliError(422, "FIELD_REQUIRED", f"ERROR :: /{name} :: field is required")
    if body["type"] not in ("USER", "COMPANY"):
        raise RestliError(422, "FIELD_INVALID", "ERROR :: /type :: not an enum symbol")
    if not _ACCOUNT.fullmatch(str(body["account"])):
        raise RestliError(400, "INVALID_PARAMS", "account is not a sponsoredAccount URN")
    if body["accessPolicy"] != "PRIVATE":
        raise RestliError(400, "INVALID_PARAMS", "accessPolicy must be PRIVATE")
    if body["destinations"] != [{"destination": "LINKEDIN"}]:
        raise RestliError(400, "INVALID_PARAMS", "destinations must name LINKEDIN")
    if body["sourcePlatform"] not in fake.platforms:
        raise RestliError(403, "ACCESS_DENIED", "The app may not use this sourcePlatform")
    counter, now = fake.store.table("counter"), fake.clock.tick().isoformat()
    number = counter.get("segment", {"next": FIRST})["next"]
    counter["segment"] = {"next": number + 1}
    fake.store.table("segment")[str(number)] = {
        **body,
        "id": number,
        "created": now,
        "changed": None,
        "used": now,
        "lag": int(fake.options.get("alias_lag", 1)),
    }
    return str(number)


def find(fake: LinkedInSandbox, segment: str) -> Document:
    """The stored segment."""
    found = fake.store.table("segment").get(segment)
    if found is None:
        raise RestliError(404, "NOT_FOUND", f"Could not find DMP segment with id {segment}")
    return found


def writable(fake: LinkedInSandbox, segment: str, kind: str) -> Document:
    """The segment that elements are sent to. A new one is unknown there at first, as it is for
    the first seconds at LinkedIn."""
    found = find(fake, segment)
    if found["lag"] > 0:
        store(fake, found, lag=found["lag"] - 1)
        raise RestliError(404, "NOT_FOUND", f"Could not find DMP segment with id {segment}")
    if found["type"] != kind:
        raise RestliError(400, "INVALID_PARAMS", f"The segment is of type {found['type']}")
    if status(fake, found) == "EXPIRED":
        raise RestliError(400, "INVALID_PARAMS", "The segment has expired")
    return found


def listed(fake: LinkedInSandbox, params: dict[str, str]) -> Document:
    """One page of the account's segments, oldest first."""
    if params.get("q") != "account":
        raise RestliError(400, "PARAM_INVALID", "Unknown finder")
    if not _ACCOUNT.fullmatch(params.get("account", "")):
        raise RestliError(400, "PARAM_INVALID", "account is not a sponsoredAccount URN")
    named = {n: params[n] for n in ("account", "sourcePlatform", "sourceSegmentId") if n in params}
    every = [
        one
        for one in fake.store.table("segment").values()
        if all(one.get(name) == value for name, value in named.items())
    ]
    start, count = int(params.get("start", 0)), min(100, int(params.get("count", 10)))
    return {
        "elements": [shown(fake, one) for one in every[start : start + count]],
        "paging": {"start": start, "count": count, "links": [], "total": len(every)},
    }


def patch(fake: LinkedInSandbox, segment: Document, body: Document) -> None:
    """A partial update: `{"patch": {"$set": {…}}}` of name and description."""
    changes = body.get("patch", {}).get("$set")
    if not isinstance(changes, dict):
        raise RestliError(400, "INVALID_BODY", "A partial update needs patch.$set")
    known_fields(changes, frozenset({"name", "description"}), "/patch/$set")
    store(fake, segment, **changes)


def delete(fake: LinkedInSandbox, segment: Document) -> None:
    """The segment, its members and its counts are gone."""
    for name in ("member", "input"):
        fake.store.table(f"{name}:{segment['id']}").clear()
    del fake.store.table("segment")[str(segment["id"])]


def store(fake: LinkedInSandbox, segment: Document, **values: Any) -> None:
    """Change what is stored of a segment."""
    table, key = fake.store.table("segment"), str(segment["id"])
    table[key] = {**table[key], **values}


def status(fake: LinkedInSandbox, segment: Document) -> str:
    """BUILDING for two days after the first member, UPDATING for hours after a change, ARCHIVED
    after 30 days without one, EXPIRED after 90. Option `build` = "fails": FAILED."""
    now = fake.clock.now()
    if fake.options.get("build") == "fails":
        return "FAILED"
    idle = now - datetime.fromisoformat(segment["used"])
    if idle >= ARCHIVED:
        return "EXPIRED" if idle >= EXPIRED else "ARCHIVED"
    if segment["changed"] is None or now - datetime.fromisoformat(segment["built"]) < BUILD:
        return "BUILDING"
    fresh = now - datetime.fromisoformat(segment["changed"]) < UPDATE
    return "UPDATING" if fresh else "READY"


def shown(fake: LinkedInSandbox, segment: Document) -> Document:
    """The segment as LinkedIn shows it, with counts once it is built."""
    state = status(fake, segment)
    place: Document = {
        "destination": "LINKEDIN",
        "destinationSegmentId": f"urn:li:adSegment:{segment['id']}",
        "status": state,
        "created": _millis(segment["created"]),
        "lastModified": _millis(segment["changed"] or segment["created"]),
    }
    entity: Document = {name: segment[name] for name in _FIELDS if name in segment}
    if state not in ("BUILDING", "FAILED"):
        recent = (fake.clock.now() - timedelta(days=ROLLING)).isoformat()
        days = fake.store.table(f"input:{segment['id']}")
        rolling = [one for day, one in days.items() if day > recent[:10]]
        place["matchedCount"] = sum(one["matched"] for one in rolling)
        place["audienceSize"] = _size(fake, segment)
        entity["inputCount"] = sum(one["input"] for one in rolling)
    return {
        **entity,
        "id": segment["id"],
        "created": place["created"],
        "lastModified": place["lastModified"],
        "destinations": [place],
    }


def _size(fake: LinkedInSandbox, segment: Document) -> int:
    """Members of LinkedIn in the audience: each once, and of a company everybody."""
    held = fake.store.table(f"member:{segment['id']}").values()
    return sum(one["matched"] * (1 if segment["type"] == "USER" else 40) for one in held)


def _millis(at: str) -> int:
    return int(datetime.fromisoformat(at).timestamp() * 1000)
