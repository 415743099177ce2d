"""E-mail and phone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from audiencehub.cleaning.basic import Unclean, text


def email(value: Any, known: Mapping[str, Any]) -> str | None:
    """The identity form: trimmed, lower case, NFC; tags and dots are kept.

    No delivery check and no DNS: email-validator is told so.
    """
    tidy = text(value, known)
    if tidy is None:
        return None
    try:
        # The reserved names that RFC 2606 gives for examples are mail domains of our sandbox.
        found = validate_email(tidy, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise Unclean("not_an_email") from None
    return found.normalized.casefold() if found.normalized.isascii() else found.normalized.lower()


def phone(value: Any, known: Mapping[str, Any]) -> str | None:
    """E.164. Without a country code the row's country decides; without one it is refused."""
    tidy = text(value, known)
    if tidy is None:
        return None
    try:
        number = phonenumbers.parse(tidy, known.get("country"))
    except phonenumbers.NumberParseException:
        raise Unclean("not_a_phone") from None
    if not phonenumbers.is_possible_number(number):
        raise Unclean("impossible_phone")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
