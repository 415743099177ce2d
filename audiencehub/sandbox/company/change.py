"""One day passes at the demo company: about 3 % of the CRM records change, the rest stays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar

from audiencehub.sandbox.company import behaviour, demography, firmography
from audiencehub.sandbox.company.names import CAMPAIGNS, DEPARTMENTS, LEAD_SOURCES, TITLES
from audiencehub.sandbox.company.newcomers import newcomers
from audiencehub.sandbox.company.records import (
    CampaignMember,
    Company,
    CrmAccount,
    CrmActivity,
    CrmContact,
    CrmDeal,
)
from audiencehub.sandbox.company.sales import OPEN_STAGES, PROBABILITIES

_LADDER = ("subscriber", "lead", "mql", "sql", "opportunity", "customer", "evangelist")
_QUIET_START, _QUIET_END = timedelta(hours=1), timedelta(hours=23)
_Record = TypeVar("_Record", CrmAccount, CrmContact, CrmDeal)


def tomorrow(company: Company, seed: int) -> Company:
    """The company a day later; the same for the same company and seed.

    Changed records are stamped strictly between the two days, an hour clear of what the fakes
    themselves stamp when something is written to them in the morning.
    """
    day = company.day + 1
    now = company.now + timedelta(days=1)
    today = _Day(company, Random(f"{seed}/day {day}/crm"), Random(f"{seed}/day {day}/lives"))
    today.win_a_deal()
    today.move_deals()
    today.edit_accounts()
    today.merge()
    today.delete()
    today.edit_contacts()
    contacts = today.contacts.values()
    news = newcomers(Random(f"{seed}/day {day}/new"), company, today.stamp)
    rng = Random(f"{seed}/day {day}/activity")
    return replace(
        behaviour.deeds(Random(f"{seed}/day {day}/deeds"), company, now),
        day=day,
        now=now,
        accounts=tuple(today.accounts.values()),
        contacts=(*contacts, *news),
        deals=tuple(today.deals.values()),
        activities=(*company.activities, *_activities(rng, company, today.stamp)),
        campaign_members=(*company.campaign_members, *_members(rng, company, today.stamp)),
        events=(*company.events, *behaviour.events(rng, company, now)),
        technologies=tuple(behaviour.technologies(rng, company, now)),
        surges=(*company.surges, *behaviour.surges(rng, company, now)),
        consents=(*company.consents, *behaviour.consents(rng, company, now)),
    )


@dataclass
class _Day:
    """The CRMs while the day goes by."""

    company: Company
    rng: Random
    lives: Random
    accounts: dict[str, CrmAccount] = field(init=False)
    contacts: dict[str, CrmContact] = field(init=False)
    deals: dict[str, CrmDeal] = field(init=False)

    def __post_init__(self) -> None:
        self.accounts = {one.key: one for one in self.company.accounts}
        self.contacts = {one.key: one for one in self.company.contacts}
        self.deals = {one.key: one for one in self.company.deals}

    def stamp(self) -> datetime:
        """Some instant of the day, to the millisecond."""
        at = self.company.now + _QUIET_START + (_QUIET_END - _QUIET_START) * self.rng.random()
        return at.replace(microsecond=at.microsecond // 1000 * 1000)

    def win_a_deal(self) -> None:
        """One open deal is won; its account and its contact become customers."""
        still_open = [one for one in self.deals.values() if not one.is_closed and not one.deleted]
        if not still_open:
            return
        deal = self.rng.choice(still_open)
        self._write(
            self.deals,
            deal,
            stage="Closed Won",
            is_closed=True,
            is_won=True,
            probability=PROBABILITIES["Closed Won"],
            close_date=self.company.now.date(),
        )
        self._write(self.accounts, self.accounts[deal.account], type="Customer")
        if deal.contact:
            self._write(self.contacts, self.contacts[deal.contact], lifecycle_stage="customer")

    def move_deals(self) -> None:
        """A few open deals move to another stage."""
        for deal in self._some(self.deals.values(), 0.02, lambda one: not one.is_closed):
            stages = [stage for stage in OPEN_STAGES if stage != deal.stage]
            stage = self.rng.choice(stages)
            self._write(self.deals, deal, stage=stage, probability=PROBABILITIES[stage])

    def edit_accounts(self) -> None:
        """Heads are counted anew, a blank is filled."""
        for account in self._some(self.accounts.values(), 0.024):
            grown = int((account.employee_count or 20) * self.rng.uniform(1.05, 1.9)) + 1
            details = replace(account.details, employee_range=firmography.band(grown))
            self._write(self.accounts, account, employee_count=grown, details=details)

    def merge(self) -> None:
        """Up to two pairs of duplicates become one; the older record survives."""
        groups: dict[tuple[str, str, str], list[CrmContact]] = defaultdict(list)
        for one in self.contacts.values():
            if not one.deleted:
                groups[one.crm, one.kind, one.person].append(one)
        pairs = [group for group in groups.values() if len(group) > 1]
        for first, second, *_ in self.rng.sample(pairs, min(2, len(pairs))):
            keeper, gone = sorted((first, second), key=lambda one: one.created_at)
            self._write(self.contacts, gone, deleted=True, merged_into=keeper.key)
            self._write(self.contacts, keeper, phone=keeper.phone or gone.phone)

    def delete(self) -> None:
        """A few contacts are deleted."""
        for contact in self._some(self.contacts.values(), 0.0015):
            self._write(self.contacts, contact, deleted=True)

    def edit_contacts(self) -> None:
        """Jobs, phones, addresses and stages change; some opt out of e-mail."""
        for contact in self._some(self.contacts.values(), 0.023):
            edited = self._edit(contact)
            if self.lives.random() < 0.25:
                edited["details"] = demography.moved_on(self.lives, contact.details)
            self._write(self.contacts, contact, **edited)

    def _edit(self, contact: CrmContact) -> dict[str, Any]:
        rng = self.rng
        roll = rng.random()
        if roll < 0.35 and contact.lifecycle_stage in _LADDER[:4]:
            return {"lifecycle_stage": _LADDER[_LADDER.index(contact.lifecycle_stage) + 1]}
        if roll < 0.6:
            area = rng.choice(sorted(TITLES))
            return {"title": rng.choice(TITLES[area]), "department": DEPARTMENTS[area][0]}
        if roll < 0.7:
            return {"email_opt_out": not contact.email_opt_out}
        if roll < 0.85 and contact.email:
            return {"email": contact.email.strip().lower(), "title": None}
        return {"lead_source": rng.choice(LEAD_SOURCES), "postal_code": None}

    def _some(
        self,
        records: Iterable[_Record],
        share: float,
        where: Callable[[_Record], bool] = lambda _: True,
    ) -> list[_Record]:
        """This share of the records, at least one of those that qualify and changed not yet."""
        everyone = list(records)
        able = [
            one
            for one in everyone
            if not one.deleted and one.modified_at <= self.company.now and where(one)
        ]
        return self.rng.sample(able, min(len(able), max(1, round(len(everyone) * share))))

    def _write(self, table: dict[str, _Record], record: _Record, **changes: Any) -> None:
        table[record.key] = replace(table[record.key], modified_at=self.stamp(), **changes)


def _activities(rng: Random, company: Company, stamp: Callable[[], datetime]) -> list[CrmActivity]:
    contacts = [one for one in company.contacts if not one.deleted]
    made = []
    for number in range(len(contacts) // 250):
        at = stamp()
        contact = rng.choice(contacts)
        made.append(
            CrmActivity(
                crm=contact.crm,
                key=f"t{len(company.activities) + number + 1:06d}",
                contact=contact.key,
                kind=rng.choice(("call", "email", "meeting")),
                subject=rng.choice(("Follow-up call", "Demo", "Re: pricing")),
                status="Completed",
                at=at,
                modified_at=at,
            )
        )
    return made


def _members(rng: Random, company: Company, stamp: Callable[[], datetime]) -> list[CampaignMember]:
    people = [one for one in company.contacts if one.crm == "salesforce" and not one.deleted]
    members = []
    for number in range(len(people) // 500):
        at = stamp()
        members.append(
            CampaignMember(
                key=f"m{len(company.campaign_members) + number + 1:06d}",
                campaign=CAMPAIGNS[0],
                contact=rng.choice(people).key,
                status="Responded",
                responded=True,
                created_at=at,
                modified_at=at,
            )
        )
    return members
