"""Bulk imports of the fake: taken at once, done later, wrong rows named with their place."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from connectors.klaviyo.sandbox import lists, people
from connectors.klaviyo.sandbox.jsonapi import Document, Fault, resource

if TYPE_CHECKING:
    from connectors.klaviyo.sandbox.app import KlaviyoSandbox

KIND = "profile-bulk-import-job"
MOST_ROWS = 10_000
MOST_BYTES = 5_000_000
_ROWS = "/data/attributes/profiles/data"


def start(fake: KlaviyoSandbox, document: Document) -> Document:
    """A job for these profiles and lists; what its shape alone tells is refused at once."""
    data = document["data"]
    attributes = resource(data, KIND, "/data", {"profiles"})
    profiles = attributes.get("profiles")
    if not isinstance(profiles, dict) or set(profiles) != {"data"}:
        raise Fault(400, "invalid", "'profiles' is required.", "/data/attributes/profiles")
    rows = profiles["data"]
    if not isinstance(rows, list) or not rows:
        raise Fault(400, "invalid", "No profiles.", _ROWS)
    if len(rows) > MOST_ROWS:
        raise Fault(400, "invalid", f"At most {MOST_ROWS} profiles per request.", _ROWS)
    for at, row in enumerate(rows):
        given = resource(row, "profile", f"{_ROWS}/{at}", people.ATTRIBUTES)
        if not any(given.get(name) for name in people.IDENTIFIERS):
            detail = "One of email, phone_number, external_id, anonymous_id is required."
            raise Fault(400, "invalid", detail, f"{_ROWS}/{at}/attributes")
    table, stamp = fake.store.table("job"), fake.clock.tick()
    digest = hashlib.sha256(f"job {len(table)}".encode()).hexdigest()
    job: Document = {
        "id": f"job-{digest[:24]}",
        "status": "queued",
        "created_at": stamp.isoformat(),
        "lists": _lists(fake, data.get("relationships") or {}),
        "rows": [row["attributes"] for row in rows],
        "total": len(rows),
        "errors": [],
        "lag": int(fake.options.get("job_lag", 0)),
    }
    taken = {**job}
    table[job["id"]] = job
    if not job["lag"]:
        _carry_out(fake, job)
    return taken


def find(fake: KlaviyoSandbox, key: str) -> Document:
    """The job, or 404; each look brings one that lags nearer to its end."""
    table = fake.store.table("job")
    if key not in table:
        raise Fault(404, "not_found", f"A job with id {key} does not exist.", "id")
    job = table[key]
    if job["status"] in ("queued", "processing"):
        table[key] = job = {**job, "status": "processing", "lag": job["lag"] - 1}
        if job["lag"] < 0:
            _carry_out(fake, job)
    return table[key]


def shown(job: Document) -> Document:
    """The resource object; counts stay empty until the end."""
    done = job["status"] == "complete"
    failed = len({one["row"] for one in job["errors"]})
    return {
        "type": KIND,
        "id": job["id"],
        "attributes": {
            "status": job["status"],
            "created_at": job["created_at"],
            "total_count": job["total"],
            "completed_count": job["total"] - failed if done else 0,
            "failed_count": failed if done else 0,
            "completed_at": job["created_at"] if done else None,
            "expires_at": None,
            "started_at": None if job["status"] == "queued" else job["created_at"],
        },
        "relationships": {
            "lists": {"data": [{"type": "list", "id": one} for one in job["lists"]]},
        },
        "links": {"self": f"https://a.klaviyo.com/api/profile-bulk-import-jobs/{job['id']}/"},
    }


def errors_of(job: Document) -> list[Document]:
    """Import errors, each with the place of its row and the row itself."""
    return [
        {
            "type": "import-error",
            "id": f"{job['id']}-{at}",
            "attributes": {
                "code": one["code"],
                "title": "Invalid input.",
                "detail": one["detail"],
                "source": {"pointer": f"{_ROWS}/{one['row']}/attributes/email"},
                "original_payload": one["payload"],
            },
        }
        for at, one in enumerate(job["errors"])
    ]


def _lists(fake: KlaviyoSandbox, relationships: Document) -> list[str]:
    if not isinstance(relationships, dict) or not set(relationships) <= {"lists"}:
        raise Fault(400, "invalid", "Invalid relationships.", "/data/relationships")
    rows = (relationships.get("lists") or {}).get("data", [])
    if not isinstance(rows, list):
        raise Fault(400, "invalid", "Expected a list.", "/data/relationships/lists/data")
    found = []
    for at, row in enumerate(rows):
        pointer = f"/data/relationships/lists/data/{at}"
        if not isinstance(row, dict) or set(row) != {"type", "id"} or row["type"] != "list":
            raise Fault(400, "invalid", "Expected a resource identifier.", pointer)
        found.append(lists.find(fake, row["id"], f"{pointer}/id")["id"])
    return found


def _carry_out(fake: KlaviyoSandbox, job: Document) -> None:
    table, errors = fake.store.table("profile"), []
    written: dict[str, Document] = {}
    for at, attributes in enumerate(job["rows"]):
        email = attributes.get("email")
        if not people.valid(email):
            errors.append(
                {
                    "row": at,
                    "code": "invalid",
                    "detail": f"Invalid email address: {email}",
                    "payload": {"type": "profile", "attributes": attributes},
                }
            )
            continue
        key = people.number(email.strip().lower())
        written[key] = people.merged(written.get(key) or table.get(key), attributes)
    table.put(written)
    for one in job["lists"]:
        if one in fake.store.table("list"):
            lists.put(fake, one, "add", list(written.values()))
    fake.store.table("job")[job["id"]] = {
        **job, "status": "complete", "errors": errors, "rows": [],
    }  # fmt: skip
