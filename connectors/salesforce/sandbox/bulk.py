"""Bulk API 2.0: query and ingest jobs. Work is done when a job is closed, told poll by poll."""

from __future__ import annotations

import csv
import io
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.salesforce.sandbox.login import error
from connectors.salesforce.sandbox.records import Refusal
from connectors.salesforce.sandbox.rest import Rest
from connectors.salesforce.sandbox.soql import Parser, SoqlError

Json = dict[str, Any]
NEXT = {"UploadComplete": "InProgress", "InProgress": "JobComplete"}
HIDDEN = ("csv", "ids", "soql", "successful", "failed", "unprocessed", "outcome")
DELIMITERS = {
    "COMMA": ",",
    "TAB": "\t",
    "SEMICOLON": ";",
    "PIPE": "|",
    "CARET": "^",
    "BACKQUOTE": "`",
}


def read_csv(text: str, job: Json) -> list[list[str]]:
    """Rows with their header; newlines inside quotes survive."""
    return [
        row
        for row in csv.reader(
            io.StringIO(text, newline=""), delimiter=DELIMITERS[job["columnDelimiter"]]
        )
        if row
    ]


def write_csv(rows: list[list[str]], job: Json) -> str:
    """Every cell quoted, as the vendor does."""
    out = io.StringIO(newline="")
    ending = "\r\n" if job["lineEnding"] == "CRLF" else "\n"
    csv.writer(
        out,
        delimiter=DELIMITERS[job["columnDelimiter"]],
        lineterminator=ending,
        quoting=csv.QUOTE_ALL,
    ).writerows(rows)
    return out.getvalue()


def cell(value: Any) -> str:
    """A value as result files spell it: null is empty, instants end in Z."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace(".000+0000", ".000Z")


class Bulk:
    """The handlers of `jobs/query` and `jobs/ingest`."""

    def __init__(self, rest: Rest) -> None:
        self.rest, self.records, self.store = rest, rest.records, rest.store

    def _job(self, request: Request) -> Json | None:
        found = self.store.table("jobs").get(request.path_params["id"])
        kind = "query" if "/jobs/query" in request.url.path else "ingest"
        return found if found and found["kind"] == kind else None

    def _make(self, request: Request, kind: str, state: str, **more: Any) -> Json:
        jobs = self.store.table("jobs")
        key = f"7505e{len(jobs) + 1:010d}AAA"
        now = self.records.clock.now().strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        job = {
            "id": key,
            "kind": kind,
            "state": state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(request.path_params["version"]),
            "createdDate": now,
            "systemModstamp": now,
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
            **{k: v for k, v in more.items() if v is not None},
        }
        jobs[key] = job
        return job

    @staticmethod
    def _shown(job: Json) -> Json:
        return {k: v for k, v in job.items() if k not in HIDDEN and k != "kind"}

    async def create_query(self, request: Request) -> Response:
        """`POST jobs/query`."""
        body = await request.json()
        deleted = body.get("operation") == "queryAll"
        try:
            query, parser, found = self.rest.search(str(body.get("query", "")), deleted=deleted)
        except SoqlError as refusal:
            return error(400, refusal.code, refusal.message)
        if query.count:
            return error(400, "API_ERROR", "Aggregate queries are not supported by the Bulk API")
        if any(parser.path(path)[1].kind == "address" for path in query.select):
            return error(
                400, "FEATURENOTENABLED", "Selecting compound data not supported in Bulk Query"
            )
        job = self._make(
            request,
            "query",
            "UploadComplete",
            operation=body["operation"],
            object=query.entity,
            columnDelimiter=body.get("columnDelimiter"),
            lineEnding=body.get("lineEnding"),
            soql=body["query"],
            ids=[one["Id"] for one in found],
        )
        return JSONResponse(self._shown(job))

    async def results(self, request: Request) -> Response:
        """`jobs/query/<id>/results`: one CSV page with a header row of its own."""
        job = self._job(request)
        if job is None or job["state"] != "JobComplete":
            return error(404, "NOT_FOUND", "The requested resource does not exist")
        if float(request.path_params["version"]) != job["apiVersion"]:
            return error(409, "API_ERROR", "The job was made with another API version")
        asked = request.query_params
        size = min(int(asked.get("maxRecords", 50000)), self.records.knob("bulk_page") or 50000)
        start = int(asked.get("locator") or 0)
        parser = Parser(job["soql"], self.rest.schema, self.records.find)
        select = parser.parse().select
        rows = [
            [cell(parser.value(one, path)) for path in select]
            for key in job["ids"][start : start + size]
            if (one := self.records.find(job["object"], key))
        ]
        end = start + size
        return Response(
            write_csv([select, *rows], job),
            media_type=None,
            headers={
                "content-type": self.records.knob("csv_type") or "text/csv",
                "sforce-numberofrecords": str(len(rows)),
                "sforce-locator": str(end) if end < len(job["ids"]) else "null",
            },
        )

    async def create_ingest(self, request: Request) -> Response:
        """`POST jobs/ingest`."""
        body = await request.json()
        entity = self.rest.schema.find(str(body.get("object", "")))
        if entity is None or body.get("operation") not in ("insert", "update", "delete", "upsert"):
            return error(
                400, "INVALIDENTITY", "Entity or operation is not supported by the Bulk API."
            )
        job = self._make(
            request,
            "ingest",
            "Open",
            operation=body["operation"],
            object=entity,
            columnDelimiter=body.get("columnDelimiter"),
            lineEnding=body.get("lineEnding"),
            externalIdFieldName=body.get("externalIdFieldName"),
        )
        version = request.path_params["version"]
        job = {**job, "contentUrl": f"services/data/v{version}/jobs/ingest/{job['id']}/batches"}
        self.store.table("jobs")[job["id"]] = job
        return JSONResponse(self._shown(job))

    async def upload(self, request: Request) -> Response:
        """`PUT …/batches`: once, while the job is open."""
        job = self._job(request)
        if job is None or job["state"] != "Open" or "csv" in job:
            return error(400, "INVALIDJOBSTATE", "Uploading is allowed once, while the job is open")
        self.store.table("jobs")[job["id"]] = {**job, "csv": (await request.body()).decode("utf-8")}
        return Response(status_code=201)

    async def change(self, request: Request) -> Response:
        """`PATCH`: UploadComplete starts the work, Aborted ends the job."""
        job, state = self._job(request), (await request.json()).get("state")
        if job is None or state not in ("UploadComplete", "Aborted"):
            return error(404, "NOT_FOUND", "The requested resource does not exist")
        if job["kind"] == "ingest" and job["state"] != "Open":
            return error(400, "INVALIDJOBSTATE", "The job is not open")
        job = {**job, "state": state}
        if state == "UploadComplete":
            job |= self._work(job)
        self.store.table("jobs")[job["id"]] = job
        return JSONResponse(self._shown(job))

    async def single(self, request: Request) -> Response:
        """`GET`: one step further each time it is asked. `DELETE` forgets the job."""
        job = self._job(request)
        if job is None:
            return error(404, "NOT_FOUND", "The requested resource does not exist")
        if request.method == "DELETE":
            del self.store.table("jobs")[job["id"]]
            return Response(status_code=204)
        state = NEXT.get(job["state"], job["state"])
        done = state == "JobComplete"
        outcome = dict(job.get("outcome") or {}) if done else {}
        if done and job["kind"] == "query":
            outcome["numberRecordsProcessed"] = len(job["ids"])
        job = {**job, "state": state, "retries": 0, "totalProcessingTime": 0, **outcome}
        self.store.table("jobs")[job["id"]] = job
        return JSONResponse(self._shown(job))

    async def outcome(self, request: Request) -> Response:
        """The three result files; the vendor's paths ignore case."""
        job = self._job(request)
        kind = request.path_params["file"].lower()
        name = {
            "successfulresults": "successful",
            "failedresults": "failed",
            "unprocessedrecords": "unprocessed",
        }.get(kind)
        if job is None or name is None:
            return error(404, "NOT_FOUND", "The requested resource does not exist")
        rows = read_csv(job.get("csv", ""), job)
        first = {"successful": ["sf__Id", "sf__Created"], "failed": ["sf__Id", "sf__Error"]}
        header = [*first.get(name, []), *(rows[0] if rows else [])]
        lost = set(self.records.knob("lose_rows") or ())
        body = [one for one in job.get(name, []) if not lost & set(one)]
        return Response(
            write_csv([header, *body], job),
            headers={"content-type": self.records.knob("csv_type") or "text/csv"},
        )

    def _work(self, job: Json) -> Json:
        rows = read_csv(job.get("csv", ""), job)
        header = rows[0] if rows else []
        fields = self.rest.schema.fields(job["object"])
        absent = next((one for one in header if one.lower() not in fields and one != "Id"), None)
        if not rows or absent:
            return {
                "state": "Failed",
                "numberRecordsProcessed": 0,
                "numberRecordsFailed": 0,
                "errorMessage": f"InvalidBatch : Field name not found : {absent}",
                "unprocessed": rows[1:],
            }
        stop = self.records.knob("stop_after")
        done, left = (rows[1 : 1 + stop], rows[1 + stop :]) if stop is not None else (rows[1:], [])
        successful, failed = [], []
        for row in done:
            try:
                made = self._row(job, dict(zip(header, row, strict=True)))
                created = str(job["operation"] == "insert").lower()
                successful.append([made, created, *row])
            except (Refusal, ValueError) as refusal:
                said = refusal.csv() if isinstance(refusal, Refusal) else "CSV_INVALID:bad row:--"
                failed.append(["", said, *row])
        counts = {"numberRecordsProcessed": len(done), "numberRecordsFailed": len(failed)}
        # The vendor promises no order, so none is kept.
        return {
            "successful": successful[::-1],
            "failed": failed[::-1],
            "unprocessed": left,
            "outcome": counts,
            **(
                {
                    "state": "Failed",
                    "errorMessage": "InternalServerError : the job was stopped",
                    **counts,
                }
                if left
                else {}
            ),
        }

    def _row(self, job: Json, row: dict[str, str]) -> str:
        # An empty cell leaves the field alone; only #N/A clears it.
        values = {name: None if value == "#N/A" else value for name, value in row.items() if value}
        key = str(values.pop("Id", "") or "")
        if job["operation"] == "insert" or (job["operation"] == "upsert" and not key):
            return self.records.create(job["object"], values)
        if job["operation"] == "delete":
            self.records.delete(job["object"], key)
        else:
            self.records.update(job["object"], key, values)
        return key
