"""Industries: one pivot taxonomy of 25 groups, with a map from each source's names.

The pivot's groups stand beside the sectors of NAICS 2022. LinkedIn's first list is what HubSpot
spells in capitals and People Data Labs, Apollo and Bombora in small letters; `industries.csv`
says of which source each name is. A name that no map knows is refused, so that it is counted and
listed: a group of its own would be a silent hole in every rule that asks for industries.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from audiencehub.cleaning.basic import Unclean, text
from audiencehub.cleaning.tables import key, rows, words

_NAICS = re.compile(r"(?:naics[\s:#-]*)?(\d{2}(?:-\d{2}|\d{0,4}))(?:\s+-\s+.*|\s*:.*)?", re.I)


def _name(value: str) -> str:
    """`Hospital & Health Care`, `HOSPITAL_HEALTH_CARE`, `hospital_and_health_care` are one."""
    return " ".join(one for one in key(value).split() if one not in ("and", "or", "the"))


@cache
def _names() -> Mapping[str, str]:
    return {
        _name(row["name"]): row["industry"]
        for row in rows("industries.csv")
        if row["source"] != "naics"
    }


@cache
def _codes() -> Mapping[str, str]:
    return {
        row["name"]: row["industry"] for row in rows("industries.csv") if row["source"] == "naics"
    }


def groups() -> frozenset[str]:
    """The slugs of the pivot taxonomy."""
    return frozenset(row["industry"] for row in rows("industries.csv"))


def naics_group(code: str) -> str | None:
    """The group of a code of two to six digits of NAICS 2022, or of a range of sectors such as
    `31-33`; None for one that the classification does not have."""
    if re.fullmatch(r"\d\d-\d\d", code):
        if code not in ("31-33", "44-45", "48-49"):
            return None
        code = code[:2]
    elif code not in words("naics_2022.txt") and code not in _codes():
        return None
    return next((_codes()[code[:n]] for n in range(len(code), 1, -1) if code[:n] in _codes()), None)


def industry(value: Any, known: Mapping[str, Any]) -> str | None:
    """One slug of the pivot taxonomy, from a name of any source or a code of NAICS 2022."""
    tidy = text(value, known)
    if tidy is None:
        return None
    found = _found(tidy)
    if found is None:
        raise Unclean("unknown_industry")
    return found


@lru_cache(maxsize=65_536)
def _found(tidy: str) -> str | None:
    code = _NAICS.fullmatch(tidy)
    return naics_group(code[1]) if code else _names().get(_name(tidy))
