from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from audiencehub.sandbox.company import generate
from audiencehub.sandbox.company.newcomers import domain_of
from audiencehub.sandbox.company.signals import WEEKS

SEED = 20261116


def share(records, test) -> float:
    return sum(map(bool, map(test, records))) / len(records)


def emails(company):
    for part in (company.contacts, company.events, company.orders, company.consents):
        yield from (one.email.strip() for one in part if one.email)


def test_the_sizes_are_those_asked_for(company):
    """The demo's counts and timings are stated for this size."""
    assert len(company.contacts) == 5000
    assert len({domain_of(one.website) for one in company.accounts if one.website}) <= 600
    assert 780 <= len(company.accounts) <= 950
    assert 60_000 <= len(company.events) <= 100_000
    assert 2_000 <= len(company.orders) <= 3_000


def test_the_same_seed_gives_the_same_company(company):
    """A demo that differs from run to run cannot be checked, nor a state be caught up."""
    assert generate(SEED) == company
    assert generate(SEED + 1).contacts != company.contacts


def test_the_company_does_not_depend_on_the_process():
    """String hashing differs between processes: an order taken from a set would show here."""
    code = (
        "from audiencehub.sandbox.company import generate, tomorrow; import hashlib;"
        "print(hashlib.sha256(repr(tomorrow(generate(3, 90, 12), 3)).encode()).hexdigest())"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(made) == 1


@hypothesis_settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 60), st.integers(1, 12))
def test_every_reference_leads_somewhere(seed, contacts, accounts):
    """A fake that is seeded with dangling keys fails in ways no vendor would."""
    company = generate(seed, contacts, accounts)
    assert len(company.contacts) == contacts
    for part in (company.accounts, company.contacts, company.deals, company.activities):
        assert len({one.key for one in part}) == len(part)
    at = {(one.crm, one.key) for one in company.accounts}
    people = {(one.crm, one.key) for one in company.contacts}
    assert all((one.crm, one.account) in at for one in company.contacts if one.account)
    assert all((one.crm, one.parent) in at for one in company.accounts if one.parent)
    assert all((one.crm, one.account) in at for one in company.deals)
    assert all((one.crm, one.contact) in people for one in company.deals if one.contact)
    assert all((one.crm, one.contact) in people for one in company.activities)
    assert all(("salesforce", one.contact) in people for one in company.campaign_members)
    assert not any(one.kind == "lead" and one.crm == "hubspot" for one in company.contacts)


def test_nothing_real_is_in_it(company):
    """Invented people at real domains or phone numbers would be a privacy breach in public code."""
    domains = {email.rpartition("@")[2].lower() for email in emails(company)}
    domains |= {domain_of(one.website) for one in company.accounts if one.website}
    domains |= {one.domain for one in company.technologies}
    domains |= {one.domain for one in company.surges}
    assert [domain for domain in domains if not domain.endswith(".example")] == []
    american = [
        re.sub(r"\D", "", one.phone.partition("ext")[0])
        for one in company.contacts
        if one.phone and re.search(r"\b555\b", one.phone)
    ]
    assert american
    assert all(re.fullmatch(r"1?[2-9]\d\d55501\d\d", number) for number in american)


def test_people_are_spread_over_both_crms(company):
    """Identity resolution has nothing to do unless people are in both, and some twice in one."""
    places = defaultdict(Counter)
    for one in company.contacts:
        places[one.person][one.crm] += 1
    assert 0.25 <= share(places.values(), lambda crms: len(crms) == 2) <= 0.35
    assert sum(any(n > 1 for n in crms.values()) for crms in places.values()) >= 50
    kinds = Counter((one.crm, one.kind) for one in company.contacts)
    assert min(kinds["hubspot", "contact"], kinds["salesforce", "contact"]) > 700
    assert kinds["salesforce", "lead"] > 500
    numbers = defaultdict(set)
    for one in company.contacts:
        if one.external_id:
            numbers[one.external_id].add(one.person)
    assert all(len(people) == 1 for people in numbers.values())


@pytest.mark.parametrize(
    ("dirt", "at_least", "at_most"),
    [
        (lambda c: c.email is None, 0.04, 0.15),
        (lambda c: c.email and c.email != c.email.strip(), 0.02, 0.08),
        (lambda c: c.email and c.email.strip() != c.email.strip().lower(), 0.05, 0.2),
        (
            lambda c: (
                c.email and re.match(r"\s*(info|sales|office|billing|support)", c.email, re.I)
            ),
            0.005,
            0.06,
        ),
        (lambda c: c.email and re.search(r"@(freemail|mailbox)\.", c.email, re.I), 0.05, 0.3),
        (lambda c: c.email and "+" in c.email, 0.005, 0.05),
        (lambda c: c.country in ("USA", "U.S.", "U.S.A.", "usa", "Deutschland", "UK"), 0.1, 0.4),
        (lambda c: c.last_name and not c.last_name.isascii(), 0.1, 0.5),
        (lambda c: c.last_name and re.search(r"['’]", c.last_name), 0.005, 0.1),
        (lambda c: re.search("[\u0590-\u06ff]", c.last_name or ""), 0.003, 0.1),
        (lambda c: re.search("[\u4e00-\u9fff]", c.last_name or ""), 0.01, 0.15),
        (lambda c: "🚀" in f"{c.first_name}{c.last_name}{c.city}", 0.002, 0.05),
        (lambda c: c.last_name != (c.last_name or "").strip(), 0.01, 0.1),
        (lambda c: c.title is None, 0.1, 0.4),
        (lambda c: c.lifecycle_stage is None, 0.005, 0.1),
        (lambda c: c.first_name == "Test", 0.001, 0.02),
    ],
)
def test_contacts_are_as_dirty_as_real_ones(company, dirt, at_least, at_most):
    """Cleaners that never meet this dirt in the demo fail first at a customer."""
    assert at_least <= share(company.contacts, dirt) <= at_most


def test_accounts_are_dirty_too(company):
    """Domains, industries and duplicates of accounts must be cleaned before they can be matched."""
    sites = [one.website for one in company.accounts if one.website]
    for sign in ("https://", "www.", "/en/home", "?utm", "HTTPS://"):
        assert any(sign in site for site in sites), sign
    spelled = {(one.crm, one.industry) for one in company.accounts}
    assert ("hubspot", "COMPUTER_SOFTWARE") in spelled
    assert ("salesforce", "Financial Services") in spelled
    assert not {crm for crm, name in spelled if crm == "salesforce" and "_" in (name or "")}
    twins = Counter((one.crm, domain_of(one.website)) for one in company.accounts if one.website)
    assert sum(count > 1 for count in twins.values()) >= 8
    assert share(company.accounts, lambda one: one.employee_count is None) > 0.1
    phones = Counter(re.sub(r"\d", "9", one.phone) for one in company.contacts if one.phone)
    assert len(phones) >= 20


def test_times_are_possible(company):
    """A change stamped after now is skipped by a cursor; a few wrong creation dates are wanted."""
    for part in (company.accounts, company.contacts, company.deals, company.activities):
        assert all(one.modified_at < company.now for one in part)
    assert 3 <= sum(one.created_at > company.now for one in company.contacts) <= 60
    assert [one.at for one in company.events] == sorted(one.at for one in company.events)
    assert company.events[-1].at < company.now
    stamps = Counter(one.modified_at for one in company.contacts)
    assert stamps.most_common(1)[0][1] > 100  # an import: many records share one instant


def test_behaviour_goes_together(company):
    """Segments are worth showing only where signals agree: customers log in, the curious look."""
    customers = {
        (one.email or "").strip().lower()
        for one in company.contacts
        if one.lifecycle_stage in ("customer", "evangelist")
    }
    logins = [one.email.lower() for one in company.events if one.name == "login"]
    assert share(logins, lambda email: email in customers) > 0.9
    newest = max(one.week for one in company.surges)
    hot = {one.domain for one in company.surges if one.week == newest and one.score >= 60}
    pricing, elsewhere = (
        Counter(
            email.lower().rpartition("@")[2] in hot
            for email in {one.email for one in company.events if (one.path == "/pricing") is wanted}
        )
        for wanted in (True, False)
    )
    assert pricing[True] / pricing.total() > 1.3 * elsewhere[True] / elsewhere.total()
    counts = sorted(Counter(one.email for one in company.events).values(), reverse=True)
    assert sum(counts[: len(counts) // 10]) > 0.4 * sum(counts)


def test_signals_cover_what_rules_ask_for(company):
    """The shipped rules name these topics and technologies; without rows they select nobody."""
    topics = {one.topic for one in company.surges if one.score >= 60}
    assert {"payment processing", "customer data platform", "crm software"} <= topics
    assert {"Salesforce", "HubSpot", "Snowflake", "Google Analytics 4", "Shopify"} <= {
        one.name for one in company.technologies if one.live
    }
    weeks = {one.week for one in company.surges}
    assert len(weeks) == WEEKS
    assert all(week.weekday() == 0 for week in weeks)
    assert {one.status for one in company.consents} == {"granted", "denied"}
    addressed = {one.email for one in company.consents}
    assert 0.5 <= len(addressed) / len({one.person for one in company.contacts}) <= 0.7
    assert all(getattr(company, field.name) for field in fields(company) if field.name != "day")


def test_there_are_duplicates_enough_to_measure_identity_by(company):
    """Precision and recall of merges are stated on the truth: it needs hundreds of pairs."""
    places = defaultdict(list)
    for one in company.contacts:
        places[one.person].append(one)
    merges = sum(len(records) - 1 for records in places.values())
    assert merges >= 500
    shared = sum(
        bool(
            {a.email.strip().casefold() for a in records[:-1] if a.email}
            & {a.email.strip().casefold() for a in records[1:] if a.email}
        )
        for records in places.values()
        if len(records) > 1
    )
    assert shared >= 500
    known = {one.organization for one in company.accounts}
    assert "" not in known
    assert len(company.accounts) - len(known) >= 250
