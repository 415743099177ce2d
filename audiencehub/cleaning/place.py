"""Countries and states: exact names and our own table of aliases; never a fuzzy guess.

pycountry's lookup fails on `UK`, `U.S.` and `Russia`, and its fuzzy search takes `USA` for
Indonesia, so what it does not know by exact name comes from the table below.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import pycountry

from audiencehub.cleaning.basic import Unclean, text


@cache
def _aliases() -> Mapping[str, str]:
    lines = (
        resources.files("audiencehub.cleaning").joinpath("data/countries.csv").read_text("utf-8")
    )
    return {row["alias"]: row["country"] for row in csv.DictReader(lines.splitlines())}


@cache
def _country(name: str) -> str | None:
    found = _aliases().get(name)
    if found:
        return found
    try:
        return str(pycountry.countries.lookup(name).alpha_2)
    except LookupError:
        return None


def country(value: Any, known: Mapping[str, Any]) -> str | None:
    """ISO 3166-1 alpha-2."""
    tidy = text(value, known)
    if tidy is None:
        return None
    found = _country(re.sub(r"[.\s]+", " ", tidy.casefold()).strip()) or _country(tidy.casefold())
    if found is None:
        raise Unclean("unknown_country")
    return found


@cache
def _subdivision(country_code: str, name: str) -> str | None:
    found = pycountry.subdivisions.get(country_code=country_code)  # type: ignore[no-untyped-call]
    for one in found or ():
        if name in (
            one.code.casefold(),
            one.code.partition("-")[2].casefold(),
            one.name.casefold(),
        ):
            return str(one.code.partition("-")[2])
    return None


def state(value: Any, known: Mapping[str, Any]) -> str | None:
    """The subdivision's code within its country (`CA`), else the text as it is."""
    tidy = text(value, known)
    if tidy is None:
        return None
    code = _subdivision(known["country"], tidy.casefold()) if known.get("country") else None
    return code or tidy
