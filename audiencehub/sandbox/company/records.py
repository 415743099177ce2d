"""What the demo company is made of, in neutral words; each fake says it in its vendor's shape.

`crm` records carry the dirt of real data (spellings, blanks, duplicates) already in them. All
instants are aware, UTC. `modified_at` orders changes: a record that differs between two days has
a later one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from audiencehub.sandbox.company.deeds import (
    EmailAction,
    OrderLine,
    Subscription,
    SurveyAnswer,
    Ticket,
)
from audiencehub.sandbox.company.details import AccountDetails, PersonDetails

Crm = Literal["salesforce", "hubspot"]


@dataclass(frozen=True, slots=True)
class CrmAccount:
    """A company as one CRM has it."""

    crm: Crm
    key: str
    """Unique within the CRM; `a000123`. A fake derives its vendor id from it."""
    name: str
    website: str | None
    """As typed: with or without scheme, www, path, capitals."""
    industry: str | None
    employee_count: int | None
    annual_revenue: Decimal | None
    city: str | None
    state: str | None
    country: str | None
    founded_year: int | None
    type: str | None
    created_at: datetime
    modified_at: datetime
    parent: str | None = None
    """Key of the parent account in the same CRM."""
    deleted: bool = False
    organization: str = ""
    """The truth: which company this really is. Never shown to a connector."""
    details: AccountDetails = field(default_factory=AccountDetails)


@dataclass(frozen=True, slots=True)
class CrmContact:
    """A person as one CRM has them."""

    crm: Crm
    key: str
    person: str
    """The truth: who this really is. Never shown to a connector; for tests of identity."""
    kind: Literal["contact", "lead"]
    """Leads exist in Salesforce only."""
    account: str | None
    """Key of the account in the same CRM; leads have `company_name` instead."""
    company_name: str | None
    email: str | None
    phone: str | None
    first_name: str | None
    last_name: str | None
    title: str | None
    department: str | None
    city: str | None
    state: str | None
    country: str | None
    postal_code: str | None
    language: str | None
    lifecycle_stage: str | None
    lead_source: str | None
    email_opt_out: bool
    created_at: datetime
    modified_at: datetime
    deleted: bool = False
    merged_into: str | None = None
    """Key of the surviving contact in the same CRM."""
    external_id: str | None = None
    """The company's own customer number."""
    details: PersonDetails = field(default_factory=PersonDetails)


@dataclass(frozen=True, slots=True)
class CrmDeal:
    """An opportunity."""

    crm: Crm
    key: str
    account: str
    contact: str | None
    name: str
    amount: Decimal | None
    currency: str
    stage: str
    is_closed: bool
    is_won: bool
    close_date: date
    created_at: datetime
    modified_at: datetime
    deleted: bool = False
    probability: int | None = None
    """Percent."""
    kind: Literal["new", "existing"] | None = None
    pipeline: str = "default"


@dataclass(frozen=True, slots=True)
class CrmActivity:
    """A call, e-mail, meeting, task or note that sales logged."""

    crm: Crm
    key: str
    contact: str
    kind: Literal["call", "email", "meeting", "task", "note"]
    subject: str
    status: str
    at: datetime
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class CampaignMember:
    """A Salesforce contact or lead in a campaign."""

    key: str
    campaign: str
    contact: str
    status: str
    responded: bool
    created_at: datetime
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class WebEvent:
    """Something done on the site or in the product; arrives as JSON lines."""

    key: str
    email: str
    name: str
    at: datetime
    path: str | None = None
    feature: str | None = None
    campaign: str | None = None
    value: float | None = None


@dataclass(frozen=True, slots=True)
class ShopOrder:
    """A purchase; arrives as CSV."""

    key: str
    email: str
    at: datetime
    total: Decimal
    currency: str
    quantity: int
    status: str
    revenue: Decimal | None = None
    """Without tax, after discount."""
    discount: Decimal | None = None
    refunded: Decimal | None = None
    margin: Decimal | None = None
    channel: str | None = None
    coupon: str | None = None


@dataclass(frozen=True, slots=True)
class Technology:
    """A technology on a company's site; arrives through BuiltWith."""

    domain: str
    name: str
    """As BuiltWith writes it: `Google Analytics 4`."""
    category: str
    first_detected_at: datetime
    last_detected_at: datetime
    live: bool


@dataclass(frozen=True, slots=True)
class TopicSurge:
    """A week's research interest of a company in a topic; arrives as a Bombora file."""

    company_name: str
    domain: str
    size: str
    industry: str
    category: str
    topic: str
    score: int
    country: str
    week: date
    """Monday."""


@dataclass(frozen=True, slots=True)
class ConsentEntry:
    """What a person said about being addressed; arrives as CSV from the preference centre."""

    email: str
    purpose: Literal["advertising", "marketing"]
    channel: Literal["ads", "email"]
    status: Literal["granted", "denied"]
    at: datetime


@dataclass(frozen=True, slots=True)
class Company:
    """The whole demo company on one day."""

    name: str
    day: int
    now: datetime
    accounts: tuple[CrmAccount, ...] = ()
    contacts: tuple[CrmContact, ...] = ()
    deals: tuple[CrmDeal, ...] = ()
    activities: tuple[CrmActivity, ...] = ()
    campaign_members: tuple[CampaignMember, ...] = ()
    events: tuple[WebEvent, ...] = ()
    """All up to `now`; a later day has more of them."""
    orders: tuple[ShopOrder, ...] = ()
    technologies: tuple[Technology, ...] = ()
    surges: tuple[TopicSurge, ...] = ()
    consents: tuple[ConsentEntry, ...] = ()
    order_lines: tuple[OrderLine, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    """As they stand on the day; a later day has some of them changed."""
    tickets: tuple[Ticket, ...] = ()
    """As they stand on the day."""
    survey_answers: tuple[SurveyAnswer, ...] = ()
    email_actions: tuple[EmailAction, ...] = ()
