"""A Salesforce org on loopback: OAuth, REST, sObject Collections, Tooling and Bulk API 2.0.

It knows only the vendor's documentation and shares no code with the source or destination.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from audiencehub.sandbox.clock import SandboxClock
from audiencehub.sandbox.kit import VendorSandbox
from audiencehub.sandbox.store import Store
from connectors.salesforce.sandbox.bulk import Bulk
from connectors.salesforce.sandbox.login import ORG, USER, Login
from connectors.salesforce.sandbox.records import Records
from connectors.salesforce.sandbox.rest import Rest
from connectors.salesforce.sandbox.schema import OBJECTS, Schema
from connectors.salesforce.sandbox.seeding import difference, documents, id_of
from connectors.salesforce.sandbox.soql import stamp

if TYPE_CHECKING:
    from audiencehub.sandbox.company import Company

__all__ = ["SalesforceSandbox"]

Handler = Callable[[Request], Awaitable[Response]]
DATA = "/services/data/v{version}"


class SalesforceSandbox(VendorSandbox):
    """The fake org. `set(...)` and `POST /__knobs` turn its switches:

    `hidden` (fields that field-level security hides, `Contact.Email`), `locks` (record or account
    id to how many writes find it locked), `refuse` (record id to status code), `expire_after`
    (calls until every session dies, once), `daily_calls`, `page_size`, `bulk_page`, `csv_type`,
    `lose_rows` (cells whose rows vanish from result files), `stop_after` (rows an ingest job does
    before it fails), `certificate` (public key for the JWT flow, PEM), `marketing_user` (false: may
    not make campaigns).
    """

    vendor = "salesforce"
    keeps = ("Contact", "Lead", "Account", "CampaignMember")

    def __init__(
        self, store: Store, clock: SandboxClock, options: dict[str, Any] | None = None
    ) -> None:
        super().__init__(store, clock, options)
        self.login = Login(store, clock, self.options)
        self.records = Records(store, clock, Schema(store), self.record_write)
        self.rest = Rest(self.records, self.login)
        self.bulk = Bulk(self.rest)

    def set(self, **knobs: Any) -> None:
        """Turn switches; None turns one off."""
        self.store.table("__knobs").put({name: {"value": value} for name, value in knobs.items()})

    def routes(self) -> list[Route]:
        """The vendor's own paths, with and without the slash that clients append."""
        rest, bulk = self.rest, self.bulk
        calls: list[tuple[str, str, Handler]] = [
            ("GET", "/query", rest.query),
            ("GET", "/queryAll", rest.query),
            ("GET", "/query/{locator}", rest.more),
            ("GET", "/queryAll/{locator}", rest.more),
            ("GET", "/limits", rest.limits),
            ("GET", "/sobjects", self._sobjects),
            ("GET", "/sobjects/{entity}/describe", rest.describe),
            ("GET", "/sobjects/{entity}/deleted", rest.deleted),
            ("POST", "/sobjects/{entity}", rest.create),
            ("GET PATCH DELETE", "/sobjects/{entity}/{id}", rest.single),
            ("POST PATCH DELETE", "/composite/sobjects", rest.collections),
            ("POST", "/tooling/sobjects/CustomField", rest.custom_field),
            ("POST", "/jobs/query", bulk.create_query),
            ("GET PATCH DELETE", "/jobs/query/{id}", self._job),
            ("GET", "/jobs/query/{id}/results", bulk.results),
            ("POST", "/jobs/ingest", bulk.create_ingest),
            ("PUT", "/jobs/ingest/{id}/batches", bulk.upload),
            ("GET PATCH DELETE", "/jobs/ingest/{id}", self._job),
            ("GET", "/jobs/ingest/{id}/{file}", bulk.outcome),
        ]
        made = [
            Route("/services/oauth2/token", self.login.token, methods=["POST"]),
            Route("/services/oauth2/userinfo", self._guarded(self.login.user_info)),
            Route("/__knobs", self._knobs, methods=["POST"]),
        ]
        for methods, path, handler in calls:
            for ending in ("", "/"):
                made.append(
                    Route(DATA + path + ending, self._guarded(handler), methods=methods.split())
                )
        return made

    def _guarded(self, handler: Handler) -> Handler:
        async def answer(request: Request) -> Response:
            refusal = self.login.refuse(request)
            reply = refusal or await handler(request)
            # Bulk replies tell nothing of the allowance.
            if "/jobs/" not in request.url.path:
                used, most = self.login.usage()
                reply.headers["Sforce-Limit-Info"] = f"api-usage={used}/{most}"
            return reply

        return answer

    async def _job(self, request: Request) -> Response:
        return await (self.bulk.change if request.method == "PATCH" else self.bulk.single)(request)

    async def _sobjects(self, _: Request) -> Response:
        return JSONResponse(
            {
                "encoding": "UTF-8",
                "maxBatchSize": 200,
                "sobjects": [
                    {"name": name, "label": name, "keyPrefix": start}
                    for name, (start, _) in OBJECTS.items()
                ],
            }
        )

    async def _knobs(self, request: Request) -> Response:
        self.set(**json.loads(await request.body()))
        return Response(status_code=204)

    def seed(self, company: Company) -> None:
        """Fill an empty store from the demo company."""
        tables: dict[str, dict[str, Any]] = {}
        for entity, key, document in documents(company):
            tables.setdefault(entity, {})[key] = document
        now = stamp(self.clock.now())
        times = {
            "IsDeleted": False,
            "CreatedDate": now,
            "LastModifiedDate": now,
            "SystemModstamp": now,
        }
        tables["User"] = {
            USER: {
                "Id": USER,
                "Name": "Integration User",
                "Username": "integration@acme.example",
                **times,
            }
        }
        tables["Organization"] = {
            ORG: {"Id": ORG, "Name": company.name, "IsSandbox": True, **times}
        }
        for entity, rows in tables.items():
            self.store.table(entity).put(rows)

    def advance(self, before: Company, after: Company) -> None:
        """Apply what differs between two days; what the hub wrote meanwhile stays."""
        now = stamp(self.clock.tick())
        for entity, key, changed in difference(documents(before), documents(after)):
            table = self.store.table(entity)
            table[key] = {
                **table.get(key, {}),
                **changed,
                "Id": key,
                "LastModifiedDate": now,
                "SystemModstamp": now,
            }

    def id_of(self, entity: str, key: str) -> str:
        """The id that a company record has here, for tests: `id_of("Contact", "c000001")`."""
        made = id_of(entity, key)
        assert made is not None
        return made
