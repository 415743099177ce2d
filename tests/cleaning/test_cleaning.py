"""Cleaning: what each kind of value becomes, and what is refused rather than guessed."""

# ruff: noqa: DTZ001 - the warehouse keeps naive UTC
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiencehub.canonical import TABLES
from audiencehub.cleaning import Unclean, clean
from audiencehub.cleaning.money import rate


def field(path: str) -> Any:
    table, _, name = path.partition(".")
    return TABLES[table].field(name)


CASES = [
    ("contact.email", "  Ann.Lee+news@Acme.Example ", {}, "ann.lee+news@acme.example"),
    ("contact.email", "jürgen@müller.example", {}, "jürgen@müller.example"),
    ("contact.phone", "(415) 555-0101", {"country": "US"}, "+14155550101"),
    ("contact.phone", "+44 20 7946 0958", {}, "+442079460958"),
    ("contact.country", "U.S.", {}, "US"),
    ("contact.country", " usa", {}, "US"),
    ("contact.country", "UK", {}, "GB"),
    ("contact.country", "Deutschland", {}, "DE"),
    ("contact.country", "Kosovo", {}, "XK"),
    ("contact.country", "Russia", {}, "RU"),
    ("contact.state", "california", {"country": "US"}, "CA"),
    ("contact.state", "CA", {"country": "US"}, "CA"),
    ("contact.state", "Somewhere", {"country": "US"}, "Somewhere"),
    ("account.domain", "HTTPS://www.Acme.example/about?x=1", {}, "acme.example"),
    ("account.domain", "shop-a.myshopify.com", {}, "shop-a.myshopify.com"),
    ("account.industry", "COMPUTER_SOFTWARE", {}, "software"),
    ("account.industry", "Financial Services", {}, "fintech"),
    ("account.industry", "Hospital & Health Care", {}, "healthcare"),
    ("account.industry", "541511", {}, "software"),
    ("account.employee_count", "1,200", {}, 1200),
    ("account.annual_revenue", "1 234 567.891", {}, Decimal("1234567.89")),
    ("technology_install.technology", "Google Analytics 4", {}, "google-analytics-4"),
    ("intent_signal.topic", "  Payment   Processing ", {}, "payment processing"),
    ("event.name", "Page View", {}, "page_view"),
    ("contact.created_at", "2020-10-22T21:03:23.000+0000", {}, datetime(2020, 10, 22, 21, 3, 23)),
    ("contact.created_at", 1609459200000, {}, datetime(2021, 1, 1)),
    ("contact.created_at", "1609459200", {}, datetime(2021, 1, 1)),
    ("contact.birth_date", "1980-02-29", {}, date(1980, 2, 29)),
    ("contact.is_test", "No", {}, False),
    ("contact.city", " \u200bKöln\u00a0", {}, "Köln"),
    ("contact.city", "   ", {}, None),
]


@pytest.mark.parametrize(("path", "raw", "known", "expected"), CASES, ids=lambda one: str(one)[:30])
def test_becomes(path, raw, known, expected):
    """If it fails, rules compare values that mean the same and are not equal."""
    assert clean(field(path), raw, known) == expected


REFUSED = [
    ("contact.email", "ann at acme", "not_an_email"),
    ("contact.email", "a@b@c.example", "not_an_email"),
    ("contact.phone", "415-555-2671", "not_a_phone"),
    ("contact.phone", "4.16E+09", "mangled_by_spreadsheet"),
    ("contact.country", "Atlantis", "unknown_country"),
    ("contact.created_at", "2026-11-16T09:00:00", "no_time_zone"),
    ("contact.created_at", "yesterday", "not_a_time"),
    ("contact.created_at", "9" * 19, "out_of_range"),
    ("contact.birth_date", "2023-02-30", "not_a_date"),
    ("account.employee_count", "50 -100", "not_a_number"),
    ("account.employee_count", "-3", "out_of_range"),
    ("account.annual_revenue", "1.234,50", "not_a_number"),
    ("account.annual_revenue", "1e99", "out_of_range"),
    ("account.annual_revenue", "NaN", "not_a_number"),
    ("account.annual_revenue", True, "not_a_number"),
    ("account.domain", "not a domain", "not_a_domain"),
    ("account.industry", "Basket Weaving", "unknown_industry"),
    ("contact.created_at", "45123", "ambiguous_number"),
    ("contact.created_at", 44927.5, "ambiguous_number"),
    ("contact.created_at", float("nan"), "not_a_number"),
    ("contact.birth_date", "03/04/1980", "not_a_date"),
    ("contact.birth_date", "0001-01-01", "out_of_range"),
    ("contact.city", "a\x00b", "control_characters"),
    ("contact.city", "\ud800", "broken_unicode"),
    ("contact.city", "x" * 5000, "too_long"),
    ("contact.is_test", "maybe", "not_true_or_false"),
    ("order.currency", "XXQ", "unknown_currency"),
]


@pytest.mark.parametrize(("path", "raw", "reason"), REFUSED, ids=lambda one: str(one)[:30])
def test_is_refused_with_a_reason(path, raw, reason):
    """If it fails, a value that cannot be understood is guessed."""
    with pytest.raises(Unclean) as refusal:
        clean(field(path), raw, {})

    assert refusal.value.reason == reason


ANY = st.one_of(
    st.text(max_size=60), st.integers(), st.floats(), st.booleans(), st.lists(st.text())
)
ALL = [(table.name, one.name) for table in TABLES.values() for one in table.fields]


@given(where=st.sampled_from(ALL), raw=ANY)
def test_never_anything_but_a_value_or_a_reason(where, raw):
    """If it fails, a hostile value stops the run."""
    one = field(".".join(where))
    try:
        value = clean(one, raw, {"country": "US"})
    except Unclean as refusal:
        assert refusal.reason.isidentifier()
        return

    if value is not None and one.type == "text":
        assert clean(one, value, {"country": "US"}) == value, "cleaning twice changes nothing more"


@given(st.datetimes(datetime(1950, 1, 1), datetime(2150, 1, 1)), st.integers(-12, 14))
def test_an_instant_means_the_same_in_any_zone(when, hours):
    """If it fails, windows are hours off for sources that write local times."""
    aware = when.replace(tzinfo=timezone(timedelta(hours=hours)))

    assert clean(field("event.at"), aware.isoformat(), {}) == aware.astimezone(UTC).replace(
        tzinfo=None
    )


def test_money_of_its_own_day():
    """If it fails, an old order is worth what the euro is worth today."""
    old, new = rate("EUR", "USD", date(2002, 2, 1)), rate("EUR", "USD", date(2008, 7, 15))

    assert old is not None
    assert new is not None
    assert old < 1 < new
    assert rate("USD", "USD", date(2008, 7, 15)) == 1
    assert rate("XAU", "USD", date(2008, 7, 15)) is None
