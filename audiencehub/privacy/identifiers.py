"""A person's identifiers in each ad platform's own form: normalize, then hash."""

from __future__ import annotations

from collections.abc import Mapping

from audiencehub.errors import ConfigError
from audiencehub.privacy import normal
from audiencehub.privacy.platforms import (
    google,
    klaviyo,
    linkedin,
    mailchimp,
    meta,
    microsoft,
    slack,
    snap,
    tiktok,
    webhook,
)
from audiencehub.privacy.rule import EMPTY, Identifier, Refused, Rule, Rules, looks_hashed, sha256

PLATFORMS: Mapping[str, Rules] = {
    "google": google.RULES,
    "meta": meta.RULES,
    "linkedin": linkedin.RULES,
    "microsoft": microsoft.RULES,
    "tiktok": tiktok.RULES,
    "snap": snap.RULES,
    "klaviyo": klaviyo.RULES,
    "mailchimp": mailchimp.RULES,
    "webhook": webhook.RULES,
    "webhook_hashed": webhook.HASHED,
    "slack": slack.RULES,
}
FIELDS = (
    "email",
    "phone",
    "first_name",
    "last_name",
    "city",
    "state",
    "zip",
    "country",
    "device_id",
    "external_id",
    "company_domain",
    "birth_date",
    "gender",
    "organization_urn",
    "company_name",
)
CANONICAL: Mapping[str, tuple[str, str]] = {
    **{
        name: ("contact", name)
        for name in (
            "email",
            "phone",
            "first_name",
            "last_name",
            "city",
            "state",
            "country",
            "external_id",
            "birth_date",
            "gender",
        )
    },
    "zip": ("contact", "postal_code"),
    "company_domain": ("account", "domain"),
    "company_name": ("account", "name"),
}
"""Identifier field to the canonical table and column that hold it; the others have none."""
VALUE = "value"
"""What a member is worth, for platforms that weigh a seed by it; no identifier, and no reason to
send a member again."""
UNVERIFIED = "unverified_identifiers"
"""The destination option that allows rules no official text backs."""


def identify(
    platform: str, field: str, value: str, *, country: str | None = None, unverified: bool = False
) -> Identifier | Refused:
    """The value as the platform wants it, or why it is not sent.

    `country` is the person's, for phones, states and postal codes; one that is none is ignored.
    `unverified` allows rules that no official text of the platform backs. A value that is hashed
    already passes in lower case. Raises ConfigError for a platform or field that does not exist.
    """
    rule = _rule(platform, field)
    if rule is None:
        return Refused(f"{platform} takes no {field}")
    if rule.unverified and not unverified:
        return Refused(f"{platform}'s rule for {field} is unverified; set {UNVERIFIED} = true")
    given = value.strip()
    if looks_hashed(given) and not rule.opaque and rule.parts is None:
        return _hashed_already(rule, platform, field, given.lower())
    where = normal.country_code(country.strip()) if country and country.strip() else None
    text = rule.normalize(value, where)
    return text if isinstance(text, Refused) else _finished(rule, text)


def _finished(rule: Rule, text: str) -> Identifier | Refused:
    if not text:
        return Refused("empty")
    if not rule.hashed:
        return Identifier(text, text, hashed=False)
    parts = rule.parts(text) if rule.parts else (text,)
    return Identifier(text, ",".join(map(sha256, parts)), hashed=True)


def _rule(platform: str, field: str) -> Rule | None:
    if platform not in PLATFORMS:
        raise ConfigError(
            f"There is no platform {platform!r}.", hint=f"Use one of: {', '.join(PLATFORMS)}"
        )
    if field not in FIELDS:
        raise ConfigError(
            f"There is no identifier field {field!r}.", hint=f"Use one of: {', '.join(FIELDS)}"
        )
    return PLATFORMS[platform].get(field)


def _hashed_already(rule: Rule, platform: str, field: str, text: str) -> Identifier | Refused:
    if text == EMPTY:
        return Refused("the hash of an empty value")
    if not rule.hashed:
        return Refused(f"hashed already, but {platform} takes {field} in plain form")
    return Identifier(text, text, hashed=True)
