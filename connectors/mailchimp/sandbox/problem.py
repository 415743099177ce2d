"""Mailchimp's manners: problem documents, JSON bodies, pages, chosen fields."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

Document = dict[str, Any]
ERRORS = "https://mailchimp.com/developer/marketing/docs/errors/"


@dataclass
class Problem(Exception):
    """An error as Mailchimp words it (mailchimp.com/developer/marketing/docs/errors)."""

    status: int
    title: str
    detail: str
    errors: Sequence[tuple[str, str]] = field(default_factory=tuple)
    """Field and message, of an invalid resource."""

    def response(self) -> Response:
        """`{type, title, status, detail, instance[, errors: [{field, message}]]}`"""
        digest = hashlib.sha256(self.detail.encode()).hexdigest()
        body: Document = {
            "type": ERRORS,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:28]}",
        }
        if self.errors:
            body["errors"] = [{"field": name, "message": text} for name, text in self.errors]
        raw = json.dumps(body).encode()
        return Response(raw, self.status, media_type="application/problem+json; charset=utf-8")


def missing() -> Problem:
    """404 of everything that is not there."""
    return Problem(404, "Resource Not Found", "The requested resource could not be found.")


def invalid(name: str, message: str) -> Problem:
    """400 with the field to blame."""
    return Problem(
        400,
        "Invalid Resource",
        "The resource submitted could not be validated. For field-specific details, see the "
        "'errors' array.",
        ((name, message),),
    )


def answer(request: Request, document: Document | None, status: int = 200) -> Response:
    """The document, cut down to what `fields` names."""
    if document is None:
        return Response(status_code=204)
    wanted = [one for one in request.query_params.get("fields", "").split(",") if one]
    shown = _only(document, wanted) if wanted else document
    return Response(
        json.dumps(shown).encode(), status, media_type="application/json; charset=utf-8"
    )


async def body_of(request: Request, allowed: set[str]) -> Document:
    """The JSON body, an object with keys from `allowed`."""
    try:
        document = json.loads(await request.body())
    except ValueError:
        text = "We encountered an unspecified JSON parsing error."
        raise Problem(400, "JSON Parse Error", text) from None
    if not isinstance(document, dict):
        raise invalid("", "This value should be of type object.")
    for name in document:
        if name not in allowed:
            raise invalid(name, "This field was not expected.")
    return document


def bounds(request: Request) -> tuple[int, int]:
    """Offset and count; ten at a time unless told, a thousand at most."""
    try:
        offset, count = (
            int(request.query_params.get(k, d)) for k, d in (("offset", 0), ("count", 10))
        )
    except ValueError:
        raise invalid("count", "This value should be of type integer.") from None
    if not 0 <= count <= 1_000 or offset < 0:
        raise invalid("count", "This value should be between 0 and 1000.")
    return offset, count


def _only(document: Any, paths: Sequence[str]) -> Any:
    if isinstance(document, list):
        return [_only(one, paths) for one in document]
    if not isinstance(document, dict):
        return document
    shown: Document = {}
    for name, value in document.items():
        below = [path.partition(".")[2] for path in paths if path.split(".")[0] == name]
        if below:
            shown[name] = value if "" in below else _only(value, below)
    return shown
