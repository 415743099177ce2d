"""What a platform's rule for one identifier field is made of."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

EMPTY = hashlib.sha256(b"").hexdigest()
"""The hash of nothing, which would match everyone whose field is blank."""
_HEX = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class Identifier:
    """One value as a platform wants it."""

    normalized: str
    """What was hashed; for a value that came hashed, that hash."""
    sent: str
    """What goes out. A birth date is three hashes (year, month, day), joined by commas."""
    hashed: bool
    """`sent` is SHA-256 in lower-case hex."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a value is not sent. The reason never holds the value."""

    reason: str


Normalizer = Callable[[str, str | None], str | Refused]
"""(value, ISO country or None) to the platform's form; pure. "" means nothing is left."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How one platform takes one field."""

    normalize: Normalizer
    hashed: bool = True
    unverified: bool = False
    """No official text backs it, so that a setting must ask for it."""
    opaque: bool = False
    """Any text is fine as it stands, one that looks like a hash too."""
    parts: Callable[[str], tuple[str, ...]] | None = None
    """Splits a normalized value into several that are hashed one by one."""


Rules = Mapping[str, Rule]


def sha256(text: str) -> str:
    """SHA-256 of the UTF-8 text, lower-case hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def looks_hashed(text: str) -> bool:
    """64 hex digits in any case."""
    return _HEX.fullmatch(text) is not None
