"""Traces: the texts that would name a forgotten person, found and blanked wherever text stands."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import quote

from audiencehub.forgetting.person import Person
from audiencehub.privacy import normal
from audiencehub.privacy.forgotten import BLANK

SHORTEST = 8
"""Numbers and codes shorter than this stand for too much else to be searched for."""
LONGEST_NUMBER = 15
"""Record ids that are shorter numbers may be another object's."""


@dataclass(frozen=True, slots=True)
class Traces:
    """One person's spellings, and one pattern of them all; none but the person's own."""

    spellings: tuple[str, ...]
    """In lower case, the longest first."""
    pattern: re.Pattern[str]

    def among(self, text: str) -> bool:
        """Whether the text holds one."""
        return self.pattern.search(text) is not None

    def blank(self, text: str) -> str:
        """The text without them."""
        return self.pattern.sub(BLANK, text)

    def blanked(self, value: Any) -> Any:
        """A JSON value without them: whole values become null, parts of a text are blanked."""
        if isinstance(value, Mapping):
            return {key: self.blanked(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self.blanked(one) for one in value]
        if isinstance(value, bool) or not isinstance(value, str | int):
            return value
        text = str(value)
        if self.pattern.fullmatch(text.strip()):
            return None
        return value if isinstance(value, int) else self.blank(text)


def traces(person: Person, *, ids: bool = False) -> Traces:
    """Addresses, numbers and long codes of a person as they may be written, and their hashes.

    `ids`: short record ids too, for texts of our own making; in a vendor's record the same number
    may be another object's.
    """
    found: set[str] = set()
    for email in person.values.get("email", ()):
        found |= _written(email) | hashes([email, normal.lower(email)])
    for phone in person.values.get("phone", ()):
        digits = re.sub(r"[^0-9]", "", phone)
        spelled = {phone} | ({digits, f"+{digits}"} if len(digits) > SHORTEST else set())
        found |= {form for one in spelled for form in _written(one)} | hashes(spelled)
    shortest = SHORTEST if ids else LONGEST_NUMBER
    codes = {record for _, record in person.records if len(record) >= shortest}
    codes |= {one for one in person.values.get("external_id", ()) if len(one) >= SHORTEST}
    found |= {form for one in codes for form in _written(one)}
    listed = tuple(
        sorted({one.lower() for one in found if one.strip()}, key=lambda x: (-len(x), x))
    )
    words = "|".join(re.escape(one) for one in listed) or r"(?!)"
    # In raw JSON a line break is two characters, of which the second is a letter.
    begins = r"(?:(?<![\w.+%-])|(?<=\\[nrtbf]))"
    return Traces(listed, re.compile(rf"{begins}(?:{words})(?![\w-])", re.IGNORECASE))


def hashes(values: Iterable[str]) -> set[str]:
    """Bare hashes, which a dictionary turns back: SHA-256 and MD5, lower-case hex."""
    encoded = [value.encode("utf-8", "surrogatepass") for value in values]
    made = {hashlib.sha256(one).hexdigest() for one in encoded}
    return made | {hashlib.md5(one, usedforsecurity=False).hexdigest() for one in encoded}


def _written(value: str) -> set[str]:
    """A value as it stands in text, JSON, a page and an address."""
    return {value, json.dumps(value)[1:-1], escape(value), quote(value), quote(value, safe="@+")}
