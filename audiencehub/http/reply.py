"""What comes back from a request, and what a refusal looks like."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

from requests.structures import CaseInsensitiveDict

from audiencehub.errors import Incomplete, OutcomeUnknown, Stop
from audiencehub.http.redaction import redact

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class HttpRefused(Stop):
    """A status the caller did not expect and that no waiting cures."""

    def __init__(self, message: str, *, hint: str, status: int, code: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Reply:
    """One answer, its body read whole and within bounds."""

    status: int
    headers: Mapping[str, str]
    """Names in any case."""
    content: bytes
    what: str = ""
    """Method and path, without query: for messages."""
    writes: bool = False
    """It answers a write, so that an unreadable body means an unknown outcome."""

    @cached_property
    def text(self) -> str:
        """The body as UTF-8 (or the charset that the header names); bad bytes are refused."""
        charset = re.search(r"charset=\"?([\w.:-]+)", self.headers.get("content-type", ""), re.I)
        try:
            return self.content.decode(charset[1] if charset else "utf-8-sig")
        except (UnicodeDecodeError, LookupError):
            self.unreadable("is not text in the encoding it names")

    def json(self) -> Any:
        """The body as JSON. Raises Incomplete (OutcomeUnknown for a write) when it is not JSON."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not (kind.endswith(("/json", "+json")) or kind == "text/javascript"):
            self.unreadable(f"is {kind[:60] or 'untyped'}, not JSON")
        return self._parsed

    @cached_property
    def _parsed(self) -> Any:
        try:
            return json.loads(self.content, parse_constant=_no_constant)
        except RecursionError:
            self.unreadable("is nested too deep")
        except ValueError:
            self.unreadable("is cut off or not JSON")

    def unreadable(self, why: str) -> NoReturn:
        """Raise what an answer means that cannot be understood."""
        message = redact(f"The reply to {self.what} ({self.status}) {why}.")
        if self.writes:
            raise OutcomeUnknown(message, hint="Run again: the write is checked or repeated")
        raise Incomplete(message, hint="Run again; if it stays, check the address in deployments/")

    @property
    def code(self) -> str:
        """The vendor's own word for an error, where the body holds one; never its message."""
        try:
            body = json.loads(self.content[:65536])
        except (ValueError, RecursionError):
            return ""
        return _code(body, 0)


def headers_of(pairs: Mapping[str, str]) -> Mapping[str, str]:
    """A header mapping that answers in any case."""
    return CaseInsensitiveDict(pairs)


def _code(body: Any, depth: int) -> str:
    if isinstance(body, list) and body and depth < 3:
        return _code(body[0], depth + 1)
    if not isinstance(body, dict):
        return ""
    # HubSpot category, Salesforce errorCode, Meta error.code, OAuth error (RFC 6749 §5.2).
    for key in ("category", "errorCode", "code", "error", "status"):
        value = body.get(key)
        if isinstance(value, dict) and depth < 3:
            return _code(value, depth + 1)
        if isinstance(value, int | str) and _CODE.fullmatch(str(value)):
            return redact(str(value))
    return ""


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
