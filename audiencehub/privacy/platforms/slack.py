"""Slack: names as the company's own staff read them, and nothing that Slack makes a link of.

Whoever fills in a form chooses their own name, so that only letters, digits and the punctuation of
names stay: no mention, no address, no markup (docs.slack.dev, Formatting message text).
"""

from __future__ import annotations

import re
import unicodedata

from audiencehub.privacy import normal
from audiencehub.privacy.rule import Refused, Rule, Rules

LONGEST = 60
_PUNCTUATION = frozenset(" .,'’-&()")


def name(value: str, _: str | None) -> str | Refused:
    """Letters, digits, blanks and the punctuation of names; at most 60 characters."""
    text = "".join(c if _stays(c) else " " for c in normal.visible(value))
    # A dot inside a word makes a host name of it.
    text = re.sub(r"(?<=\S)\.(?=\S)", " ", text)
    text = normal.visible(" ".join(text.split())[:LONGEST])
    return text if not text or any(c.isalnum() for c in text) else Refused("no name")


def _stays(c: str) -> bool:
    return c in _PUNCTUATION or unicodedata.category(c)[0] in "LMN"


RULES: Rules = {
    "first_name": Rule(name, hashed=False, opaque=True),
    "last_name": Rule(name, hashed=False, opaque=True),
    "company_name": Rule(name, hashed=False, opaque=True),
}
