"""What Acme's sales team logged: opportunities, activities, campaign members."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Literal

from audiencehub.sandbox.company.names import CAMPAIGNS, CURRENCIES
from audiencehub.sandbox.company.organizations import Organization
from audiencehub.sandbox.company.records import (
    CampaignMember,
    CrmAccount,
    CrmActivity,
    CrmContact,
    CrmDeal,
)

PROBABILITIES = {
    "Prospecting": 10,
    "Qualification": 25,
    "Proposal": 50,
    "Negotiation": 75,
    "Closed Won": 100,
    "Closed Lost": 0,
}
"""Stage to percent."""
OPEN_STAGES = tuple(PROBABILITIES)[:4]
_KINDS: tuple[Literal["call", "email", "meeting", "task", "note"], ...] = (
    "call",
    "email",
    "meeting",
    "task",
    "note",
)
_SUBJECTS = {
    "call": ("Discovery call", "Follow-up call", "Renewal call", "Left voicemail"),
    "email": ("Re: pricing", "Intro", "Case study", "Checking in"),
    "meeting": ("Demo", "Quarterly review", "Kick-off"),
    "task": ("Send proposal", "Update contact details", "Prepare security answers"),
    "note": ("Budget approved for Q1", "Evaluating two vendors", "Champion moved on"),
}


def deals(
    rng: Random,
    accounts: Sequence[tuple[Organization, CrmAccount]],
    contacts: Sequence[CrmContact],
    now: datetime,
) -> list[CrmDeal]:
    """Won deals for customers, lost and open ones for others, each at the account it is given."""
    people: dict[tuple[str, str], list[str]] = defaultdict(list)
    for contact in contacts:
        if contact.account:
            people[contact.crm, contact.account].append(contact.key)
    made: list[CrmDeal] = []
    for organization, account in accounts:
        for won in _outcomes(rng, organization):
            buyers = people.get((account.crm, account.key), [])
            made.append(_deal(rng, organization, account, buyers, won, len(made) + 1, now))
    return made


def activities(rng: Random, contacts: Sequence[CrmContact], now: datetime) -> list[CrmActivity]:
    """A few touches for those in play, none for most."""
    made: list[CrmActivity] = []
    for contact in contacts:
        warm = contact.lifecycle_stage in ("sql", "opportunity", "customer", "evangelist")
        if rng.random() > (0.45 if warm else 0.1):
            continue
        for _ in range(min(12, int(rng.paretovariate(1.3)))):
            kind = rng.choice(_KINDS)
            at = _instant(rng, now, 365)
            made.append(
                CrmActivity(
                    crm=contact.crm,
                    key=f"t{len(made) + 1:06d}",
                    contact=contact.key,
                    kind=kind,
                    subject=rng.choice(_SUBJECTS[kind]),
                    status="Not Started" if kind == "task" and rng.random() < 0.3 else "Completed",
                    at=at,
                    modified_at=min(now - timedelta(seconds=1), at + timedelta(hours=rng.random())),
                )
            )
    return made


def campaign_members(
    rng: Random, contacts: Sequence[CrmContact], now: datetime
) -> list[CampaignMember]:
    """A seventh of Salesforce's people are in a campaign; a third of those responded."""
    made: list[CampaignMember] = []
    for contact in contacts:
        if contact.crm != "salesforce" or rng.random() > 0.15:
            continue
        at, responded = _instant(rng, now, 300), rng.random() < 0.33
        made.append(
            CampaignMember(
                key=f"m{len(made) + 1:06d}",
                campaign=rng.choice(CAMPAIGNS),
                contact=contact.key,
                status="Responded" if responded else "Sent",
                responded=responded,
                created_at=at,
                modified_at=min(now - timedelta(seconds=1), at + timedelta(days=rng.random() * 9)),
            )
        )
    return made


def _outcomes(rng: Random, organization: Organization) -> list[bool | None]:
    """True won, False lost, None open; one per deal."""
    if organization.status == "customer":
        return [True] * rng.choices((1, 2, 3), (60, 28, 12))[0] + [None] * (rng.random() < 0.2)
    if organization.status == "churned":
        return [True, False]
    if organization.topics:
        return [None] if rng.random() < 0.55 else []
    return [rng.choice((False, None))] if rng.random() < 0.22 else []


def _deal(
    rng: Random,
    organization: Organization,
    account: CrmAccount,
    people: list[str],
    won: bool | None,
    number: int,
    now: datetime,
) -> CrmDeal:
    created = _instant(rng, now, 500 if won is not None else 120)
    closed = created + (now - created) * rng.random()
    close: date = (now + timedelta(days=rng.randint(-10, 120))).date()
    if won is not None:
        close = closed.date()
    worth = int(organization.employees**0.8 * rng.uniform(40, 160))
    amount = Decimal(max(1200, worth) // 100 * 100)
    made = CrmDeal(
        crm=account.crm,
        key=f"d{number:06d}",
        account=account.key,
        contact=rng.choice(people) if people and rng.random() < 0.8 else None,
        name=f"{account.name.strip()} – {rng.choice(('New business', 'Expansion', 'Renewal'))}",
        amount=None if rng.random() < 0.06 else amount,
        currency=CURRENCIES.get(organization.place.country, "USD"),
        stage=rng.choice(OPEN_STAGES) if won is None else ("Closed Won" if won else "Closed Lost"),
        is_closed=won is not None,
        is_won=bool(won),
        close_date=close,
        created_at=created,
        modified_at=min(now - timedelta(seconds=1), closed if won is not None else created),
    )
    return replace(
        made,
        probability=PROBABILITIES[made.stage],
        kind="new" if made.name.endswith("New business") else "existing",
        pipeline="renewals" if made.name.endswith("Renewal") else "default",
    )


def _instant(rng: Random, now: datetime, days: float) -> datetime:
    at = now - timedelta(days=rng.random() ** 1.4 * days, seconds=1)
    return at.replace(microsecond=rng.randrange(1000) * 1000)
