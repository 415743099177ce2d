"""E-mail addresses: the identity form, the form that only suggests, and what a mailbox is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from email_validator import EmailNotValidError, validate_email

from audiencehub.cleaning.basic import INVISIBLE, Unclean, text
from audiencehub.cleaning.tables import words
from audiencehub.cleaning.web import is_provider, registrable

LONGEST = 254
_PLAIN = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_UNSEEN = re.compile(rf"[{INVISIBLE}\s\u2800\u3164\uffa0]")
_GMAIL = frozenset({"gmail.com", "googlemail.com"})


def email(value: Any, known: Mapping[str, Any]) -> str | None:
    """The identity form: trimmed, lower case, NFC; tags and dots are kept.

    Lower case is Unicode's, not a language's: `İ` becomes `i` and a dot above, `ı` and `ß` stay
    what they are, so none of them is the same address as `i` or `ss`. An international domain is
    written in its letters. Refused: invisible marks and blanks inside, and letters that are only
    another form of plain ones (full-width, ligatures), for what was meant would be a guess.

    No delivery check and no DNS: email-validator is told so.
    """
    tidy = text(value, known)
    if tidy is None:
        return None
    if tidy[:7].lower() == "mailto:":
        tidy = tidy[7:]
    if len(tidy) > LONGEST:
        raise Unclean("not_an_email")
    if not tidy.isascii():
        return _international(tidy)
    local, _, host = tidy.lower().rpartition("@")
    # The domain is what takes the time, and people share it.
    found = _host(host) if _PLAIN.fullmatch(local) else None
    if found is None or len(local) + 1 + len(found[1]) > LONGEST:
        raise Unclean("not_an_email")
    return f"{local}@{found[0]}"


def _international(tidy: str) -> str:
    if _UNSEEN.search(tidy):
        raise Unclean("invisible_characters")
    local = tidy.rpartition("@")[0]
    if unicodedata.normalize("NFKC", local) != local:
        raise Unclean("lookalike_characters")
    return _validated(_validated(tidy))


def _validated(tidy: str) -> str:
    try:
        # The reserved names that RFC 2606 gives for examples are mail domains of our sandbox.
        found = validate_email(tidy, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise Unclean("not_an_email") from None
    return unicodedata.normalize("NFC", found.normalized.lower())


@lru_cache(maxsize=65_536)
def _host(host: str) -> tuple[str, str] | None:
    try:
        found = validate_email(f"a@{host}", check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    return found.domain, found.ascii_domain or found.domain


def email_canon(value: str) -> str:
    """The form under which two clean addresses are suggested, never merged, as one person's:
    without a `+tag`, and for Gmail without dots and under one domain."""
    local, _, host = value.rpartition("@")
    local = local.partition("+")[0] or local
    if host in _GMAIL:
        local, host = local.replace(".", "") or local, "gmail.com"
    return f"{local}@{host}"


def email_domain(value: str) -> str:
    """The host of a clean address, as it stands there."""
    return value.rpartition("@")[2]


@lru_cache(maxsize=65_536)
def mail_company_domain(value: str) -> str | None:
    """The registrable domain of a clean address, in ASCII, as `account.domain` is written; None
    where mailboxes are handed out to anyone (free, disposable, hosted)."""
    found = registrable(email_domain(value))
    return None if found is None or is_provider(email_domain(value)) else found


@cache
def role_pattern(more: frozenset[str] = frozenset(), less: frozenset[str] = frozenset()) -> str:
    """A regular expression (of Python and of RE2 alike) that finds, in what stands before the @,
    the mailbox of a function or several people: `info`, `sales-de`, `no-reply`, `support2+x`.

    The built-in names, with `more` and without `less`.
    """
    names = sorted(re.escape(name) for name in (words("role_mailboxes.txt") | more) - less)
    ending = r"(?:[._-]?[0-9]{1,3}|[._-][a-z]{2})?"
    silent = r"(?:no|do|donot|dont)[._-]?(?:not)?[._-]?reply[^+]*"
    return rf"^(?:(?:{'|'.join(names)}){ending}|{silent})(?:\+.*)?$"


def is_role(value: str) -> bool:
    """A mailbox of a function or several people: `info@`, `sales-de@`, `no-reply@`."""
    return re.search(role_pattern(), value.rpartition("@")[0]) is not None
