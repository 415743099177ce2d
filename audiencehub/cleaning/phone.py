"""Phone numbers: E.164, and the extension apart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import phonenumbers

from audiencehub.cleaning.basic import INVISIBLE, Unclean, text

_LONGEST = 60
_MANGLED = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d+|\d{5,}\.0+|#{3,}")
_EXTENSION = r"(?:;ext=|ext(?:ensi[oó]n|n)?|x|#|durchwahl|dw|poste|interno|int|anexo)"
_SHAPE = re.compile(
    r"(?:tel(?:efon|éfono|ephone)?|phone|fon|mob(?:ile|il)?|cell)?[.:]?\s*"
    r"[+(]*\d[\d\s()./·•~-]*"
    r"(?:[a-z]{3,12})?(?:-[a-z]{2,12})?"
    rf"(?:[\s,.;]*{_EXTENSION}[\s.:]*\d{{1,7}})?"
)
_DATE = re.compile(r"\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2(?:19|20)\d\d")
_LABEL = re.compile(rf"[\s,.;]*{_EXTENSION}[\s.:]*(\d{{1,7}})$", re.IGNORECASE)
_OWN = re.compile(rf"(?:{_EXTENSION}[\s.:]*)?(\d{{1,7}})", re.IGNORECASE)


def phone(value: Any, known: Mapping[str, Any]) -> str | None:
    """E.164. Without a country code the row's country decides; without one it is refused.

    Words on a keypad are read (`1-800-FLOWERS`), what a spreadsheet made of a number is not
    (`4.16E+09`): digits are gone.
    """
    tidy = text(value, known)
    if tidy is None:
        return None
    return _parsed(tidy, known.get("country"))[0]


def phone_ext(value: Any, known: Mapping[str, Any]) -> str | None:
    """The extension's digits: of a whole phone number, or standing alone (`x42`)."""
    tidy = text(value, known)
    if tidy is None:
        return None
    alone = _OWN.fullmatch(tidy)
    if alone and tidy.isascii():
        return alone[1]
    return _parsed(tidy, known.get("country"))[1]


@lru_cache(maxsize=131_072)
def _parsed(tidy: str, country: str | None) -> tuple[str, str | None]:
    plain = re.sub(rf"[{INVISIBLE}]", "", unicodedata.normalize("NFKC", tidy))
    plain = re.sub(r"[\u2010-\u2015\u2212]", "-", plain).lstrip("'=").strip()
    if _MANGLED.fullmatch(plain):
        raise Unclean("mangled_by_spreadsheet")
    if len(plain) > _LONGEST or _DATE.fullmatch(plain) or not _SHAPE.fullmatch(plain.lower()):
        raise Unclean("not_a_phone")
    try:
        number = phonenumbers.parse(_LABEL.sub(r" ext. \1", plain), country)
    except phonenumbers.NumberParseException:
        raise Unclean("not_a_phone") from None
    if not phonenumbers.is_possible_number(number):
        raise Unclean("impossible_phone")
    written = str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    if number.italian_leading_zero and not _stands(written):
        raise Unclean("impossible_phone")
    return written, number.extension or None


def _stands(written: str) -> bool:
    """A number that is another one when it is read again has zeros that no plan knows."""
    again = phonenumbers.parse(written, None)
    return written == phonenumbers.format_number(again, phonenumbers.PhoneNumberFormat.E164)
