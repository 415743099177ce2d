"""Rest.li's own manners: headers that must be there, methods, errors in one shape."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

OLDEST = "202511"
"""The oldest version that still lives; those before it are sunset."""


@dataclass
class RestliError(Exception):
    """An error as LinkedIn words it: status, code, message, serviceErrorCode."""

    status: int
    code: str
    message: str
    service: int = 100

    def document(self) -> dict[str, Any]:
        """The body; the same shape stands in a batch beside an element's status."""
        return {
            "status": self.status,
            "code": self.code,
            "message": self.message,
            "serviceErrorCode": self.service,
        }

    def response(self) -> Response:
        """The reply."""
        return JSONResponse(self.document(), status_code=self.status)


def check_headers(request: Request, now: datetime, oldest: str) -> None:
    """The version must live, and the protocol must be the one that it speaks."""
    version = request.headers.get("linkedin-version", "")
    if not version:
        raise RestliError(
            400, "VERSION_MISSING", "A version must be present. Please specify LinkedIn-Version"
        )
    if not re.fullmatch(r"[0-9]{6}(\.[0-9]{2})?", version):
        raise RestliError(400, "INVALID_VERSION", "The version is not of the form YYYYMM")
    if not oldest <= version[:6] <= now.strftime("%Y%m"):
        raise RestliError(426, "NONEXISTENT_VERSION", f"Requested version {version} is not active")
    if request.headers.get("x-restli-protocol-version") != "2.0.0":
        raise RestliError(
            400, "INVALID_PROTOCOL_VERSION", "X-Restli-Protocol-Version must be 2.0.0"
        )


def check_method(request: Request, wanted: str, *, needed: bool = False) -> None:
    """`X-RestLi-Method` names the method; where two share a verb it must be there."""
    named = request.headers.get("x-restli-method", "" if needed else wanted).upper()
    if named != wanted:
        raise RestliError(
            400, "INVALID_METHOD", f"X-RestLi-Method is {named or 'missing'}, not {wanted}"
        )


async def document(request: Request) -> dict[str, Any]:
    """The body, which must be a JSON object."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RestliError(415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type must be application/json")
    try:
        body = json.loads(await request.body())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise RestliError(400, "INVALID_BODY", "Cannot read the entity")
    return body


def known_fields(body: dict[str, Any], allowed: frozenset[str], at: str = "") -> None:
    """A field that the schema does not know fails the whole request."""
    for name in body:
        if name not in allowed:
            raise RestliError(
                422,
                "FIELD_INVALID",
                f"ERROR :: {at}/{name} :: unrecognized field found but not allowed",
            )
