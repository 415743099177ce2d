"""One Bulk API 2.0 ingest job: upload, close, wait, and a verdict for every row.

Steps and files: Bulk API 2.0 Developer Guide, Ingest. JobComplete says nothing of single rows.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

from audiencehub.errors import HubError, OutcomeUnknown, Stop
from audiencehub.model import Receipt
from connectors.salesforce.answers import csv_rows
from connectors.salesforce.client import Client
from connectors.salesforce.verdicts import refused

NULL = "#N/A"
"""Clears a field; an empty cell would leave it as it is (Prepare CSV Files)."""
Row = Mapping[str, str | None]


def update(client: Client, entity: str, rows: Sequence[Row]) -> list[Receipt]:
    """One receipt per row, in order. Nothing is applied before the job is closed.

    Raises OutcomeUnknown when the job was closed and its end was not seen, Stop where the whole
    job was refused for a field, and Wait before it was closed.
    """
    job = _closed(client, entity, rows)
    try:
        ended = client.wait_for("ingest", job)
        files = {
            name: csv_rows(
                client.call("GET", f"jobs/ingest/{job}/{name}", headers={"Accept": "text/csv"})
            )
            for name in ("successfulResults", "failedResults", "unprocessedrecords")
        }
    except HubError as error:
        raise OutcomeUnknown(
            f"The end of bulk job {job} was not seen: {error.message}",
            hint="Run again: the records are read back",
        ) from None
    if ended.get("state") == "Failed" and not ended.get("numberRecordsProcessed"):
        _refuse_job(entity, str(ended.get("errorMessage", "")))
    return _receipts(job, ended, [str(row["Id"]) for row in rows], files)


def _closed(client: Client, entity: str, rows: Sequence[Row]) -> str:
    """The id of a job that holds the rows and was told to start."""
    job = str(
        client.call(
            "POST",
            "jobs/ingest",
            json={
                "operation": "update",
                "object": entity,
                "contentType": "CSV",
                "lineEnding": "LF",
                "columnDelimiter": "COMMA",
            },
        ).json()["id"]
    )
    try:
        client.call(
            "PUT",
            f"jobs/ingest/{job}/batches",
            body=_csv(rows),
            headers={"Content-Type": "text/csv; charset=UTF-8"},
        )
    except HubError:
        _abort(client, job)
        raise
    client.call("PATCH", f"jobs/ingest/{job}", json={"state": "UploadComplete"})
    return job


def _abort(client: Client, job: str) -> None:
    """Leave no open job behind; it would end by itself after seven days."""
    try:
        client.call("PATCH", f"jobs/ingest/{job}", json={"state": "Aborted"})
    except HubError:
        return


def _csv(rows: Sequence[Row]) -> bytes:
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow(
            [NULL if name in row and row[name] is None else row.get(name, "") for name in names]
        )
    return out.getvalue().encode("utf-8")


def _refuse_job(entity: str, message: str) -> None:
    if "Field name not found" in message:
        raise Stop(
            f"Salesforce lacks or hides a tag field of {entity}.",
            hint="Grant the integration user edit access to it (field-level security)",
        )


def _receipts(
    job: str, ended: Mapping[str, Any], members: Sequence[str], files: Mapping[str, list[list[str]]]
) -> list[Receipt]:
    """Verdicts matched by id, since the files keep no order. Where the three files do not add up
    to what was sent, no row of the batch is believed."""
    told: dict[str, list[Receipt]] = {}
    for name, (header, *rows) in files.items():
        at = header.index("Id") if "Id" in header else -1
        for row in rows:
            member = row[at] if at >= 0 else ""
            told.setdefault(member, []).append(_verdict(job, name, header, row, member))
    done = sum(len(files[name]) - 1 for name in ("successfulResults", "failedResults"))
    left = len(files["unprocessedrecords"]) - 1
    adds_up = (
        done + left == len(members) == len(told)
        and done == ended.get("numberRecordsProcessed")
        and len(files["failedResults"]) - 1 == ended.get("numberRecordsFailed")
    )
    if not adds_up or set(told) != set(members):
        return [Receipt(one, "unknown", reason="RESULTS_DO_NOT_ADD_UP") for one in members]
    return [told[one][0] for one in members]


def _verdict(
    job: str, name: str, header: Sequence[str], row: Sequence[str], member: str
) -> Receipt:
    if name == "unprocessedrecords":
        return refused(member, "UNPROCESSED")
    if name == "failedResults":
        # CODE:message:fields -- ; the message in the middle may hold colons and personal data.
        said = row[header.index("sf__Error")]
        fields = said.rpartition(":")[2].removesuffix("--").split()
        return refused(member, said.partition(":")[0], fields)
    digest = hashlib.sha256("\0".join(row).encode()).hexdigest()[:12]
    return Receipt(member, "confirmed", f"{job} {row[header.index('sf__Id')]} {digest}")
