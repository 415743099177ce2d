"""Phones, countries, states, postal codes, time zones, domains."""

from __future__ import annotations

import pycountry
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiencehub.cleaning import CLEANERS, Unclean
from audiencehub.cleaning.place import only_timezone
from audiencehub.cleaning.tables import rows

CASES = [
    ("phone", "+1 (415) 555-0101 ext. 42", None, "+14155550101"),
    ("phone_ext", "+1 (415) 555-0101 ext. 42", None, "42"),
    ("phone_ext", "030 1234567 Durchwahl 12", "DE", "12"),
    ("phone_ext", "x42", None, "42"),
    ("phone_ext", "+1 415 555 0101", None, None),
    ("phone", "1-800-FLOWERS", "US", "+18003569377"),
    ("phone", "030 1234567 Durchwahl 12", "DE", "+49301234567"),
    ("phone", "+44 (0)20 7946 0958", None, "+442079460958"),
    ("phone", "0049 30 1234567", "DE", "+49301234567"),
    ("phone", "４１５-５５５-０１０１", "US", "+14155550101"),
    ("phone", "'+14155550100", None, "+14155550100"),
    ("phone", "\u202a+1 415 555 0100\u202c", None, "+14155550100"),
    ("phone", 14155550100, "US", "+14155550100"),
    ("country", "EE. UU.", None, "US"),
    ("country", "Korea, Republic of", None, "KR"),
    ("country", "Côte d'Ivoire", None, "CI"),
    ("country", "Großbritannien", None, "GB"),
    ("country", "日本", None, "JP"),
    ("country", "한국", None, "KR"),
    ("country", "840", None, "US"),
    ("country", "United Kingdom (Great Britain)", None, "GB"),
    ("country", "US - United States", None, "US"),
    ("state", "Québec", "CA", "QC"),
    ("state", "QUEBEC", "CA", "QC"),
    ("state", "Bavaria", "DE", "BY"),
    ("state", "US-CA", "US", "CA"),
    ("state", "California", None, "California"),
    ("postal_code", "941071234", "US", "94107-1234"),
    ("postal_code", "k1a0b1", "CA", "K1A 0B1"),
    ("postal_code", "sw1a1aa", "GB", "SW1A 1AA"),
    ("postal_code", "1012ab", "NL", "1012 AB"),
    ("postal_code", "D-80331", "DE", "80331"),
    ("postal_code", "01.310-100", "BR", "01310-100"),
    ("postal_code", "ab 12", None, "AB 12"),
    ("timezone", "europe/berlin", None, "Europe/Berlin"),
    ("timezone", "us_slash_eastern", None, "America/New_York"),
    ("timezone", "W. Europe Standard Time", None, "Europe/Berlin"),
    ("timezone", "Europe/Oslo", None, "Europe/Oslo"),
    ("latitude", "-33.87", None, -33.87),
    ("longitude", 151, None, 151.0),
    ("domain", "acme.example:8080", None, "acme.example"),
    ("domain", "acme.example.", None, "acme.example"),
    ("domain", "ＡＣＭＥ.example", None, "acme.example"),
    ("domain", "müller.example", None, "xn--mller-kva.example"),
    ("domain", "www.github.io", None, "github.io"),
    ("domain", "https://acme.example\\@evil.example", None, "acme.example"),
    ("domain", "linkedin.com", None, "linkedin.com"),
]


@pytest.mark.parametrize(("kind", "raw", "home", "expected"), CASES, ids=lambda one: str(one)[:30])
def test_becomes(kind, raw, home, expected):
    """If it fails, places and numbers that are the same compare as different."""
    assert CLEANERS[kind](raw, {"country": home}) == expected


REFUSED = [
    ("phone", "4.15555E+09", "US", "mangled_by_spreadsheet"),
    ("phone", "14155550101.0", "US", "mangled_by_spreadsheet"),
    ("phone", 4155550101.0, "US", "mangled_by_spreadsheet"),
    ("phone", "####", "US", "mangled_by_spreadsheet"),
    ("phone", "415-555-0101 or 0102", "US", "not_a_phone"),
    ("phone", "Ann 4155550101", "US", "not_a_phone"),
    ("phone", "=1+1", "US", "not_a_phone"),
    ("phone", "00442079460958", "US", "impossible_phone"),
    ("phone", "12", "US", "impossible_phone"),
    ("country", "Atlantis", None, "unknown_country"),
    ("country", "Congo (Atlantis)", None, "unknown_country"),
    ("country", "Germany / France", None, "unknown_country"),
    ("postal_code", "2139", "US", "not_a_postal_code"),
    ("postal_code", "94107.0", "US", "mangled_by_spreadsheet"),
    ("postal_code", "<b>1", None, "not_a_postal_code"),
    ("timezone", "EST", None, "unknown_timezone"),
    ("timezone", "GMT+2", None, "unknown_timezone"),
    ("latitude", "91", None, "out_of_range"),
    ("longitude", "-180.5", None, "out_of_range"),
    ("domain", "https://acme.example@evil.example/", None, "user_in_url"),
    ("domain", "http://127.0.0.1/", None, "ip_address"),
    ("domain", "http://[2001:db8::1]:80/", None, "ip_address"),
    ("domain", "https://www.linkedin.com/company/acme", None, "profile_page"),
    ("domain", "javascript:alert(1)", None, "not_a_domain"),
    ("domain", "acme..example", None, "not_a_domain"),
    ("domain", "acme%2eexample", None, "not_a_domain"),
    ("domain", "2130706433", None, "not_a_domain"),
    ("domain", "co.uk", None, "not_a_domain"),
    ("domain", "xn--zzzzz--.example", None, "not_a_domain"),
]


@pytest.mark.parametrize(("kind", "raw", "home", "reason"), REFUSED, ids=lambda one: str(one)[:30])
def test_is_refused(kind, raw, home, reason):
    """If it fails, a damaged or misleading value passes for a good one."""
    with pytest.raises(Unclean) as refusal:
        CLEANERS[kind](raw, {"country": home})

    assert refusal.value.reason == reason


def test_every_alias_leads_to_a_country_that_exists():
    """If it fails, a table sends people to a code that no destination knows."""
    real = {one.alpha_2 for one in pycountry.countries} | {"XK"}

    assert {row["country"] for row in rows("countries.csv")} <= real
    assert len(rows("countries.csv")) >= 150


def test_every_alias_leads_to_a_state_that_exists():
    """If it fails, a table makes up states."""
    real = {one.code for one in pycountry.subdivisions}

    assert [
        row for row in rows("states.csv") if f"{row['country']}-{row['code']}" not in real
    ] == []


@given(st.sampled_from(sorted(pycountry.subdivisions, key=lambda one: one.code)))
def test_a_state_by_its_name_or_code(one):
    """If it fails, label and code of one Salesforce picklist entry are two states."""
    known = {"country": one.country_code}
    code = one.code.partition("-")[2]

    assert CLEANERS["state"](code, known) == code
    assert CLEANERS["state"](one.code, known) == code
    assert CLEANERS["state"](one.name, known) in {
        other.code.partition("-")[2]
        for other in pycountry.subdivisions.get(country_code=one.country_code)
    }


def test_the_clock_of_a_country():
    """If it fails, people are written to in the middle of their night."""
    assert only_timezone("FR") == "Europe/Paris"
    assert only_timezone("DE") == "Europe/Berlin"
    assert only_timezone("US") is None
    assert only_timezone("XX") is None
