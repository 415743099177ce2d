"""Meta's error codes, by what must happen next.

Source: developers.facebook.com/docs, Graph API "Handle Errors" and Marketing API "Error Reference".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from audiencehub.connector import MAKE_ANEW
from audiencehub.errors import BatchRefused, HubError, OutcomeUnknown, Stop, Wait

LOGIN = frozenset({102, 104, 190, 2500})
THROTTLED = frozenset({4, 17, 32, 341, 368, 613})
TRANSIENT = frozenset({1, 2, 5000, 21009})
GONE_SUBCODES = frozenset({33, 1487366})
DUPLICATE = 2654
"""A lookalike with this seed and this specification is there already."""
IN_PROGRESS, TOO_OLD, NO_FIRST, FINISHED, INCOMPLETE, TOO_LARGE = (
    1870145,
    1870158,
    1870147,
    1870159,
    1870148,
    1870144,
)
"""Subcodes of 2650 on a replacement ("Replace Users in Custom Audiences")."""
BROKEN_OFF = frozenset({TOO_OLD, NO_FIRST, FINISHED, INCOMPLETE})
_AGAIN = "Run again later; what is done is recorded"
_SIGN = (
    "the Custom Audience terms are not accepted",
    "Accept them in Ads Manager under Audiences, as the business that owns the account",
)
_STOPS: Mapping[int, tuple[str, str]] = {
    1870090: _SIGN,
    2655: _SIGN,
    1870050: ("the ad account belongs to no business", "Link it in Meta Business settings"),
    1487301: ("the audience is not shared with this ad account", "Share it in Ads Manager"),
    1713230: (
        "the audience is flagged and takes no uploads",
        "Rename the segment so that its name suggests no health or financial status",
    ),
    TOO_LARGE: (
        "the audience is too large to be replaced",
        "Run audiencehub push without --resync; split the segment",
    ),
    2635: ("this version of the API is retired", "Raise api_version in deployments/"),
}
"""Subcode or code to what is wrong and what a person does about it."""


class Gone(Stop):
    """The audience does not exist any more."""


class Duplicate(Stop):
    """What was to be made is there already."""


class BrokenOff(Wait):
    """A replacement's session that takes no more batches; `subcode` says why."""

    def __init__(self, message: str, *, hint: str, subcode: int) -> None:
        super().__init__(message, hint=hint)
        self.subcode = subcode


def error_of(
    error: Any, headers: Mapping[str, str], what: str, *, writes: bool, rows: bool = False
) -> HubError:
    """The error for `{"error": {…}}` in a reply. `rows`: an upload whose rows may be to blame.

    Codes only: Meta's messages may hold what was sent.
    """
    known: Mapping[str, Any] = error if isinstance(error, Mapping) else {}
    code, subcode = _number(known.get("code")), _number(known.get("error_subcode"))
    said = f"{what}: Meta answers {code}" + (f"/{subcode}" if subcode else "")
    clear = _stop(code, subcode, said) or _wait(code, subcode, said, headers)
    if clear:
        return clear
    if code in TRANSIENT or known.get("is_transient") is True:
        unsure = f"{said}: a fault on its side"
        return (
            OutcomeUnknown(f"{unsure}; the write may have been applied.", hint=_AGAIN)
            if writes
            else Wait(f"{unsure}.", hint=_AGAIN)
        )
    if code == 100 and rows:
        return BatchRefused(
            f"{said}: the upload is refused as a whole.",
            hint="Run again: smaller uploads find the row to blame",
        )
    return Stop(f"{said}: refused.", hint="Look the code up in Meta's error reference")


def _wait(code: int, subcode: int, said: str, headers: Mapping[str, str]) -> Wait | None:
    """What time cures; the call was not carried out."""
    if code in THROTTLED or 80000 <= code <= 80014:
        limit = f"{said}: the ad account's limit is reached."
        return Wait(limit, hint=_AGAIN, seconds=regain(headers))
    if subcode in BROKEN_OFF:
        return BrokenOff(f"{said}: the replacement ended early.", hint=_AGAIN, subcode=subcode)
    if code == 803 or subcode == IN_PROGRESS:
        return Wait(f"{said}: the audience is not ready yet.", hint=_AGAIN, seconds=60.0)
    return None


def _stop(code: int, subcode: int, said: str) -> Stop | None:
    """What only a person can mend."""
    known = _STOPS.get(subcode) or _STOPS.get(code)
    if known:
        return Stop(f"{said}: {known[0]}.", hint=known[1])
    if code in LOGIN:
        return Stop(
            f"{said}: the access token is refused.",
            hint="Log in to Meta again and renew the token of this destination",
        )
    if code == 10 or 200 <= code <= 299:
        return Stop(
            f"{said}: the token lacks a permission.",
            hint="Give its user ads_management on this ad account",
        )
    if code == DUPLICATE:
        return Duplicate(f"{said}: it is there already.", hint="Look for it in Ads Manager")
    if subcode in GONE_SUBCODES:
        # Somebody deleted it; making another by itself would undo their decision.
        return Gone(
            f"{said}: the audience does not exist any more, or the token may not see it.",
            hint=MAKE_ANEW,
        )
    return None


def usage(headers: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """The entries of `X-Business-Use-Case-Usage`; percentages, and minutes to wait."""
    try:
        document = json.loads(headers.get("x-business-use-case-usage") or "{}")
    except ValueError:
        return []
    if not isinstance(document, dict):
        return []
    lists = [entries for entries in document.values() if isinstance(entries, list)]
    return [entry for entries in lists for entry in entries if isinstance(entry, dict)]


def regain(headers: Mapping[str, str]) -> float | None:
    """Seconds until calls are allowed again, where Meta says so."""
    minutes = [_number(entry.get("estimated_time_to_regain_access")) for entry in usage(headers)]
    return 60.0 * max(minutes) if any(m > 0 for m in minutes) else None


def _number(value: Any) -> int:
    return int(value) if isinstance(value, int | str) and str(value).isdecimal() else 0
