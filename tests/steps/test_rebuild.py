"""The warehouse made anew from landing: the same to the row, whatever happened before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest

from audiencehub import rebuild, rules
from audiencehub.errors import HubError, Wait
from audiencehub.steps import normalize, resolve, segment
from audiencehub.warehouse import Warehouse
from audiencehub.warehouse.compare import digests

RULE = """
segment: deciders
label: Deciders
model: demographic
of: contact
goal: g
action: a
owner: o@x.example
review_by: 2027-02-01
when: {contact.title: {contains: CTO}}
examples:
  - {given: {contact: {title: CTO}}, member: true}
  - {given: {contact: {title: Dev}}, member: false}
"""


def whole(*records, **page):
    return [{"records": list(records), "last": True, "full": True, **page}]


def later(*records):
    return [{"records": list(records), "last": True}]


def a_busy_week(desk, contact):
    """Merges, deletions, late pages, unreadable records, and a source whose values change."""
    people = [contact(str(n), email=f"p{n}@x.example", title="Dev") for n in range(6)]
    desk.run(
        crm={
            "contact": whole(*people, contact("bad", skip="no_key")),
            "account": whole({"id": "a", "values": {"name": "X", "domain": "x.example"}}),
        },
        shop={"contact": whole(contact("9", email="p1@x.example", city="Oslo", phone="?"))},
    )
    moved = {**contact("2", email="p2@x.example", title="CTO"), "at": "2026-11-09T00:00:00Z"}
    desk.run(crm={"contact": later(moved, contact("3", deleted=True, merged_into="4"))})
    desk.run(shop={"contact": whole(contact("8", email="p2@x.example", city="Bergen"))})
    stale = {**contact("2", email="p2@x.example", title="Intern"), "at": "2026-11-03T00:00:00Z"}
    desk.run(crm={"contact": later(stale, {"no": "id"})})
    desk.run(full=True, crm={"contact": whole(*people[:5], contact("bad", skip="no_key"))})


def state(desk):
    return digests(desk.warehouse.connection, desk.warehouse.tables)


def lost(desk):
    desk.close()
    for path in desk.settings.folder.glob("hub.duckdb*"):
        path.unlink()
    desk.reopen()


def waiting(desk):
    return [(one.code, one.record_ref) for one in desk.ledger.quarantine.list()]


def test_a_rebuild_gives_the_same_rows_ids_and_history(desk, contact):
    """If it fails, rebuilding moves people's tags or forgets what the hub once knew."""
    a_busy_week(desk, contact)
    before, aside = state(desk), waiting(desk)
    versions = desk.rows("SELECT * FROM contact_history ORDER BY ALL")
    assert len(versions) > 6, "this week proves nothing"

    result = rebuild.rebuild(desk.hub)

    assert result.different == ()
    assert (result.manifests, result.states) == (7, 5)
    assert state(desk) == before
    assert desk.rows("SELECT * FROM contact_history ORDER BY ALL") == versions
    assert waiting(desk) == aside


def test_a_lost_warehouse_comes_back_with_the_next_run(desk, contact):
    """If it fails, a lost file costs the history, or takes a person with knowledge to mend."""
    a_busy_week(desk, contact)
    before, aside = state(desk), waiting(desk)
    lost(desk)

    desk.run()

    assert state(desk) == before
    assert waiting(desk) == aside


def test_a_run_that_died_before_normalize_is_come_by(desk, contact):
    """If it fails, a crash between landing and normalize makes a history no rebuild can repeat."""
    desk.run(crm={"contact": whole(contact("1", email="a@x.example", title="Dev"))})
    landed = desk.run
    dead = replace(desk.hub)
    from_then = desk.rows("SELECT count(*) FROM contact_history")
    monkey = pytest.MonkeyPatch()
    monkey.setattr(rebuild, "catch_up", lambda hub: 0)
    monkey.setattr(normalize, "normalize", lambda hub: None)
    monkey.setattr(resolve, "resolve", lambda hub: None)
    landed(crm={"contact": whole(contact("1", email="a@x.example", title="CTO"))})
    monkey.undo()
    assert desk.rows("SELECT count(*) FROM contact_history") == from_then
    assert dead.warehouse is desk.warehouse
    desk.run(crm={"contact": whole(contact("1", email="a@x.example", title="CEO"))})

    titles = desk.rows("SELECT title FROM contact_history ORDER BY valid_from")

    assert titles == [("Dev",), ("CTO",), ("CEO",)]
    assert rebuild.rebuild(desk.hub).different == ()


@pytest.fixture
def ruled(desk, tmp_path: Path):
    folder = tmp_path / "rules" / "foundation"
    folder.mkdir(parents=True)
    (folder / "deciders.yaml").write_text(RULE)
    book = rules.load(folder.parent, zone=ZoneInfo("UTC"), currency="USD", root=tmp_path)
    return lambda: replace(desk.hub, rules=book)


def test_memberships_survive_a_lost_warehouse(desk, contact, ruled):
    """If it fails, a rebuild makes everyone leave every segment and come back."""
    a_busy_week(desk, contact)
    crm = {"contact": later({**contact("5", email="p5@x.example", title="CTO")})}
    desk.run(crm=crm)
    segment.segment(ruled())
    desk.warehouse.publish(desk.hub.now)
    members = desk.rows("SELECT * FROM member ORDER BY ALL")
    assert [row[1:3] for row in members] == [(5, "deciders")]
    log = desk.ledger.membership.current("contact")
    lost(desk)

    assert rebuild.refresh(ruled())

    assert desk.rows("SELECT * FROM member ORDER BY ALL") == members
    assert desk.ledger.membership.current("contact") == log
    assert not rebuild.refresh(ruled())
    result = rebuild.rebuild(ruled())
    assert (result.different, result.entered, result.left) == ((), 0, 0)


@pytest.mark.verify
def test_a_rebuild_that_fails_leaves_the_old_warehouse(desk, contact, monkeypatch):
    """If it fails, a crash half way through a rebuild leaves nothing to work with."""
    a_busy_week(desk, contact)
    before = state(desk)

    def broken(*_, **__):
        raise HubError("The disk is full.", hint="Make room")

    monkeypatch.setattr(resolve, "resolve", broken)
    with pytest.raises(HubError, match="full"):
        rebuild.rebuild(desk.hub)

    assert state(desk) == before
    names = sorted(path.name for path in desk.settings.folder.glob("hub.*"))
    assert [name for name in names if "rebuild" in name] == []


@pytest.mark.verify
def test_a_draft_of_a_killed_rebuild_is_thrown_away(desk, contact):
    """If it fails, a killed rebuild stands in the way of every later one."""
    a_busy_week(desk, contact)
    before = state(desk)
    (desk.settings.folder / "hub.rebuild").write_bytes(b"half a database")

    rebuild.rebuild(desk.hub)

    assert state(desk) == before


def test_nobody_else_works_on_a_warehouse_that_is_open(desk):
    """If it fails, a rebuild replaces the file under a run that writes it."""
    with pytest.raises(Wait, match="open"):
        Warehouse.mend(desk.settings.folder)
    with pytest.raises(Wait, match="open"):
        Warehouse.open(desk.settings.folder)


@pytest.mark.verify
def test_a_broken_file_is_moved_aside(desk, contact):
    """If it fails, a damaged file stops every run for good."""
    a_busy_week(desk, contact)
    before = state(desk)
    desk.close()
    path = desk.settings.folder / "hub.duckdb"
    path.write_bytes(b"no database at all" * 1000)

    broken = Warehouse.mend(desk.settings.folder)

    assert broken is not None
    assert broken.read_bytes().startswith(b"no database")
    desk.reopen()
    desk.run()
    assert state(desk) == before


@pytest.mark.verify
def test_a_warehouse_of_another_shape_is_made_anew(desk, contact):
    """If it fails, the first run after an upgrade stops at a column that is not there."""
    a_busy_week(desk, contact)
    before = state(desk)
    desk.close()
    with duckdb.connect(str(desk.settings.folder / "hub.duckdb")) as connection:
        connection.execute("UPDATE meta SET value = 'older' WHERE key = 'shape'")
        connection.execute("ALTER TABLE contact DROP COLUMN title")
    desk.reopen()

    desk.run()

    assert state(desk) == before


@pytest.mark.verify
def test_the_law_of_equality_can_fail(desk, contact):
    """If it fails, every comparison in this file passes whatever the tables hold."""
    a_busy_week(desk, contact)
    before = state(desk)
    desk.warehouse.connection.execute("UPDATE contact SET title = 'x' WHERE contact_id = 0")

    result = rebuild.rebuild(desk.hub)

    assert result.different == ("contact",)
    assert state(desk) == before


def test_a_run_that_died_before_resolve_is_finished(desk, contact, monkeypatch):
    """If it fails, a plan after a crash is made on profiles that lag behind their records."""
    desk.run(crm={"contact": whole(contact("1", email="a@x.example", title="Dev"))})
    with monkeypatch.context() as patch:
        patch.setattr(resolve, "resolve", lambda hub: None)
        desk.run(crm={"contact": whole(contact("1", email="a@x.example", title="CTO"))})
    assert desk.rows("SELECT title FROM contact") == [("Dev",)]

    assert rebuild.refresh(desk.hub)

    assert desk.rows("SELECT title FROM contact") == [("CTO",)]
    assert not rebuild.refresh(desk.hub)
