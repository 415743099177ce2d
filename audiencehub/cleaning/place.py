"""Countries, states, postal codes, coordinates and time zones: exact names and our own tables of
aliases; never a fuzzy guess.

pycountry's lookup fails on `UK`, `U.S.` and `Russia`, and its fuzzy search takes `USA` for
Indonesia, so what it does not know by exact name comes from the tables.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache, lru_cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

import pycountry

from audiencehub.cleaning.basic import Unclean, text
from audiencehub.cleaning.number import number
from audiencehub.cleaning.tables import key, rows


@cache
def _countries() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for one in pycountry.countries:
        for name in ("alpha_2", "alpha_3", "numeric", "name", "official_name", "common_name"):
            if getattr(one, name, None):
                found[key(getattr(one, name))] = one.alpha_2
    # Kosovo has no code in the standard; the user-assigned XK is what CRMs and libraries write.
    return {**found, "xk": "XK", **{key(row["alias"]): row["country"] for row in rows(_COUNTRIES)}}


_COUNTRIES = "countries.csv"


def country(value: Any, known: Mapping[str, Any]) -> str | None:
    """ISO 3166-1 alpha-2, from a code or a name in some of the languages of the tables."""
    tidy = text(value, known)
    if tidy is None:
        return None
    found = _country(tidy)
    if found is None:
        raise Unclean("unknown_country")
    return found


@lru_cache(maxsize=65_536)
def _country(tidy: str) -> str | None:
    found = _countries().get(key(tidy))
    if found is None:
        # `Germany / Deutschland`, `United States (US)`: every part must say the same.
        parts = [part for part in re.split(r"[()/:,]| - ", tidy) if part.strip()]
        said = {_countries().get(key(part)) for part in parts}
        found = said.pop() if len(said) == 1 else None
    return found


@lru_cache(maxsize=65_536)
def _key(tidy: str) -> str:
    return key(tidy)


@cache
def _states(country_code: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    codes = pycountry.subdivisions.get(country_code=country_code)  # type: ignore[no-untyped-call]
    for row in rows("states.csv"):
        if row["country"] == country_code:
            found[key(row["alias"])] = row["code"]
    # Where a region and its capital's district share a name, the region is meant.
    ordered = sorted(codes or (), key=lambda one: (bool(one.parent_code), one.code))
    names: dict[str, str] = {}
    for one in ordered:
        code = one.code.partition("-")[2]
        for name in _names(one.name):
            names.setdefault(key(name), code)
        found.pop(key(code), None)
    own = {key(one.code): one.code.partition("-")[2] for one in ordered}
    return {**names, **found, **own, **{key(code): code for code in own.values()}}


def _names(name: str) -> Iterator[str]:
    yield name
    yield from (part for part in re.split(r"[\[\](),/]", name) if part.strip())


def state(value: Any, known: Mapping[str, Any]) -> str | None:
    """The subdivision's code within its country (`CA`), else the text as it is.

    Salesforce gives the label, the code or both, by the org's setting for state picklists.
    """
    tidy = text(value, known)
    if tidy is None:
        return None
    code = _states(known["country"]).get(_key(tidy)) if known.get("country") else None
    return code or tidy


@cache
def _postal(country_code: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple(
        (re.compile(row["pattern"], re.ASCII), row["shape"])
        for row in rows("postal.csv")
        if row["country"] == country_code
    )


def postal_code(value: Any, known: Mapping[str, Any]) -> str | None:
    """The code as its country's post writes it: `94107-1234`, `SW1A 1AA`, `1012 AB`.

    A leading zero that a spreadsheet took away is not given back; where the country's shape is
    known, a code of another shape is refused.
    """
    tidy = text(value, known)
    if tidy is None:
        return None
    upper = unicodedata.normalize("NFKC", tidy).upper()
    if re.fullmatch(r"\d+\.0+", upper):
        raise Unclean("mangled_by_spreadsheet")
    compact = re.sub(r"[\s.\u2010-\u2015\u2212-]", "", upper)
    home = str(known.get("country") or "")
    shapes = _postal(home)
    if not shapes:
        plain = re.sub(r"\s+", " ", re.sub(r"\s*-\s*", "-", upper))
        if not re.fullmatch(r"(?=.*\d)[A-Z0-9][A-Z0-9 -]{0,11}", plain, re.ASCII):
            raise Unclean("not_a_postal_code")
        return plain.strip()
    for candidate in (compact, re.sub(rf"^(?:{home}|[A-Z])(?=\d)", "", compact)):
        for pattern, shape in shapes:
            whole = pattern.fullmatch(candidate)
            if whole:
                return shape.format(*whole.groups())
    raise Unclean("not_a_postal_code")


def latitude(value: Any, known: Mapping[str, Any]) -> float:
    """Degrees north, -90 to 90."""
    return _degrees(value, known, 90)


def longitude(value: Any, known: Mapping[str, Any]) -> float:
    """Degrees east, -180 to 180."""
    return _degrees(value, known, 180)


def _degrees(value: Any, known: Mapping[str, Any], limit: int) -> float:
    found = number(value, known)
    if abs(found) > limit:
        raise Unclean("out_of_range")
    return found


def _tz(name: str) -> Iterator[list[str]]:
    path = resources.files("tzdata").joinpath("zoneinfo", name)
    for line in path.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split()


@cache
def _zones() -> Mapping[str, str]:
    # Names that a country has today stay; old names (US/Eastern, Asia/Calcutta) become theirs.
    current = {row[2] for row in _tz("zone.tab")}
    links = {row[2]: row[1] for row in _tz("tzdata.zi") if row[0] == "L"}
    found = {key(name): name for name in current}
    for old, new in links.items():
        if "/" in old and old not in current and not old.startswith("Etc/"):
            found[key(old)] = links.get(new, new) if new not in current else new
    for row in rows("windows_zones.csv"):
        found[row["alias"]] = found.get(key(row["zone"]), row["zone"])
    return {**found, "utc": "UTC", "etc utc": "UTC", "etc gmt": "UTC"}


def timezone(value: Any, known: Mapping[str, Any]) -> str | None:
    """An IANA name, also from HubSpot's `us_slash_eastern` and from names of Windows; a bare
    offset or an abbreviation such as `EST` says no zone and is refused."""
    tidy = text(value, known)
    if tidy is None:
        return None
    found = _zones().get(_key(tidy.replace("_slash_", "/").replace("_hyphen_", "-")))
    if found is None:
        raise Unclean("unknown_timezone")
    return found


_DAYS = tuple(datetime(year, month, 15) for year in (2025, 2026) for month in range(1, 13))  # noqa: DTZ001
"""Wall times at which the zones of one country are compared."""


@cache
def only_timezone(country_code: str) -> str | None:
    """The zone of a country whose clocks all agree; None where they differ or none is known."""
    names = [row[2] for row in _tz("zone.tab") if row[0] == country_code]
    clocks = {tuple(ZoneInfo(name).utcoffset(at) for at in _DAYS) for name in names}
    return names[0] if len(clocks) == 1 else None
