"""The Business API's own manners: HTTP 200 for everything, and a code inside."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


@dataclass
class BusinessError(Exception):
    """A refusal. Nothing of the call was carried out."""

    code: int
    message: str


def answer(code: int, message: str, data: Any, number: int) -> Response:
    """`{"code", "message", "request_id", "data"}`, always with HTTP 200."""
    request = hashlib.sha256(str(number).encode()).hexdigest()[:24].upper()
    body = {"code": code, "message": message, "request_id": f"2026{request}", "data": data}
    return JSONResponse(body)


async def body_of(request: Request) -> dict[str, Any]:
    """The body, which must be a JSON object."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise BusinessError(40002, "Content-Type: must be application/json")
    try:
        body = json.loads(await request.body())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise BusinessError(40002, "The request body is not a JSON object")
    return body


def text(fields: dict[str, Any], name: str) -> str:
    """A field that must be there, as a string: TikTok's ids are longer than a double holds."""
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise BusinessError(40002, f"{name}: Missing data for required field.")
    return value


def texts(fields: dict[str, Any], name: str) -> list[str]:
    """A list of strings with one at least; in an address it is written as JSON."""
    value = fields.get(name)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = None
    if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
        raise BusinessError(40002, f"{name}: Not a valid list.")
    return value


def whole(fields: dict[str, Any], name: str, default: int, most: int) -> int:
    """A number of the address, from 1 to `most`."""
    value = str(fields.get(name, default))
    if not value.isdecimal() or not 1 <= int(value) <= most:
        raise BusinessError(40002, f"{name}: Must be between 1 and {most}.")
    return int(value)
