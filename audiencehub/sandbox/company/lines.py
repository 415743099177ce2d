"""What stands on the receipts: the products of each order, discount, tax, margin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Final

from audiencehub.sandbox.company.deeds import OrderLine
from audiencehub.sandbox.company.records import ShopOrder

_PRODUCTS: Final = (
    # SKU, name, category, brand, weight
    ("SEAT-STD", "Standard seat", "Seats", "Acme", 40),
    ("SEAT-PRO", "Pro seat", "Seats", "Acme", 24),
    ("ADD-API", "API calls, 100k", "Add-ons", "Acme", 12),
    ("ADD-FORECAST", "Forecasts", "Add-ons", "Acme", 9),
    ("ADD-EXPORT", "Warehouse export", "Add-ons", "Acme", 8),
    ("CON-SLACK", "Chat connector", "Connectors", "Bridgely", 6),
    ("CON-ERP", "ERP connector", "Connectors", "Bridgely", 4),
    ("TRN-ADMIN", "Administrator training", "Training", "Acme Academy", 5),
    ("TRN-BOOK", "Segmentation handbook", "Books", "Kettle Press", 3),
)
_TAX: Final = {"EUR": Decimal("0.19"), "GBP": Decimal("0.20"), "SEK": Decimal("0.25")}
_COUPONS: Final = {10: "WELCOME10", 15: "AUTUMN15", 20: "LOYAL20"}
_CHANNELS: Final = (("web", 58), ("app", 16), ("sales", 17), ("partner", 9))
_CENT = Decimal("0.01")


def itemized(rng: Random, orders: Sequence[ShopOrder]) -> tuple[list[ShopOrder], list[OrderLine]]:
    """The orders with what their totals are made of, and the lines that add up to them.

    Quantity times price over an order's lines is revenue and discount together, to a cent a unit.
    """
    priced, lines = [], []
    for one in orders:
        whole = _priced(rng, one)
        priced.append(whole)
        lines += _lines(rng, whole)
    return priced, lines


def _priced(rng: Random, one: ShopOrder) -> ShopOrder:
    revenue = _cents(one.total / (1 + _TAX.get(one.currency, Decimal(0))))
    percent = rng.choices((0, *_COUPONS), (72, 14, 8, 6))[0]
    refunded = one.total if one.status == "refunded" else Decimal(0)
    if one.status == "paid" and rng.random() < 0.02:
        refunded = _cents(one.total / 3)
    share = Decimal(str(round(rng.uniform(0.52, 0.86) - percent / 200, 3)))
    return replace(
        one,
        revenue=revenue,
        discount=_cents(revenue * percent / (100 - percent)),
        refunded=refunded,
        margin=_cents(revenue * share),
        channel=rng.choices([name for name, _ in _CHANNELS], [w for _, w in _CHANNELS])[0],
        coupon=_COUPONS.get(percent),
    )


def _lines(rng: Random, one: ShopOrder) -> list[OrderLine]:
    assert one.revenue is not None and one.discount is not None
    count = min(one.quantity, rng.choices((1, 2, 3), (62, 28, 10))[0])
    chosen = [_PRODUCTS[at] for at in _distinct(rng, count)]
    price = _cents((one.revenue + one.discount) / one.quantity)
    left, made = one.quantity, []
    for number, (sku, name, category, brand, _) in enumerate(chosen, 1):
        units = left if number == count else rng.randint(1, left - (count - number))
        left -= units
        made.append(
            OrderLine(
                key=f"{one.key}-{number}",
                order=one.key,
                email=one.email,
                at=one.at,
                sku=sku,
                name=name,
                category=category,
                brand=brand,
                quantity=units,
                price=price,
                currency=one.currency,
            )
        )
    return made


def _distinct(rng: Random, count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        at = rng.choices(range(len(_PRODUCTS)), [product[-1] for product in _PRODUCTS])[0]
        if at not in found:
            found.append(at)
    return found


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)
