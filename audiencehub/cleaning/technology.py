"""Technologies: one slug per product whatever a vendor calls it, and categories of our own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from audiencehub.cleaning.basic import Unclean, slug, text
from audiencehub.cleaning.tables import key, rows, vocabulary

_SIGNS = str.maketrans({"+": " plus ", "#": " sharp "})


@cache
def _slugs() -> Mapping[str, str]:
    return {_name(row["name"]): row["technology"] for row in rows("technologies.csv")}


@cache
def _categories() -> Mapping[str, str]:
    return {row["technology"]: row["category"] for row in rows("technologies.csv")}


def _name(value: str) -> str:
    return key(value.translate(_SIGNS).replace(".net", " dot net").replace(".NET", " dot net"))


def technology(value: Any, known: Mapping[str, Any]) -> str | None:
    """A product slug with hyphens: `Google Analytics 4` becomes `google-analytics-4`.

    Other names of a product that the table knows become its slug (`AWS`); signs that tell
    products apart are spelled (`C++`, `C#`, `.NET`); the rest keeps its own words.
    """
    tidy = text(value, known)
    return None if tidy is None else _technology(tidy)


@lru_cache(maxsize=65_536)
def _technology(tidy: str) -> str:
    found = _slugs().get(_name(tidy))
    if found:
        return found
    spelled = tidy.translate(_SIGNS).replace(".NET", " dot net").replace(".net", " dot net")
    word = slug(spelled, {})
    if word is None:
        raise Unclean("no_letters")
    return word.replace("_", "-")


def technology_category(value: Any, known: Mapping[str, Any]) -> str | None:
    """A category slug: the vendors' names of one category become one, others stay their own."""
    tidy = text(value, known)
    if tidy is None:
        return None
    return vocabulary("technology_category").get(key(tidy)) or slug(tidy, known)


def category_of(technology_slug: str) -> str | None:
    """The category of a product that the table knows."""
    return _categories().get(technology_slug)
