"""What kind of companies Acme's market has: model, funding, margin; and what a CRM holds of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Final

from audiencehub.sandbox.company.details import AccountDetails
from audiencehub.sandbox.company.geography import SURROUNDINGS
from audiencehub.sandbox.company.organizations import Organization
from audiencehub.sandbox.company.records import CrmAccount

_MODELS: Final = {
    "retail": (("B2C", 75), ("B2B2C", 20), ("B2B", 5)),
    "banking": (("B2C", 45), ("B2B2C", 30), ("B2B", 25)),
    "media": (("B2C", 45), ("B2B", 40), ("B2B2C", 15)),
    "education": (("B2C", 50), ("B2B", 30), ("Nonprofit", 20)),
    "public_sector": (("Nonprofit", 60), ("B2G", 40)),
    "healthcare": (("B2C", 50), ("B2B", 40), ("B2G", 10)),
    "": (("B2B", 78), ("B2B2C", 14), ("B2C", 8)),
}
_STAGES: Final = ("Bootstrapped", "Seed", "Series A", "Series B", "Series C", "Private", "Public")
_HEADS: Final = (10, 50, 200, 500, 1000, 5000, 10_000)
_MILLIONS: Final = (1, 10, 25, 50, 100, 250, 500, 1000, 10_000)


def described(
    rng: Random, accounts: Sequence[CrmAccount], organizations: Mapping[str, Organization]
) -> list[CrmAccount]:
    """The accounts with what their CRM knows of the company: in two CRMs parts of one truth."""
    truth = {key: _truth(rng, one) for key, one in organizations.items()}
    return [replace(one, details=_as_known(rng, truth[one.organization])) for one in accounts]


def _truth(rng: Random, one: Organization) -> AccountDetails:
    models = _MODELS.get(one.industry, _MODELS[""])
    place = SURROUNDINGS[one.place.city]
    risk = {"customer": 25, "churned": 85}.get(one.status)
    return AccountDetails(
        business_model=rng.choices([name for name, _ in models], [w for _, w in models])[0],
        stage=_stage(rng, one),
        margin=_margin(rng, one),
        employee_range=band(one.employees),
        revenue_range=revenue_band(one.revenue),
        postal_code="".join(str(rng.randrange(10)) if c == "#" else c for c in one.place.postal),
        latitude=round(place.latitude + rng.gauss(0, 0.05), 5),
        longitude=round(place.longitude + rng.gauss(0, 0.05), 5),
        renewal_risk=None if risk is None else max(0, min(100, int(rng.gauss(risk, 18)))),
    )


def _stage(rng: Random, one: Organization) -> str:
    if one.industry in ("public_sector", "education"):
        return "Private"
    if one.employees > 5000 and rng.random() < 0.7:
        return "Public"
    young = one.industry in ("software", "fintech", "healthcare") and one.founded > 2010
    if not young:
        return "Private" if one.employees > 60 else rng.choice(("Bootstrapped", "Private"))
    step = sum(one.employees > heads for heads in (25, 90, 250, 600))
    return _STAGES[min(4, max(0, step + rng.choice((-1, 0, 0, 1))))]


def _margin(rng: Random, one: Organization) -> Decimal | None:
    """Only of those who buy; big ones get discounts."""
    if one.status not in ("customer", "churned"):
        return None
    middle = 78 - 6 * len(str(one.employees)) - (14 if one.status == "churned" else 0)
    return Decimal(str(round(max(-10.0, min(92.0, rng.gauss(middle, 9))), 1)))


def band(value: int) -> str:
    """`51-200`, and `10001+` above the last top."""
    low = 1
    for top in _HEADS:
        if value <= top:
            return f"{low}-{top}"
        low = top + 1
    return f"{low}+"


def revenue_band(dollars: int) -> str:
    """`$10M-$25M`, `under $1M`, `$500M-$1B`, `$10B+`."""
    low = ""
    for top in _MILLIONS:
        name = f"${top}M" if top < 1000 else f"${top // 1000}B"
        if dollars < top * 1_000_000:
            return f"{low}-{name}" if low else f"under {name}"
        low = name
    return f"{low}+"


def _as_known(rng: Random, true: AccountDetails) -> AccountDetails:
    located = rng.random() < 0.7
    return AccountDetails(
        business_model=true.business_model if rng.random() < 0.6 else None,
        stage=true.stage if rng.random() < 0.5 else None,
        margin=true.margin if rng.random() < 0.9 else None,
        employee_range=true.employee_range if rng.random() < 0.75 else None,
        revenue_range=true.revenue_range if rng.random() < 0.65 else None,
        postal_code=true.postal_code if rng.random() < 0.6 else None,
        latitude=true.latitude if located else None,
        longitude=true.longitude if located else None,
        renewal_risk=true.renewal_risk if rng.random() < 0.85 else None,
    )
