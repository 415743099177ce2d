from __future__ import annotations

import pytest

from audiencehub.errors import ConfigError
from audiencehub.sandbox.company import tomorrow
from audiencehub.sandbox.company.realdata import REAL_START, locate, realdata_company

SAMPLE = """\
,one.example,,,analytics,workforce analytics,83,[77],United States
two inc,two.example,51-200 employees,financial services,payments,credit cards,61,[61],
,one.example,,,benefits,payroll,72,greater boston area[77]|[77],United States
"""
CDNOW = """\
 customer_id  date number_of_cds  dollar_value\r
 00001 19970101  1   11.77\r
 00002 19970112  1   12.00\r
 00002 19970105  5   77.00\r

"""


@pytest.fixture
def files(tmp_path):
    bombora, cdnow = tmp_path / "surge_sample.csv", tmp_path / "CDNOW_master.txt"
    bombora.write_text(SAMPLE, "utf-8")
    cdnow.write_text(CDNOW, "ascii")
    return bombora, cdnow


def test_a_company_per_domain_in_both_crms(files):
    """Intent reaches a CRM tag only if the CRM knows the company of each domain once."""
    company = realdata_company(*files)
    assert [(one.crm, one.website, one.name, one.industry) for one in company.accounts] == [
        ("hubspot", "one.example", "one.example", None),
        ("hubspot", "two.example", "two inc", "FINANCIAL_SERVICES"),
        ("salesforce", "one.example", "one.example", None),
        ("salesforce", "two.example", "two inc", "Financial Services"),
    ]


def test_a_contact_per_customer_number(files):
    """Orders join to contacts by the customer number as the file writes it, zeros included."""
    company = realdata_company(*files)
    assert [(one.crm, one.external_id, one.email) for one in company.contacts] == [
        ("hubspot", "00001", "customer-00001@cdnow.example"),
        ("hubspot", "00002", "customer-00002@cdnow.example"),
    ]
    first = [f"{one.created_at:%Y-%m-%d}" for one in company.contacts]
    assert first == ["1997-01-01", "1997-01-05"]
    assert all(one.account is None and one.first_name is None for one in company.contacts)
    assert all(one.modified_at < REAL_START for one in company.contacts)


def test_a_day_passes_there_too(files):
    """The next-day button must not fail in a world without events and deals."""
    before = realdata_company(*files)
    after = tomorrow(before, 1)
    assert after.day == 1
    assert len(after.contacts) >= len(before.contacts)


def test_missing_data_says_how_to_get_it(monkeypatch, tmp_path):
    """Nobody can guess where the sample comes from."""
    monkeypatch.delenv("AUDIENCEHUB_REALDATA", raising=False)
    with pytest.raises(ConfigError, match="AUDIENCEHUB_REALDATA"):
        locate()
    monkeypatch.setenv("AUDIENCEHUB_REALDATA", str(tmp_path))
    with pytest.raises(ConfigError, match="bombora-tutorials"):
        locate()


def test_the_delivered_data_give_its_known_counts():
    """952 domains and 23,570 customers are what the README states."""
    try:
        bombora, cdnow = locate()
    except ConfigError as error:
        pytest.skip(error.message)
    company = realdata_company(bombora, cdnow)
    assert len(company.accounts) == 2 * 952
    assert len(company.contacts) == len({one.external_id for one in company.contacts}) == 23_570
