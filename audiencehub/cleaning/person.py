"""Small vocabularies about people: language, gender, education, family status."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import pycountry

from audiencehub.cleaning.basic import Unclean, slug, text
from audiencehub.cleaning.tables import key, vocabulary

_LOCALE = re.compile(r"([A-Za-z]{2,3})(?:[-_](?:[A-Za-z0-9]{2,8}))*(?:\.[A-Za-z0-9-]+)?(?:@\w+)?")


@cache
def _languages() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for one in pycountry.languages:
        if getattr(one, "alpha_2", None):
            for name in ("name", "alpha_2", "alpha_3", "bibliographic", "common_name"):
                if getattr(one, name, None):
                    found[key(getattr(one, name))] = one.alpha_2
    return {**found, **vocabulary("language")}


def language(value: Any, known: Mapping[str, Any]) -> str | None:
    """ISO 639-1, from a name (`Deutsch`), a code or a locale (`pt_BR`, `zh-Hans-CN`)."""
    tidy = text(value, known)
    if tidy is None:
        return None
    found = _languages().get(key(tidy))
    locale = _LOCALE.fullmatch(tidy)
    if found is None and locale:
        found = _languages().get(locale[1].lower())
    if found is None:
        raise Unclean("unknown_language")
    return found


def _word(kind: str, value: Any, known: Mapping[str, Any]) -> str | None:
    tidy = text(value, known)
    if tidy is None:
        return None
    found = vocabulary(kind).get(key(tidy))
    if found is None:
        raise Unclean(f"unknown_{kind}")
    return found


def gender(value: Any, known: Mapping[str, Any]) -> str | None:
    """female, male, non_binary or undisclosed; what else a person states is kept as a slug."""
    tidy = text(value, known)
    if tidy is None:
        return None
    return vocabulary("gender").get(key(tidy)) or slug(tidy, known)


def education(value: Any, known: Mapping[str, Any]) -> str | None:
    """The highest degree: none, primary, secondary, vocational, some_college, associate,
    bachelor, master, doctorate."""
    return _word("education", value, known)


def family_status(value: Any, known: Mapping[str, Any]) -> str | None:
    """single, partnership, engaged, married, separated, divorced or widowed."""
    return _word("family_status", value, known)
