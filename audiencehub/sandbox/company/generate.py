"""Brings the demo company into being."""

from __future__ import annotations

from datetime import datetime
from random import Random

from audiencehub.sandbox.clock import START
from audiencehub.sandbox.company import activity, sales, signals
from audiencehub.sandbox.company.crm import CrmViews
from audiencehub.sandbox.company.organizations import organizations
from audiencehub.sandbox.company.people import People
from audiencehub.sandbox.company.records import Company

NAME = "Acme Analytics"


def generate(
    seed: int, contacts: int = 5000, accounts: int = 600, now: datetime = START
) -> Company:
    """The company on its first day: the same for the same arguments, on every machine.

    `contacts` counts CRM records over both CRMs, leads included; `accounts` counts companies.
    Each part draws from a stream of its own, so that a change in one leaves the others as they are.
    """

    def stream(part: str) -> Random:
        return Random(f"{seed}/{part}")

    market = organizations(stream("organizations"), accounts, now)
    views = CrmViews(stream("crm"), now)
    views.add_organizations(market)
    everyone = views.add_people(People(stream("people"), market), contacts)
    records = views.contacts
    return Company(
        name=NAME,
        day=0,
        now=now,
        accounts=tuple(views.accounts),
        contacts=tuple(records),
        deals=tuple(sales.deals(stream("deals"), views.deal_accounts, records, now)),
        activities=tuple(sales.activities(stream("activities"), records, now)),
        campaign_members=tuple(sales.campaign_members(stream("campaigns"), records, now)),
        events=tuple(activity.events(stream("events"), everyone, now)),
        orders=tuple(activity.orders(stream("orders"), everyone, now)),
        technologies=tuple(signals.technologies(stream("technologies"), market, now)),
        surges=tuple(signals.surges(stream("surges"), market, now)),
        consents=tuple(signals.consents(stream("consents"), everyone, now)),
    )
