"""Ranges of employees and revenue: read as bounds, kept as one of the canonical bands.

A range never becomes a number: what was not counted is not invented. The bands are those of
LinkedIn and People Data Labs, which most sources share.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from math import log
from typing import Any, NamedTuple

from audiencehub.cleaning.basic import Unclean, text
from audiencehub.cleaning.number import decimal
from audiencehub.cleaning.tables import key, vocabulary

MOST = Decimal(10) ** 15
SHARE = 2 / 3
"""How much of a range must lie in a band, on a scale of magnitudes, for the band to be said."""
EMPLOYEES: Mapping[str, tuple[int, int | None]] = {
    "1-10": (1, 10),
    "11-50": (11, 50),
    "51-200": (51, 200),
    "201-500": (201, 500),
    "501-1000": (501, 1000),
    "1001-5000": (1001, 5000),
    "5001-10000": (5001, 10_000),
    "10001+": (10_001, None),
}
M, B = 10**6, 10**9
REVENUE: Mapping[str, tuple[int, int | None]] = {
    "0-1M": (0, M),
    "1M-10M": (M, 10 * M),
    "10M-25M": (10 * M, 25 * M),
    "25M-50M": (25 * M, 50 * M),
    "50M-100M": (50 * M, 100 * M),
    "100M-250M": (100 * M, 250 * M),
    "250M-500M": (250 * M, 500 * M),
    "500M-1B": (500 * M, B),
    "1B-10B": (B, 10 * B),
    "10B+": (10 * B, None),
}
"""The lower bound belongs to the band. In the currency of the row."""
INCOME: Mapping[str, tuple[int, int | None]] = {
    "0-25k": (0, 25_000),
    "25k-50k": (25_000, 50_000),
    "50k-75k": (50_000, 75_000),
    "75k-100k": (75_000, 100_000),
    "100k-150k": (100_000, 150_000),
    "150k-200k": (150_000, 200_000),
    "200k+": (200_000, None),
}
_UNITS = {"": 1, "k": 10**3, "t": 10**3, "tsd": 10**3, "thousand": 10**3,
          "m": M, "mm": M, "mn": M, "mio": M, "mil": M, "million": M, "millions": M,
          "b": B, "bn": B, "bil": B, "mrd": B, "billion": B, "billions": B}  # fmt: skip
_ONE = r"[$€£]?\s*(\d+(?:[,' ]\d{3})*(?:\.\d+)?|\d+)\s*([a-z]{0,8})\.?"
_RANGE = re.compile(rf"{_ONE}\s*(?:-|to|bis|à|a|\.\.+|,)\s*{_ONE}")
_OPEN = re.compile(
    rf"(?:over|more than|above|>=?|mehr als|at least|ab)\s*{_ONE}"
    rf"|{_ONE}\s*(?:\+|or more|and (?:above|over|more)|plus)"
)
_BELOW = re.compile(rf"(<=?|under|less than|below|fewer than|up to|bis|unter)\s*{_ONE}")
_NOUNS = re.compile(r"\b(?:employees?|people|staff|mitarbeiter\w*|salari\w+|usd|eur|gbp)\b")
_DATES = re.compile(r"(?:\d{1,2}-)?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*-?\d*")


class Span(NamedTuple):
    """What a range says: whole numbers, both inclusive; `high` None where it is open."""

    low: Decimal
    high: Decimal | None


def span(value: str) -> Span:
    """The bounds of a range or of one number: `"50 -100"`, `10001+`, `1k-5k`, `<10`. A letter
    after the upper bound counts for both (`$10-25M`). Raises Unclean."""
    plain = unicodedata.normalize("NFKC", value).lower().strip()
    plain = re.sub(r"[\u2010-\u2015\u2212~]", "-", plain)
    if len(plain) > 80:
        raise Unclean("not_a_range")
    if _DATES.fullmatch(plain):
        raise Unclean("mangled_by_spreadsheet")
    inner = re.fullmatch(r"[a-z\s/-]{2,30}\((.*)\)", plain)
    plain = inner[1] if inner else plain
    plain = re.sub(
        r"\b(?:employees?|people|staff|mitarbeiter\w*|salari\w+|usd|eur|gbp)\b", "", plain
    )
    found = _span(re.sub(r"\s+", " ", plain).strip(" ."))
    if not 0 <= found.low <= (found.high if found.high is not None else MOST) <= MOST:
        raise Unclean("out_of_range")
    return found


def _span(plain: str) -> Span:
    both = _RANGE.fullmatch(plain)
    if both and not (both[1].isdigit() and _grouped(plain)):
        high_unit = _unit(both[4])
        return Span(_amount(both[1], _unit(both[2] or both[4])), _amount(both[3], high_unit))
    least = _OPEN.fullmatch(plain)
    if least:
        low = _amount(least[1] or least[3], _unit(least[2] or least[4]))
        above = plain.startswith((">", "over", "more", "above", "mehr")) and plain[1:2] != "="
        return Span(low + 1 if above else low, None)
    most = _BELOW.fullmatch(plain)
    if most:
        high = _amount(most[2], _unit(most[3]))
        inclusive = most[1] in ("<=", "up to", "bis")
        return Span(Decimal(0), high if inclusive else max(high - 1, Decimal(0)))
    alone = re.fullmatch(_ONE, plain)
    if alone:
        amount = _amount(alone[1], _unit(alone[2]))
        return Span(amount, amount)
    raise Unclean("not_a_range")


def _grouped(plain: str) -> bool:
    return bool(re.fullmatch(r"[$€£]?\s*\d{1,3}(?:,\d{3})+", plain))


def _unit(word: str | None) -> int:
    if (word or "") not in _UNITS:
        raise Unclean("not_a_range")
    return _UNITS[word or ""]


def _amount(digits: str, unit: int) -> Decimal:
    return decimal(re.sub("[,' ]", "", digits)) * unit


def _band(bands: Mapping[str, tuple[int, int | None]], one: Span, closed: bool) -> str:
    """The band that holds the range, by magnitude: `50-100` is in 51-200 but for one.
    `closed`: both bounds belong to a band, as with people; else the lower one alone."""
    half = 0.5 if closed else 0.0
    edges = [
        (name, low - half, float("inf") if high is None else high + half)
        for name, (low, high) in bands.items()
    ]
    low = float(one.low)
    if one.high is None:
        # `10,000+` and `10001+` mean the same.
        if low >= edges[-1][1] - half - 1:
            return edges[-1][0]
        raise Unclean("straddles_bands")
    high = float(one.high)
    if low == high:
        return next(name for name, start, end in edges if start <= low < end)
    start, stop = max(low, 0.5), max(high, 1.0)
    for name, bottom, top in edges:
        inside = min(stop, top) / max(start, bottom)
        if inside > 1 and log(inside) >= SHARE * log(stop / start):
            return name
    raise Unclean("straddles_bands")


def _cleaned(value: Any, known: Mapping[str, Any], kind: str) -> str | None:
    tidy = text(value, known)
    if tidy is None:
        return None
    found, reason = _read(tidy, kind)
    if found is None:
        raise Unclean(reason)
    return found


@lru_cache(maxsize=16_384)
def _read(tidy: str, kind: str) -> tuple[str | None, str]:
    bands = {"employees": EMPLOYEES, "revenue": REVENUE, "income": INCOME}[kind]
    if tidy in bands:
        return tidy, ""
    word = vocabulary(f"{kind}_band").get(key(tidy))
    if word:
        return word, ""
    try:
        one = span(tidy)
        if kind == "employees" and one.high is not None and one.high < 1:
            raise Unclean("out_of_range")
        return _band(bands, one, kind == "employees"), ""
    except Unclean as error:
        return None, error.reason


def employee_range(value: Any, known: Mapping[str, Any]) -> str | None:
    """The band of employees: `1-10`, `11-50`, … `10001+`. A range across bands is refused."""
    return _cleaned(value, known, "employees")


def revenue_range(value: Any, known: Mapping[str, Any]) -> str | None:
    """The band of annual revenue: `0-1M`, `1M-10M`, … `10B+`, in the row's currency."""
    return _cleaned(value, known, "revenue")


def income_band(value: Any, known: Mapping[str, Any]) -> str | None:
    """The band of a household's yearly income: `0-25k`, … `200k+`, in the row's currency."""
    return _cleaned(value, known, "income")


def employee_band(count: int) -> str | None:
    """The band of a counted number of employees; None for nobody."""
    return None if count < 1 else _band(EMPLOYEES, Span(Decimal(count), Decimal(count)), True)
