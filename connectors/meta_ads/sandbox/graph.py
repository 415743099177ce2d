"""The Graph API's own manners: parameters from anywhere, errors in one shape, answers."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

LONGEST_URL = 8192
TOO_LONG = "<html><head><title>414 Request-URI Too Long</title></head><body>414</body></html>"


@dataclass
class GraphError(Exception):
    """An error as Graph words it (developers.facebook.com/docs/graph-api, "Handle Errors")."""

    code: int
    message: str
    subcode: int | None = None
    status: int = 400
    type: str = "OAuthException"
    transient: bool = False

    def response(self) -> Response:
        """One object `error` with message, type, code, error_subcode, fbtrace_id."""
        error: dict[str, Any] = {
            "message": f"(#{self.code}) {self.message}",
            "type": self.type,
            "code": self.code,
            "is_transient": self.transient,
            "fbtrace_id": "A" + hashlib.sha256(self.message.encode()).hexdigest()[:20],
        }
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        return JSONResponse({"error": error}, status_code=self.status)


def too_long(request: Request) -> Response | None:
    """The front server's page for an address above 8 KB; it is not JSON."""
    size = len(request.scope.get("raw_path") or b"") + len(request.scope["query_string"])
    return Response(TOO_LONG, 414, media_type="text/html") if size > LONGEST_URL else None


async def parameters(request: Request) -> tuple[str, dict[str, Any]]:
    """The method that counts, and all parameters of query, form and JSON body together."""
    found: dict[str, Any] = dict(parse_qsl(request.url.query, keep_blank_values=True))
    body = await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and kind == "application/json":
        try:
            document = json.loads(body)
        except ValueError:
            raise GraphError(100, "The request body is not valid JSON") from None
        if not isinstance(document, dict):
            raise GraphError(100, "The request body must be a JSON object")
        found |= document
    elif body and kind == "multipart/form-data":
        found |= {key: str(value) for key, value in (await request.form()).items()}
    elif body:
        found |= dict(parse_qsl(body.decode(), keep_blank_values=True))
    method = str(found.pop("method", request.method)).upper() if request.method == "POST" else ""
    return method or request.method, found


def structure(params: dict[str, Any], name: str) -> Any:
    """A nested parameter: JSON in a form field, or the thing itself in a JSON body."""
    value = params.get(name)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise GraphError(100, f"Param {name} must be valid JSON") from None


def chosen(document: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """`id` and the fields asked for, as far as the object has them."""
    names = [name for name in str(params.get("fields", "")).split(",") if name]
    for name in names:
        if name not in document:
            raise GraphError(100, f"Tried accessing nonexisting field ({name})")
    found = {name: document[name] for name in names if document[name] is not None}
    return {"id": document["id"], **found}
