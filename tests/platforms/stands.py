"""Each list destination on its fake: how it is opened, and how the fake is asked who is there.

A destination that keeps people by an address, as it stands or hashed, is one entry here; the tests
and the benchmark take them all from `STANDS`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from audiencehub import connector
from audiencehub.connector import Capabilities, Context, Destination
from audiencehub.sandbox.clock import SandboxClock
from audiencehub.sandbox.host import serve_app
from audiencehub.sandbox.kit import VendorSandbox
from audiencehub.sandbox.store import Store
from connectors.hubspot.sandbox.seed import record_id
from connectors.salesforce.sandbox import SalesforceSandbox
from tests.platforms import crm
from tests.platforms.crowd import START, digest, email, folded

Front = TypeVar("Front")
Line = Mapping[str, Any]


def _whole(_: VendorSandbox, line: Line) -> str:
    return json.dumps(line)


@dataclass(frozen=True)
class Stand:
    """One destination."""

    connector: str
    held: Callable[[VendorSandbox], Iterable[str]]
    """Who is in any audience of the fake, each as `name` says."""
    known_as: Callable[[str], str] = digest
    """What the platform keeps of an address."""
    record: Callable[[VendorSandbox, int], str] | None = None
    """For those that keep CRM records: the record of a person."""
    told: Callable[[VendorSandbox, Line], str] = _whole
    """A text in which a line of the fake's log of writes names its person."""
    acquaint: Callable[[VendorSandbox, int], None] = lambda *_: None
    """Makes so many people known to the platform, where it takes others one by one."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """As the settings entry holds them."""
    fake: Mapping[str, Any] = field(default_factory=dict)
    """Options of the fake."""
    unlimited: Mapping[str, Any] = field(default_factory=dict)
    """Options that switch its own limits off, for whoever counts before it."""

    @property
    def can(self) -> Capabilities:
        """What the destination declares."""
        found: Capabilities = connector.load(str(connector.spec(self.connector).destination)).can
        return found

    def name(self, fake: VendorSandbox, number: int) -> str:
        """What the platform keeps of a person."""
        return self.record(fake, number) if self.record else self.known_as(email(number))


def kept_in(
    prefix: str, of: Callable[[Line], str | None]
) -> Callable[[VendorSandbox], Iterable[str]]:
    """A `held` that reads the members' tables of a fake, each row as `of` says."""

    def held(fake: VendorSandbox) -> Iterable[str]:
        tables = [table for name, table in fake.store.tables() if name.startswith(prefix)]
        found = (of(row) for table in tables for row in table.values())
        return [one for one in found if one is not None]

    return held


def _address(row: Line) -> str:
    (found,) = (one for one in row["ids"] if one.startswith("email_address:"))
    return str(found).removeprefix("email_address:")


def _at_linkedin(fake: VendorSandbox, line: Line) -> str:
    held = fake.store.table(f"member:{line['segment']}").get(line["member"], {})
    return json.dumps(held.get("userIds"))


def _in_campaign(fake: VendorSandbox, line: Line) -> str:
    found = fake.store.table("CampaignMember").get(line["member"])
    return str(found["ContactId"]) if found else ""


def _contact(fake: VendorSandbox, number: int) -> str:
    return str(cast(SalesforceSandbox, fake).id_of("Contact", crm.key(number)))


def _contacts(fake: VendorSandbox, people: int) -> None:
    """Contacts of the audience who get no marketing."""
    table = fake.store.table("contact:a1b2c3d4e5")
    fields = {"FNAME": "", "LNAME": ""}
    table.put(
        {
            folded(email(number)): {
                "email_address": email(number),
                "status": "transactional",
                "merge_fields": fields,
            }
            for number in range(people)
        }
    )


def _member(row: Line) -> str | None:
    return None if row["IsDeleted"] else str(row["ContactId"])


STANDS: Mapping[str, Stand] = {
    one.connector: one
    for one in (
        Stand(
            "meta_ads",
            kept_in("member:", lambda row: row["EMAIL"]),
            options={"ad_account_id": "100200300"},
            fake={"alias_lag": 0, "tier": "full"},
            unlimited={"calls_per_hour": 10**9},
        ),
        Stand(
            "linkedin_ads",
            kept_in("member:", lambda row: row["userIds"][0]["idValue"]),
            told=_at_linkedin,
            options={"account_id": "512345678", "source_platform": "ACME_ANALYTICS"},
            fake={"alias_lag": 0},
            unlimited={"calls_per_minute": 10**9},
        ),
        Stand(
            "microsoft_ads",
            kept_in("item:", lambda row: row["value"]),
            options={
                "account_id": "100200300",
                "customer_id": "400500600",
                "client_id": "0a1b2c3d-1111-2222-3333-444455556666",
            },
        ),
        Stand(
            "tiktok_ads",
            kept_in("member:", lambda row: row["id"] if row["kind"] == "EMAIL_SHA256" else None),
            options={"advertiser_id": "7000000000000000001"},
        ),
        Stand(
            "google_ads",
            kept_in("member:", _address),
            options={"account_id": "123-456-7890"},
            unlimited={"per_minute": 10**9, "per_day": 10**9},
        ),
        Stand(
            "mailchimp",
            kept_in("member:", lambda row: row["email"]),
            known_as=str,
            acquaint=_contacts,
            options={"audience_id": "a1b2c3d4e5", "create": "transactional"},
        ),
        Stand("klaviyo", kept_in("member:", lambda row: row["email"]), known_as=str),
        Stand("webhook", kept_in("member:", lambda row: row["email_sha256"])),
        Stand(
            "hubspot",
            kept_in("members:", lambda row: row["id"]),
            record=lambda _, number: record_id(crm.key(number)),
        ),
        Stand(
            "salesforce",
            kept_in("CampaignMember", _member),
            record=_contact,
            told=_in_campaign,
        ),
    )
}


SLACK = Stand("slack", lambda _: [])
"""Keeps nobody: what is posted to a channel stays there."""


@contextmanager
def stood(
    stand: Stand, front: Callable[[Any], Front], people: int = 0
) -> Iterator[tuple[str, VendorSandbox, Front]]:
    """The stand's fake on loopback behind a front: address, fake, front. A CRM knows the people."""
    kind = connector.load(str(connector.spec(stand.connector).sandbox))
    with closing(Store()) as store:
        fake: VendorSandbox = kind(store, SandboxClock(store), dict(stand.fake))
        known = crm.people(stand.connector, people if stand.record else 0)
        fake.seed(known)
        stand.acquaint(fake, people)
        before = front(fake.app())
        with serve_app(before) as url:
            yield url, fake, before


def opened(stand: Stand, url: str | None) -> Destination:
    """The destination, as the hub opens it."""
    spec = connector.spec(stand.connector)
    options = connector.load(str(spec.options))(**stand.options).model_dump()
    context = Context(
        name=stand.connector,
        options=options,
        now=START,
        base_url=url,
        secret=lambda name: f"sandbox-{name}",
    )
    made: Destination = connector.load(str(spec.destination))(context)
    return made
