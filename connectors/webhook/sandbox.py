"""A receiver: checks the signature, its age, the key of idempotency and every row."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from audiencehub.http import MachineClock
from audiencehub.sandbox.kit import VendorSandbox

if TYPE_CHECKING:
    from audiencehub.sandbox.company import Company

KEY = "sandbox-key"
TOLERANCE = 300
MOST_ROWS = 500
NAMES = {"email", "email_sha256", "phone", "phone_sha256", "external_id"}
MORE = {
    "first_name", "last_name", "city", "state", "zip", "country", "company_name", "company_domain",
}  # fmt: skip
Json = dict[str, Any]


class _Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


class WebhookSandbox(VendorSandbox):
    """Options: `answers` = "nothing" (204 without a body) or "text" (`ok`, as many receivers do);
    `unknown` (values of `external_id` that it rejects).

    `GET /__members/<audience>` answers the rows, as they were added.
    """

    vendor = "webhook"
    keeps = ("member:",)

    def seed(self, company: Company) -> None:
        """A receiver knows nobody at first."""

    def advance(self, before: Company, after: Company) -> None:
        """A day changes nothing here."""

    def routes(self) -> list[Route]:
        """One address."""
        return [Route("/audiences", self._take, methods=["POST"])]

    def doors(self) -> list[Route]:
        """`/__members/<audience>`."""
        return [Route("/__members/{audience}", self._members, methods=["GET"])]

    async def _members(self, request: Request) -> Response:
        table = self.store.table(f"member:{request.path_params['audience']}")
        return JSONResponse(list(table.values()))

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        try:
            self._proven(request, body)
            message = _message(body)
            self._once(request.headers.get("idempotency-key", ""), body)
        except _Refused as refusal:
            return JSONResponse({"error": refusal.code}, refusal.status)
        rejected = self._carry_out(message)
        if self.options.get("answers") == "nothing":
            return Response(status_code=204)
        if self.options.get("answers") == "text":
            return Response("ok", media_type="text/plain")
        rows = len(message["added"]) + len(message["removed"])
        return JSONResponse({"received": rows, "rejected": rejected})

    def _proven(self, request: Request, body: bytes) -> None:
        """Signature first, then its age: who cannot sign learns nothing of the clock."""
        at = request.headers.get("x-audiencehub-timestamp", "")
        word, _, given = request.headers.get("x-audiencehub-signature", "").partition("=")
        own = hmac.new(KEY.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
        if word != "sha256" or not hmac.compare_digest(given.encode(), own.encode()):
            raise _Refused(401, "signature")
        now = MachineClock().now().timestamp()
        if not at.isdecimal() or abs(now - int(at)) > TOLERANCE:
            raise _Refused(401, "too_old")

    def _once(self, key: str, body: bytes) -> None:
        """The same key may come again with the same content alone."""
        if not re.fullmatch(r"[\x21-\x7e]{8,255}", key):
            raise _Refused(400, "idempotency_key")
        digest, table = hashlib.sha256(body).hexdigest(), self.store.table("keys")
        known = table.get(key)
        if known is not None and known["content"] != digest:
            raise _Refused(422, "idempotency_key_reused")
        table[key] = {"content": digest, "times": (known["times"] if known else 0) + 1}

    def _carry_out(self, message: Json) -> list[Json]:
        """Rows out, then rows in; those that are wrong are named."""
        audience, rejected = message["audience"], []
        table = self.store.table(f"member:{audience}")
        if audience:
            self.store.table("audience")[audience] = {"label": message["label"]}
        fresh: Json = {}
        holders = _holders(table) if message["removed"] else {}
        for name, op in (("removed", "remove"), ("added", "add")):
            for index, row in enumerate(message[name]):
                why = self._wrong(row)
                if why:
                    rejected.append({"in": name, "index": index, "reason": why})
                    continue
                key = json.dumps(row, sort_keys=True)
                self.record_write(key, op, audience=audience)
                if op == "add":
                    fresh[key] = row
                    continue
                # Who has one of these names is meant, whatever else was known of them.
                meant = {held for pair in row.items() for held in holders.get(pair, ())}
                for held in [one for one in meant if one in table]:
                    del table[held]
        table.put(fresh)
        return rejected

    def _wrong(self, row: Any) -> str:
        if not isinstance(row, dict) or not all(isinstance(v, str) and v for v in row.values()):
            return "malformed"
        if set(row) - NAMES - MORE or not set(row) & NAMES:
            return "unknown fields"
        for name in ("email_sha256", "phone_sha256"):
            if name in row and not re.fullmatch(r"[0-9a-f]{64}", row[name]):
                return "not hashed"
        if row.get("external_id") in self.options.get("unknown", ()):
            return "unknown customer"
        return ""


def _holders(table: Mapping[str, Json]) -> dict[tuple[str, str], list[str]]:
    """Who is held under each name, by the keys of their rows."""
    found: dict[tuple[str, str], list[str]] = {}
    for key, row in table.items():
        for pair in row.items():
            if pair[0] in NAMES:
                found.setdefault(pair, []).append(key)
    return found


def _message(body: bytes) -> Json:
    try:
        found = json.loads(body)
    except ValueError:
        raise _Refused(400, "json") from None
    if not isinstance(found, dict) or set(found) != {"audience", "label", "added", "removed"}:
        raise _Refused(400, "keys")
    if not all(isinstance(found[name], list) for name in ("added", "removed")):
        raise _Refused(400, "rows")
    rows = len(found["added"]) + len(found["removed"])
    if rows > MOST_ROWS:
        raise _Refused(413, "too_many_rows")
    if rows and not found["audience"]:
        raise _Refused(422, "no_audience")
    return found
