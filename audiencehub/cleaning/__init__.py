"""Cleaning: one file per kind of field, its tables as data.

Every cleaner takes a raw value and what is already known of its row, and returns the canonical
value, or None for a blank. It raises `Unclean` with a reason when a value is there but cannot be
understood; the raw value is then kept aside and counted, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from audiencehub.canonical import Field, Type
from audiencehub.cleaning import basic, company, contact, place, when
from audiencehub.cleaning.basic import Unclean

__all__ = ["CLEANERS", "Unclean", "clean"]

Known = Mapping[str, Any]
Cleaner = Callable[[Any, Known], Any]

CLEANERS: Mapping[str, Cleaner] = {
    "text": basic.text,
    "slug": basic.slug,
    "topic": basic.topic,
    "count": basic.count,
    "currency": basic.currency,
    "technology": company.technology,
    "industry": company.industry,
    "domain": company.domain,
    "email": contact.email,
    "phone": contact.phone,
    "country": place.country,
    "state": place.state,
}
BY_TYPE: Mapping[Type, Cleaner] = {
    "text": basic.text,
    "integer": basic.count,
    "money": basic.money,
    "number": basic.number,
    "boolean": basic.boolean,
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
