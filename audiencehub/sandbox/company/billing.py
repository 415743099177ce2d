"""Contracts: customers pay, some try, those who left have cancelled, the discontent announce it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from audiencehub.sandbox.company.deeds import Subscription
from audiencehub.sandbox.company.mood import Moods
from audiencehub.sandbox.company.names import CURRENCIES
from audiencehub.sandbox.company.people import Person

_PLANS: Final = (("starter", 29), ("team", 49), ("business", 99), ("enterprise", 149))
_DAYS: Final = {"month": 30, "year": 365}


def subscriptions(
    rng: Random, people: Sequence[Person], moods: Moods, now: datetime
) -> list[Subscription]:
    """One or two for each company that is or was a customer, and trials of some that look around;
    a private customer has one too. They stand in order of their keys."""
    groups: dict[str, list[Person]] = defaultdict(list)
    for person in people:
        if person.email:
            groups[person.organization.key if person.organization else person.key].append(person)
    made: list[Subscription] = []
    for group in groups.values():
        for kind in _kinds(rng, group):
            payer = _payer(rng, group)
            mood = moods[payer.email or ""]
            made.append(_subscription(rng, f"sub{len(made) + 1:05d}", payer, kind, mood, now))
    return made


def changed(rng: Random, known: Sequence[Subscription], now: datetime) -> list[Subscription]:
    """The same a day later: what was due renews, trials end, one in a hundred is cancelled."""
    after = []
    for one in known:
        at = (now - timedelta(hours=1 + rng.random() * 22)).replace(microsecond=0)
        if one.status == "trialing" and one.trial_end and one.trial_end <= now:
            won = rng.random() < 0.35
            after.append(
                replace(one, status="active", renews_at=at + timedelta(days=30), updated_at=at)
                if won
                else replace(one, status="canceled", canceled_at=at, updated_at=at)
            )
        elif one.cancel_at and one.canceled_at is None and one.cancel_at <= now:
            ended = {"status": "canceled", "canceled_at": at, "renews_at": None}
            after.append(replace(one, updated_at=at, **ended))  # type: ignore[arg-type]
        elif one.renews_at and one.renews_at <= now:
            following = one.renews_at + timedelta(days=_DAYS[one.interval])
            after.append(replace(one, renews_at=following, updated_at=at))
        elif one.status == "active" and one.cancel_at is None and rng.random() < 0.008:
            after.append(replace(one, cancel_at=one.renews_at, updated_at=at))
        elif one.status == "active" and rng.random() < 0.01:
            seats = one.seats + rng.randint(1, 5)
            grown = _cents(one.mrr / one.seats * seats)
            after.append(replace(one, seats=seats, mrr=grown, updated_at=at))
        else:
            after.append(one)
    return after


def _kinds(rng: Random, group: Sequence[Person]) -> list[str]:
    organization = group[0].organization
    if organization is None:
        return ["active"] if group[0].is_customer else []
    if organization.status == "customer":
        return ["active"] * rng.choices((1, 2), (80, 20))[0]
    if organization.status == "churned":
        return ["canceled"]
    return ["trialing"] if rng.random() < (0.3 if organization.topics else 0.07) else []


def _payer(rng: Random, group: Sequence[Person]) -> Person:
    paying = [one for one in group if one.department in ("finance", "executive")]
    return rng.choice(paying or list(group))


def _subscription(
    rng: Random, key: str, payer: Person, kind: str, mood: float, now: datetime
) -> Subscription:
    organization = payer.organization
    heads = organization.employees if organization else 1
    seats = max(1, min(900, int(heads**0.62 * rng.uniform(0.5, 2))))
    plan, price = _PLANS[min(3, len(str(heads)) - 1)] if rng.random() < 0.8 else _PLANS[1]
    interval = rng.choices(("year", "month"), (55, 45))[0]
    began = organization.created_at if organization else now - timedelta(days=400)
    started = _whole(began + (now - began) * rng.random())
    blank = Subscription(
        key=key,
        email=payer.email or "",
        company_domain=organization.domain if organization else None,
        plan=plan,
        status=kind,
        mrr=_cents(Decimal(price * seats) * (Decimal("0.85") if interval == "year" else 1)),
        currency=CURRENCIES.get(payer.place.country, "USD"),
        interval=interval,
        seats=seats,
        started_at=started,
        trial_end=None,
        renews_at=None,
        cancel_at=None,
        canceled_at=None,
        updated_at=started,
    )
    return _STATES[kind](rng, blank, mood, now)


def _trial(rng: Random, one: Subscription, _: float, now: datetime) -> Subscription:
    started = _whole(now - timedelta(days=rng.uniform(0.1, 13.9)))
    end = started + timedelta(days=14)
    return replace(one, mrr=Decimal("0.00"), started_at=started, trial_end=end, updated_at=started)


def _ended(rng: Random, one: Subscription, _: float, now: datetime) -> Subscription:
    at = _whole(one.started_at + (now - one.started_at) * rng.uniform(0.4, 0.97))
    return replace(one, canceled_at=at, cancel_at=at, updated_at=at)


def _running(rng: Random, one: Subscription, mood: float, now: datetime) -> Subscription:
    period = timedelta(days=_DAYS[one.interval])
    renews = one.started_at + period * ((now - one.started_at) // period + 1)
    touched = _whole(one.started_at + (now - one.started_at) * rng.random())
    leaving = rng.random() < (0.4 if mood < 0.4 else 0.015)
    late = not leaving and rng.random() < (0.2 if mood < 0.4 else 0.05)
    trial = one.started_at + timedelta(days=14) if rng.random() < 0.5 else None
    return replace(
        one,
        status="past_due" if late else "active",
        trial_end=trial,
        renews_at=renews,
        cancel_at=renews if leaving else None,
        updated_at=touched,
    )


_STATES: Final = {"trialing": _trial, "canceled": _ended, "active": _running}


def _whole(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))
