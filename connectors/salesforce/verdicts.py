"""What Salesforce's status codes mean for one row."""

from __future__ import annotations

import re
from collections.abc import Sequence

from audiencehub.model import Receipt

AGAIN = frozenset(
    {
        "UNABLE_TO_LOCK_ROW",
        "SERVER_UNAVAILABLE",
        "REQUEST_RUNNING_TOO_LONG",
        "QUERY_TIMEOUT",
        "REQUEST_LIMIT_EXCEEDED",
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "UNPROCESSED",
    }
)
"""Codes that time cures (SOAP API Developer Guide, StatusCode)."""
CODE = re.compile(r"[A-Z][A-Z0-9_]{2,79}")
FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,79}")


def refused(member: str, code: str, fields: Sequence[str] = ()) -> Receipt:
    """`retry` for a lock or an outage, else `rejected`. The vendor's message is left out: it may
    quote a person's data."""
    code = code if CODE.fullmatch(code) else "UNKNOWN_EXCEPTION"
    names = [one for one in fields if FIELD.fullmatch(one)]
    reason = f"{code}: {', '.join(names)}" if names else code
    return Receipt(member, "retry" if code in AGAIN else "rejected", reason=reason)
