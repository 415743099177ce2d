"""Who Acme's people are: age, income, family, place; and what a CRM comes to hold of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Final

from audiencehub.sandbox.company.details import PersonDetails
from audiencehub.sandbox.company.geography import SURROUNDINGS
from audiencehub.sandbox.company.people import Person
from audiencehub.sandbox.company.records import Crm, CrmContact

INCOMES: Final = (
    "Under 25K",
    "25K-50K",
    "50K-75K",
    "75K-100K",
    "100K-150K",
    "150K-200K",
    "Over 200K",
)
_RANKS: Final = (
    # Words of a title, the years between which people hold it, the middle of their income.
    (("intern",), (20, 26), 0),
    (("ceo", "cfo", "cto", "coo", "cmo", "chro", "president", "founder", "owner"), (36, 68), 6),
    (("partner", "geschäftsführer", "代表取締役"), (38, 67), 5),
    (("vp", "director", "head", "directrice", "leiter"), (33, 62), 5),
    (("manager", "lead", "controller", "senior"), (28, 58), 4),
    (("",), (23, 60), 3),
)
_OCCUPATIONS: Final = {
    "marketing": ("Marketing", "Communications", "Design"),
    "sales": ("Sales",),
    "it": ("Software and IT", "Engineering"),
    "finance": ("Finance and Accounting",),
    "operations": ("Operations", "Logistics"),
    "hr": ("Human Resources",),
    "executive": ("Executive",),
    "": ("Self-employed", "Teaching", "Health care", "Student", "Retired"),
}
_ROLES: Final = {
    # Weights of decision maker, budget holder, executive sponsor, champion, influencer, end user,
    # legal and compliance, blocker.
    "executive": (45, 20, 25, 2, 4, 2, 1, 1),
    "finance": (15, 45, 5, 4, 12, 8, 8, 3),
    "it": (14, 6, 4, 18, 26, 26, 1, 5),
    "": (16, 8, 5, 17, 20, 30, 2, 2),
}
ROLES: Final = (
    "DECISION_MAKER",
    "BUDGET_HOLDER",
    "EXECUTIVE_SPONSOR",
    "CHAMPION",
    "INFLUENCER",
    "END_USER",
    "LEGAL_AND_COMPLIANCE",
    "BLOCKER",
)
CHANNELS: Final = ("email", "phone", "chat", "post")
_SPELLINGS: Final[dict[Crm, dict[str, str]]] = {
    "hubspot": {"female": "Female", "male": "Male", "nonbinary": "Non binary"},
    # The values Salesforce ships for GenderIdentity.
    "salesforce": {"female": "Female", "male": "Male", "nonbinary": "Nonbinary"},
}


def described(
    rng: Random, people: Iterable[Person], contacts: Sequence[CrmContact], now: datetime
) -> list[CrmContact]:
    """The contacts with what their CRM knows of the person: in two CRMs parts of one truth."""
    truth = {person.key: _truth(rng, person, now) for person in people}
    return [
        replace(one, details=_as_known(rng, truth[one.person], one.crm))
        if one.person in truth
        else one
        for one in contacts
    ]


def moved_on(rng: Random, details: PersonDetails) -> PersonDetails:
    """The same person after something happened in their life or work."""
    changes: Sequence[dict[str, Any]] = (
        {"family_status": rng.choice(("Married", "Divorced", "Partnership"))},
        {"buyer_role": rng.choice(ROLES)},
        {"income_band": rng.choice(INCOMES)},
        {"preferred_channel": rng.choice(CHANNELS)},
    )
    return replace(details, **rng.choice(changes))


def _truth(rng: Random, person: Person, now: datetime) -> PersonDetails:
    title = (person.title or "").lower()
    ages, middle = next((y, i) for words, y, i in _RANKS if any(word in title for word in words))
    age = rng.triangular(*ages, sum(ages) / 2 - 3)
    if person.department is None and rng.random() < 0.2:
        age, middle = rng.uniform(62, 84), 2
    income = max(0, min(len(INCOMES) - 1, middle + rng.choice((-1, -1, 0, 0, 0, 1))))
    place = SURROUNDINGS[person.place.city]
    near = 0.02 + 100 / place.density
    roles = _ROLES.get(person.department or "", _ROLES[""])
    occupations = _OCCUPATIONS[person.department or ""]
    return PersonDetails(
        birth_date=(now - timedelta(days=age * 365.25)).date(),
        gender=rng.choices(("female", "male", "nonbinary"), (48, 50, 2))[0],
        income_band=INCOMES[income],
        occupation="Retired" if age > 67 else rng.choice(occupations),
        education=_degree(rng, income),
        family_status=_family(rng, age),
        buyer_role=rng.choices(ROLES, roles)[0] if person.organization else None,
        timezone=place.timezone,
        latitude=round(place.latitude + rng.gauss(0, near), 5),
        longitude=round(place.longitude + rng.gauss(0, near), 5),
        climate_zone=place.climate,
        population_density=place.density,
        local_economy=place.economy,
        preferred_channel=rng.choices(CHANNELS, (62, 18, 16, 4))[0],
    )


def _degree(rng: Random, income: int) -> str:
    degrees = ("Secondary", "Vocational", "Bachelor", "Master", "Doctorate")
    weights = ((34, 30, 28, 7, 1), (14, 20, 42, 21, 3), (6, 8, 36, 40, 10))[income // 3]
    return rng.choices(degrees, weights)[0]


def _family(rng: Random, age: float) -> str:
    weights = (70, 22, 7, 1, 0) if age < 30 else (24, 16, 46, 12, 2)
    if age > 62:
        weights = (10, 6, 56, 16, 12)
    return rng.choices(("Single", "Partnership", "Married", "Divorced", "Widowed"), weights)[0]


def _as_known(rng: Random, true: PersonDetails, crm: Crm) -> PersonDetails:
    """The CRM asked for some of it; what was enriched by address comes together or not at all."""
    located = rng.random() < 0.68
    birth = true.birth_date if rng.random() < 0.5 else None
    if birth and rng.random() < 0.01:
        birth = date(1900, 1, 1)  # the form did not take a blank

    def asked(value: str | None, share: float) -> str | None:
        return value if rng.random() < share else None

    return PersonDetails(
        birth_date=birth,
        gender=asked(_SPELLINGS[crm][true.gender or "female"], 0.55),
        income_band=asked(true.income_band, 0.4),
        occupation=asked(true.occupation, 0.5),
        education=asked(true.education, 0.45),
        family_status=asked(true.family_status, 0.42),
        buyer_role=asked(true.buyer_role, 0.6),
        timezone=asked(true.timezone, 0.7),
        latitude=true.latitude if located else None,
        longitude=true.longitude if located else None,
        climate_zone=true.climate_zone if located else None,
        population_density=true.population_density if located else None,
        local_economy=true.local_economy if located else None,
        preferred_channel=asked(true.preferred_channel, 0.5),
    )
