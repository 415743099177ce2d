"""Job titles: the level and the department that they say, by rules in `titles.csv`.

The rules are tried in the order of the file and the first that is found decides, so that the
traps stand before what they contain: `assistant to` before `cfo`, `vice president` before
`president`, `account director` before `director`. A rule without a value takes its words out of
the title and lets the others look at the rest: a product owner owns nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from audiencehub.cleaning.basic import Unclean, text
from audiencehub.cleaning.tables import key, rows, vocabulary

_EMPLOYER = re.compile(r"\s+(?:at|@|bei|chez)\s+.*$|@.*$", re.IGNORECASE)
_BANKS = frozenset({"banking"})
_LONGEST = 300
Rule = tuple[str, re.Pattern[str], str]


def _pattern(phrase: str) -> re.Pattern[str]:
    """Words of a title; `*` stands for more letters, and scripts without blanks for any place."""
    if not phrase.isascii():
        return re.compile(re.escape(key(phrase)))
    words = re.escape(phrase).replace(r"\*\*", ".*").replace(r"\*", r"\w*").replace(r"\ ", " ")
    return re.compile(rf"\b{words}(?!\w)")


def _longest(phrase: str) -> str:
    """Letters without which the phrase cannot be found: looked for first, ten times as fast."""
    if not phrase.isascii():
        return key(phrase)
    return max(re.split(r"[* ]+", phrase), key=len)


@cache
def _rules(kind: str) -> Sequence[Rule]:
    return tuple(
        (_longest(row["phrase"]), _pattern(row["phrase"]), row["value"])
        for row in rows("titles.csv")
        if row["kind"] == kind
    )


def _first(kind: str, title: str) -> str | None:
    rest = title
    for letters, pattern, value in _rules(kind):
        if letters not in rest:
            continue
        if value:
            if pattern.search(rest):
                return value
        else:
            rest = pattern.sub(" ", rest)
    return None


@lru_cache(maxsize=65_536)
def seniority_of(title: str, industry: str | None = None) -> str | None:
    """owner, founder, c_suite, partner, vp, head, director, manager, senior, entry or intern;
    None where a title says no level (`Software Engineer`). In banks a vice president leads no
    division, so the industry counts."""
    plain = key(_EMPLOYER.sub("", title[:_LONGEST]))
    if industry in _BANKS:
        found = _first("bank", plain)
        if found:
            return found
    return _first("seniority", plain)


@lru_cache(maxsize=65_536)
def department_of(title: str) -> str | None:
    """The department that a title names; None where it names none."""
    return _first("department", key(_EMPLOYER.sub("", title[:_LONGEST])))


def seniority(value: Any, known: Mapping[str, Any]) -> str | None:
    """One of our levels, from a vendor's (Apollo, People Data Labs, HubSpot, ZoomInfo)."""
    return _said("seniority", value, known)


def department(value: Any, known: Mapping[str, Any]) -> str | None:
    """One of our departments, from a vendor's list or as a CRM's users write it."""
    return _said("department", value, known)


def _said(kind: str, value: Any, known: Mapping[str, Any]) -> str | None:
    tidy = text(value, known)
    if tidy is None:
        return None
    found = vocabulary(kind).get(key(tidy)) or (
        seniority_of(tidy) if kind == "seniority" else department_of(tidy)
    )
    if found is None:
        raise Unclean(f"unknown_{kind}")
    return found
