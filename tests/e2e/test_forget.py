"""Somebody is forgotten: gone from every place, never back, and nobody else is touched."""

from __future__ import annotations

import signal
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from audiencehub import forgetting
from audiencehub.delivery import crash
from audiencehub.ledger import Ledger
from audiencehub.opening import open_hub
from audiencehub.sandbox import process
from audiencehub.settings import load
from audiencehub.warehouse import open_published
from tests.e2e import canary, fakes
from tests.e2e.canary import EMAIL, OTHER, Canary
from tests.e2e.project import EVERYTHING_GOES, Project

ASK = ("--reason", "asked by letter", "--by", "Ann Admin", "--yes", "--quiet")


@pytest.fixture(scope="module")
def known(worlds: Path) -> tuple[Project, Canary]:
    """A small company that has pulled and pushed the person: copy it, never change it."""
    world = {"contacts": 90, "accounts": 20}
    project = Project.make(worlds / "known", EVERYTHING_GOES, world)
    with project.sandbox() as urls:
        person = canary.plant(project, urls)
        project.sync("--quiet")
    ledger = Ledger.open(project.folder)
    ledger.backup(datetime(2026, 11, 16, 8, tzinfo=UTC), 14)
    ledger.close()
    (project.folder / "reports" / "notes.html").write_text(f"<p>{EMAIL.lower()}</p>", "utf-8")
    flows = project.root / ".audiencehub" / "prefect"
    flows.mkdir()
    with sqlite3.connect(flows / "prefect.db") as prefect:
        prefect.execute("PRAGMA journal_mode=WAL")
        prefect.execute("CREATE TABLE log(id INTEGER PRIMARY KEY, message VARCHAR)")
        prefect.execute("INSERT INTO log(message) VALUES(?)", (f"{person.contact}: {OTHER}",))
    prefect.close()
    return project, person


def others(project: Project, person: Canary) -> tuple[dict, dict]:
    """What the vendors hold of everybody else, and how many rows each list has of them."""
    state = fakes.state(project)
    mine = {person.contact, person.person}
    tags = {record: held for record, held in state.segments().items() if record[2] not in mine}
    digests = canary.digests()
    lists = {
        name: frozenset(row for row in rows if not any(one in row for one in digests))
        for name, rows in state.lists.items()
    }
    return tags, lists


def members(project: Project) -> set[tuple]:
    """Every membership that readers see, but the person's."""
    connection, _ = open_published(project.folder)
    rows = connection.execute(
        "SELECT entity, id, segment, since FROM member WHERE NOT (entity = 'contact' AND id IN "
        "(SELECT contact_id FROM contact WHERE last_name = 'Quillmotte'))"
    ).fetchall()
    connection.close()
    return set(rows)


def there(project: Project, person: Canary) -> None:
    """The person is at every destination, and every value is somewhere: or nothing is proven."""
    assert canary.tags(project, person)
    assert canary.listed(project)
    found = {value for hits in canary.residue(project, person.values.values()).values()
             for value in hits}  # fmt: skip
    assert found == set(person.values.values())


def gone(project: Project, person: Canary) -> None:
    """At no destination, and in no byte of any file of ours."""
    assert canary.tags(project, person) == []
    assert canary.listed(project) == []
    assert canary.residue(project, person.spellings()) == {}


@pytest.mark.verify
def test_nothing_is_left_and_nobody_else_is_touched(known, tmp_path):
    """A byte that is left, a tag that stays, or a neighbour who changes: each breaks a promise."""
    project, person = known[0].copy(tmp_path / "forgotten"), known[1]
    there(project, person)
    before, belonged = others(project, person), members(project)

    with project.sandbox():
        looked = project.json("forget", EMAIL)
        there(project, person)
        assert members(project) == belonged
        (done,) = project.json("forget", OTHER, *ASK)
        again = project.json("rebuild")

    gone(project, person)
    assert canary.residue(project, {person.contact, person.person}) == {}, "ids of their records"
    assert others(project, person) == before
    assert members(project) == belonged
    assert (again["different"], again["entered"], again["left"]) == ([], 0, 0)
    seen_before(looked, done["certificate"])
    golden(project, done["certificate"])
    audited(project, done["person"])


def seen_before(looked: dict, certificate: dict) -> None:
    """Who is asked to say yes must have seen what then went."""
    removed = certificate["removed"]
    assert looked["landing"] == removed["landing"]
    assert looked["warehouse"] == removed["warehouse"]["rows"]
    sent_to = [one for one in certificate["destinations"] if one["outcome"] != "never sent"]
    assert set(looked["targets"]) == {one["target"] for one in sent_to}
    assert looked["files"] == [
        ".audiencehub/sandbox/backups/ledger-20261116T080000Z.sqlite",
        ".audiencehub/sandbox/reports/notes.html",
        ".audiencehub/prefect/prefect.db",
    ]
    assert removed["files"] >= 2
    assert looked["person"] == certificate["person"]


def audited(project: Project, person: str) -> None:
    """The chain is whole, and calls the person by the keyed id alone."""
    ledger = Ledger.open(project.folder)
    acts = [one for one in ledger.audit.entries() if one.what.startswith("forg")]
    broken = ledger.audit.verify()
    ledger.close()
    assert broken == []
    assert [(one.what, one.subject) for one in acts] == [("forgotten", person), ("forget", person)]
    assert {one.who for one in acts} == {"Ann Admin"}


def golden(project: Project, certificate: dict) -> None:
    """Who, why, and of each destination whether it is proven; a list cannot be read back."""
    assert (certificate["by"], certificate["reason"]) == ("Ann Admin", "asked by letter")
    said = {one["target"]: one["outcome"] for one in certificate["destinations"]}
    assert said == {
        "hubspot/contact/tags": "removed",
        "salesforce/contact/tags": "removed",
        "meta_ads/list/pricing_page_interest": "accepted",
        **dict.fromkeys(("google_ads", "klaviyo", "linkedin_companies"), "never sent"),
    }
    assert certificate["cannot_prove_deletion"] == ["meta_ads/list/pricing_page_interest"]
    proofs = {one["target"]: one.get("proof") for one in certificate["destinations"]}
    assert {target for target, proof in proofs.items() if not proof} == {
        "google_ads",
        "klaviyo",
        "linkedin_companies",
    }
    assert certificate["removed"]["landing"]["blanked"] == {
        "billing/subscription": 1,
        "hubspot/deal": 1,
    }
    assert certificate["sources"] == {"hubspot": 1, "loyalty": 1, "salesforce": 1}
    assert certificate["identifiers"]["erased"]["email"] == 2
    assert certificate["searched"]["found"] == 0
    page = project.folder / "certificates" / f"{certificate['person'][:16]}.txt"
    text = page.read_text("utf-8")
    assert page.stat().st_mode & 0o777 == 0o600
    assert "no way to read a member back" in " ".join(text.split())
    assert max(len(line) for line in text.splitlines()) <= 100
    table = project.run("forget", "--list").out
    assert certificate["person"][:16] in table
    assert max(len(line) for line in table.splitlines()) <= 100
    assert project.run("forget", "--show", certificate["person"][:16]).out == text


@pytest.mark.verify
def test_the_next_pulls_do_not_bring_them_back(known, tmp_path):
    """A record that comes again, whole or in new files, must not even reach the disk."""
    project, person = known[0].copy(tmp_path / "forgotten"), known[1]
    with project.sandbox() as urls:
        project.run("forget", OTHER, *ASK)
        process.next_day(urls)
        canary.deliver(project, "2026-11-16")
        canary.edit(urls, person)
        second = project.json("sync", "--no-prefect")
        whole = project.json("sync", "--no-prefect", "--full")
        gone(project, person)

    for result in (second, whole):
        forgotten = {name: one["forgotten"] for name, one in result["summary"]["sources"].items()}
        assert {"hubspot", "salesforce", "product", "shop", "loyalty"} <= {
            name for name, count in forgotten.items() if count
        }
        assert result["problems"] == []


@pytest.mark.verify
def test_a_destination_that_does_not_answer_keeps_it_open(known, tmp_path):
    """To call it done while an ad list still has the person would be a lie in writing."""
    project, person = known[0].copy(tmp_path / "forgotten"), known[1]
    with project.sandbox() as urls:
        process.fault(urls, "meta_ads", path="/users", times=1000, status=403, body={"error": {
            "message": "No permission", "type": "OAuthException", "code": 200}})  # fmt: skip
        waiting = project.run("forget", EMAIL, *ASK, code=1)
        assert "is open" in waiting.out
        assert "meta_ads/list/pricing_page_interest" in " ".join(waiting.out.split())
        assert canary.listed(project)
        assert canary.tags(project, person) == [], "the others need not wait"
        assert project.json("forget", "--list")[0]["state"] == "open"
        assert list((project.folder / "certificates").glob("*")) == []
        process.clear_faults(urls, "meta_ads")
        project.run("forget", "--resume", "--quiet")
        gone(project, person)
    (entry,) = listed(project)
    assert entry.state == "done"
    assert entry.sealed is None


@pytest.mark.verify
def test_killed_at_every_step_it_ends_the_same(known, tmp_path):
    """Each kill leaves another half: all of them in a row must end as one clean run."""
    clean, person = known[0].copy(tmp_path / "clean"), known[1]
    with clean.sandbox():
        (control,) = clean.json("forget", EMAIL, *ASK)
    project = known[0].copy(tmp_path / "killed")
    with project.sandbox():
        for point in forgetting.POINTS:
            done = project.run("forget", EMAIL, *ASK, code=None, **{crash.VARIABLE: f"{point}:1"})
            passed = {"forget_planned", "forget_removed", "forget_page", "forget_page_named"}
            assert done.code == -signal.SIGKILL or point in passed, f"{point}:\n{done.text}"
        (end,) = project.json("forget", EMAIL, *ASK)
        gone(project, person)

    assert others(project, person) == others(clean, person)
    assert members(project) == members(clean)
    assert counts(end["certificate"]) == counts(control["certificate"])


def counts(certificate: dict) -> dict:
    """What does not depend on when it was done, nor on files that a run adds."""
    removed = dict(certificate["removed"])
    removed["ledger"] = sorted(removed["ledger"])
    return {"removed": removed, "identifiers": certificate["identifiers"],
            "at": sorted(one["target"] for one in certificate["destinations"])}  # fmt: skip


SKIPPED = {
    "landed pages": ("audiencehub.forgetting.landed.rewrite", "landing"),
    "the warehouse": ("audiencehub.forgetting.whole._rebuild", "hub.duckdb"),
    "the ledger": ("audiencehub.forgetting.whole._deidentify", "ledger.sqlite"),
    "free pages": ("audiencehub.ledger.erasing.Erasing.scour", "ledger.sqlite"),
    "other files": ("audiencehub.forgetting.files.sweep", "notes.html"),
}


@pytest.mark.verify
@pytest.mark.parametrize("place", SKIPPED)
def test_a_place_that_is_skipped_is_found(known, tmp_path, monkeypatch, place):
    """If the search found nothing here either, it would prove nothing above."""
    project, person = known[0].copy(tmp_path / "skipped"), known[1]
    what, where = SKIPPED[place]
    empty = forgetting.landed.Landed() if place == "landed pages" else 0
    # What a rebuild would clean is left out in each case: it is the slowest step.
    monkeypatch.setattr("audiencehub.forgetting.whole._rebuild", lambda _: None)
    monkeypatch.setattr(what, lambda *_: empty)
    monkeypatch.setattr("audiencehub.ledger.erasing.Erasing.cover", lambda _: None)
    if place == "the ledger":
        monkeypatch.setattr("audiencehub.forgetting.files._blank_database", lambda *_: 0)
    monkeypatch.setenv("AUDIENCEHUB_HOME", str(project.root))
    with project.sandbox(), open_hub(load("sandbox"), kind="forget") as hub:
        forgetting.forget(hub, EMAIL, "Ann Admin", "asked by letter")

    assert any(where in path for path in canary.residue(project, person.spellings()))


def listed(project: Project) -> list:
    """Every request, from the ledger."""
    ledger = Ledger.open(project.folder)
    try:
        return ledger.forgotten.all()
    finally:
        ledger.close()
