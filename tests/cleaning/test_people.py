"""Job titles, vocabularies about people, and what follows from other fields."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiencehub.cleaning import CLEANERS, Unclean
from audiencehub.cleaning.derive import derive
from audiencehub.cleaning.job import department_of, seniority_of
from audiencehub.cleaning.tables import rows

TITLES = [
    ("CEO", "c_suite", "executive"),
    ("Co-Founder & CEO", "founder", "executive"),
    ("Assistant to the CFO", "entry", "administration"),
    ("Executive Assistant to the CEO", "entry", "administration"),
    ("CEO's Assistant", "entry", "administration"),
    ("Office of the CEO, Program Manager", None, "operations"),
    ("Former CEO", None, None),
    ("Vice President", "vp", None),
    ("SVP Marketing", "vp", "marketing"),
    ("VP Engineering at Acme", "vp", "engineering"),
    ("President", "c_suite", "executive"),
    ("Account Director", "manager", "sales"),
    ("Regional Sales Director", "director", "sales"),
    ("Account Executive", None, "sales"),
    ("Partner Manager", "manager", "sales"),
    ("Managing Partner", "partner", "executive"),
    ("HR Business Partner", "senior", "hr"),
    ("Associate Partner", "director", "executive"),
    ("Product Owner", None, "product"),
    ("Owner", "owner", "executive"),
    ("Art Director", "senior", "design"),
    ("Chief of Staff", "director", "operations"),
    ("Chief Information Security Officer", "c_suite", "it"),
    ("Tech Lead", "senior", "engineering"),
    ("Lead Generation Specialist", "entry", "marketing"),
    ("International Sales Manager", "manager", "sales"),
    ("Internal Auditor", None, "finance"),
    ("Marketing Intern", "intern", "marketing"),
    ("Junior Product Manager", "entry", "product"),
    ("Senior Marketing Analyst", "senior", "marketing"),
    ("Software Engineer", None, "engineering"),
    ("Geschäftsführerin", "c_suite", "executive"),
    ("Vertriebsleiter", "head", "sales"),
    ("Teamleiter Einkauf", "manager", "procurement"),
    ("Leiterin Marketing", "head", "marketing"),
    ("Assistentin der Geschäftsführung", "entry", "administration"),
    ("Werkstudent IT", "intern", "it"),
    ("Directrice Marketing", "director", "marketing"),
    ("Directeur Général", "c_suite", "executive"),
    ("Chef de projet", "manager", "operations"),
    ("Stagiaire comptabilité", "intern", "finance"),
    ("Jefe de Ventas", "head", "sales"),
    ("Director General", "c_suite", "executive"),
    ("Becaria de Recursos Humanos", "intern", "hr"),
    ("Amministratore Delegato", "c_suite", "executive"),
    ("代表取締役", "c_suite", "executive"),
    ("営業部長", "director", "sales"),
]


@pytest.mark.parametrize(("title", "level", "department"), TITLES)
def test_what_a_title_says(title, level, department):
    """If it fails, assistants get what was meant for their bosses, or the other way round."""
    assert (seniority_of(title), department_of(title)) == (level, department)


def test_titles_in_banks():
    """If it fails, half of a bank leads a division."""
    assert seniority_of("Vice President", "banking") == "manager"
    assert seniority_of("Vice President", "software") == "vp"
    assert seniority_of("CEO", "banking") == "c_suite"


SAID = [
    ("seniority", "cxo", "c_suite"),
    ("seniority", "C-Level", "c_suite"),
    ("seniority", "VP-Level", "vp"),
    ("seniority", "unpaid", "intern"),
    ("seniority", "c_suite", "c_suite"),
    ("seniority", "Head of Sales", "head"),
    ("department", "master_human_resources", "hr"),
    ("department", "engineering_technical", "engineering"),
    ("department", "Marketing & Growth", "marketing"),
    ("department", "Finance & Ops", "finance"),
    ("department", "C-Suite", "executive"),
    ("department", "Vertrieb Süd", "sales"),
    ("language", "pt_BR", "pt"),
    ("language", "zh-Hans-CN", "zh"),
    ("language", "Deutsch", "de"),
    ("language", "iw", "he"),
    ("gender", "Weiblich", "female"),
    ("gender", "Two-Spirit", "two_spirit"),
    ("education", "Bachelor's degree", "bachelor"),
    ("education", "MBA", "master"),
    ("family_status", "verheiratet", "married"),
    ("income_band", "$50,000 - $75,000", "50k-75k"),
    ("currency", "€", "EUR"),
    ("currency", "US$", "USD"),
]
UNSAID = [
    ("seniority", "employee", "unknown_seniority"),
    ("department", "Sector 7G", "unknown_department"),
    ("language", "Klingon", "unknown_language"),
    ("education", "hard knocks", "unknown_education"),
    ("family_status", "complicated", "unknown_family_status"),
    ("currency", "$", "ambiguous_currency"),
    ("currency", "XXX", "unknown_currency"),
]


@pytest.mark.parametrize(("kind", "raw", "expected"), SAID)
def test_a_word_of_a_vendor(kind, raw, expected):
    """If it fails, each vendor's words are a vocabulary of their own."""
    assert CLEANERS[kind](raw, {}) == expected


@pytest.mark.parametrize(("kind", "raw", "reason"), UNSAID)
def test_a_word_that_nobody_knows(kind, raw, reason):
    """If it fails, a made-up word becomes a value that no rule asks for, unreported."""
    with pytest.raises(Unclean) as refusal:
        CLEANERS[kind](raw, {})

    assert refusal.value.reason == reason


def test_every_word_of_the_vocabularies_is_understood():
    """If it fails, a row of the table can never be reached."""
    for row in rows("vocabulary.csv"):
        if row["kind"] in CLEANERS and row["kind"] != "boolean":
            assert CLEANERS[row["kind"]](row["alias"], {}) == row["value"], row
            assert CLEANERS[row["kind"]](row["value"], {}) == row["value"], row


def test_what_follows():
    """If it fails, fields that a source left out stay empty although the row says them."""
    row = {"email": "ann@acme.example", "title": "VP Sales", "country": "FR", "department": "hr"}

    assert derive("contact", row) == {
        "email_domain": "acme.example",
        "company_domain": "acme.example",
        "seniority": "vp",
        "timezone": "Europe/Paris",
    }
    assert derive("account", {"employee_count": 119, "name": "Acme Inc."}) == {
        "employee_range": "51-200",
        "name_norm": "acme",
    }
    assert derive("account", {"employee_count": 119, "employee_range": "1-10"}) == {}
    assert derive("account", {"employee_count": 0}) == {}
    assert derive("technology_install", {"technology": "snowflake"}) == {
        "category": "data_warehouse"
    }
    assert derive("order", {"total": 1}) == {}


@given(st.text(max_size=80))
def test_any_title(title):
    """If it fails, a title stops the run."""
    assert seniority_of(title) in {
        None, "owner", "founder", "c_suite", "partner", "vp", "head", "director", "manager",
        "senior", "entry", "intern",
    }  # fmt: skip
    assert derive("contact", {"title": title}).keys() <= {"seniority", "department"}
