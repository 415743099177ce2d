"""Domains of companies, and domains that name no company."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

import idna
import tldextract

from audiencehub.cleaning.basic import Unclean, text
from audiencehub.cleaning.tables import words

_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}")
_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
_LONGEST = 2000


@cache
def _extractor() -> tldextract.TLDExtract:
    # The bundled list, no network; private suffixes count, so that two shops of one host are two.
    return tldextract.TLDExtract(
        suffix_list_urls=(),
        cache_dir=None,
        include_psl_private_domains=True,
        extra_suffixes=["example"],
    )


@lru_cache(maxsize=65_536)
def _cut(host: str) -> tuple[str | None, bool]:
    found = _extractor()(host)
    if found.is_private and found.domain in ("", "www"):
        # The host itself: `github.io` belongs to whoever runs it.
        bare = _extractor()(found.suffix, include_psl_private_domains=False)
        return (f"{bare.domain}.{bare.suffix}" if bare.domain and bare.suffix else None), True
    if not found.domain or not found.suffix:
        return None, False
    return f"{found.domain}.{found.suffix}", found.is_private


def registrable(host: str) -> str | None:
    """The registrable domain of a host name in ASCII or letters; None if it has none."""
    try:
        ascii_host = _ascii(host)
    except Unclean:
        return None
    return _cut(ascii_host)[0]


def domain(value: Any, known: Mapping[str, Any]) -> str | None:
    """The registrable domain, in ASCII: `https://www.Acme.example/about` becomes `acme.example`.

    Refused: addresses of machines, URLs with a user before the host (they are made to mislead),
    and profile pages on a site that belongs to somebody else.
    """
    tidy = text(value, known)
    if tidy is None:
        return None
    found, reason = _domain(tidy)
    if found is None:
        raise Unclean(reason)
    return found


@lru_cache(maxsize=65_536)
def _domain(tidy: str) -> tuple[str | None, str]:
    try:
        return _found(tidy), ""
    except Unclean as error:
        return None, error.reason


def _found(tidy: str) -> str:
    scheme = re.match(r"(?:[a-z][a-z0-9+.-]{0,20}:)?//", tidy, re.IGNORECASE)
    rest = tidy[scheme.end() :] if scheme else tidy
    place = re.split(r"[/\\?#]", rest, maxsplit=1)[0]
    user, at, host = place.rpartition("@")
    if at and (scheme or ":" in user):
        raise Unclean("user_in_url")
    bare = re.sub(r":\d{1,5}$", "", host)
    if _is_address(host) or _is_address(bare):
        raise Unclean("ip_address")
    found = _cut(_ascii(bare))[0] if len(tidy) <= _LONGEST else None
    if found is None or not _NAME.fullmatch(found):
        raise Unclean("not_a_domain")
    if found in words("profile_sites.txt") and rest[len(place) :].strip("/\\"):
        raise Unclean("profile_page")
    return found


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]").rstrip(".").partition("%")[0])
    except ValueError:
        return host.startswith("[")
    return True


def _ascii(host: str) -> str:
    """IDNA 2008 with the mapping of UTS 46, `ß` kept."""
    try:
        if not host.isascii():
            if len(host) > 253:
                raise Unclean("not_a_domain")
            host = idna.uts46_remap(host, std3_rules=False, transitional=False)
            host = ".".join(
                one if one.isascii() else idna.alabel(one).decode()
                for one in host.rstrip(".").split(".")
            )
        host = host.lower().rstrip(".")
        if not _HOST.fullmatch(host) or len(host) > 253:
            raise Unclean("not_a_domain")
        for label in host.split("."):
            if label.startswith("xn--"):
                idna.ulabel(label)
    except UnicodeError:
        raise Unclean("not_a_domain") from None
    return host


def _above(host: str) -> Iterator[str]:
    labels = host.lower().rstrip(".").split(".")
    yield from (".".join(labels[at:]) for at in range(max(1, len(labels) - 1)))


def is_free_mail(host: str) -> bool:
    """A mail provider for anyone, by its own name or one above it: `gmail.com`, `a.gmx.net`."""
    return any(one in words("free_email_domains.txt") for one in _above(host))


def is_disposable(host: str) -> bool:
    """A provider of throw-away mailboxes."""
    return any(one in words("disposable_email_domains.txt") for one in _above(host))


def is_hosting(host: str) -> bool:
    """A place where anyone can have a site or a mailbox: a private suffix of the public suffix list
    (`acme.myshopify.com`, `github.io`), or a host that the list does not know (`wixsite.com`)."""
    try:
        return _cut(_ascii(host))[1] or any(
            one in words("hosting_domains.txt") for one in _above(host)
        )
    except Unclean:
        return False


@lru_cache(maxsize=65_536)
def is_provider(host: str) -> bool:
    """A domain that names no company: free mail, throw-away mail or hosting. Sites of profiles are
    none: whoever writes from one works for it."""
    return is_free_mail(host) or is_disposable(host) or is_hosting(host)


@cache
def providers() -> tuple[str, ...]:
    """Every listed domain that names no company, sorted. Hosts that the public suffix list knows
    are not among them: below those, each registrable domain is somebody's own."""
    listed = ("free_email_domains.txt", "disposable_email_domains.txt", "hosting_domains.txt")
    return tuple(sorted(frozenset().union(*(words(name) for name in listed))))
