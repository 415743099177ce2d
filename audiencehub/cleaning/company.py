"""Domains, industries and technologies of companies."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import tldextract

from audiencehub.cleaning.basic import Unclean, slug, text


@cache
def _extractor() -> tldextract.TLDExtract:
    # The bundled list, no network; private suffixes count, so that two shops of one host are two.
    return tldextract.TLDExtract(
        suffix_list_urls=(),
        cache_dir=None,
        include_psl_private_domains=True,
        extra_suffixes=["example"],
    )


@cache
def _registrable(host: str) -> str | None:
    found = _extractor()(host)
    return f"{found.domain}.{found.suffix}".lower() if found.domain and found.suffix else None


def domain(value: Any, known: Mapping[str, Any]) -> str | None:
    """The registrable domain, in ASCII: `https://www.Acme.example/about` becomes `acme.example`."""
    tidy = text(value, known)
    if tidy is None:
        return None
    host = re.sub(r"^[a-z][a-z0-9+.-]*://", "", tidy.casefold())
    host = re.split(r"[/?#]", host, maxsplit=1)[0].rpartition("@")[2].partition(":")[0].strip(".")
    try:
        ascii_host = host.encode("idna").decode()
    except UnicodeError:
        raise Unclean("not_a_domain") from None
    if not re.fullmatch(r"([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}", ascii_host):
        raise Unclean("not_a_domain")
    found = _registrable(ascii_host)
    if found is None:
        raise Unclean("not_a_domain")
    return found


@cache
def _industries() -> Mapping[str, str]:
    lines = (
        resources.files("audiencehub.cleaning").joinpath("data/industries.csv").read_text("utf-8")
    )
    return {row["name"]: row["industry"] for row in csv.DictReader(lines.splitlines())}


def industry(value: Any, known: Mapping[str, Any]) -> str | None:
    """One slug of the pivot taxonomy; a name that no map knows is kept as its own slug."""
    word = slug(value, known)
    return _industries().get(word, word) if word else None


def technology(value: Any, known: Mapping[str, Any]) -> str | None:
    """A product slug with hyphens: `Google Analytics 4` becomes `google-analytics-4`."""
    word = slug(value, known)
    return word.replace("_", "-") if word else None
