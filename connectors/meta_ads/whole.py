"""A replacement: the audience holds what one session brought, all of it or nothing.

Source: developers.facebook.com/docs/marketing-api, "Replace Users in Custom Audiences": it does not
reset the learning phase of ad sets, takes no upload at the same time, and closes after 90 minutes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from audiencehub.errors import OutcomeUnknown, Wait
from connectors.meta_ads import faults, standing
from connectors.meta_ads.graph import Graph
from connectors.meta_ads.upload import MOST_ROWS, Upload

ATTEMPTS = 5
"""Sessions that are tried: each takes another number than one that ended early."""


def replaced(graph: Graph, audience: str, rows: Upload, salt: str) -> str:
    """Put these rows in the place of all others; the proof.

    The same rows and salt have the same session's number, so that one which came to its end without
    our hearing of it is known again. Until its last batch nothing changes. Raises Stop, Wait (also
    while another replacement is under way, be it of a run that was killed), OutcomeUnknown.
    """
    found = graph.call("GET", audience, {"fields": "operation_status"})
    if standing.replacing(found):
        raise Wait(
            "A replacement of this audience is under way.",
            hint="Run again later: one that broke off ends 90 minutes after it began",
        )
    for attempt in range(ATTEMPTS):
        number = rows.session(audience, salt, str(attempt))
        try:
            return _session(graph, audience, rows, number)
        except faults.BrokenOff as error:
            if error.subcode == faults.FINISHED and not standing.failed(found):
                return f"session {number} had finished"
    raise Wait("Meta ends every replacement early.", hint="Run again later")


def _session(graph: Graph, audience: str, rows: Upload, number: int) -> str:
    starts = range(0, len(rows.rows), MOST_ROWS)
    digests, invalid, received = hashlib.sha256(), 0, 0
    for batch, start in enumerate(starts, 1):
        part = rows.part(range(start, min(start + MOST_ROWS, len(rows.rows))))
        last = batch == len(starts)
        try:
            reply, body = graph.exchange(
                "POST",
                f"{audience}/usersreplace",
                {
                    "session": {
                        "session_id": number,
                        "batch_seq": batch,
                        "last_batch_flag": last,
                        "estimated_num_total": len(rows.rows),
                    },
                    "payload": part.payload(),
                },
            )
        except OutcomeUnknown as error:
            if last:
                raise
            raise Wait(error.message, hint=error.hint) from None
        received += len(part.rows)
        invalid = _counted(body, number, len(part.rows), received, last=last)
        digests.update(reply.content)
    return (
        f"session {number}, {len(starts)} batches, {received} rows, {invalid} invalid, "
        f"reply {digests.hexdigest()[:16]}"
    )


def _counted(body: Mapping[str, Any], number: int, rows: int, received: int, *, last: bool) -> int:
    """Rows that Meta calls invalid. Counts are of the batch or of the session so far; any other
    proves nothing."""
    invalid = body.get("num_invalid_entries", 0)
    fits = body.get("num_received") in (rows, received) and isinstance(invalid, int)
    if fits and str(body.get("session_id")) == str(number) and 0 <= invalid <= received:
        return int(invalid)
    unsure = "Meta's answer to a replacement counts other rows."
    again = "Run again: the same is sent anew"
    # Nothing is in the audience's place before the last batch.
    raise OutcomeUnknown(unsure, hint=again) if last else Wait(unsure, hint=again)


def parts(uploads: Sequence[Upload]) -> tuple[Upload | None, list[Upload]]:
    """What one session carries, whose columns must not change, and what is added after it.

    Rows with and without an id of the company's own have other columns; the larger part is the
    session's.
    """
    groups: dict[bool, list[Upload]] = {}
    for one in uploads:
        if one.op == "add":
            groups.setdefault("EXTERN_ID" in one.columns, []).append(one)
    order = sorted(groups, key=lambda has: (-sum(len(u.rows) for u in groups[has]), has))
    if not order:
        return None, []
    return joined(groups[order[0]]), [one for has in order[1:] for one in groups[has]]


def joined(uploads: Sequence[Upload]) -> Upload:
    """The rows of several uploads under all their columns."""
    names = tuple(dict.fromkeys(name for one in uploads for name in one.columns))
    rows: list[tuple[str, ...]] = []
    for one in uploads:
        where = {name: place for place, name in enumerate(one.columns)}
        rows += [tuple(row[where[n]] if n in where else "" for n in names) for row in one.rows]
    places = tuple(place for one in uploads for place in one.places)
    return Upload("add", names, tuple(rows), places, uploads[0].more)
