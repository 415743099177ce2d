"""Amounts in one currency, at the rate of their own day (ECB reference rates, bundled)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache

from currency_converter import CurrencyConverter


@cache
def _converter() -> CurrencyConverter:
    # A day without a fixing (weekend, newer than the bundled table) takes the nearest one before.
    return CurrencyConverter(
        fallback_on_missing_rate=True,
        fallback_on_missing_rate_method="last_known",
        fallback_on_wrong_date=True,
        decimal=True,
    )


@cache
def rate(source: str, target: str, day: date) -> Decimal | None:
    """How many `target` one `source` was on that day; None for a currency without rates."""
    if source == target:
        return Decimal(1)
    converter = _converter()
    if source not in converter.currencies or target not in converter.currencies:
        return None
    return Decimal(converter.convert(1, source, target, date=day)).quantize(Decimal("0.00000001"))
