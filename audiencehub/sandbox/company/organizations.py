"""The truth about the companies in the demo company's market, before any CRM has seen them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from audiencehub.sandbox.company.names import (
    INDUSTRY_WEIGHTS,
    INDUSTRY_WORDS,
    LEGAL_FORMS,
    PLACES,
    STEMS,
    Place,
    plain,
)

Status = Literal["prospect", "customer", "churned", "partner"]
TOPICS: Mapping[str, str] = {
    "payment processing": "payments",
    "customer data platform": "marketing technology",
    "marketing automation": "marketing technology",
    "data warehouse": "data management",
    "crm software": "sales technology",
    "lead scoring": "sales technology",
    "business intelligence": "data management",
    "fraud detection": "payments",
    "cloud migration": "infrastructure",
    "email deliverability": "marketing technology",
}
_LEANING = {
    "fintech": "payment processing",
    "banking": "payment processing",
    "retail": "payment processing",
    "software": "data warehouse",
    "media": "customer data platform",
}


@dataclass(frozen=True, slots=True)
class Organization:
    """One company as it really is."""

    key: str
    name: str
    domain: str
    industry: str
    employees: int
    revenue: int
    """US dollars a year."""
    place: Place
    founded: int
    status: Status
    created_at: datetime
    """When Acme first heard of it."""
    crms: tuple[Literal["salesforce", "hubspot"], ...]
    parent: str | None
    topics: tuple[str, ...]
    """What it researches these weeks; empty for most."""


def organizations(rng: Random, count: int, now: datetime) -> list[Organization]:
    """That many companies, no two with one domain."""
    made: list[Organization] = []
    taken: set[str] = set()
    industries, weights = list(INDUSTRY_WEIGHTS), list(INDUSTRY_WEIGHTS.values())
    places = rng.choices(PLACES, [place.weight for place in PLACES], k=count)
    for number, place in enumerate(places):
        industry = rng.choices(industries, weights)[0]
        name, domain = _name(rng, industry, place, taken)
        employees = _size(rng, industry)
        status: Status = rng.choices(
            ("prospect", "customer", "churned", "partner"), (62, 27, 7, 4)
        )[0]
        parent = rng.choice(made).key if made and rng.random() < 0.06 else None
        made.append(
            Organization(
                key=f"o{number:05d}",
                name=name,
                domain=domain,
                industry=industry,
                employees=employees,
                revenue=int(employees * rng.uniform(90_000, 320_000)),
                place=place,
                founded=min(now.year, int(now.year - rng.paretovariate(1.1) * 4)),
                status=status,
                created_at=_created(rng, now),
                crms=rng.choices(
                    (("hubspot", "salesforce"), ("hubspot",), ("salesforce",)), (45, 33, 22)
                )[0],
                parent=parent,
                topics=_topics(rng, industry, status),
            )
        )
    return made


def _name(rng: Random, industry: str, place: Place, taken: set[str]) -> tuple[str, str]:
    for attempt in range(1000):
        stem, word = rng.choice(STEMS), rng.choice(INDUSTRY_WORDS[industry])
        core = f"{stem} {word.replace('-', ' ')}"
        label = f"{plain(stem)}{'-' if rng.random() < 0.3 else ''}{plain(word)}"
        if attempt > 50:
            label += str(attempt)
            core += f" {attempt}"
        if not stem.isascii() and rng.random() < 0.3:
            label = f"{stem.lower()}-{plain(word)}"
        if plain(label) not in taken:
            break
    taken.add(plain(label))
    form = rng.choice(LEGAL_FORMS.get(place.country, ("",)))
    name = f"{form}{core}" if form == "株式会社" else f"{core} {form}".strip()
    return name, f"{label}.example"


def _size(rng: Random, industry: str) -> int:
    middle = {"banking": 5.6, "public_sector": 5.5, "manufacturing": 5.0, "energy": 5.2}
    return max(1, min(180_000, int(rng.lognormvariate(middle.get(industry, 4.3), 1.7))))


def _created(rng: Random, now: datetime) -> datetime:
    days = min(2600.0, 40 + rng.expovariate(1 / 500))
    return (now - timedelta(days=days)).replace(microsecond=rng.randrange(1000) * 1000)


def _topics(rng: Random, industry: str, status: Status) -> tuple[str, ...]:
    if rng.random() > (0.3 if status == "prospect" else 0.15):
        return ()
    count = rng.choices((1, 2, 3), (55, 30, 15))[0]
    chosen = rng.sample(sorted(TOPICS), count)
    leaning = _LEANING.get(industry)
    if leaning and rng.random() < 0.6 and leaning not in chosen:
        chosen[0] = leaning
    return tuple(chosen)
