"""Brings the demo company into being."""

from __future__ import annotations

from datetime import datetime
from random import Random

from audiencehub.sandbox.clock import START
from audiencehub.sandbox.company import (
    activity,
    billing,
    demography,
    firmography,
    helpdesk,
    lines,
    mailings,
    sales,
    signals,
    surveys,
)
from audiencehub.sandbox.company.crm import CrmViews
from audiencehub.sandbox.company.mood import moods
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
    by_key = {one.key: one for one in market}
    events = activity.events(stream("events"), everyone, now)
    orders, order_lines = lines.itemized(
        stream("lines"), activity.orders(stream("orders"), everyone, now)
    )
    mood = moods(stream("moods"), everyone, events, now)
    tickets = helpdesk.tickets(stream("tickets"), everyone, mood, now)
    return Company(
        name=NAME,
        day=0,
        now=now,
        accounts=tuple(firmography.described(stream("firmography"), views.accounts, by_key)),
        contacts=tuple(demography.described(stream("demography"), everyone, records, now)),
        deals=tuple(sales.deals(stream("deals"), views.deal_accounts, records, now)),
        activities=tuple(sales.activities(stream("activities"), records, now)),
        campaign_members=tuple(sales.campaign_members(stream("campaigns"), records, now)),
        events=tuple(events),
        orders=tuple(orders),
        technologies=tuple(signals.technologies(stream("technologies"), market, now)),
        surges=tuple(signals.surges(stream("surges"), market, now)),
        consents=tuple(signals.consents(stream("consents"), everyone, now)),
        order_lines=tuple(order_lines),
        subscriptions=tuple(billing.subscriptions(stream("billing"), everyone, mood, now)),
        tickets=tuple(tickets),
        survey_answers=tuple(surveys.answers(stream("surveys"), everyone, tickets, mood, now)),
        email_actions=tuple(mailings.actions(stream("mailings"), everyone, mood, now)),
    )
