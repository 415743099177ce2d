"""LinkedIn's statuses, by what must happen next.

Source: learn.microsoft.com/linkedin, "Error Handling" and "Migrations"; ads.md §3.3 and §3.4.
"""

from __future__ import annotations

from audiencehub.errors import BatchRefused, HubError, Stop
from audiencehub.http import HttpRefused, Reply

NEW_SEGMENT = 5.0
"""Seconds: "After creating a DMP segment, wait 5 seconds" (DMP Segment Users); seen to take two
minutes."""
_ROWS = ("/users", "/companies")
_STOPS = {
    401: (
        "the access token is refused",
        "Log in to LinkedIn again and renew the token of this destination",
    ),
    403: (
        "the token may not manage audiences",
        "Give its member more than VIEWER on the ad account, and the app rw_dmp_segments",
    ),
    426: (
        "this version of the API is retired",
        "Raise api_version in deployments/ to a month of the last year",
    ),
}


ANEW = "Give the destination a new `namespace`, and run: audiencehub push --resync"
"""How a segment is made anew: by itself it would be empty where the hub believes members."""


def gone(segment: str) -> Stop:
    """A segment that was remembered and is not there."""
    return Stop(
        f"LinkedIn does not know the segment {segment} any more, or the token may not see it.",
        hint=ANEW,
    )


def not_now(reply: Reply) -> float | None:
    """Seconds to wait where LinkedIn did not carry out the call and may soon: a segment that it
    does not know yet, a conflict, a lock."""
    if unknown_segment(reply):
        return NEW_SEGMENT
    return 0.0 if reply.status in (409, 423) else None


def unknown_segment(reply: Reply) -> bool:
    """Elements were sent to a segment that LinkedIn does not know, or not yet."""
    return reply.status == 404 and reply.what.endswith(_ROWS)


def error_of(error: HttpRefused, what: str, *, rows: int = 0) -> HubError:
    """What a refused call means. `rows`: how many elements it carried."""
    said = f"{what}: LinkedIn answers {error.status}" + (f" {error.code}" if error.code else "")
    known = _STOPS.get(error.status)
    if known:
        return Stop(f"{said}: {known[0]}.", hint=known[1])
    if rows and error.status in (400, 413, 422):
        return BatchRefused(
            f"{said}: the call is refused as a whole.",
            hint="Run again: smaller calls find the element to blame",
        )
    return Stop(f"{said}: refused.", hint="Check the options of this destination in deployments/")
