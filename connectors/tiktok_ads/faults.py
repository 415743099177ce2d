"""TikTok's codes, by what must happen next. They come with HTTP 200.

No list of the segment API's codes is published. 40001, 40002, 40007, 40100 and 40105 are named
alike by a partner's help page and by an open connector that retries 40100; the others are
unverified (ads.md §5 and §12).
"""

from __future__ import annotations

from audiencehub.errors import BatchRefused, HubError, OutcomeUnknown, Stop, Wait

THROTTLED = frozenset({40016, 40100})
"""Too many calls; the call was not carried out."""
LOGIN = frozenset({40101, 40102, 40103, 40104, 40105})
PERMISSION, PARAMETER, NO_OBJECT = 40001, 40002, 40007
_PARTLY = 20001
_AGAIN = "Run again later; what is done is recorded"
ANEW = "Give the destination a new `namespace`, and run: audiencehub push --resync"
"""How an audience is made anew: by itself it would be empty where the hub believes members."""


class Gone(Stop):
    """TikTok says that there is no such audience."""


def error_of(code: int, what: str, *, writes: bool, rows: int = 0) -> HubError:
    """The error for a `code` that is not 0. `rows`: how many the call carried. Codes only:
    TikTok's messages may hold what was sent."""
    said = f"{what}: TikTok answers {code}"
    if code in THROTTLED:
        return Wait(f"{said}: too many calls.", hint=_AGAIN, seconds=60.0)
    if code == PARAMETER and rows:
        return BatchRefused(
            f"{said}: the call is refused as a whole.",
            hint="Run again: smaller calls find the row to blame",
        )
    if code >= 50_000 or code == _PARTLY:
        unsure = f"{said}: a fault on its side"
        return (
            OutcomeUnknown(f"{unsure}; the write may have been applied.", hint=_AGAIN)
            if writes
            else Wait(f"{unsure}.", hint=_AGAIN)
        )
    return _stop(code, said)


def _stop(code: int, said: str) -> Stop:
    """What only a person can mend."""
    if code in LOGIN:
        return Stop(
            f"{said}: the access token is refused.",
            hint="Log in to TikTok for Business again and renew the token of this destination",
        )
    if code == PERMISSION:
        return Stop(
            f"{said}: the token lacks a permission.",
            hint="Give the app Audience Management, and let TikTok allow it the segment API",
        )
    if code == NO_OBJECT:
        # Somebody deleted it; making another by itself would undo their decision.
        return Gone(f"{said}: the audience does not exist any more.", hint=ANEW)
    return Stop(f"{said}: refused.", hint="Look the code up in TikTok's list of return codes")
