"""Company names: as shown, and brought to what two spellings share."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from cleanco.clean import custom_basename, prepare_default_terms

from audiencehub.cleaning.basic import Unclean, text
from audiencehub.cleaning.tables import key, rows

_EAST = re.compile(
    r"\((?:株|有|同|주|유)\)|株式会社|有限会社|合同会社|合資会社|一般社団法人|"
    r"(?:股份)?有限责任公司|(?:股份)?有限公司|股份公司|集团|集團|주식회사|유한회사"
)
"""Legal forms of scripts without blanks, before or after the name."""
_HEBREW_ARABIC = re.compile(
    "בע[\"״'׳]?מ|ש\\.?\\s?ם\\.?\\s?ל|ش\\.?\\s?م\\.?\\s?م|ذ\\.?\\s?م\\.?\\s?م"
)
MOST_WORDS = 7
"""Of the longest legal form: `S.A.P.I. de C.V.`"""
NOBODY = frozenset(
    {"n a", "na", "none", "null", "unknown", "undefined", "tbd", "not available", "no company"}
)


def company(value: Any, known: Mapping[str, Any]) -> str | None:
    """The name to show: legal form, case and accents as they are, one blank between words. Words
    that name nobody (`N/A`) and signs without a letter or digit are refused."""
    tidy = text(value, known)
    if tidy is None:
        return None
    words = key(tidy)
    if not words:
        raise Unclean("no_letters")
    if words in NOBODY:
        raise Unclean("placeholder")
    return text(" ".join(tidy.split()), known)


def norm(value: Any, known: Mapping[str, Any]) -> str | None:
    """`company_norm` of a name that says something, as a cleaner."""
    shown = company(value, known)
    return None if shown is None else company_norm(shown)


@cache
def _forms(place: str) -> frozenset[tuple[str, ...]]:
    mine = (row["form"] for row in rows("legal_forms.csv") if row["place"] == place)
    return frozenset(tuple(form.split()) for form in mine)


@cache
def _terms() -> list[tuple[int, list[str]]]:
    return list(prepare_default_terms())


@lru_cache(maxsize=65_536)
def company_norm(name: str) -> str:
    """For comparison only, never shown: the name without case, accents, signs and legal forms, at
    both ends and to a fixed point: `Zebra Co., Ltd.`, `ZEBRA` and `Zebra Company` are `zebra`.
    Never empty where the name has a letter or digit: one made of legal forms alone stays."""
    plain = unicodedata.normalize("NFKC", name)[:500].replace("&", " and ").replace("+", " and ")
    plain = _HEBREW_ARABIC.sub(" ", _EAST.sub(" ", plain))
    whole = key(plain) or key(name[:500])
    words = _initials(whole.split())
    while (shorter := _initials(_shorter(words))) != words:
        words = shorter
    return " ".join(words)


def _shorter(words: list[str]) -> list[str]:
    """One legal form less, if there is one and a name remains."""
    if len(words) < 2:
        return words
    for length in range(min(MOST_WORDS, len(words) - 1), 0, -1):
        if tuple(words[-length:]) in _forms("after"):
            return words[:-length]
    if (words[0],) in _forms("before"):
        return words[1:]
    return custom_basename(" ".join(words), _terms()).split() or words


def _initials(words: list[str]) -> list[str]:
    """`I B M` and `I.B.M.` become `ibm`: single letters in a row are one word."""
    found: list[str] = []
    run = ""
    for one in [*words, ""]:
        if len(one) == 1 and one.isalpha():
            run += one
            continue
        if run:
            found.append(run)
            run = ""
        if one:
            found.append(one)
    return found
