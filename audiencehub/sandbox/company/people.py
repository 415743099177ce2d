"""The truth about the people that Acme's CRMs know, before any CRM has typed them in."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

from audiencehub.sandbox.company.names import (
    DEPARTMENTS,
    DIAL_CODES,
    FAMILY,
    FREE_MAIL,
    GIVEN,
    PLACES,
    TITLES,
    Place,
    pairs,
)
from audiencehub.sandbox.company.organizations import Organization

Presence = Literal["hubspot", "salesforce", "both"]
_GIVEN = {culture: pairs(words) for culture, words in GIVEN.items()}
_FAMILY = {culture: pairs(words) for culture, words in FAMILY.items()}
_ROLES = ("info", "sales", "office", "billing", "support", "kontakt")


@dataclass(frozen=True, slots=True)
class Person:
    """One person as they really are."""

    key: str
    organization: Organization | None
    first_name: str
    last_name: str
    email: str | None
    phone: str | None
    """E.164."""
    place: Place
    department: str | None
    title: str | None
    stage: str
    customer_number: str | None
    energy: float
    """How active they are; heavy-tailed around 1."""
    presence: Presence
    consent: Literal["granted", "denied", "withdrawn"] | None

    @property
    def is_customer(self) -> bool:
        """They use the product."""
        return self.stage in ("customer", "evangelist")


class People:
    """Makes one person after another; no two share an address."""

    def __init__(self, rng: Random, organizations: list[Organization]) -> None:
        self._rng, self._organizations = rng, organizations
        self._weights = [1 + len(str(one.employees)) ** 2.2 for one in organizations]
        self._taken: set[str] = set()
        self._count = 0

    def next(self) -> Person:
        """One more person."""
        rng = self._rng
        self._count += 1
        organization = None
        if self._organizations and rng.random() < 0.9:
            organization = rng.choices(self._organizations, self._weights)[0]
        place = organization.place if organization else rng.choice(PLACES)
        if rng.random() < 0.1:
            place = rng.choice(PLACES)
        first, last, local = self._name(place)
        department = rng.choice(sorted(DEPARTMENTS)) if rng.random() < 0.9 else None
        stage = self._stage(organization)
        customer = stage in ("customer", "evangelist")
        return Person(
            key=f"p{self._count:06d}",
            organization=organization,
            first_name=first,
            last_name=last,
            email=self._email(local, organization),
            phone=self._phone(place) if rng.random() < 0.6 else None,
            place=place,
            department=department,
            title=rng.choice(TITLES[department]) if department else None,
            stage=stage,
            customer_number=(
                f"C-{100_000 + self._count}" if customer and rng.random() < 0.8 else None
            ),
            energy=min(90.0, rng.paretovariate(1.15)),
            presence=rng.choices(("both", "hubspot", "salesforce"), (30, 40, 30))[0],
            consent=rng.choices(("granted", "denied", "withdrawn", None), (49, 7, 7, 37))[0],
        )

    def _name(self, place: Place) -> tuple[str, str, str]:
        rng = self._rng
        culture = place.culture if rng.random() < 0.75 else rng.choice(sorted(_GIVEN))
        first, first_plain = rng.choice(_GIVEN[culture])
        last, last_plain = rng.choice(_FAMILY[culture])
        local = rng.choice(
            (
                f"{first_plain}.{last_plain}",
                f"{first_plain[0]}{last_plain}",
                f"{first_plain}_{last_plain}",
                f"{first_plain}.{last_plain}",
                first_plain,
            )
        )
        return first, last, local

    def _email(self, local: str, organization: Organization | None) -> str | None:
        rng = self._rng
        roll = rng.random()
        if roll < 0.06:
            return None
        domain = organization.domain if organization else rng.choice(FREE_MAIL)
        if roll < 0.12:
            domain = rng.choice(FREE_MAIL)
        elif roll < 0.15 and organization:
            local = rng.choice(_ROLES)
        elif roll < 0.17:
            local = f"{local}+news"
        address, attempt = f"{local}@{domain}", 1
        while address in self._taken:
            attempt += 1
            address = f"{local}{attempt}@{domain}"
        self._taken.add(address)
        return address

    def _phone(self, place: Place) -> str | None:
        if place.country not in DIAL_CODES or not place.dial:
            return None
        number = "".join(
            str(self._rng.randrange(10)) if c == "#" else c for c in place.dial if c != " "
        )
        return f"+{DIAL_CODES[place.country]}{number}"

    def _stage(self, organization: Organization | None) -> str:
        rng = self._rng
        stages = ("subscriber", "lead", "mql", "sql", "opportunity", "customer", "evangelist")
        weights = (34, 38, 14, 8, 4, 2, 0)
        if organization and organization.status == "customer":
            weights = (8, 12, 6, 4, 6, 56, 8)
        elif organization and organization.topics:
            weights = (14, 28, 26, 18, 14, 0, 0)
        return rng.choices(stages, weights)[0]
