"""Text, slugs, lists and documents."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

MAX_TEXT = 4000
MAX_SLUG = 300
MAX_DOCUMENT = 1_000_000
LONGEST_NUMBER = 10**400
"""Python itself refuses to write whole numbers of more than some thousand digits."""
INVISIBLE = "\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"
_EDGES = re.compile(rf"^[\s{INVISIBLE}]+|[\s{INVISIBLE}]+$")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069]")


class Unclean(Exception):
    """A value is there but cannot be understood; `reason` is a short stable word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def text(value: Any, _: Mapping[str, Any]) -> str | None:
    """NFC, trimmed of blanks and invisible marks at the ends; inner text as it is.

    Refused: control characters (those above 0x7f are the trace of a wrong decoding), marks that
    reorder what a reader sees, halves of surrogate pairs, and the replacement character, which
    stands where another program has already lost a letter.
    """
    if not isinstance(value, str):
        value = _written(value)
    if value.isascii():
        tidy = value.strip()
        if _CONTROL.search(value):
            raise Unclean("control_characters")
    else:
        tidy = _beyond_ascii(value)
    if len(tidy) > MAX_TEXT:
        raise Unclean("too_long")
    return tidy or None


def _written(value: Any) -> str:
    if isinstance(value, int) and abs(value) >= LONGEST_NUMBER:
        raise Unclean("too_long")
    if isinstance(value, float) and not math.isfinite(value):
        raise Unclean("not_text")
    if not isinstance(value, bool | int | float | Decimal):
        raise Unclean("not_text")
    return str(value)


def _beyond_ascii(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Unclean("broken_unicode") from None
    if _CONTROL.search(value):
        raise Unclean("control_characters")
    if "\ufffd" in value:
        raise Unclean("broken_unicode")
    tidy = _EDGES.sub("", unicodedata.normalize("NFC", value))
    if _REORDERING.search(tidy):
        raise Unclean("reordering_marks")
    return tidy


def fold(value: str) -> str:
    """Without case and without the compatibility forms: full-width letters become plain ones."""
    if value.isascii():
        return value.lower()
    for _ in range(4):
        # One round is not enough for some letters: folding may undo the normal form.
        before, value = value, unicodedata.normalize("NFKC", value).casefold()
        value = unicodedata.normalize("NFKC", value).replace("i\u0307", "i")
        if value == before:
            break
    return value


@lru_cache(maxsize=65_536)
def _slug(tidy: str) -> str:
    folded = fold(tidy)
    if folded.isascii():
        return re.sub(r"[\W_]+", "_", folded).strip("_")
    # Marks are letters' parts in many scripts, though \w leaves them out.
    kept = (one if one.isalnum() or unicodedata.category(one)[0] == "M" else "_" for one in folded)
    return re.sub("_+", "_", "".join(kept)).strip("_")


def slug(value: Any, known: Mapping[str, Any]) -> str | None:
    """Lower case, words joined by `_`: `Closed Won` becomes `closed_won`. Signs without a
    letter or digit are refused, for nothing would be left of them."""
    tidy = text(value, known)
    if tidy is None:
        return None
    found = _slug(tidy)
    if not found:
        raise Unclean("no_letters")
    if len(found) > MAX_SLUG:
        raise Unclean("too_long")
    return found


def topic(value: Any, known: Mapping[str, Any]) -> str | None:
    """Lower case, one space between words."""
    tidy = text(value, known)
    if tidy is None:
        return None
    words = " ".join(fold(tidy).split())
    if len(words) > MAX_SLUG:
        raise Unclean("too_long")
    return text(words, known)


def texts(value: Any, known: Mapping[str, Any]) -> list[str]:
    """A list of texts; a single text is split at `;`, as HubSpot and Salesforce join choices."""
    parts = value.split(";") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise Unclean("not_a_list")
    return [tidy for part in parts if part is not None and (tidy := text(part, known))]


def document(value: Any, _: Mapping[str, Any]) -> str:
    """JSON text, keys sorted; at most a million characters."""
    try:
        written = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
        written.encode()
    except UnicodeEncodeError:
        raise Unclean("broken_unicode") from None
    except RecursionError:
        raise Unclean("too_deep") from None
    except (TypeError, ValueError):
        raise Unclean("not_json") from None
    if len(written) > MAX_DOCUMENT:
        raise Unclean("too_long")
    return written
