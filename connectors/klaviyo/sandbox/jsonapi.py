"""Klaviyo's manners: JSON:API documents, errors with a source, filters, cursors."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

MEDIA = "application/vnd.api+json"
_FILTER = re.compile(r"(any|equals)\(([\w.]+),(.+)\)")
Document = dict[str, Any]


@dataclass
class Fault(Exception):
    """One or more errors (developers.klaviyo.com, "Rate limits, status codes, and errors")."""

    status: int
    code: str
    detail: str
    source: str = "/data"
    """A pointer into the body, or where it has no slash the name of a parameter."""
    headers: dict[str, str] = field(default_factory=dict)
    more: Sequence[Fault] = ()
    meta: Document = field(default_factory=dict)

    def response(self) -> Response:
        """`{"errors": [{id, status, code, title, detail, source, links, meta}]}`"""
        errors = [one._error() for one in (self, *self.more)]
        return answer({"errors": errors}, self.status, self.headers)

    def _error(self) -> Document:
        number = hashlib.sha256(f"{self.code}{self.source}".encode()).hexdigest()
        where = "pointer" if self.source.startswith("/") else "parameter"
        return {
            "id": f"{number[:8]}-{number[8:12]}-{number[12:16]}-{number[16:20]}-{number[20:32]}",
            "status": self.status,
            "code": self.code,
            "title": self.code.replace("_", " ").capitalize() + ".",
            "detail": self.detail,
            "source": {where: self.source},
            "links": {},
            "meta": self.meta,
        }


def answer(
    document: Any, status: int = 200, headers: dict[str, str] | None = None, media: str = MEDIA
) -> Response:
    """A document; 202 and 204 may have none."""
    body = b"" if document is None else json.dumps(document).encode()
    return Response(body, status, headers=headers, media_type=media if body else None)


async def body_of(request: Request, most: int) -> Document:
    """The JSON body, an object with `data` and nothing else."""
    raw = await request.body()
    if len(raw) > most:
        raise Fault(413, "payload_too_large", f"The payload is larger than {most} bytes.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (MEDIA, "application/json"):
        raise Fault(415, "unsupported_media_type", f"Unsupported media type '{kind}' in request.")
    try:
        document = json.loads(raw)
    except ValueError:
        raise Fault(400, "invalid", "The payload provided in the request is invalid.") from None
    if not isinstance(document, dict) or set(document) != {"data"}:
        raise Fault(400, "invalid", "The payload provided in the request is invalid.")
    return document


def resource(document: Any, kind: str, pointer: str, keys: set[str]) -> Document:
    """A resource object of this type with attributes from `keys`."""
    if not isinstance(document, dict):
        raise Fault(400, "invalid", "Expected a resource object.", pointer)
    strange = set(document) - {"type", "id", "attributes", "relationships", "meta"}
    if strange:
        raise Fault(400, "invalid", f"'{min(strange)}' is not a valid field.", pointer)
    if document.get("type") != kind:
        raise Fault(400, "invalid", f"The type must be '{kind}'.", f"{pointer}/type")
    attributes = document.get("attributes", {})
    if not isinstance(attributes, dict):
        raise Fault(400, "invalid", "Expected an object.", f"{pointer}/attributes")
    strange = set(attributes) - keys
    if strange:
        name = min(strange)
        raise Fault(
            400,
            "invalid",
            f"'{name}' is not a valid field for the resource '{kind}'.",
            f"{pointer}/attributes/{name}",
        )
    return attributes


def chosen(request: Request, allowed: dict[str, set[str]]) -> tuple[str, list[str]] | None:
    """Field and values of `filter=any(field,[…])` or `equals(field,…)`; None without a filter.

    `allowed`: field to its operators.
    """
    text = request.query_params.get("filter")
    if text is None:
        return None
    found = _FILTER.fullmatch(text)
    if not found or found[1] not in allowed.get(found[2], ()):
        raise Fault(400, "invalid", "Invalid filter provided.", "filter")
    quoted = found[3].replace("'", '"')
    try:
        value = json.loads(quoted)
    except ValueError:
        raise Fault(400, "invalid", "Invalid filter provided.", "filter") from None
    values = value if found[1] == "any" else [value]
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        raise Fault(400, "invalid", "Invalid filter provided.", "filter")
    if found[1] == "any" and len(values) > 100:
        raise Fault(400, "invalid", "any() takes at most 100 values.", "filter")
    return found[2], values


def page(request: Request, rows: Sequence[Document], most: int, usual: int) -> Document:
    """`data` and `links` of one page; the cursor is opaque, the next link absolute."""
    query = dict(request.query_params)
    try:
        size = int(query.get("page[size]", usual))
        cursor = query.get("page[cursor]")
        start = int(urlsafe_b64decode(cursor).decode().removeprefix("next:")) if cursor else 0
    except ValueError:
        raise Fault(400, "invalid", "Invalid input.", "page[cursor]") from None
    if not 1 <= size <= most:
        detail = f"Page size must be an integer between 1 and {most}."
        raise Fault(400, "invalid", detail, "page[size]")
    after = None
    if start + size < len(rows):
        there = urlsafe_b64encode(f"next:{start + size}".encode()).decode()
        base = str(request.url).partition("?")[0]
        after = f"{base}?{urlencode({**query, 'page[cursor]': there})}"
    links = {"self": str(request.url), "next": after, "prev": None}
    return {"data": list(rows[start : start + size]), "links": links}


def demand_fields(request: Request, kind: str, allowed: set[str]) -> None:
    """Refuse `fields[kind]` with a name that the resource does not have."""
    wanted = request.query_params.get(f"fields[{kind}]")
    strange = set(wanted.split(",")) - allowed if wanted is not None else set()
    if strange:
        detail = f"'{min(strange)}' is not a valid field for the resource '{kind}'."
        raise Fault(400, "invalid", detail, f"fields[{kind}]")


def sparse(request: Request, kind: str, attributes: Document) -> Document:
    """The attributes that `fields[kind]` asks for; all without it."""
    demand_fields(request, kind, set(attributes))
    wanted = request.query_params.get(f"fields[{kind}]")
    if wanted is None:
        return attributes
    return {name: attributes[name] for name in wanted.split(",")}
