"""LinkedIn matched audiences. Source: learn.microsoft.com/linkedin/marketing, "DMP Segment Users"
and "DMP Segment Companies": e-mail as SHA-256, everything else in plain text, no phone.
"""

from __future__ import annotations

import re

from audiencehub.privacy import normal
from audiencehub.privacy.rule import Refused, Rule, Rules

_URN = "urn:li:organization:"


def country(value: str, _: str | None) -> str | Refused:
    """The ISO code where the value is a country we know, else the name as written."""
    text = " ".join(normal.visible(value).split())
    return normal.country_code(text) or text


def company_domain(value: str, _: str | None) -> str | Refused:
    """Lower case, without scheme, path and port."""
    text = "".join(normal.lower(value).split())
    text = re.sub(r"^(?:[a-z][a-z0-9+.-]*:)?//", "", text)
    text = re.split(r"[/?#:]", text, maxsplit=1)[0].strip(".")
    label = r"[\w](?:[\w-]*[\w])?"
    if text and not re.fullmatch(rf"{label}(?:\.{label})+", text):
        return Refused("not a domain")
    return text


def organization_urn(value: str, _: str | None) -> str | Refused:
    """`urn:li:organization:<number>`, from any case, with blanks, or with the prefix doubled."""
    text = "".join(normal.lower(value).split())
    number = text
    while number.startswith(_URN):
        number = number.removeprefix(_URN)
    if text and not re.fullmatch(r"[0-9]{1,19}", number):
        return Refused("not an organization URN")
    return f"{_URN}{int(number)}" if text else ""


RULES: Rules = {
    "email": Rule(normal.email_unspaced),
    "first_name": Rule(normal.plain, hashed=False),
    "last_name": Rule(normal.plain, hashed=False),
    "country": Rule(country, hashed=False),
    "device_id": Rule(normal.device, hashed=False),
    "company_domain": Rule(company_domain, hashed=False),
    "organization_urn": Rule(organization_urn, hashed=False),
    "company_name": Rule(normal.plain, hashed=False),
}
