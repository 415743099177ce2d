"""The two CRMs' views of the truth: partial, overlapping, and as dirty as people type."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Literal

from audiencehub.sandbox.company import dirt
from audiencehub.sandbox.company.names import (
    DEPARTMENTS,
    INDUSTRY_SPELLINGS,
    LANGUAGES,
    LEAD_SOURCES,
)
from audiencehub.sandbox.company.organizations import Organization
from audiencehub.sandbox.company.people import People, Person
from audiencehub.sandbox.company.records import Crm, CrmAccount, CrmContact

_TYPES = {
    "prospect": "Prospect",
    "customer": "Customer",
    "churned": "Former Customer",
    "partner": "Partner",
}


class CrmViews:
    """Writes organizations and people into the CRMs."""

    def __init__(self, rng: Random, now: datetime) -> None:
        self._rng, self._now = rng, now
        self.accounts: list[CrmAccount] = []
        self.contacts: list[CrmContact] = []
        self._account_of: dict[tuple[str, Crm], str] = {}
        self.deal_accounts: list[tuple[Organization, CrmAccount]] = []
        """Where a company's deals are kept: in Salesforce where that knows it, else in HubSpot."""
        # An import wrote many records in one second: keyset paging must break the tie by id.
        self._import_at = (now - timedelta(days=61)).replace(minute=30, second=7, microsecond=0)

    def add_organizations(self, organizations: list[Organization]) -> None:
        """One account per CRM that knows the company; one in thirty is there twice."""
        for one in organizations:
            for crm in one.crms:
                account = self._account(one, crm)
                self.accounts.append(account)
                self._account_of[one.key, crm] = account.key
                if crm == one.crms[-1]:
                    self.deal_accounts.append((one, account))
                if self._rng.random() < 0.033:
                    self.accounts.append(self._twin(account))

    def add_people(self, people: People, count: int) -> list[Person]:
        """People until the CRMs hold `count` contacts and leads; duplicates and tests included."""
        everyone: list[Person] = []
        while len(self.contacts) < count:
            person = people.next()
            everyone.append(person)
            records = self._records(person)
            if self._rng.random() < 0.04:
                records.append(self._duplicate(self._rng.choice(records), len(records)))
            if len(everyone) % 250 == 7:
                records.append(self._test_record(person))
            for record in records[: count - len(self.contacts)]:
                self.contacts.append(replace(record, key=f"c{len(self.contacts) + 1:06d}"))
        return everyone

    def _account(self, one: Organization, crm: Crm) -> CrmAccount:
        rng = self._rng
        created, modified = self._stamps(one.created_at)
        return CrmAccount(
            crm=crm,
            key=f"a{len(self.accounts) + 1:06d}",
            name=dirt.text(rng, one.name),
            website=dirt.blank(rng, dirt.website(rng, one.domain), 0.07),
            industry=dirt.blank(rng, rng.choice(INDUSTRY_SPELLINGS[crm][one.industry]), 0.12),
            employee_count=_about(rng, one.employees) if rng.random() < 0.82 else None,
            annual_revenue=Decimal(_about(rng, one.revenue)) if rng.random() < 0.7 else None,
            city=dirt.blank(rng, dirt.text(rng, one.place.city), 0.1),
            state=dirt.state(rng, one.place),
            country=dirt.country(rng, one.place.country),
            founded_year=one.founded if rng.random() < 0.5 else None,
            type=dirt.blank(rng, _TYPES[one.status], 0.1),
            created_at=created,
            modified_at=modified,
            parent=self._account_of.get((one.parent, crm)) if one.parent else None,
            organization=one.key,
        )

    def _twin(self, account: CrmAccount) -> CrmAccount:
        created, modified = self._stamps(account.created_at)
        return replace(
            account,
            key=f"a{len(self.accounts) + 1:06d}",
            name=dirt.account_name(self._rng, account.name.strip()),
            website=dirt.blank(self._rng, account.website, 0.5),
            employee_count=None,
            created_at=created,
            modified_at=modified,
        )

    def _records(self, person: Person) -> list[CrmContact]:
        """A person's records; somebody in both CRMs has the same customer number in both."""
        wanted: list[tuple[Crm, Literal["contact", "lead"]]] = []
        if person.presence in ("hubspot", "both"):
            wanted.append(("hubspot", "contact"))
        if person.presence in ("salesforce", "both"):
            organization = person.organization
            known = organization and (organization.key, "salesforce") in self._account_of
            early = person.stage in ("subscriber", "lead") and self._rng.random() < 0.4
            wanted.append(("salesforce", "lead" if early or not known else "contact"))
        return [self._contact(person, crm, kind) for crm, kind in wanted]

    def _contact(self, person: Person, crm: Crm, kind: Literal["contact", "lead"]) -> CrmContact:
        rng, place, organization = self._rng, person.place, person.organization
        start = organization.created_at if organization else self._now - timedelta(days=900)
        created, modified = self._stamps(start + (self._now - start) * rng.random() ** 0.7)
        account = self._account_of.get((organization.key, crm)) if organization else None
        department = rng.choice(DEPARTMENTS[person.department]) if person.department else None
        return CrmContact(
            crm=crm,
            key="",
            person=person.key,
            kind=kind,
            account=account if kind == "contact" else None,
            company_name=organization.name if organization and kind == "lead" else None,
            email=dirt.email(rng, dirt.blank(rng, person.email, 0.03)),
            phone=dirt.blank(rng, dirt.phone(rng, place, person.phone), 0.15),
            first_name=dirt.blank(rng, dirt.text(rng, person.first_name), 0.04),
            last_name=dirt.text(rng, person.last_name),
            title=dirt.blank(rng, person.title, 0.12),
            department=dirt.blank(rng, department, 0.45),
            city=dirt.blank(rng, dirt.text(rng, place.city), 0.2),
            state=dirt.state(rng, place),
            country=dirt.country(rng, place.country),
            postal_code=dirt.blank(rng, _digits(rng, place.postal) or None, 0.4),
            language=dirt.blank(rng, LANGUAGES[place.culture], 0.5),
            lifecycle_stage=dirt.blank(rng, person.stage, 0.02),
            lead_source=dirt.blank(rng, rng.choice(LEAD_SOURCES), 0.2),
            email_opt_out=person.consent in ("denied", "withdrawn") and rng.random() < 0.8,
            created_at=created,
            modified_at=modified,
            external_id=person.customer_number,
        )

    def _duplicate(self, record: CrmContact, number: int) -> CrmContact:
        """The same person once more in the same CRM, a little different."""
        rng = self._rng
        created, modified = self._stamps(record.created_at)
        changed = replace(record, created_at=created, modified_at=modified, title=None)
        if number % 2 and record.email:
            return replace(changed, email=record.email.strip().swapcase(), external_id=None)
        return replace(changed, phone=None, first_name=dirt.text(rng, record.first_name or "A."))

    def _test_record(self, person: Person) -> CrmContact:
        record = self._contact(person, "hubspot", "contact")
        return replace(
            record,
            first_name="Test",
            last_name=self._rng.choice(("Test", "DO NOT CALL", "asdf")),
            email=f"test+{person.key}@acme-analytics.example",
            person=f"{person.key}-test",
            account=None,
            external_id=None,
        )

    def _stamps(self, earliest: datetime) -> tuple[datetime, datetime]:
        """(created, modified), modified never later than now; one creation in 300 is typed wrong
        and lies ahead."""
        rng, now = self._rng, self._now
        created = earliest + (now - earliest) * min(0.98, rng.random() ** 2)
        created = created.replace(microsecond=rng.randrange(1000) * 1000)
        modified = created + (now - created) * rng.random() ** 0.8
        modified = modified.replace(microsecond=rng.randrange(1000) * 1000)
        modified = min(modified, now - timedelta(seconds=1))
        if created < self._import_at and rng.random() < 0.08:
            modified = self._import_at
        if rng.random() < 0.0033:
            created = now + timedelta(days=rng.randint(30, 3000))
        return created, modified


def _about(rng: Random, true: int) -> int:
    """The figure as another source has it: exact, rounded, or a little stale."""
    roll = rng.random()
    if roll < 0.5:
        return true
    if roll < 0.8:
        return int(float(f"{true:.1e}"))
    return max(1, int(true * rng.uniform(0.8, 1.2)))


def _digits(rng: Random, pattern: str) -> str:
    return "".join(str(rng.randrange(10)) if c == "#" else c for c in pattern)
