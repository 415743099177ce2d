"""What people do at the vendors, by the vendors' own APIs; and what they have consented to."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import requests

from tests.e2e import fakes
from tests.e2e.project import Project

HUBSPOT = {"Authorization": "Bearer sandbox-token"}
SALESFORCE = {"Authorization": "Bearer sandbox-session_id"}
ADS = ("advertising", "ads")
Said = tuple[str, str]
"""Instant and status."""


def _call(method: str, url: str, **how: Any) -> Any:
    with requests.Session() as session:
        session.trust_env = False
        reply = session.request(method, url, timeout=20, **how)
    reply.raise_for_status()
    return reply.json() if reply.content else None


def edit(urls: Mapping[str, str], kind: str, key: str, **properties: str) -> None:
    """Somebody edits a HubSpot record by hand."""
    url = f"{urls['hubspot']}/crm/v3/objects/{kind}/{key}"
    _call("PATCH", url, json={"properties": properties}, headers=HUBSPOT)


def look(urls: Mapping[str, str], kind: str, key: str, *properties: str) -> dict[str, Any]:
    """A HubSpot record's properties, as its API shows them."""
    url = f"{urls['hubspot']}/crm/v3/objects/{kind}/{key}"
    found = _call("GET", url, params={"properties": ",".join(properties)}, headers=HUBSPOT)
    return dict(found["properties"])


def edit_salesforce(urls: Mapping[str, str], kind: str, key: str, **fields: Any) -> None:
    """Somebody edits a Salesforce record by hand."""
    url = f"{urls['salesforce']}/services/data/v62.0/sobjects/{kind}/{key}"
    _call("PATCH", url, json=fields, headers=SALESFORCE)


def look_salesforce(urls: Mapping[str, str], kind: str, key: str) -> dict[str, Any]:
    """A Salesforce record, as its API shows it."""
    url = f"{urls['salesforce']}/services/data/v62.0/sobjects/{kind}/{key}"
    return dict(_call("GET", url, headers=SALESFORCE))


def members(urls: Mapping[str, str], audience: str) -> list[dict[str, str]]:
    """The rows of an ad audience."""
    return list(_call("GET", f"{urls['meta_ads']}/__members/{audience}"))


def outgrow(project: Project, urls: Mapping[str, str], segment: str) -> None:
    """A quarter of the companies whose people have this tag now employ 20,000: a guard that holds
    more would be right."""
    tagged = sorted(r for r, tags in fakes.state(project).segments().items() if segment in tags)
    links = fakes.table(project, "hubspot", "link:contacts:companies")
    contacts = fakes.records(project, "salesforce", "Contact")
    theirs = [key for _, kind, key in tagged if kind == "contacts"]
    companies = {links[key]["to"][0][0] for key in theirs if key in links}
    accounts = {contacts[key]["AccountId"] for _, kind, key in tagged if kind == "Contact"}
    for key in sorted(companies)[::4]:
        edit(urls, "companies", key, numberofemployees="20000")
    for key in sorted(filter(None, accounts))[::4]:
        edit_salesforce(urls, "Account", key, NumberOfEmployees=20000)


def hashes(emails: Iterable[str]) -> dict[str, str]:
    """SHA-256 of each address, trimmed and in lower case, to the address."""
    return {hashlib.sha256(e.strip().lower().encode()).hexdigest(): e for e in emails}


def emails(project: Project) -> set[str]:
    """Every address that either CRM or a delivered consent has."""
    found = {one.get("email") for one in fakes.records(project, "hubspot", "contacts").values()}
    for kind in ("Contact", "Lead"):
        found |= {one.get("Email") for one in fakes.records(project, "salesforce", kind).values()}
    return {one.strip().lower() for one in found if one} | set(statements(project))


def statements(project: Project) -> dict[str, list[Said]]:
    """Address to what was said about advertising by ads, oldest first, from the delivered files."""
    said: dict[str, list[Said]] = {}
    for path in sorted((project.folder / "sandbox" / "drops").glob("consent-*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if (row["purpose"], row["channel"]) == ADS:
                    email = row["email"].strip().lower()
                    said.setdefault(email, []).append((row["at"], row["status"]))
    return {email: sorted(found) for email, found in said.items()}


def granting(project: Project) -> set[str]:
    """Addresses whose last word is yes."""
    return {email for email, said in statements(project).items() if said[-1][1] == "granted"}


def refusing(project: Project) -> set[str]:
    """Addresses whose last word is no."""
    return {email for email, said in statements(project).items() if said[-1][1] == "denied"}


def withdraw(project: Project, email: str, at: str) -> None:
    """The preference centre delivers one withdrawal."""
    path = project.folder / "sandbox" / "drops" / f"consent-{at[:10]}-{email.partition('@')[0]}.csv"
    path.write_text(f"email,purpose,channel,status,at\n{email},advertising,ads,denied,{at}\n")
