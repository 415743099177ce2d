"""What others tell Acme: technologies on sites, weekly topic surges, people's consent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Literal

from audiencehub.sandbox.company.names import COUNTRY_SPELLINGS
from audiencehub.sandbox.company.organizations import TOPICS, Organization
from audiencehub.sandbox.company.people import Person
from audiencehub.sandbox.company.records import ConsentEntry, Technology, TopicSurge

WEEKS = 8
TECHNOLOGIES = {
    "Salesforce": ("CRM", 30),
    "HubSpot": ("Marketing Automation", 28),
    "Snowflake": ("Data Warehouse", 17),
    "Google Analytics 4": ("Analytics", 62),
    "Shopify": ("Ecommerce", 12),
    "Segment": ("Customer Data Platform", 11),
    "WordPress": ("Content Management System", 34),
    "Amazon Web Services": ("Hosting", 45),
    "Marketo": ("Marketing Automation", 9),
    "Stripe": ("Payment", 22),
    "Zendesk": ("Support", 18),
    "React": ("JavaScript Framework", 40),
}
_LIKELY = {
    ("Shopify", "retail"): 4.0,
    ("Stripe", "fintech"): 2.0,
    ("Snowflake", "software"): 2.0,
    ("Snowflake", "fintech"): 2.2,
    ("Salesforce", "banking"): 1.8,
    ("Salesforce", "fintech"): 1.6,
}
_SIZES = (
    (10, "1-10 employees"),
    (50, "11-50 employees"),
    (200, "51-200 employees"),
    (500, "201-500 employees"),
    (1000, "501-1000 employees"),
    (5000, "1001-5000 employees"),
    (10_000, "5001-10,000 employees"),
)
_INDUSTRIES = {
    "software": "computer software",
    "fintech": "financial services",
    "banking": "banking",
    "healthcare": "hospital & health care",
    "retail": "retail",
    "manufacturing": "machinery",
    "education": "education management",
    "media": "broadcast media",
    "logistics": "logistics and supply chain",
    "professional_services": "management consulting",
    "energy": "oil & energy",
    "public_sector": "government administration",
}


def technologies(
    rng: Random, organizations: Sequence[Organization], now: datetime
) -> list[Technology]:
    """What BuiltWith has seen; a tenth of it is gone, one company in eight is not covered."""
    found: list[Technology] = []
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for one in organizations:
        if rng.random() < 0.12:
            continue
        for name, (category, share) in TECHNOLOGIES.items():
            if rng.random() * 100 >= share * _LIKELY.get((name, one.industry), 1.0):
                continue
            first = midnight - timedelta(days=rng.randint(20, 2200))
            live = rng.random() > 0.1
            seen = (midnight - first).days
            gone = rng.randint(1, 9) if live else rng.randint(25, max(26, seen))
            last = midnight - timedelta(days=min(gone, seen))
            found.append(Technology(one.domain, name, category, first, last, live))
    return found


def last_week(now: datetime) -> date:
    """Monday of the latest week reported by `now`: the report of a week comes on the Tuesday
    after it."""
    day = now.date() - timedelta(days=1)
    return day - timedelta(days=day.weekday() + 7)


def surges(rng: Random, organizations: Sequence[Organization], now: datetime) -> list[TopicSurge]:
    """Eight weeks of topics; what a company is in the market for rises towards the end."""
    found: list[TopicSurge] = []
    newest = last_week(now)
    for one in organizations:
        if rng.random() < 0.25 and not one.topics:
            continue
        quiet = rng.sample(sorted(TOPICS), rng.randint(1, 4))
        for topic in sorted({*quiet, *one.topics}):
            base, since = rng.randint(18, 55), rng.randint(1, 5)
            for back in range(WEEKS):
                if topic not in one.topics and rng.random() < 0.35:
                    continue
                rise = rng.randint(14, 40) if topic in one.topics and back < since else 0
                score = max(1, min(99, base + rise + rng.randint(-7, 9)))
                if rise:
                    score = max(score, rng.randint(58, 72))
                found.append(_surge(rng, one, topic, score, newest - timedelta(weeks=back)))
    found.sort(key=lambda surge: (surge.week, surge.domain, surge.topic))
    return found


def consents(rng: Random, people: Sequence[Person], now: datetime) -> list[ConsentEntry]:
    """The preference centre's log, oldest first: most granted, some denied, some took it back."""
    said: list[ConsentEntry] = []
    for person in people:
        if person.email is None or person.consent is None:
            continue
        for purpose, channel in PURPOSES:
            if rng.random() < 0.12:
                continue
            at = now - timedelta(days=30 + rng.random() * 600)
            first = "denied" if person.consent == "denied" else "granted"
            said.append(consent(person.email, purpose, channel, first, at))
            if person.consent == "withdrawn":
                later = at + (now - at) * rng.uniform(0.1, 0.95)
                said.append(consent(person.email, purpose, channel, "denied", later))
    said.sort(key=lambda entry: (entry.at, entry.email, entry.purpose))
    return said


PURPOSES: tuple[tuple[Literal["advertising", "marketing"], Literal["ads", "email"]], ...] = (
    ("advertising", "ads"),
    ("marketing", "email"),
)


def consent(
    email: str,
    purpose: Literal["advertising", "marketing"],
    channel: Literal["ads", "email"],
    status: str,
    at: datetime,
) -> ConsentEntry:
    """One entry, dated to the second."""
    word: Literal["granted", "denied"] = "granted" if status == "granted" else "denied"
    return ConsentEntry(email, purpose, channel, word, at.replace(microsecond=0))


def _surge(rng: Random, one: Organization, topic: str, score: int, week: date) -> TopicSurge:
    known = rng.random() > 0.35  # Bombora leaves name, size and industry blank for many rows
    size = next((word for most, word in _SIZES if one.employees <= most), "10,001+ employees")
    return TopicSurge(
        company_name=one.name.lower() if known else "",
        domain=one.domain,
        size=size if known else "",
        industry=_INDUSTRIES[one.industry] if known else "",
        category=TOPICS[topic],
        topic=topic,
        score=score,
        country=COUNTRY_SPELLINGS[one.place.country][0],
        week=week,
    )
