"""Landing is let go as settings say, and the warehouse made anew from what is left is the same."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from audiencehub import maintenance, putback, rebuild
from audiencehub.landing import landing
from audiencehub.ledger import Ledger
from audiencehub.warehouse import Warehouse

DAY = 24
"""Runs of the desk are an hour apart."""


def whole(*records, **page):
    return [{"records": list(records), "last": True, "full": True, **page}]


def later(*records):
    return [{"records": list(records), "last": True}]


def files(desk):
    return sorted(path.name for path in landing(desk.settings).glob("*/*/*.gz"))


def fifty_days(desk, contact):
    """Full pulls with changes between them; a source that is only ever read in changes."""
    people = [contact(str(n), email=f"p{n}@x.example", title="Dev") for n in range(6)]
    desk.run(
        crm={"contact": whole(*people), "consent": whole()},
        shop={"contact": later(contact("9", email="p1@x.example", city="Oslo"))},
    )
    desk.runs = 10 * DAY
    moved = {**contact("2", email="p2@x.example", title="CTO"), "at": "2026-11-20T00:00:00Z"}
    desk.run(crm={"contact": later(moved, contact("3", deleted=True, merged_into="4"))})
    desk.runs = 20 * DAY
    desk.run(full=True, crm={"contact": whole(people[0], moved, people[4], people[5])})
    desk.runs = 25 * DAY
    desk.run(crm={"contact": later(contact("7", email="p7@x.example", title="CEO"))})
    desk.runs = 49 * DAY


def people(desk):
    return desk.rows("SELECT contact_id, email, title FROM contact ORDER BY ALL")


def test_what_a_later_full_pull_said_anew_is_let_go(desk, contact):
    """If it fails, landing grows for ever, or a rebuild loses people."""
    fifty_days(desk, contact)
    before, rows = people(desk), files(desk)
    assert len(rows) == 6

    done = maintenance.purge(desk.hub)

    assert done.landed_files == 2
    left = files(desk)
    assert [".compact." in name for name in left] == [False, False, True, False, False]
    assert desk.ledger.manifests.files() == {
        str(path.relative_to(landing(desk.settings)))
        for path in landing(desk.settings).glob("*/*/*.gz")
    }
    assert people(desk) == before
    result = rebuild.rebuild(desk.hub)
    assert people(desk) == before
    assert result.manifests == 5
    assert maintenance.purge(desk.hub).landed_files == 0


def test_younger_pages_and_those_that_nothing_replaced_stay(desk, contact):
    """Thirty days are thirty days; and changes after the last full pull are all there is."""
    fifty_days(desk, contact)
    before = files(desk)
    desk.runs = 29 * DAY

    assert maintenance.purge(desk.hub).landed_files == 0
    assert files(desk) == before
    desk.runs = 1000 * DAY
    maintenance.purge(desk.hub)
    left = [name for name in files(desk) if ".compact." not in name]
    assert len(left) == 4, "the full pull, what came after it, and what is never full"


def test_settings_say_how_long(desk, contact):
    """A company that must keep less, or wants to keep more, sets it."""
    fifty_days(desk, contact)
    short = desk.settings.retention.model_copy(update={"landing_days": 100})
    kept = replace(desk.hub, settings=desk.settings.model_copy(update={"retention": short}))

    assert maintenance.purge(kept).landed_files == 0


def test_pages_of_what_the_warehouse_has_not_read_stay(desk, contact):
    """A warehouse that was lost reads them again, state by state."""
    fifty_days(desk, contact)
    desk.close()
    for path in desk.settings.folder.glob("hub.duckdb*"):
        path.unlink()
    desk.reopen()

    assert maintenance.purge(desk.hub).landed_files == 0


def test_one_maintenance_does_it_all(desk, contact):
    """The verb and the flow call this; what it did is in the run's summary."""
    fifty_days(desk, contact)
    hub = desk.hub
    hub.ledger.runs.start(hub.run_id, "maintain", "prod", hub.now, pid=1, boot_id="b", args={})

    result, kept = maintenance.maintain_bare(hub)

    assert (result.state, result.problems) == ("completed", [])
    assert kept.purged.landed_files == 2
    assert kept.backup.kept == 1
    (run,) = hub.ledger.runs.last()
    assert run.summary["backup"]["path"] == kept.backup.path


def test_a_broken_audit_stops_the_purge_and_says_so(desk, contact):
    """What is left of the record must stay as it is until somebody has compared it."""
    fifty_days(desk, contact)
    hub = desk.hub
    hub.ledger.runs.start(hub.run_id, "maintain", "prod", hub.now, pid=1, boot_id="b", args={})
    hub.ledger.audit.record(hub.now, "ann", "approve", "p1", {})
    hub.ledger._db.run("UPDATE audit SET who='bob'")

    result, kept = maintenance.maintain_bare(hub)

    assert result.exit_code == 1
    assert "audit verify" in result.problems[0]
    assert kept.purged.landed_files == 0


@pytest.mark.fault(20)
@pytest.mark.parametrize("how", ["older copy", "deleted"])
def test_the_warehouse_follows_a_ledger_that_was_put_back(desk, contact, how):
    """The warehouse numbers people as the later ledger did: with an older one, new people would
    get the numbers, the tags and the consent of others."""
    desk.run(crm={"contact": whole(*(contact(str(n), email=f"p{n}@x.example") for n in range(3)))})
    made = desk.ledger.backup(desk.hub.now, 3)
    desk.ledger.delivery.sending("t", "b", 1, "r", [], {}, desk.hub.now)
    desk.ledger.custody.stamp()
    putback.follow(desk.settings, desk.ledger, desk.warehouse, desk.hub.now, "run")
    desk.run(crm={"contact": whole(*(contact(str(n), email=f"p{n}@x.example") for n in range(6)))})
    assert len(people(desk)) == 6
    desk.close()
    for name in ("ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"):
        (desk.settings.folder / name).unlink(missing_ok=True)
    if how == "older copy":
        shutil.copy(made.path, desk.settings.folder / "ledger.sqlite")
    desk.reopen()
    assert desk.ledger.custody.restored() is not None

    assert putback.follow(desk.settings, desk.ledger, desk.warehouse, desk.hub.now, "run")
    assert not putback.follow(desk.settings, desk.ledger, desk.warehouse, desk.hub.now, "run")

    assert people(desk) == []
    newcomer = contact("z", email="newcomer@x.example")
    rest = [contact(str(n), email=f"p{n}@x.example") for n in range(6)]
    desk.run(full=True, crm={"contact": whole(newcomer, *rest)})
    ids = desk.ledger.people.ids("contact")
    assert len(people(desk)) == 7
    assert {number for number, _, _ in people(desk)} == set(ids.values())
    emails = {number: email for number, email, _ in people(desk)}
    assert emails[ids["crm", "z"]] == "newcomer@x.example"
    assert all(emails[ids["crm", str(n)]] == f"p{n}@x.example" for n in range(6))


@pytest.mark.fault(20)
def test_pages_that_a_purge_took_since_the_backup_are_pulled_anew(desk, contact):
    """An older ledger names pages that retention has let go; a rebuild must not stop at them."""
    fifty_days(desk, contact)
    made = desk.ledger.backup(desk.hub.now, 3)
    desk.ledger.delivery.sending("t", "b", 1, "r", [], {}, desk.hub.now)
    desk.ledger.custody.stamp()
    maintenance.purge(desk.hub)
    before = people(desk)
    desk.close()
    shutil.copy(made.path, desk.settings.folder / "ledger.sqlite")
    for name in ("ledger.sqlite-wal", "ledger.sqlite-shm"):
        (desk.settings.folder / name).unlink(missing_ok=True)
    desk.ledger = Ledger.open(desk.settings.folder)
    desk.warehouse = Warehouse.open(desk.settings.folder)

    putback.follow(desk.settings, desk.ledger, desk.warehouse, desk.hub.now, "run")
    desk.run()

    assert people(desk) == before
    assert desk.ledger.manifests.cursor("crm", "contact") is None
