"""A second sync sends nothing; the next day sends exactly the records whose tags differ."""

from __future__ import annotations

import hashlib
import hmac
import json

import duckdb
import pytest
import yaml

from tests.e2e import fakes
from tests.e2e.project import Project

KINDS = {
    ("hubspot", "contacts"): ("contact", "contact"),
    ("hubspot", "companies"): ("account", "account"),
    ("salesforce", "Contact"): ("contact", "contact"),
    ("salesforce", "Lead"): ("contact", "lead"),
    ("salesforce", "Account"): ("account", "account"),
}
"""CRM and object to entity and kind of record, in the hub's words."""


def held_back(name, rule, entity, number):
    """Whether the rule's experiment keeps this one out, counted anew from its definition."""
    share = float(str((rule.get("experiment") or {}).get("holdout", "0%")).rstrip("%")) / 100
    digest = hmac.new(name.encode(), f"{entity}:{number}".encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def wanted(project: Project):
    """Record to tags, from the memberships as published and the rules as they are written."""
    rules = {
        path.stem: yaml.safe_load(path.read_text())
        for path in (project.root / "segment_rules").glob("*/*.yaml")
    }
    newest = max((project.folder / "published").glob("*-*.duckdb"))
    connection = duckdb.connect(str(newest), read_only=True)
    rows = connection.execute(
        "SELECT r.source, r.record_kind, r.source_id, m.entity, m.id, m.segment FROM record_map r "
        "JOIN member m ON m.entity = r.entity AND m.id = r.id"
    ).fetchall()
    connection.close()
    places = {(crm, *pair): kind for (crm, kind), pair in KINDS.items()}
    found: dict[fakes.Record, set[str]] = {}
    for crm, kind, key, entity, number, segment in rows:
        rule = rules[segment]
        active = any(one["to"] == crm and one["as"] == "tag" for one in rule["activate"])
        if not active or held_back(segment, rule, entity, number):
            continue
        if (crm, entity, kind) in places:
            found.setdefault((crm, places[crm, entity, kind], key), set()).add(segment)
    return {record: frozenset(tags) for record, tags in found.items()}


def log(project: Project):
    """Every tag record written so far, in order."""
    return [
        (crm, one["object"], one["member"])
        for crm in fakes.OBJECTS
        for one in fakes.writes(project, crm)
    ]


def test_the_first_day_brings_every_membership_to_its_record(pushed):
    """If a membership does not arrive, or an unwanted one does, sales sees wrong tags."""
    assert fakes.state(pushed).segments() == wanted(pushed)
    assert {crm for crm, _, _ in wanted(pushed)} == {"hubspot", "salesforce"}
    assert sorted(log(pushed)) == sorted(wanted(pushed)), "each record is written once"


@pytest.mark.verify
def test_a_second_sync_sends_nothing(pushed, tmp_path):
    """If an unchanged world is written again, every run costs a whole CRM's quota."""
    project = pushed.copy(tmp_path / "again")
    before = fakes.written(project)

    result = project.json("sync", "--no-prefect")

    assert fakes.written(project) == before
    assert [one for one in result["summary"]["plans"] if one["plan_id"]] == []
    assert sum(one["calls"] for one in result["summary"]["pushed"]) == 0


@pytest.mark.verify
def test_the_next_day_writes_exactly_the_records_that_differ(tomorrow, second_day):
    """If more is written than differs, or less, the diff is wrong; counted from both ends."""
    was, want = fakes.state(tomorrow).segments(), wanted(second_day)
    live = {
        (crm, kind, key)
        for crm, kinds in fakes.OBJECTS.items()
        for kind in kinds
        for key in fakes.records(second_day, crm, kind)
    }
    none = frozenset[str]()
    due = {record for record in live if was.get(record, none) != want.get(record, none)}
    new = log(second_day)[:]
    for record in log(tomorrow):
        new.remove(record)

    assert due, "nothing differs: this company proves nothing"
    assert sorted(new) == sorted(due)
    assert {r: t for r, t in fakes.state(second_day).segments().items() if r in live} == want


@pytest.mark.verify
def test_the_lists_change_by_the_difference_alone(tomorrow, second_day):
    """If a list is uploaded whole every day, members who never leave cannot be told from it."""
    was, now = fakes.state(tomorrow).lists, fakes.state(second_day).lists
    new = fakes.writes(second_day, "meta_ads")[len(fakes.writes(tomorrow, "meta_ads")) :]

    moved = sum(len(was.get(name, frozenset()) ^ rows) for name, rows in now.items())
    assert len(new) == moved
    assert all(one["changed"] for one in new), json.dumps(new)
