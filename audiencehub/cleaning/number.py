"""Numbers, amounts, truth values and currencies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

import pycountry

from audiencehub.cleaning.basic import INVISIBLE, LONGEST_NUMBER, Unclean, text
from audiencehub.cleaning.tables import key, vocabulary

MAX_MONEY = Decimal(10) ** 16
MAX_COUNT = 2**62
MAX_DIGITS = 400
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:([, \u00a0\u202f'’])\d{3})(?:\1\d{3})*(\.\d+)?", re.ASCII)
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?", re.ASCII)


def decimal(value: Any) -> Decimal:
    """An exact number; `1,234.50` and `1 234.50` are read, `1.234,50` is refused as ambiguous."""
    if isinstance(value, str):
        value = re.sub(rf"[{INVISIBLE}]", "", value).strip().lstrip("$€£").strip()
        if len(value) > MAX_DIGITS:
            raise Unclean("not_a_number")
        if _GROUPED.fullmatch(value):
            value = re.sub(r"[, \u00a0\u202f'’]", "", value)
        if not _PLAIN.fullmatch(value):
            raise Unclean("not_a_number")
    elif isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise Unclean("not_a_number")
    elif isinstance(value, int) and abs(value) >= LONGEST_NUMBER:
        raise Unclean("out_of_range")
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        raise Unclean("not_a_number") from None
    if not found.is_finite():
        raise Unclean("not_a_number")
    return found


def money(value: Any, _: Mapping[str, Any]) -> Decimal:
    """An amount with two decimals, half to even."""
    amount = decimal(value)
    if abs(amount) >= MAX_MONEY:
        raise Unclean("out_of_range")
    return amount.quantize(Decimal("0.01"))


def number(value: Any, _: Mapping[str, Any]) -> float:
    """A finite float."""
    try:
        found = float(decimal(value))
    except OverflowError:
        raise Unclean("out_of_range") from None
    if found in (float("inf"), float("-inf")):
        raise Unclean("out_of_range")
    return found


def count(value: Any, _: Mapping[str, Any]) -> int:
    """A whole number of zero or more; a range such as `50-100` is refused, not guessed."""
    amount = decimal(value)
    if not 0 <= amount <= MAX_COUNT:
        raise Unclean("out_of_range")
    if amount != amount.to_integral_value():
        raise Unclean("not_whole")
    return int(amount)


def boolean(value: Any, _: Mapping[str, Any]) -> bool:
    """True or false, also as CRMs and spreadsheets write them in five languages."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    found = vocabulary("boolean").get(key(value)) if isinstance(value, str) else None
    if found is None:
        raise Unclean("not_true_or_false")
    return found == "true"


@cache
def _currencies() -> Mapping[str, str]:
    # XXX and XTS are codes of the standard that name no money.
    real = [one for one in pycountry.currencies if one.alpha_3 not in ("XXX", "XTS")]
    names = {key(one.name): one.alpha_3 for one in real}
    return {
        **names,
        **{one.numeric: one.alpha_3 for one in real},
        **{one.alpha_3.lower(): one.alpha_3 for one in real},
    }


_SIGNS = {"€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₪": "ILS", "₺": "TRY", "₽": "RUB",
          "₴": "UAH", "฿": "THB", "₫": "VND", "₱": "PHP", "us$": "USD", "usd$": "USD",
          "a$": "AUD", "au$": "AUD", "c$": "CAD", "ca$": "CAD", "nz$": "NZD", "hk$": "HKD",
          "s$": "SGD", "r$": "BRL", "mx$": "MXN", "nt$": "TWD", "zł": "PLN"}  # fmt: skip


def currency(value: Any, known: Mapping[str, Any]) -> str | None:
    """An ISO 4217 code. `$`, `¥` and `kr` stand for several currencies and are refused."""
    tidy = text(value, known)
    if tidy is None:
        return None
    sign = tidy.lower()
    if sign in ("$", "¥", "￥", "kr", "kr."):
        raise Unclean("ambiguous_currency")
    name = key(tidy)
    found = _SIGNS.get(sign) or _currencies().get(name) or vocabulary("currency").get(name)
    if found is None:
        raise Unclean("unknown_currency")
    return found
