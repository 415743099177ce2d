"""Contacts that come into the CRMs on a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from random import Random

from audiencehub.sandbox.company.names import FAMILY, GIVEN, TITLES, pairs
from audiencehub.sandbox.company.records import Company, CrmAccount, CrmContact


def newcomers(rng: Random, company: Company, stamp: Callable[[], datetime]) -> list[CrmContact]:
    """One for every 500 contacts, at accounts with an invented website; created and modified
    as `stamp` says."""
    accounts = [
        one
        for one in company.accounts
        if one.website and not one.deleted and domain_of(one.website).endswith(".example")
    ]
    made: list[CrmContact] = []
    if not accounts:
        return made
    for _ in range(max(1, len(company.contacts) // 500)):
        number = len(company.contacts) + len(made) + 1
        made.append(_newcomer(rng, rng.choice(accounts), number, stamp()))
    return made


def domain_of(website: str) -> str:
    """The host of a website as typed, without `www.` or `shop.`."""
    host = website.strip().lower().removeprefix("https://").removeprefix("http://")
    host = host.partition("/")[0].partition("?")[0]
    return host.removeprefix("www.").removeprefix("shop.")


def _newcomer(rng: Random, account: CrmAccount, number: int, at: datetime) -> CrmContact:
    first, first_plain = rng.choice(pairs(GIVEN["en"]))
    last, last_plain = rng.choice(pairs(FAMILY["en"]))
    return CrmContact(
        crm=account.crm,
        key=f"c{number:06d}",
        person=f"p{number:06d}-new",
        kind="contact",
        account=account.key,
        company_name=None,
        email=f"{first_plain}.{last_plain}.{number}@{domain_of(account.website or '')}",
        phone=None,
        first_name=first,
        last_name=last,
        title=rng.choice(TITLES["marketing"]),
        department="Marketing",
        city=account.city,
        state=account.state,
        country=account.country,
        postal_code=None,
        language="en",
        lifecycle_stage="lead",
        lead_source="Web",
        email_opt_out=False,
        created_at=at,
        modified_at=at,
    )
