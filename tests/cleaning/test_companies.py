"""Company names, industries, sizes, technologies."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiencehub.cleaning import CLEANERS, Unclean
from audiencehub.cleaning.company import company_norm
from audiencehub.cleaning.industry import groups, naics_group
from audiencehub.cleaning.size import EMPLOYEES, REVENUE, employee_band, span
from audiencehub.cleaning.tables import rows, words
from audiencehub.cleaning.technology import category_of

NAMES = [
    ("Zebra Co., Ltd.", "zebra"),
    ("AB Volvo", "volvo"),
    ("株式会社トヨタ", "トヨタ"),
    ("トヨタ株式会社", "トヨタ"),
    ("㈱ガラス", "ガラス"),
    ("PT Bank Central Asia Tbk", "bank central asia"),
    ("Nestlé SA Group", "nestle"),
    ("Acme GmbH & Co. KG", "acme"),
    ("Acme S.A. de C.V.", "acme"),
    ("Acme Sp. z o.o.", "acme"),
    ("Acme S.p.A.", "acme"),
    ("The Acme Company", "acme"),
    ("I.B.M. Corp", "ibm"),
    ("IBM Corporation", "ibm"),
    ("ООО Ромашка", "ромашка"),
    ("בע״מ אקמה", "אקמה"),
    ("华为技术有限公司", "华为技术"),
    ("Marks & Spencer plc", "marks and spencer"),
    ("Limited", "limited"),
    ("有限公司", "有限公司"),
]


@pytest.mark.parametrize(("name", "expected"), NAMES)
def test_a_name_without_its_legal_form(name, expected):
    """If it fails, one company under two spellings is never suggested as one."""
    assert company_norm(name) == expected


def test_a_name_is_shown_as_it_was_written():
    """If it fails, people see their company without its legal form or its accents."""
    assert CLEANERS["company"]("  Nestl\u00e9   S.A. ", {}) == "Nestl\u00e9 S.A."
    for raw, reason in (("N/A", "placeholder"), ("---", "no_letters")):
        with pytest.raises(Unclean) as refusal:
            CLEANERS["company"](raw, {})
        assert refusal.value.reason == reason


@given(st.text(max_size=60))
def test_a_compared_name_is_a_fixed_point(name):
    """If it fails, the comparison depends on how often it was applied."""
    once = company_norm(name)

    assert company_norm(once) == once


def test_one_name_one_industry():
    """If it fails, the order of a table decides what industry a company has."""
    assert len(groups()) == 25
    seen: dict[str, str] = {}
    for row in rows("industries.csv"):
        found = CLEANERS["industry"](row["name"], {})
        assert found == row["industry"], row
        assert seen.setdefault(row["name"], found) == found


def test_every_code_of_the_classification_has_a_group():
    """If it fails, companies with a NAICS code have no industry."""
    assert [code for code in words("naics_2022.txt") if naics_group(code) not in groups()] == []
    assert naics_group("999999") is None
    assert naics_group("12-34") is None


RANGES = [
    ("1,000 - 5,000", "1001-5000"),
    ("50 -100", "51-200"),
    ("10001+", "10001+"),
    ("10,000+", "10001+"),
    ("Over 10,000", "10001+"),
    ("1k-5k", "1001-5000"),
    ("<10", "1-10"),
    ("51-200 employees", "51-200"),
    ("Micro (1 - 9 Employees)", "1-10"),
    ("XLarge (5,000 - 9,999)", "5001-10000"),
    ("myself only", "1-10"),
    ("11,20", "11-50"),
    ("1,200", "1001-5000"),
    (119, "51-200"),
    ("1–10", "1-10"),
]
NO_RANGES = [
    ("1-1000", "straddles_bands"),
    ("1000+", "straddles_bands"),
    ("11-Oct", "mangled_by_spreadsheet"),
    ("Nov-50", "mangled_by_spreadsheet"),
    ("0", "out_of_range"),
    ("10-1", "out_of_range"),
    ("many", "not_a_range"),
    ("-5", "not_a_range"),
]


@pytest.mark.parametrize(("raw", "band"), RANGES)
def test_a_range_of_employees(raw, band):
    """If it fails, one size of company is several in the rules."""
    assert CLEANERS["employee_range"](raw, {}) == band


@pytest.mark.parametrize(("raw", "reason"), NO_RANGES)
def test_no_range_is_guessed(raw, reason):
    """If it fails, a range that says little, or a date, becomes a size."""
    with pytest.raises(Unclean) as refusal:
        CLEANERS["employee_range"](raw, {})

    assert refusal.value.reason == reason


@pytest.mark.parametrize(
    ("raw", "band"),
    [
        ("$1M-$10M", "1M-10M"),
        ("$10-25M", "10M-25M"),
        ("$1 mil. - $5 mil.", "1M-10M"),
        ("$10B+", "10B+"),
        ("under $1M", "0-1M"),
        ("1 mrd", "1B-10B"),
        (12_500_000, "10M-25M"),
    ],
)
def test_a_range_of_revenue(raw, band):
    """If it fails, companies of one size are told apart by the vendor that sized them."""
    assert CLEANERS["revenue_range"](raw, {}) == band


@given(st.integers(1, 10**9))
def test_a_count_is_in_its_band(count):
    """If it fails, the edges of two bands overlap or leave a hole."""
    low, high = EMPLOYEES[str(employee_band(count))]

    assert low <= count <= (high or count)
    assert CLEANERS["employee_range"](str(count), {}) == employee_band(count)


def test_bands_are_their_own_names():
    """If it fails, cleaning a clean value changes it."""
    for kind, bands in (("employee_range", EMPLOYEES), ("revenue_range", REVENUE)):
        for name in bands:
            assert CLEANERS[kind](name, {}) == name
    assert span("1k-5k") == (Decimal(1000), Decimal(5000))
    assert span("10001+") == (Decimal(10001), None)


TECHNOLOGIES = [
    ("AWS", "amazon-web-services"),
    ("GA4", "google-analytics-4"),
    ("Marketo Engage", "marketo"),
    ("C++", "c-plus-plus"),
    ("C#", "c-sharp"),
    ("C", "c"),
    (".NET", "dot-net"),
    ("Foo Bar 3", "foo-bar-3"),
]


@pytest.mark.parametrize(("raw", "slug"), TECHNOLOGIES)
def test_a_technology(raw, slug):
    """If it fails, one product is several, or several are one."""
    assert CLEANERS["technology"](raw, {}) == slug
    assert CLEANERS["technology"](slug, {}) == slug


def test_categories_are_one_vocabulary():
    """If it fails, the category that a vendor gives and the one we derive never meet."""
    for row in rows("technologies.csv"):
        assert CLEANERS["technology_category"](row["category"], {}) == row["category"]
        assert CLEANERS["technology"](row["name"], {}) == row["technology"]
    assert CLEANERS["technology_category"]("Data Warehousing", {}) == "data_warehouse"
    assert CLEANERS["technology_category"]("Basket Weaving", {}) == "basket_weaving"
    assert category_of("snowflake") == "data_warehouse"
    assert category_of("unheard-of") is None
