"""Google Data Manager API. Sources: developers.google.com/data-manager, "Format user data" and
UserIdentifier; where Google's own formatting library differs (Gmail suffixes), the text wins.
"""

from __future__ import annotations

import re

from audiencehub.privacy import normal
from audiencehub.privacy.rule import Refused, Rule, Rules

GMAIL = frozenset({"gmail.com", "googlemail.com"})
TITLES = frozenset({"mr", "mrs", "ms", "miss", "dr", "prof"})
SUFFIXES = frozenset(
    "jr sr 2nd 3rd ii iii iv v vi cpa dc dds vm jd md phd".split()  # noqa: SIM905
)
_NOT_A_NAME = SUFFIXES - {"v", "vi", "dc", "vm", "md", "jd"}
"""Suffixes that are nobody's family name; the others (Vi, Md) are somebody's."""


def email(value: str, country: str | None) -> str | Refused:
    """No blanks, lower case; for Gmail alone also no dots and no +suffix in the local part."""
    text = normal.email_unspaced(value, country)
    if isinstance(text, Refused) or not text:
        return text
    local, _, domain = text.partition("@")
    if domain in GMAIL:
        local = local.partition("+")[0].replace(".", "")
    return f"{local}@{domain}" if local else Refused("not an e-mail address")


def first_name(value: str, _: str | None) -> str | Refused:
    """Lower case, without title and punctuation."""
    parts = normal.words(value).split()
    while len(parts) > 1 and parts[0] in TITLES:
        parts = parts[1:]
    if len(parts) == 1 and parts[0] in TITLES:
        return Refused("a title is not a name")
    return " ".join(parts)


def last_name(value: str, _: str | None) -> str | Refused:
    """Lower case, without suffix and punctuation."""
    # A comma parts a suffix from the name even where no blank does: "King,Jr."
    parts = normal.words(value.replace(",", " ")).split()
    while len(parts) > 1 and parts[-1] in SUFFIXES:
        parts = parts[:-1]
    if len(parts) == 1 and parts[0] in _NOT_A_NAME:
        return Refused("a suffix is not a name")
    return " ".join(parts)


def postal_code(value: str, country: str | None) -> str | Refused:
    """Plain; in the US five digits or ZIP+4."""
    text = " ".join(normal.visible(value).split())
    if country == "US" and text:
        found = re.fullmatch(r"([0-9]{5})(?:[- ]?([0-9]{4}))?", text)
        if not found:
            return Refused("not a US ZIP code")
        return "-".join(part for part in found.groups() if part)
    if text and not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z -]{1,11}", text):
        return Refused("not a postal code")
    return text


RULES: Rules = {
    "email": Rule(email),
    "phone": Rule(normal.e164),
    "first_name": Rule(first_name),
    "last_name": Rule(last_name),
    "zip": Rule(postal_code, hashed=False),
    "country": Rule(normal.iso2, hashed=False),
    "device_id": Rule(normal.device, hashed=False),
    "external_id": Rule(normal.opaque, hashed=False, opaque=True),
}
