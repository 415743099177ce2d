"""Adding people: one bulk import per ten thousand, into the list, nobody's consent touched.

Source: developers.klaviyo.com/en/docs/use_klaviyos_bulk_profile_import_api. Addresses travel in the
body, and an import that ends without failures proves each of its rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audiencehub.connector.addresses import Row
from audiencehub.errors import HubError, OutcomeUnknown, Wait
from audiencehub.http import MachineClock, Reply
from audiencehub.model import Processed
from connectors.klaviyo import faults
from connectors.klaviyo.api import Api

MOST_ROWS = 10_000
MOST_BYTES = 4_500_000
"""Klaviyo takes 5 MB; the rest is for what stands around the rows."""
JOBS = "profile-bulk-import-jobs"
UNENDED = ("queued", "processing")


@dataclass(frozen=True, slots=True)
class Ended:
    """How an import ended."""

    done: int
    failed: int
    complete: bool
    """False: cancelled."""


def uploads(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """The rows in parts that one import takes."""
    part: list[Row] = []
    size = 0
    for row in rows:
        more = len(json.dumps(_profile(row))) + 2
        if part and (len(part) == MOST_ROWS or size + more > MOST_BYTES):
            yield part
            part, size = [], 0
        part.append(row)
        size += more
    if part:
        yield part


def start(api: Api, audience: str, rows: Sequence[Row]) -> tuple[str, dict[int, str]]:
    """The id of the import; or "" and the rows that Klaviyo blames for refusing it, to codes.

    Raises Stop, Wait, BatchRefused, OutcomeUnknown.
    """
    reply = api.write(
        "import",
        "POST",
        JOBS,
        {
            "data": {
                "type": "profile-bulk-import-job",
                "attributes": {"profiles": {"data": [_profile(row) for row in rows]}},
                "relationships": {"lists": {"data": [{"type": "list", "id": audience}]}},
            }
        },
        rows=True,
    )
    if reply.status == 400:
        return "", faults.rows_named(reply)
    return _job(reply, len(rows)), {}


def ended(api: Api, job: str, seconds: float) -> Ended | None:
    """How it ended; None when it has not within so many seconds, or cannot be asked."""
    clock, pause = MachineClock(), 0.25
    while True:
        try:
            found = look(api, job)
        except HubError:
            # The import was taken: a status that cannot be read takes nothing back.
            return None
        if found is None or isinstance(found, Ended):
            return found
        if seconds <= 0:
            return None
        clock.sleep(min(pause, seconds))
        seconds, pause = seconds - pause, min(pause * 2, 5.0)


def look(api: Api, job: str) -> Ended | str | None:
    """How the import ended, its status while it goes on, None where Klaviyo knows none of it."""
    body = api.read("import status", f"{JOBS}/{job}")
    if body is None:
        return None
    data = body["data"] if isinstance(body["data"], dict) else {}
    attributes = data.get("attributes") if data.get("id") == job else None
    known: Mapping[str, Any] = attributes if isinstance(attributes, dict) else {}
    status = str(known.get("status"))
    if status not in ("complete", "cancelled"):
        return status
    done, failed = (known.get(name) or 0 for name in ("completed_count", "failed_count"))
    if not (isinstance(done, int) and isinstance(failed, int) and min(done, failed) >= 0):
        return "unreadable"
    return Ended(done, failed, status == "complete")


def refused(api: Api, job: str) -> tuple[dict[int, str], dict[str, int]]:
    """Row number to code, of the failures that name their row; and code to count, of all."""
    named: dict[int, str] = {}
    counts: dict[str, int] = {}
    # The payload is left out: nothing of a person is fetched to tell what was wrong.
    params = {"fields[import-error]": "code,source", "page[size]": 100}
    for one in api.each("import errors", f"{JOBS}/{job}/import-errors", params):
        attributes = one.get("attributes")
        known = attributes if isinstance(attributes, dict) else {}
        why, row = faults.code(known), faults.row_of(known)
        if row is not None and row in named:
            continue
        counts[why] = counts.get(why, 0) + 1
        if row is not None:
            named[row] = why
    return named, counts


def processed(api: Api, job: str) -> Processed:
    """What became of an import. Raises Stop, Wait."""
    found = look(api, job)
    if found is None:
        return Processed("gone")
    if not isinstance(found, Ended):
        return Processed("running")
    rows = found.done + found.failed
    if not found.complete:
        return Processed("failed", rows, {"cancelled": max(1, found.failed)})
    if not found.failed:
        return Processed("done", rows)
    return Processed("partly" if found.done else "failed", rows, refused(api, job)[1])


def await_end(api: Api, audience: str, seconds: float) -> None:
    """Until no import into this list goes on: it may yet add whom we would take off.

    Raises Stop, and Wait when one has not ended within so many seconds.
    """
    clock, pause = MachineClock(), 0.25
    while _pending(api, audience):
        if seconds <= 0:
            raise Wait(
                "An import into this list has not ended; it may add whom we would take off.",
                hint="Run again later; what is done is recorded",
                seconds=30.0,
            )
        clock.sleep(min(pause, seconds))
        seconds, pause = seconds - pause, min(pause * 2, 5.0)


def _pending(api: Api, audience: str) -> bool:
    states = ",".join(f'"{one}"' for one in UNENDED)
    params = {"filter": f"any(status,[{states}])", "page[size]": 100}
    for one in api.each("imports", JOBS, params):
        body = api.read("import lists", f"{JOBS}/{one.get('id')}/relationships/lists")
        related = body["data"] if body and isinstance(body["data"], list) else []
        if any(isinstance(row, dict) and row.get("id") == audience for row in related):
            return True
    return False


def _profile(row: Row) -> dict[str, Any]:
    return {"type": "profile", "attributes": {"email": row.email, **row.names}}


def _job(reply: Reply, count: int) -> str:
    body = reply.json()
    data = body.get("data") if isinstance(body, dict) else None
    known = data if isinstance(data, dict) else {}
    attributes = known.get("attributes")
    total = attributes.get("total_count") if isinstance(attributes, dict) else None
    job = known.get("id")
    if reply.status != 202 or not isinstance(job, str) or not job or total != count:
        raise OutcomeUnknown(
            f"Klaviyo's answer to {count} rows names no import of that many.",
            hint="Run again: the same rows are sent anew",
        )
    return job
