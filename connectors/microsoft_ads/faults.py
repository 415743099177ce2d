"""Microsoft's error codes, by what must happen next.

Source: learn.microsoft.com/advertising/guides, "Operation Error Codes" and "Handle Service Errors
and Exceptions". Codes only: messages and details may hold what was sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audiencehub.connector import MAKE_ANEW
from audiencehub.errors import BatchRefused, HubError, OutcomeUnknown, Stop, Wait

EXPIRED = 109
THROTTLED = frozenset({117, 207})
"""CallRateExceeded and ConcurrentRequestOverLimit: sixty seconds of rest, as the guide asks."""
REST = 60.0
ROW = frozenset({8004, 8005})
"""EmailMustBeHashed and the length of an own id: some item is to blame."""
DUPLICATE_NAME = 4848
GONE = 8000
_AGAIN = "Run again later; what is done is recorded"
_STOPS: Mapping[int, tuple[str, str]] = {
    105: (
        "the login or the developer token is refused",
        "Log in to Microsoft Advertising again and renew refresh_token; check developer_token",
    ),
    EXPIRED: (
        "a token that was just issued is called expired",
        "Check this machine's clock; log in to Microsoft Advertising again",
    ),
    106: (
        "the user has no access to this account",
        "Give the user who logged in a role on account_id, or correct account_id and customer_id",
    ),
    GONE: (
        "the customer list does not exist any more",
        MAKE_ANEW,
    ),
    8001: ("it does not know the action", "Report this: the API has changed"),
    8002: ("it does not take this kind of identifier", "Set unverified_identifiers = false"),
    8003: (
        "the Customer Match terms are not accepted",
        "Accept them by making one customer list on the Microsoft Advertising pages, or set "
        "accept_terms = true",
    ),
    DUPLICATE_NAME: (
        "two lists of this name are there already",
        "Rename the segment, or the lists on the Microsoft Advertising pages",
    ),
}
"""Code to what is wrong and what a person does about it."""


@dataclass(frozen=True, slots=True)
class Error:
    """One error of a reply."""

    code: int
    index: int | None = None
    """Which element of the request it is about."""


def errors(document: Any, *names: str) -> list[Error]:
    """The errors under these keys; by default all that a fault has (AdApiFaultDetail's `Errors`,
    ApiFaultDetail's `OperationErrors` and `BatchErrors`)."""
    if not isinstance(document, Mapping):
        return []
    found: list[Error] = []
    for name in names or ("Errors", "OperationErrors", "BatchErrors"):
        entries = document.get(name)
        for entry in entries if isinstance(entries, list) else []:
            if isinstance(entry, Mapping):
                found.append(Error(_number(entry.get("Code")), _index(entry.get("Index"))))
    return found


def codes(found: Iterable[Error]) -> set[int]:
    """The distinct codes."""
    return {one.code for one in found}


def error_of(found: Sequence[Error], what: str, *, writes: bool) -> HubError:
    """The one error that these amount to. A write that Microsoft calls faulty without a reason may
    have been applied."""
    known = codes(found)
    said = f"{what}: Microsoft answers {', '.join(map(str, sorted(known))) or 'no code'}"
    if known & THROTTLED:
        return Wait(f"{said}: a limit is reached.", hint=_AGAIN, seconds=REST)
    for code in sorted(known & _STOPS.keys()):
        wrong, remedy = _STOPS[code]
        return Stop(f"{said}: {wrong}.", hint=remedy)
    if known & ROW:
        return BatchRefused(
            f"{said}: the upload is refused as a whole.",
            hint="Run again: smaller uploads find the row to blame",
        )
    if not known or 0 in known:
        unsure = f"{said}: a fault on its side"
        if writes:
            return OutcomeUnknown(f"{unsure}; the write may have been applied.", hint=_AGAIN)
        return Wait(f"{unsure}.", hint=_AGAIN)
    return Stop(f"{said}: refused.", hint="Look the code up in Microsoft's operation error codes")


def _number(value: Any) -> int:
    return int(value) if isinstance(value, int | str) and str(value).isdecimal() else 0


def _index(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
