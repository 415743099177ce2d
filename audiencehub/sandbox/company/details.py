"""What a CRM knows of a person or a company beyond the standard fields, as it has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class PersonDetails:
    """Fields of a contact; None where the CRM has none."""

    birth_date: date | None = None
    gender: str | None = None
    income_band: str | None = None
    occupation: str | None = None
    education: str | None = None
    family_status: str | None = None
    buyer_role: str | None = None
    timezone: str | None = None
    """IANA."""
    latitude: float | None = None
    longitude: float | None = None
    climate_zone: str | None = None
    population_density: int | None = None
    local_economy: str | None = None
    preferred_channel: str | None = None
    """A field that Acme added."""


@dataclass(frozen=True, slots=True)
class AccountDetails:
    """Fields of an account; None where the CRM has none."""

    business_model: str | None = None
    stage: str | None = None
    margin: Decimal | None = None
    """Percent."""
    employee_range: str | None = None
    revenue_range: str | None = None
    postal_code: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    renewal_risk: int | None = None
    """0 to 100; a field that Acme added."""
