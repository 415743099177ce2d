"""Real rows: the Bombora sample and the CDNOW purchases, from file to tag, none lost."""

from __future__ import annotations

import json
import re
import sqlite3
from decimal import Decimal

import pytest

from audiencehub.warehouse import open_published
from tests.cdnow import CUSTOMERS, ORDERS, TOTAL, by_pandas, orders
from tests.e2e.project import Project

pytestmark = [pytest.mark.verify, pytest.mark.needs("bombora", "cdnow")]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    project = Project.make(tmp_path_factory.mktemp("real") / "project")
    project.folder = project.root / ".audiencehub" / "realdata"
    return project, project.run(
        "sync", "--env", "realdata", "--as-of", "2015-08-01", "--no-prefect", seconds=540
    )


def held(project, vendor, kind, field):
    """Record id to tags, from the fake's own store."""
    path = project.folder / "sandbox" / f"{vendor}.sqlite"
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    rows = connection.execute("SELECT k, d FROM document WHERE t = ?", (kind,)).fetchall()
    connection.close()
    found = {}
    for key, text in rows:
        one = json.loads(text)
        tags = (one.get("properties") or one).get(field)
        if tags:
            found[key] = set(tags.split(";"))
    return found


def test_the_counts_are_those_of_the_files(run):
    """A row lost between file and table is a person who is never found."""
    _, done = run
    assert "Traceback" not in done.text
    found = re.search(r"^Bombora: ([\d,]+) .* ([\d,]+) in quarantine = 10,000\b", done.out, re.M)
    assert found, done.out[-500:]
    assert sum(int(count.replace(",", "")) for count in found.groups()) == 10_000
    assert "CDNOW: 69,659 orders of 23,570 customers, 2,500,315.63 dollars." in done.out


def test_every_segment_arrives_as_tags(run):
    """Rules over real rows must end in the CRM, or the numbers above mean nothing."""
    project, _ = run
    arrived = set()
    for vendor, kinds, field in (
        ("hubspot", ("object:contacts", "object:companies"), "audiencehub_segments"),
        ("salesforce", ("Contact", "Lead", "Account"), "Audiencehub_Segments__c"),
    ):
        for kind in kinds:
            for tags in held(project, vendor, kind, field).values():
                arrived |= tags
    folder = project.root / "deployments" / "realdata" / "rules"
    rules = {path.stem for path in folder.glob("*.yaml")}
    assert "recent_buyers_1998" in rules
    assert len(rules) > 1
    assert arrived == rules


def test_recent_buyers_are_those_of_the_file(run):
    """The tagged ones are counted anew from the text file: bought in the second quarter of 1998."""
    from importlib.metadata import distribution

    project, _ = run
    path = distribution("Lifetimes").locate_file("lifetimes/datasets/CDNOW_master.txt")
    rows = [line.split() for line in path.read_text().splitlines()[1:] if line.strip()]
    wanted = {row[0] for row in rows if "19980401" <= row[1] <= "19980630"}
    tagged = {
        vendor: {
            key
            for kind in kinds
            for key, tags in held(project, vendor, kind, field).items()
            if "recent_buyers_1998" in tags
        }
        for vendor, kinds, field in (
            ("hubspot", ("object:contacts",), "audiencehub_segments"),
            ("salesforce", ("Contact", "Lead"), "Audiencehub_Segments__c"),
        )
    }
    assert sum(map(len, tagged.values())) == len(wanted)


def test_rfm_of_the_run_is_that_of_an_independent_computation(run):
    """Cells that lose customers on the way from file to trait steer the budget wrongly."""
    project, _ = run
    connection, _ = open_published(project.folder)
    found = connection.execute(
        "SELECT c.external_id AS customer, t.* FROM trait_contact t JOIN contact c "
        'USING (contact_id) WHERE t."rfm.cell" IS NOT NULL'
    ).df()
    connection.close()
    wanted = by_pandas(orders())

    assert len(found) == found["customer"].nunique() == CUSTOMERS
    assert found["rfm.count"].sum() == ORDERS
    assert sum((Decimal(str(one)) for one in found["rfm.sum"]), Decimal(0)) == TOTAL
    compared = found.set_index("customer").sort_index()
    for part in ("recency", "frequency", "monetary", "cell"):
        assert compared[f"rfm.{part}"].tolist() == wanted[part].sort_index().tolist()
