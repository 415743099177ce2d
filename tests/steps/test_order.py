"""In whatever order pages arrive, the newest version of each record stands."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiencehub.steps import land, pull
from audiencehub.warehouse.compare import digests

KEPT = ("contact", "account", "event")
"""Tables whose rows do not say by which pull they came."""


def version(number, place, kind):
    """The version of a record that its source made at a time of its own."""
    one = {"id": str(number), "at": f"2026-11-{1 + place:02d}T00:00:00+00:00", "values": {}}
    if kind == "gone":
        return {**one, "deleted": True}
    if kind == "merged":
        return {**one, "deleted": True, "merged_into": str((number + 1) % 4)}
    values = {"email": f"p{number if kind == 'own' else 0}@x.example", "city": f"City {place}"}
    return {**one, "values": values}


STORY = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["own", "own", "shared", "gone", "merged"])),
    min_size=2,
    max_size=8,
)


@settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(story=STORY, seed=st.integers(0, 2**16))
def test_any_order_of_pages_gives_equal_tables(fresh_desk, story, seed):
    """If it fails, a page that was delayed on its way changes who a person is, or revives them."""
    versions = [version(number, place, kind) for place, (number, kind) in enumerate(story)]
    shuffled = random.Random(seed).sample(versions, len(versions))
    everyone = [{"id": str(n), "at": "2026-10-01T00:00:00+00:00", "values": {}} for n in range(4)]
    found = []
    for order in (versions, shuffled):
        desk = fresh_desk()
        for place, records in enumerate([everyone, *([one] for one in order)]):
            script = {"contact": [{"records": records, "last": True}]}
            (desk.folder / "crm.json").write_text(json.dumps(script), "utf-8")
            hub = replace(desk.hub, run_id=f"page{place}")
            pull.pull(hub, "crm")
            land.land(hub, "crm")
        desk.run()
        state = digests(desk.warehouse.connection, desk.warehouse.tables)
        found.append({name: state[name] for name in KEPT})
    assert found[0] == found[1]


@pytest.mark.parametrize("first", ["tombstone", "version"])
def test_at_the_same_time_a_deletion_wins(desk, contact, first):
    """If it fails, whether a deleted person comes back depends on which page was faster."""
    tombstone, alive = contact("1", deleted=True), contact("1", email="a@x.example")
    order = [tombstone, alive] if first == "tombstone" else [alive, tombstone]
    for one in order:
        desk.run(crm={"contact": [{"records": [one], "last": True}]})

    assert desk.rows("SELECT count(*) FROM contact") == [(0,)]


def test_a_late_version_does_not_revive_the_deleted(desk, contact):
    """If it fails, a page that was on its way when someone was deleted brings them back."""
    desk.run(crm={"contact": [{"records": [contact("1", email="a@x.example")], "last": True}]})
    gone = {**contact("1", deleted=True), "at": "2026-11-09T00:00:00+00:00"}
    desk.run(crm={"contact": [{"records": [gone], "last": True}]})
    late = {**contact("1", email="a@x.example"), "at": "2026-11-05T00:00:00+00:00"}

    desk.run(crm={"contact": [{"records": [late], "last": True}]})

    assert desk.rows("SELECT count(*) FROM contact") == [(0,)]


def test_who_was_only_absent_comes_back_as_they_were(desk, contact):
    """If it fails, a record hidden for a day by a permission is lost until someone edits it."""
    both = (contact("1", email="a@x.example"), contact("2", email="b@x.example"))
    page = {"last": True, "full": True}
    desk.run(crm={"contact": [{"records": list(both), **page}]})
    desk.run(full=True, crm={"contact": [{"records": [both[0]], **page}]})
    assert desk.rows("SELECT count(*) FROM contact") == [(1,)]

    desk.run(crm={"contact": [{"records": [both[1]], "last": True}]})

    assert desk.rows("SELECT email FROM contact ORDER BY 1") == [("a@x.example",), ("b@x.example",)]


def test_a_record_twice_in_a_full_pull_keeps_its_newer_version(desk, contact, monkeypatch):
    """If it fails, paging that shifts under a pull turns a record back in time."""
    monkeypatch.setattr("audiencehub.steps.normalize.BATCH", 1)
    new = {**contact("1", email="a@x.example", city="New"), "at": "2026-11-05T00:00:00+00:00"}
    old = {**new, "values": {**new["values"], "city": "Old"}, "at": "2026-11-04T00:00:00+00:00"}

    desk.run(crm={"contact": [{"records": [new, old], "last": True, "full": True}]})

    assert desk.rows("SELECT city FROM contact") == [("New",)]


def test_retry_does_not_revive_what_a_later_pull_lacks(desk, contact):
    """If it fails, mending an old record brings back someone who was deleted since."""
    page = {"last": True, "full": True}
    bad = contact("2", skip="no_key", email="b@x.example")
    desk.run(crm={"contact": [{"records": [contact("1", email="a@x.example"), bad], **page}]})
    (waiting,) = desk.ledger.quarantine.list()
    desk.run(full=True, crm={"contact": [{"records": [contact("1", email="a@x.example")], **page}]})

    assert desk.ledger.quarantine.list() == [], "a later full pull supersedes what waited"
    assert waiting.code == "no_key"


def test_what_fails_in_every_full_pull_waits_once(desk, contact):
    """If it fails, the quarantine grows by every bad record every night."""
    page = {"last": True, "full": True}
    for _ in range(3):
        desk.run(
            full=True,
            crm={"contact": [{"records": [contact("1", email="a@x.example"),
                                          contact("2", skip="no_key")], **page}]},
        )  # fmt: skip

    assert [one.code for one in desk.ledger.quarantine.list()] == ["no_key"]
