"""A HubSpot fake on loopback, and the source and destination that talk to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests

from audiencehub.connector import Context
from audiencehub.model import Change, Page, Row, Stream, TagOption, TagValue, Target
from audiencehub.sandbox.clock import START, SandboxClock
from audiencehub.sandbox.company.records import (
    Company,
    CrmAccount,
    CrmActivity,
    CrmContact,
    CrmDeal,
)
from audiencehub.sandbox.host import serve
from audiencehub.sandbox.store import Store
from connectors.hubspot.destination import HubSpotDestination
from connectors.hubspot.sandbox import HubSpotSandbox
from connectors.hubspot.source import HubSpotSource

CONTACT_TAGS = Target("hubspot", "tag", "contact")
ACCOUNT_TAGS = Target("hubspot", "tag", "account")
OPTIONS = [TagOption("vip", "VIP"), TagOption("churn_risk", "Churn risk")]
STREAMS = {stream.name: stream for stream in HubSpotSource.streams}


@dataclass
class Patience:
    """A clock that does not wait, and remembers how long it should have."""

    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


@dataclass
class Portal:
    """The fake, its address, and connectors opened on it."""

    sandbox: HubSpotSandbox
    url: str
    patience: Patience = field(default_factory=Patience)
    token: str = "sandbox-token"

    def context(self, **options: Any) -> Context:
        return Context(
            name="hubspot",
            options=options,
            secret=lambda name: self.token,
            now=self.sandbox.clock.now(),
            base_url=self.url,
        )

    def source(self, **options: Any) -> HubSpotSource:
        return HubSpotSource(self.context(**options), self.patience)

    def destination(self, **options: Any) -> HubSpotDestination:
        return HubSpotDestination(self.context(**options), self.patience)

    def fault(self, **fault: Any) -> None:
        requests.post(f"{self.url}/__faults", json=[fault], timeout=5).raise_for_status()

    def writes(self) -> list[dict[str, Any]]:
        return requests.get(f"{self.url}/__writes", timeout=5).json()

    def contacts(
        self, count: int, at: datetime = START, first: int = 1, **values: Any
    ) -> list[str]:
        """Puts plain contacts; returns their ids."""
        records = self.sandbox.records
        ids = [str(number) for number in range(first, first + count)]
        records.put(
            "contacts",
            [records.make(id_, {"email": f"p{id_}@acme.example", **values}, at, at) for id_ in ids],
        )
        return ids


@pytest.fixture
def open_portal() -> Iterator[Callable[..., Portal]]:
    """Opens a fake with the given sandbox options."""
    with ExitStack() as stack:

        def opened(company: Company | None = None, **options: Any) -> Portal:
            store = Store()
            sandbox = HubSpotSandbox(store, SandboxClock(store), options)
            if company is not None:
                sandbox.seed(company)
            return Portal(sandbox, stack.enter_context(serve(sandbox)))

        yield opened


@pytest.fixture
def portal(open_portal: Callable[..., Portal]) -> Portal:
    """An empty account."""
    return open_portal()


def pull(source: HubSpotSource, stream: str, cursor: Any = None) -> list[Page]:
    return list(source.pull(STREAMS[stream], cursor))


def ids(pages: list[Page]) -> list[str]:
    return [record["id"] for page in pages for record in page.records if not record.get("archived")]


def rows(source: HubSpotSource, stream: str, pages: list[Page]) -> list[Row]:
    one: Stream = STREAMS[stream]
    return [row for page in pages for record in page.records for row in source.rows(one, record)]


def tag(member: str, *tags: str, reason: str | None = None) -> Change:
    return Change(member, "set", TagValue(tuple(sorted(tags)), reason))


def company(**more: Any) -> Company:
    """One account, three contacts (one opted out, one merged away), a deal, a meeting."""
    base = {
        "crm": "hubspot",
        "created_at": datetime(2026, 1, 5, tzinfo=UTC),
        "modified_at": datetime(2026, 11, 1, 8, 30, tzinfo=UTC),
    }
    account = CrmAccount(
        key="a000002",
        name="Zürcher Käse",
        website="https://www.kaese.example/shop",
        industry="Food & Beverages",
        employee_count=120,
        annual_revenue=None,
        city="Zürich",
        state=None,
        country="Switzerland",
        founded_year=1931,
        type="prospect",
        **base,
    )
    contacts = tuple(
        CrmContact(
            key=key,
            person=key,
            kind="contact",
            account="a000002",
            company_name=None,
            email=email,
            phone=None,
            first_name="Ælfrēd",
            last_name="Ó Briain 李",
            title="CFO",
            department=None,
            city=None,
            state=None,
            country=None,
            postal_code=None,
            language="de",
            lifecycle_stage="mql",
            lead_source=None,
            email_opt_out=out,
            merged_into=winner,
            **base,
        )
        for key, email, out, winner in (
            ("c000001", "alfred@kaese.example", False, None),
            ("c000002", "out@kaese.example", True, None),
            ("c000003", "old@kaese.example", False, "c000001"),
        )
    )
    deal = CrmDeal(
        key="d000001",
        account="a000002",
        contact="c000001",
        name="Käse 2027",
        amount=None,
        currency="CHF",
        stage="Closed Won",
        is_closed=True,
        is_won=True,
        close_date=date(2026, 10, 1),
        **base,
    )
    meeting = CrmActivity(
        crm="hubspot",
        key="m000001",
        contact="c000001",
        kind="meeting",
        subject="Demo",
        status="COMPLETED",
        at=datetime(2026, 10, 20, 9, tzinfo=UTC),
        modified_at=datetime(2026, 10, 20, 10, tzinfo=UTC),
    )
    whole = {
        "accounts": (account,),
        "contacts": contacts,
        "deals": (deal,),
        "activities": (meeting,),
    }
    return Company(name="Acme Analytics", day=0, now=START, **{**whole, **more})
