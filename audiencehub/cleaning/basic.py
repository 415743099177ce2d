"""Text, slugs, numbers, money, booleans."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

MAX_TEXT = 4000
MAX_MONEY = Decimal(10) ** 16
MAX_COUNT = 2**62
_INVISIBLE = re.compile("[\u200b\u200c\u200d\u2060\ufeff]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Unclean(Exception):
    """A value is there but cannot be understood; `reason` is a short stable word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def text(value: Any, _: Mapping[str, Any]) -> str | None:
    """NFC, trimmed of blanks and invisible marks at the ends; inner text as it is."""
    if isinstance(value, bool | float | int | Decimal):
        value = str(value)
    if not isinstance(value, str):
        raise Unclean("not_text")
    if _CONTROL.search(value):
        raise Unclean("control_characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Unclean("broken_unicode") from None
    tidy = (
        unicodedata.normalize("NFC", value).strip().strip("\u200b\u200c\u200d\u2060\ufeff").strip()
    )
    if len(tidy) > MAX_TEXT:
        raise Unclean("too_long")
    return tidy or None


def slug(value: Any, known: Mapping[str, Any]) -> str | None:
    """Lower case, words joined by `_`: `Closed Won` becomes `closed_won`."""
    tidy = text(value, known)
    if tidy is None:
        return None
    return re.sub(r"[\W_]+", "_", tidy.casefold()).strip("_") or None


def topic(value: Any, known: Mapping[str, Any]) -> str | None:
    """Lower case, one space between words."""
    tidy = text(value, known)
    return " ".join(tidy.casefold().split()) if tidy else None


def decimal(value: Any) -> Decimal:
    """An exact number; `1,234.50` and `1 234.50` are read, `1.234,50` is refused as ambiguous."""
    if isinstance(value, bool):
        raise Unclean("not_a_number")
    if isinstance(value, str):
        value = _INVISIBLE.sub("", value).strip().lstrip("$€£").strip()
        if re.fullmatch(r"[+-]?\d{1,3}([, \u00a0\u202f]\d{3})+(\.\d+)?", value):
            value = re.sub(r"[, \u00a0\u202f]", "", value)
        if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?", value, re.ASCII):
            raise Unclean("not_a_number")
    try:
        number_ = Decimal(str(value))
    except InvalidOperation:
        raise Unclean("not_a_number") from None
    if not number_.is_finite():
        raise Unclean("not_a_number")
    return number_


def money(value: Any, _: Mapping[str, Any]) -> Decimal:
    """An amount with two decimals, half to even."""
    amount = decimal(value)
    if abs(amount) >= MAX_MONEY:
        raise Unclean("out_of_range")
    return amount.quantize(Decimal("0.01"))


def number(value: Any, _: Mapping[str, Any]) -> float:
    """A finite float."""
    return float(decimal(value))


def count(value: Any, _: Mapping[str, Any]) -> int:
    """A whole number of zero or more; a range such as `50-100` is refused, not guessed."""
    amount = decimal(value)
    if amount != amount.to_integral_value():
        raise Unclean("not_whole")
    if not 0 <= amount <= MAX_COUNT:
        raise Unclean("out_of_range")
    return int(amount)


def boolean(value: Any, _: Mapping[str, Any]) -> bool:
    """True or false, also as CRMs and spreadsheets write them."""
    if isinstance(value, bool):
        return value
    known = {
        "true": True,
        "1": True,
        "yes": True,
        "y": True,
        "false": False,
        "0": False,
        "no": False,
        "n": False,
    }
    word = str(value).strip().casefold()
    if word not in known:
        raise Unclean("not_true_or_false")
    return known[word]


def currency(value: Any, known: Mapping[str, Any]) -> str | None:
    """An ISO 4217 code."""
    import pycountry

    code = str(text(value, known) or "").upper()
    if pycountry.currencies.get(alpha_3=code) is None:
        raise Unclean("unknown_currency")
    return code


def texts(value: Any, known: Mapping[str, Any]) -> list[str]:
    """A list of texts; a single text is split at `;`."""
    parts = value.split(";") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise Unclean("not_a_list")
    return [tidy for part in parts if (tidy := text(part, known))]


def document(value: Any, _: Mapping[str, Any]) -> str:
    """JSON text, keys sorted."""
    try:
        return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):
        raise Unclean("not_json") from None
