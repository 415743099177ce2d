"""Cleaning: one file per kind of field, its tables as data.

Every cleaner takes a raw value and what is already known of its row, and returns the canonical
value, or None for a blank. It raises `Unclean` with a reason when a value is there but cannot be
understood; the raw value is then kept aside and counted, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from audiencehub.canonical import Field, Type
from audiencehub.cleaning import (
    basic,
    company,
    industry,
    job,
    mail,
    number,
    person,
    phone,
    place,
    size,
    technology,
    web,
    when,
)
from audiencehub.cleaning.basic import Unclean

__all__ = ["CLEANERS", "Unclean", "clean"]

Known = Mapping[str, Any]
Cleaner = Callable[[Any, Known], Any]

CLEANERS: Mapping[str, Cleaner] = {
    "text": basic.text,
    "slug": basic.slug,
    "topic": basic.topic,
    "count": number.count,
    "currency": number.currency,
    "email": mail.email,
    "phone": phone.phone,
    "phone_ext": phone.phone_ext,
    "country": place.country,
    "state": place.state,
    "postal_code": place.postal_code,
    "latitude": place.latitude,
    "longitude": place.longitude,
    "timezone": place.timezone,
    "domain": web.domain,
    "company": company.company,
    "company_norm": company.norm,
    "industry": industry.industry,
    "employee_range": size.employee_range,
    "revenue_range": size.revenue_range,
    "income_band": size.income_band,
    "seniority": job.seniority,
    "department": job.department,
    "technology": technology.technology,
    "technology_category": technology.technology_category,
    "language": person.language,
    "gender": person.gender,
    "education": person.education,
    "family_status": person.family_status,
}
"""By the name that a canonical field gives in `clean`."""
BY_TYPE: Mapping[Type, Cleaner] = {
    "text": basic.text,
    "integer": number.count,
    "money": number.money,
    "number": number.number,
    "boolean": number.boolean,
    "date": when.day,
    "instant": when.instant,
    "texts": basic.texts,
    "json": basic.document,
}


def clean(field: Field, value: Any, known: Known) -> Any:
    """The canonical value of a field. Raises Unclean."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    cleaner = CLEANERS[field.clean] if field.clean else BY_TYPE[field.type]
    return cleaner(value, known)
