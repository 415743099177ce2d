"""A small invented org behind real HTTP, and the ways a test reaches it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from audiencehub.connector import Context
from audiencehub.model import Change, Page, Row, Stream, TagValue, Target
from audiencehub.sandbox.clock import START, SandboxClock
from audiencehub.sandbox.company.records import (
    CampaignMember,
    Company,
    CrmAccount,
    CrmActivity,
    CrmContact,
    CrmDeal,
)
from audiencehub.sandbox.host import serve
from audiencehub.sandbox.store import Store
from connectors.salesforce.destination import SalesforceTags
from connectors.salesforce.sandbox import SalesforceSandbox
from connectors.salesforce.source import SalesforceSource

MADE = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
FIELDS = {"contact": {"external_id": "Customer_Number__c", "lifecycle_stage": "Lifecycle_Stage__c"}}


def contact(key: str, **values: Any) -> CrmContact:
    """A contact at Müller, or a lead."""
    blank: dict[str, Any] = {
        "crm": "salesforce",
        "key": key,
        "person": key,
        "kind": "contact",
        "account": "a1",
        "company_name": None,
        "email": f"{key}@mueller.example",
        "phone": "+49 89 1234567",
        "first_name": "Jörg",
        "last_name": f"Weiß {key}",
        "title": 'Leiter,\n"Einkauf"',
        "department": None,
        "city": "München",
        "state": "Bayern",
        "country": "Germany",
        "postal_code": "80331",
        "language": "de",
        "lifecycle_stage": "customer",
        "lead_source": "Web",
        "email_opt_out": False,
        "created_at": MADE,
        "modified_at": MADE + timedelta(days=1),
        "external_id": f"N-{key}",
    }
    if values.get("kind") == "lead":
        blank |= {"account": None, "company_name": "Globex GmbH"}
    return CrmContact(**blank | values)


def small_company(*more: CrmContact) -> Company:
    """Two accounts, three contacts (one opted out, one merged away), two leads, and their deeds."""
    account = CrmAccount(
        "salesforce",
        "a1",
        "Müller & Söhne",
        "https://www.mueller.example/de",
        "Manufacturing",
        240,
        Decimal("1250000.50"),
        "München",
        "Bayern",
        "Germany",
        1987,
        "Customer",
        MADE,
        MADE + timedelta(days=1),
    )
    people = (
        contact("c1"),
        contact("c2", email_opt_out=True, first_name="Zoë 🌱"),
        contact("c3", merged_into="c1"),
        contact("l1", kind="lead"),
        contact("l2", kind="lead", deleted=True),
        *more,
    )
    deal = CrmDeal(
        "salesforce",
        "d1",
        "a1",
        "c1",
        "Renewal",
        Decimal("9900.5"),
        "EUR",
        "Closed Won",
        True,
        True,
        date(2026, 5, 1),
        MADE,
        MADE + timedelta(days=60),
    )
    deeds = tuple(
        CrmActivity(
            "salesforce",
            f"t{n}",
            "c1",
            kind,
            f"Subject {n}",
            "Completed",
            MADE + timedelta(days=n),
            MADE + timedelta(days=n),
        )
        for n, kind in enumerate(("call", "email", "meeting", "task", "note"))
    )
    member = CampaignMember(
        "m1", "Spring webinar", "l1", "Responded", True, MADE, MADE + timedelta(days=3)
    )
    return Company(
        "Acme Analytics",
        0,
        START,
        (account, replace(account, key="a2", name="Beta")),
        people,
        (deal,),
        deeds,
        (member,),
    )


def context_of(url: str | None, now: datetime = START, **options: Any) -> Context:
    """What the hub would hand over, with the sandbox's credentials."""
    return Context(
        "salesforce",
        {"fields": FIELDS, "poll_seconds": 0.005, "calls_per_second": 2000, **options},
        lambda name: f"sandbox-{name}",
        now,
        url,
    )


@dataclass
class Org:
    """A served fake and its neighbours."""

    sandbox: SalesforceSandbox
    url: str
    clock: SandboxClock
    company: Company

    def source(self, **options: Any) -> SalesforceSource:
        return SalesforceSource(context_of(self.url, self.clock.now(), **options))

    def tags(self, **options: Any) -> SalesforceTags:
        return SalesforceTags(context_of(self.url, self.clock.now(), **options))

    def id(self, entity: str, key: str) -> str:
        return self.sandbox.id_of(entity, key)

    def record(self, entity: str, key: str) -> dict[str, Any]:
        return self.sandbox.store.table(entity)[self.id(entity, key)]

    def pull(self, name: str, cursor: Any = None, **options: Any) -> list[Page]:
        return list(self.source(**options).pull(Stream(name), cursor))

    def rows(self, name: str, pages: list[Page]) -> list[Row]:
        source = self.source()
        return [
            row for page in pages for one in page.records for row in source.rows(Stream(name), one)
        ]


TARGET = Target("salesforce", "tag", "contact")


def tag(member: str, *tags: str, reason: str | None = "because") -> Change:
    """Set these tags."""
    return Change(member, "set", TagValue(tuple(sorted(tags)), reason))


def build(company: Company) -> SalesforceSandbox:
    """An org holding the company, not yet served."""
    store = Store()
    sandbox = SalesforceSandbox(store, SandboxClock(store))
    sandbox.seed(company)
    return sandbox


@pytest.fixture
def org() -> Iterator[Org]:
    company = small_company()
    sandbox = build(company)
    with serve(sandbox) as url:
        yield Org(sandbox, url, sandbox.clock, company)


@pytest.fixture(scope="module")
def big() -> Iterator[Org]:
    """9,000 contacts of one account, for pages, jobs and keysets."""
    people = [
        contact(f"b{n:05d}", modified_at=MADE + timedelta(days=1 + n // 3000)) for n in range(9000)
    ]
    company = small_company(*people)
    sandbox = build(company)
    with serve(sandbox) as url:
        yield Org(sandbox, url, sandbox.clock, company)
