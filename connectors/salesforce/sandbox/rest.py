"""REST: query with locators, describe, single records, sObject Collections, Tooling, limits."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.salesforce.sandbox.login import Login, error
from connectors.salesforce.sandbox.records import Records, Refusal
from connectors.salesforce.sandbox.schema import OBJECTS, to_18
from connectors.salesforce.sandbox.soql import Parser, Query, SoqlError, run, stamp

Json = dict[str, Any]
PAGE, MOST_ROWS = 2000, 200
KINDS = {
    "MultiselectPicklist": "multipicklist",
    "LongTextArea": "textarea",
    "Text": "string",
    "Checkbox": "boolean",
    "Picklist": "picklist",
}


class Rest:
    """The handlers; state lives in the store behind `records`."""

    def __init__(self, records: Records, login: Login) -> None:
        self.records, self.login = records, login
        self.store, self.schema = records.store, records.schema

    def search(self, soql: str, *, deleted: bool) -> tuple[Query, Parser, list[Json]]:
        """The records of a query. Raises SoqlError."""
        parser = Parser(soql, self.schema, self.records.find)
        query = parser.parse()
        rows = list(self.store.table(query.entity).values())
        if query.entity == "Campaign":
            rows = [self.records.campaigns.counted(one) for one in rows]
        return query, parser, run(query, parser, rows, deleted=deleted)

    async def query(self, request: Request) -> Response:
        """`query` and `queryAll`: the first page, and a locator where more follows."""
        deleted = "queryAll" in request.url.path
        try:
            query, parser, found = self.search(request.query_params.get("q", ""), deleted=deleted)
        except SoqlError as refusal:
            return error(400, refusal.code, refusal.message)
        if query.count:
            return JSONResponse({"totalSize": len(found), "done": True, "records": []})
        size = re.search(r"batchSize=(\d+)", request.headers.get("sforce-query-options", ""))
        page = min(max(int(size[1]), 200), PAGE) if size else PAGE
        knob = self.records.knob("page_size")
        page = int(knob) if knob else page
        locators = self.store.table("locators")
        locator = f"0r8{len(locators) + 1:015d}"
        if len(found) > page:
            locators[locator] = {
                "soql": request.query_params["q"],
                "page": page,
                "ids": [one["Id"] for one in found],
            }
        version = request.path_params["version"]
        return self._page(query, parser, found, (locator, 0, page), version)

    async def more(self, request: Request) -> Response:
        """`query/<locator>-<offset>`."""
        locator, _, start = request.path_params["locator"].partition("-")
        kept = self.store.table("locators").get(locator)
        if kept is None or not start.isdigit():
            return error(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        parser = Parser(kept["soql"], self.schema, self.records.find)
        query = parser.parse()
        found = [one for key in kept["ids"] if (one := self.records.find(query.entity, key))]
        return self._page(
            query,
            parser,
            found,
            (locator, int(start), kept["page"]),
            request.path_params["version"],
        )

    def _page(
        self,
        query: Query,
        parser: Parser,
        found: list[Json],
        place: tuple[str, int, int],
        version: str,
    ) -> Response:
        locator, start, size = place
        end = start + size
        body: Json = {"totalSize": len(found), "done": end >= len(found)}
        if end < len(found):
            body["nextRecordsUrl"] = f"/services/data/v{version}/query/{locator}-{end}"
        body["records"] = [
            self._record(query.entity, one, query.select, parser, version)
            for one in found[start:end]
        ]
        return JSONResponse(body)

    def _record(
        self, entity: str, record: Json, select: list[str], parser: Parser | None, version: str
    ) -> Json:
        made: Json = {
            "attributes": {
                "type": entity,
                "url": f"/services/data/v{version}/sobjects/{entity}/{record['Id']}",
            }
        }
        for path in select:
            if "." not in path or parser is None:
                made[path] = record.get(path)
                continue
            step, _, rest = path.partition(".")
            value = parser.value(record, path)
            made[step] = None if value is None else {**(made.get(step) or {}), rest: value}
        return made

    def _entity(self, request: Request) -> str | None:
        return self.schema.find(request.path_params["entity"])

    async def describe(self, request: Request) -> Response:
        """`sobjects/<name>/describe`, or its head without `describe`."""
        entity = self._entity(request)
        if entity is None:
            return error(404, "NOT_FOUND", "The requested resource does not exist")
        return JSONResponse(self.schema.describe(entity))

    async def deleted(self, request: Request) -> Response:
        """`sobjects/<name>/deleted/?start=&end=`: at most 15 days back, whole minutes."""
        entity = self._entity(request)
        try:
            start, end = (
                datetime.fromisoformat(request.query_params[name].replace(" ", "+"))
                for name in ("start", "end")
            )
        except (KeyError, ValueError):
            return error(400, "INVALID_REPLICATION_DATE", "startDate or endDate is invalid")
        now = self.records.clock.now()
        if entity is None or end <= start:
            return error(400, "INVALID_REPLICATION_DATE", "startDate must be before endDate")
        if start < now - timedelta(days=15):
            return error(
                400, "INVALID_REPLICATION_DATE", "startDate before org replication enabled date"
            )
        low, high = stamp(start), stamp(end + timedelta(minutes=1))
        known = [*self.store.table(entity).values(), *self.store.table("purged").values()]
        gone = [
            {"id": one["Id"], "deletedDate": one["SystemModstamp"]}
            for one in known
            if one["IsDeleted"]
            and low <= one["SystemModstamp"] <= high
            and one["Id"][:3] == self.schema.prefix(entity)
        ]
        return JSONResponse(
            {
                "deletedRecords": gone,
                "latestDateCovered": stamp(end),
                "earliestDateAvailable": stamp(now - timedelta(days=15)),
            }
        )

    async def create(self, request: Request) -> Response:
        """`POST sobjects/<name>`."""
        entity = self._entity(request)
        if entity is None:
            return error(404, "NOT_FOUND", "The requested resource does not exist")
        try:
            made = self.records.create(entity, await request.json())
        except Refusal as refusal:
            return JSONResponse(refusal.rest(), 400)
        return JSONResponse({"id": made, "success": True, "errors": []}, 201)

    async def single(self, request: Request) -> Response:
        """Get, update or delete one record."""
        entity, key = self._entity(request), to_18(request.path_params["id"])
        record = self.records.find(entity, key) if entity else None
        if entity is None or record is None or (record["IsDeleted"] and request.method == "GET"):
            return error(404, "NOT_FOUND", "The requested resource does not exist")
        if request.method == "GET":
            names = [f.name for f in self.schema.fields(entity).values()]
            asked = request.query_params.get("fields")
            return JSONResponse(
                self._record(
                    entity,
                    record,
                    asked.split(",") if asked else names,
                    None,
                    request.path_params["version"],
                )
            )
        try:
            if request.method == "PATCH":
                self.records.update(entity, key, await request.json())
            else:
                self.records.delete(entity, key)
        except Refusal as refusal:
            return JSONResponse(refusal.rest(), 400)
        return Response(status_code=204)

    async def collections(self, request: Request) -> Response:
        """`composite/sobjects`: 200 rows a call, a verdict for each, HTTP 200 whatever they are."""
        body = await request.json() if request.method != "DELETE" else {}
        rows = body.get("records", [])
        if request.method == "DELETE":
            rows = [{"id": one} for one in request.query_params.get("ids", "").split(",") if one]
        if not rows:
            return error(400, "REQUIRED_FIELD_MISSING", "At least 1 record is required")
        if len(rows) > MOST_ROWS:
            return error(
                400,
                "EXCEEDED_MAX_SIZE_REQUEST",
                f"record limit reached. cannot submit more than {MOST_ROWS} records into this call",
            )
        act = {"POST": self._insert, "PATCH": self._update, "DELETE": self._delete}[request.method]
        return JSONResponse([self._verdict(act, row) for row in rows])

    def _verdict(self, act: Callable[[Json], str], row: Json) -> Json:
        try:
            return {"id": act(row), "success": True, "errors": []}
        except Refusal as refusal:
            return {"success": False, "errors": [refusal.collection()]}

    def _named(self, row: Mapping[str, Any]) -> str:
        entity = self.schema.find(str(row.get("attributes", {}).get("type", "")))
        if entity is None:
            raise Refusal("INVALID_TYPE", "sObject type is not supported.")
        return entity

    def _insert(self, row: Json) -> str:
        return self.records.create(self._named(row), row)

    def _update(self, row: Json) -> str:
        key = str(row.get("id") or row.get("Id") or "")
        self.records.update(self._named(row), key, row)
        return to_18(key)

    def _delete(self, row: Json) -> str:
        entity = next(
            (name for name, (start, _) in OBJECTS.items() if row["id"].startswith(start)), "Contact"
        )
        self.records.delete(entity, row["id"])
        return to_18(row["id"])

    async def custom_field(self, request: Request) -> Response:
        """Tooling `CustomField`: made, but seen by nobody until a permission set grants it."""
        body = await request.json()
        full, meta = str(body.get("FullName", "")), body.get("Metadata") or {}
        entity, _, name = full.partition(".")
        kind = KINDS.get(meta.get("type", ""))
        named = self.schema.find(entity) and re.fullmatch(r"[A-Za-z]\w*__c", name)
        if not named or kind is None:
            return error(400, "INVALID_FIELD", "The field definition cannot be used")
        if name.lower() in self.schema.all_fields(entity):
            return error(400, "DUPLICATE_DEVELOPER_NAME", f"There is already a field named {name}.")
        values = meta.get("valueSet", {}).get("valueSetDefinition", {}).get("value", [])
        if kind == "multipicklist" and not values:
            return error(400, "FIELD_INTEGRITY_EXCEPTION", "Picklist must have at least one value")
        default = {"textarea": 32768, "multipicklist": 4099}.get(kind, 255)
        self.store.table("custom_fields")[full] = {
            "kind": kind,
            "length": int(meta.get("length") or default),
            "values": [one["fullName"] for one in values],
            "restricted": bool(meta.get("valueSet", {}).get("restricted")),
        }
        made = f"00N5e{len(self.store.table('custom_fields')):010d}AAA"
        return JSONResponse(
            {"id": made, "success": True, "errors": [], "warnings": [], "infos": []}, 201
        )

    async def limits(self, _: Request) -> Response:
        """`limits`: the daily allowances and what is left of them."""
        used, most = self.login.usage()
        return JSONResponse(
            {
                "DailyApiRequests": {"Max": most, "Remaining": most - used},
                "DailyBulkApiBatches": {"Max": 15000, "Remaining": 15000},
                "DailyBulkV2QueryJobs": {"Max": 10000, "Remaining": 10000},
                "DailyBulkV2QueryFileStorageMB": {"Max": 976562, "Remaining": 976562},
            }
        )
