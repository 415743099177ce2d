"""What the hub itself writes into a CRM comes back with the next pull, and must mean nothing."""

from __future__ import annotations

import duckdb
import pytest

from tests.e2e import fakes
from tests.e2e.project import Project

pytestmark = pytest.mark.verify

TABLES = {
    "contact": "SELECT * FROM contact ORDER BY contact_id",
    "account": "SELECT * FROM account ORDER BY account_id",
    "history": "SELECT * FROM attribute_history ORDER BY ALL",
    "versions": "SELECT 'contact', count(*) FROM contact_history UNION ALL "
    "SELECT 'account', count(*) FROM account_history ORDER BY ALL",
    "provenance": "SELECT * FROM attribute_value ORDER BY ALL",
}


@pytest.fixture(scope="module")
def again(pushed, tmp_path_factory) -> Project:
    """One sync later, in which nothing but the hub's own writes is to be read."""
    project = pushed.copy(tmp_path_factory.mktemp("own") / "again")
    project.sync("--quiet")
    return project


def read(project: Project, sql: str):
    newest = max((project.folder / "published").glob("*-*.duckdb"))
    connection = duckdb.connect(str(newest), read_only=True)
    found = connection.execute(sql).fetchall()
    connection.close()
    return found


def test_the_crms_say_that_their_records_changed(pushed):
    """If the fakes kept the old dates, the test below would prove nothing."""
    tagged = {(crm, kind, key) for crm, kind, key in fakes.state(pushed).segments()}
    dates = {
        ("hubspot", "contacts"): "lastmodifieddate",
        ("salesforce", "Contact"): "SystemModstamp",
    }
    for (crm, kind), field in dates.items():
        rows = fakes.records(pushed, crm, kind)
        mine = max(rows[key][field] for one, what, key in tagged if (one, what) == (crm, kind))
        others = max(v[field] for key, v in rows.items() if (crm, kind, key) not in tagged)
        assert mine > others


@pytest.mark.parametrize("table", TABLES)
def test_our_own_tags_change_nothing_that_is_known_of_people(pushed, again, table):
    """If it fails, every push makes a new version of all whom it touched, and everybody looks as
    if they had been seen today."""
    assert read(again, TABLES[table]) == read(pushed, TABLES[table])
