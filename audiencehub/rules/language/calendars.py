"""Public holidays by country, from the pinned package `holidays`; English names as slugs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from functools import lru_cache

import holidays

_NOTE = re.compile(r"\s*\([^)]*\)")
_GAP = re.compile(r"[^a-z0-9]+")
_TYPICAL = 2026
_SPAN = range(2016, 2036)


@lru_cache(maxsize=1)
def countries() -> tuple[str, ...]:
    """ISO 3166-1 alpha-2 of every country with a calendar, sorted."""
    return tuple(sorted(holidays.list_supported_countries(include_aliases=False)))


@lru_cache(maxsize=4096)
def feasts(country: str, year: int) -> Mapping[date, frozenset[str]]:
    """Day to the holidays on it. Days off in lieu do not count; those of the moon are estimates.

    Nothing for a country without a calendar.
    """
    if country not in countries():
        return {}
    spoken = holidays.country_holidays(country).supported_languages
    language = "en_US" if "en_US" in spoken else None
    found = holidays.country_holidays(country, years=year, observed=False, language=language)
    return {
        day: frozenset(slug(name) for name in said.split(holidays.HOLIDAY_NAME_DELIMITER))
        for day, said in found.items()
    }


def slug(name: str) -> str:
    """`new_years_day` for New Year's Day; notes such as (estimated) are left out."""
    plain = unicodedata.normalize("NFKD", _NOTE.sub("", name)).encode("ascii", "ignore").decode()
    return _GAP.sub("_", plain.lower().replace("'", "")).strip("_")


def is_feast(name: str) -> bool:
    """Whether any country has a holiday of that name."""
    return name in known() or any(name in _names(year) for year in _SPAN)


def known() -> frozenset[str]:
    """The names of one year, in all countries."""
    return _names(_TYPICAL)


@lru_cache(maxsize=32)
def _names(year: int) -> frozenset[str]:
    return frozenset(
        name
        for country in countries()
        for names in feasts(country, year).values()
        for name in names
    )
