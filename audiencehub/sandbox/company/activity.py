"""What people did: a year of web and product events, and orders. A few are very active, most are
hardly seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from audiencehub.sandbox.company.names import CURRENCIES, FEATURES, MAILINGS, PAGES
from audiencehub.sandbox.company.people import Person
from audiencehub.sandbox.company.records import ShopOrder, WebEvent

_CUSTOMER = {
    "login": 38,
    "feature_used": 34,
    "page_view": 14,
    "email_open": 9,
    "email_click": 4,
    "webinar_attended": 1,
}
_VISITOR = {
    "page_view": 58,
    "email_open": 24,
    "email_click": 8,
    "webinar_attended": 2,
    "trial_started": 1,
    "demo_requested": 1,
    "cart_abandoned": 2,
}
Draft = tuple[datetime, str, str, str | None]
"""(at, email, event name, path)."""

_PAGE_WEIGHTS = (20, 9, 12, 7, 10, 8, 8, 4, 7, 8, 3)
_YEAR = 365


def events(rng: Random, people: Sequence[Person], now: datetime) -> list[WebEvent]:
    """About 20 events per person over the year before `now`, oldest first; one customer in seven
    has stopped coming."""
    drafts: list[Draft] = []
    for person in people:
        if person.email is None:
            continue
        email = person.email if rng.random() > 0.03 else person.email.upper()
        gone = rng.uniform(32, 200) if person.is_customer and rng.random() < 0.14 else 0.0
        until = now - timedelta(days=gone)
        drafts += visits(rng, email, person.is_customer, _count(rng, person), until, _YEAR - gone)
        if _researching(person) and rng.random() < 0.5:
            drafts += _research(rng, email, now)
    for number in range(max(3, len(people) // 40)):
        stranger = f"visitor{number}@unknown-{number % 17}.example"
        drafts += visits(rng, stranger, False, rng.randint(1, 4), now, _YEAR)
    drafts.sort(key=lambda draft: draft[0])
    return [finished(rng, number, *draft) for number, draft in enumerate(drafts, 1)]


def visits(
    rng: Random, email: str, customer: bool, count: int, now: datetime, days: float
) -> list[Draft]:
    """That many events in the `days` before `now`."""
    mix = _CUSTOMER if customer else _VISITOR
    names = rng.choices(list(mix), list(mix.values()), k=count)
    fade = rng.choice((0.6, 1.0, 1.0, 1.5))  # leaving, steady, coming
    drafts = []
    for name in names:
        at = now - timedelta(seconds=1 + rng.random() ** fade * (days * 86_400 - 2))
        path = rng.choices(PAGES, _PAGE_WEIGHTS)[0] if name == "page_view" else None
        drafts.append((at, email, name, path))
    return drafts


def finished(
    rng: Random, number: int, at: datetime, email: str, name: str, path: str | None
) -> WebEvent:
    """The event with what its kind carries."""
    return WebEvent(
        key=f"e{number:07d}",
        email=email,
        name=name,
        at=at.replace(microsecond=at.microsecond // 1000 * 1000),
        path=path,
        feature=rng.choice(FEATURES) if name == "feature_used" else None,
        campaign=rng.choice(MAILINGS) if name.startswith("email_") else None,
        value=round(rng.uniform(50, 900), 2) if name == "cart_abandoned" else None,
    )


def orders(rng: Random, people: Sequence[Person], now: datetime) -> list[ShopOrder]:
    """Purchases of seats and add-ons by customers, oldest first; the more active buy more."""
    drafts: list[ShopOrder] = []
    for person in people:
        if person.email is None or not person.is_customer or rng.random() > 0.8:
            continue
        country = person.place.country
        for _ in range(min(40, 1 + int(person.energy * rng.uniform(0.3, 2.0)))):
            drafts.append(order(rng, person.email, country, now, _YEAR))
    drafts.sort(key=lambda one: (one.at, one.email))
    return [_numbered(draft, number) for number, draft in enumerate(drafts, 1)]


def order(rng: Random, email: str, country: str, now: datetime, days: float) -> ShopOrder:
    """One order in the `days` before `now`; its key is still to be set."""
    quantity = min(60, int(rng.paretovariate(1.2)))
    total = Decimal(quantity) * Decimal(rng.choice((29, 49, 49, 99, 149))) - Decimal("0.01")
    status = rng.choices(("paid", "refunded", "cancelled"), (94, 4, 2))[0]
    return ShopOrder(
        key="",
        email=email,
        at=(now - timedelta(seconds=1 + rng.random() * (days * 86_400 - 2))).replace(microsecond=0),
        total=total,
        currency=CURRENCIES.get(country, "USD"),
        quantity=quantity,
        status=status,
    )


def _numbered(draft: ShopOrder, number: int) -> ShopOrder:
    return replace(draft, key=f"s{number:06d}")


def _count(rng: Random, person: Person) -> int:
    base = 18 if person.is_customer else 3.2
    return min(1200, int(person.energy * base * rng.uniform(0.3, 1.7)))


def _researching(person: Person) -> bool:
    return bool(person.organization and person.organization.topics) and not person.is_customer


def _research(rng: Random, email: str, now: datetime) -> list[Draft]:
    """What somebody does whose company is in the market: prices, documentation, a demo."""
    paths = ["/pricing"] * rng.randint(2, 6) + rng.choices(("/docs", "/demo", "/integrations"), k=2)
    drafts: list[Draft] = [
        (now - timedelta(days=rng.random() * 26, seconds=1), email, "page_view", path)
        for path in paths
    ]
    if rng.random() < 0.25:
        at = now - timedelta(days=rng.random() * 9, seconds=1)
        drafts.append((at, email, "demo_requested", None))
    return drafts
