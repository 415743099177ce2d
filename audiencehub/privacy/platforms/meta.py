"""Meta customer file audiences. Sources: developers.facebook.com/docs/marketing-api, "Customer File
Custom Audiences" (hashing and normalization) and "Customer Information Parameters" (Conversions
API); where Meta's SDK differs (it strips é from names, hashes MADID), the text wins.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import pycountry

from audiencehub.privacy import normal
from audiencehub.privacy.rule import Refused, Rule, Rules

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "email": ("EMAIL",),
    "phone": ("PHONE",),
    "first_name": ("FN",),
    "last_name": ("LN",),
    "city": ("CT",),
    "state": ("ST",),
    "zip": ("ZIP",),
    "country": ("COUNTRY",),
    "birth_date": ("DOBY", "DOBM", "DOBD"),
    "gender": ("GEN",),
    "device_id": ("MADID",),
    "external_id": ("EXTERN_ID",),
}
"""Identifier field to the columns of the upload that carry it."""
_GENDERS = {"m": "m", "male": "m", "man": "m", "f": "f", "female": "f", "woman": "f"}


def name(value: str, _: str | None) -> str | Refused:
    """Lower case without punctuation; letters outside a-z stay, in UTF-8."""
    return normal.words(value)


def city(value: str, _: str | None) -> str | Refused:
    """a-z alone, no blanks; an accent is taken off its letter rather than the letter away."""
    bare = unicodedata.normalize("NFKD", normal.lower(value).replace("ß", "ss")).lower()
    text = re.sub(r"[^a-z]", "", bare)
    return text if text or not normal.visible(value) else Refused("no letter a-z in the city")


def state(value: str, country: str | None) -> str | Refused:
    """The two-letter code in the US; elsewhere lower-case letters and digits."""
    text = normal.lower(value)
    found = re.fullmatch(r"([a-z]{2})-([a-z0-9]{1,3})", text)
    if found and normal.country_code(found[1].upper()) in (country or found[1].upper(),):
        text, country = found[2], found[1].upper()
    if country in (None, "US"):
        known = _us_states().get(" ".join(text.replace(".", "").split()))
        if known or country == "US":
            return known or (Refused("not a US state") if text else "")
    return unicodedata.normalize("NFC", "".join(c for c in text if c.isalnum()))


def postal_code(value: str, country: str | None) -> str | Refused:
    """Lower case, no blanks; in the US the first five digits, also of ZIP+4."""
    text = "".join(normal.lower(value).split())
    if country in (None, "US"):
        found = re.fullmatch(r"([0-9]{5})(?:-?[0-9]{4})?", text)
        if found:
            return found[1]
    if country == "US" and text:
        return Refused("not a US ZIP code")
    return text if not text or any(c.isalnum() for c in text) else Refused("not a postal code")


def country_lower(value: str, _: str | None) -> str | Refused:
    """ISO 3166-1 alpha-2, lower case."""
    text = normal.iso2(value)
    return text if isinstance(text, Refused) else text.lower()


def gender(value: str, _: str | None) -> str | Refused:
    """m or f, the only two that Meta takes."""
    text = normal.lower(value).rstrip(".")
    return _GENDERS.get(text) or (Refused("meta takes only m and f as gender") if text else "")


def columns(field: str, sent: str) -> dict[str, str]:
    """What was sent for one field, by column of the upload: `{"EMAIL": "<hash>"}`."""
    names = COLUMNS[field]
    values = sent.split(",") if len(names) > 1 else [sent]
    return dict(zip(names, values, strict=True))


@lru_cache(maxsize=1)
def _us_states() -> dict[str, str]:
    found: dict[str, str] = {}
    every: Any = pycountry.subdivisions
    for one in every.get(country_code="US"):
        code = one.code.removeprefix("US-").lower()
        found |= {code: code, one.name.lower(): code}
    return found


RULES: Rules = {
    "email": Rule(normal.email),
    "phone": Rule(normal.digits_only),
    "first_name": Rule(name),
    "last_name": Rule(name),
    "city": Rule(city),
    "state": Rule(state),
    "zip": Rule(postal_code),
    "country": Rule(country_lower),
    "device_id": Rule(normal.device_lower, hashed=False),
    "external_id": Rule(normal.opaque, hashed=False, opaque=True),
    "birth_date": Rule(normal.birth_date, parts=lambda text: tuple(text.split("-"))),
    "gender": Rule(gender),
}
