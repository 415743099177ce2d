"""The shop's loyalty programme: who buys again collects points."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from audiencehub.sandbox.company.records import Company, ShopOrder

_TIERS = (("Gold", 4000), ("Silver", 1200), ("Bronze", 0))
_SHARED = {"info", "sales", "office", "billing", "support", "kontakt"}
Member = tuple[str, str, str, str]
"""(e-mail, tier, points, date of the last purchase)."""


def loyalty(company: Company) -> list[Member]:
    """Everybody who has bought twice and is in a CRM, under an address of their own."""
    known = {one.email.strip().lower() for one in company.contacts if one.email}
    bought: dict[str, list[ShopOrder]] = defaultdict(list)
    for order in company.orders:
        if order.status == "paid":
            bought[order.email].append(order)
    return [
        _member(email, orders)
        for email, orders in sorted(bought.items())
        if len(orders) > 1 and email in known and email.partition("@")[0] not in _SHARED
    ]


def _member(email: str, orders: Sequence[ShopOrder]) -> Member:
    points = int(sum(one.total for one in orders))
    tier = next(name for name, least in _TIERS if points >= least)
    return email, tier, str(points), f"{max(one.at for one in orders):%Y-%m-%d}"
