"""Google's errors, by what must happen next.

Source: developers.google.com/data-manager, "Understand API errors" and ErrorReason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from audiencehub.connector import MAKE_ANEW
from audiencehub.errors import BatchRefused, HubError, OutcomeUnknown, Stop, Wait

_AGAIN = "Run again later; what is done is recorded"
_ROW = re.compile(r"audience_?members\[([0-9]{1,5})\](?:[.\w\[\]]*)", re.I)
_WORD = re.compile(r"[A-Z][A-Z0-9_]{2,79}")
ROW_REASONS = frozenset(
    {
        "FIELD_VALUE_TOO_LONG",
        "FIELD_VALUE_TOO_SHORT",
        "INVALID_AUDIENCE_MEMBER",
        "INVALID_BASE64_ENCODING",
        "INVALID_COUNTRY_CODE",
        "INVALID_FORMAT",
        "INVALID_HEX_ENCODING",
        "INVALID_POSTAL_CODE",
        "INVALID_REGION_CODE",
        "INVALID_SHA256_FORMAT",
        "NO_IDENTIFIERS_PROVIDED",
        "REQUIRED_FIELD_MISSING",
        "TOO_MANY_USER_IDENTIFIERS",
    }
)
"""Reasons that are a row's own fault; others name a row and mean the list or the request."""
GONE = frozenset({"NOT_FOUND", "INVALID_USER_LIST_ID"})
TOO_OLD = frozenset({"REQUEST_TOO_OLD", "INVALID_REQUEST_ID"})
TAKEN = "DISPLAY_NAME_ALREADY_USED"
_STOPS: Mapping[str, tuple[str, str]] = {
    "TERMS_AND_CONDITIONS_NOT_SIGNED": (
        "the Customer Match terms are not accepted",
        "Accept them in Google Ads under Audience manager, as an administrator of the account",
    ),
    "NOT_ALLOWLISTED": (
        "the account may not use Customer Match",
        "Read in Google Ads under Policy manager what the account lacks",
    ),
    "INVALID_USER_LIST_TYPE": (
        "the list takes no contact data",
        "Leave it to its owner. " + MAKE_ANEW,
    ),
    "USER_LIST_MUTATION_NOT_SUPPORTED": (
        "the list is read-only for this account",
        "Use the account that owns the list",
    ),
    "SENSITIVE_USER_LIST_IMMUTABLE": (
        "Google has closed the list for privacy or legal reasons",
        "Read its status in Audience manager; rename the segment if its name is the reason",
    ),
    "INVALID_DESTINATION": (
        "the account is none that this login reaches",
        "Check account_id and login_account_id in deployments/",
    ),
    "MEMBERSHIP_DURATION_TOO_LONG": (
        "the membership duration is too long",
        "Lower membership_days in deployments/",
    ),
    TAKEN: (
        "the account has other lists of this name",
        "Rename the segment, or the list that has its name in Audience manager",
    ),
}
"""Reason to what is wrong and what a person does about it."""


class RowsRefused(BatchRefused):
    """The whole request, for the faults of the rows it names: number to reason."""

    def __init__(self, message: str, *, hint: str, rows: Mapping[int, str]) -> None:
        super().__init__(message, hint=hint)
        self.rows = rows


class Refused(Stop):
    """A Stop with Google's own reason."""

    def __init__(self, message: str, *, hint: str, reason: str) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


def error_of(
    error: Mapping[str, Any], http: int, what: str, *, writes: bool, rows: bool = False
) -> HubError:
    """The error for `{"code", "status", "details"}`. `rows`: an upload whose rows may be to blame.

    Reasons only: Google's descriptions may hold what was sent.
    """
    reasons, status = list(dict.fromkeys(reasons_of(error))), status_of(error)
    said = f"{what.capitalize()}: Google answers {http} {(reasons or [status])[0]}".rstrip()
    if http == 401 or status == "UNAUTHENTICATED":
        return Refused(
            f"{said}: the login is refused.",
            hint="Log in to Google again and renew refresh_token of this destination",
            reason="UNAUTHENTICATED",
        )
    if status in ("RESOURCE_EXHAUSTED", "ABORTED"):
        return Wait(f"{said}: a limit of the Cloud project.", hint=_AGAIN)
    if http >= 500:
        return (
            OutcomeUnknown(f"{said}; the write may have been applied.", hint=_AGAIN)
            if writes
            else Wait(f"{said}.", hint=_AGAIN)
        )
    named = row_faults(error) if rows else {}
    known = next((reason for reason in reasons if reason in _STOPS or reason in GONE), None)
    if named and known is None:
        return RowsRefused(
            f"{said}: {len(named)} rows are refused, and the others with them.",
            hint="Run again: smaller requests find the rows to blame",
            rows=named,
        )
    return _stop(said, http, known or (reasons or [status])[0], rows=rows and known is None)


def _stop(said: str, http: int, reason: str, *, rows: bool) -> HubError:
    if reason in _STOPS:
        wrong, hint = _STOPS[reason]
        return Refused(f"{said}: {wrong}.", hint=hint, reason=reason)
    if http == 403 or reason == "PERMISSION_DENIED":
        return Refused(
            f"{said}: the login has no access to the account, or to this list.",
            hint="Give its user access in Google Ads, or set login_account_id to the manager "
            "account that has it; the scope must be datamanager",
            reason="PERMISSION_DENIED",
        )
    if reason in GONE or http == 404:
        # Somebody deleted it; making another by itself would undo their decision.
        return Refused(
            f"{said}: the list does not exist any more.",
            hint=MAKE_ANEW,
            reason="NOT_FOUND",
        )
    if rows and http == 400:
        return BatchRefused(
            f"{said}: the request is refused as a whole.",
            hint="Run again: smaller requests find the row to blame",
        )
    return Refused(
        f"{said}: refused.", hint="Look the reason up in Google's ErrorReason", reason=reason
    )


def row_faults(error: Mapping[str, Any]) -> dict[int, str]:
    """Row number to reason, for rows that are to blame themselves."""
    named: dict[int, str] = {}
    for violation in _violations(error):
        found, reason = _ROW.match(str(violation.get("field"))), _word(violation.get("reason"))
        if found and reason in ROW_REASONS:
            named.setdefault(int(found[1]), reason.lower())
    return named


def reasons_of(error: Mapping[str, Any]) -> Iterator[str]:
    """Every reason in the details; those of fields first, which say more than INVALID_ARGUMENT."""
    general = [_word(one.get("reason")) for one in _details(error)]
    yield from (word for one in _violations(error) if (word := _word(one.get("reason"))))
    yield from (word for word in general if word)


def status_of(error: Mapping[str, Any] | None) -> str:
    """The canonical word (google.rpc.Code) of an error; "" where there is none."""
    return _word((error or {}).get("status"))


def quota_of(error: Mapping[str, Any] | None) -> str:
    """`…PerMinutePerProject` or `…PerDayPerProject`; "" where the error names no quota."""
    for one in _details(error or {}):
        metadata = one.get("metadata")
        if isinstance(metadata, Mapping) and metadata.get("quota_limit"):
            return str(metadata["quota_limit"])[:80]
    return ""


def _details(error: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = error.get("details")
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _violations(error: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for one in _details(error):
        listed = one.get("fieldViolations")
        found += [v for v in listed if isinstance(v, Mapping)] if isinstance(listed, list) else []
    return found


def _word(value: Any) -> str:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else ""
