"""Records that reach the hub as files: order lines, subscriptions, tickets, answers, e-mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One product of an order; from the shop, as CSV."""

    key: str
    order: str
    """Key of the order."""
    email: str
    at: datetime
    sku: str
    name: str
    category: str
    brand: str
    quantity: int
    price: Decimal
    """Of one unit, before discount."""
    currency: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """A contract; from billing, as CSV."""

    key: str
    email: str
    """Who pays the bills."""
    company_domain: str | None
    plan: str
    status: str
    mrr: Decimal
    currency: str
    interval: str
    seats: int
    started_at: datetime
    trial_end: datetime | None
    renews_at: datetime | None
    cancel_at: datetime | None
    canceled_at: datetime | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Ticket:
    """A conversation with support; from the help desk, as CSV."""

    key: str
    email: str
    subject: str
    category: str
    status: str
    priority: str
    channel: str
    created_at: datetime
    solved_at: datetime | None
    first_reply_minutes: int | None
    csat: int | None
    """1 to 5."""
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class SurveyAnswer:
    """One answer; from the survey tool, as CSV."""

    response: str
    survey: str
    question: str
    type: str
    kind: str
    email: str
    at: datetime
    score: int | None = None
    score_max: int | None = None
    choice: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class EmailAction:
    """What became of a marketing e-mail; from the e-mail platform, as JSON lines."""

    key: str
    campaign: str
    topic: str
    email: str
    action: str
    at: datetime
    link: str | None = None
