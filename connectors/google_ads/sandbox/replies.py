"""Google's manners: strict messages in, messages out, errors in the shape of google.rpc."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}
DOMAIN = "datamanager.googleapis.com"
MOST_VIOLATIONS = 100


@dataclass(frozen=True)
class Violation:
    """One field that is wrong: its path in the words of the proto, and the reason."""

    field: str
    reason: str
    description: str = "The value is not valid."


@dataclass
class GoogleError(Exception):
    """An error as the API words it (google.rpc.Status with details)."""

    code: int
    message: str = "There was a problem with the request."
    reason: str = ""
    violations: list[Violation] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """The error body, with its HTTP status."""
        status = STATUS[self.code]
        trace = "t-" + hashlib.sha256(repr(self.violations).encode()).hexdigest()[:22]
        kind = "type.googleapis.com/google.rpc."
        details: list[dict[str, Any]] = [
            {
                "@type": f"{kind}ErrorInfo",
                "reason": self.reason or status,
                "domain": DOMAIN,
                "metadata": {"requestId": trace, **self.metadata},
            },
            {"@type": f"{kind}RequestInfo", "requestId": trace},
        ]
        if self.violations:
            shown = [vars(one) for one in self.violations[:MOST_VIOLATIONS]]
            details.append({"@type": f"{kind}BadRequest", "fieldViolations": shown})
        error = {"code": self.code, "message": self.message, "status": status, "details": details}
        return JSONResponse({"error": error}, status_code=self.code)


def invalid(*violations: Violation) -> GoogleError:
    """400 for these fields."""
    return GoogleError(400, violations=list(violations))


async def message(request: Request, kind: Any) -> Any:
    """The body as this message, plain protobuf. Raises GoogleError for anything it has no name for.

    Enums come as numbers or names; a value that is neither is refused.
    """
    from google.protobuf import json_format

    try:
        document = json.loads(await request.body() or b"{}")
        return json_format.ParseDict(document, kind.pb()(), ignore_unknown_fields=False)
    except (ValueError, RecursionError, json_format.ParseError) as error:
        said = f"Invalid JSON payload received. {str(error)[:200]}"
        raise GoogleError(400, said, violations=[Violation("", "INVALID_FORMAT", said)]) from None


def answer(request: Request, found: Any) -> Response:
    """A message as JSON; enums as the caller asked for them."""
    from google.protobuf import json_format

    numbers = "enum-encoding=int" in request.query_params.get("$alt", "")
    return JSONResponse(json_format.MessageToDict(found, use_integers_for_enums=numbers))
