"""The verbs of identity, and suggestions, as a user runs them."""

from __future__ import annotations

import json
import random
import sys
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from audiencehub.cli.main import build
from audiencehub.identity.journal import journal
from audiencehub.identity.match import match
from audiencehub.identity.policy import contacts
from audiencehub.ledger import Ledger
from audiencehub.settings import load
from audiencehub.warehouse import Warehouse

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)


class Project:
    """A project folder whose warehouse holds what a test writes down."""

    def __init__(self, folder, monkeypatch):
        (folder / "deployments").mkdir()
        (folder / "deployments" / "t.toml").write_text('[company]\nname = "Acme"\n')
        monkeypatch.setenv("AUDIENCEHUB_HOME", str(folder))
        self.settings = load("t")

    def sync(self, rows=()):
        """Put contacts (source, source_id, values) in, resolve, publish."""
        ledger = Ledger.open(self.settings.folder)
        warehouse = Warehouse.open(self.settings.folder)
        db = warehouse.connection
        for source, key, values in rows:
            row = {"source": source, "source_id": key, "manifest_id": 1, "deleted": False, **values}
            marks = ", ".join("?" for _ in row)
            db.execute(
                f"INSERT INTO source_contact({', '.join(row)}) VALUES({marks})", list(row.values())
            )
        match(db, ledger, contacts(self.settings.identity), NOW)
        journal(db, ledger, "contact", "run1", NOW)
        db.execute("DELETE FROM record_map")
        db.execute(
            "INSERT INTO record_map BY NAME SELECT source, source_id, entity, id,"
            " record_key, 'contact' AS record_kind FROM identity_record"
        )
        db.execute("DELETE FROM contact")
        db.execute(
            "INSERT INTO contact BY NAME SELECT r.id AS contact_id, first(s.first_name) AS"
            " first_name, first(s.last_name) AS last_name, first(s.birth_date) AS birth_date,"
            " first(s.postal_code) AS postal_code FROM source_contact s"
            " JOIN identity_record r USING (source, source_id) GROUP BY r.id"
        )
        warehouse.publish(NOW)
        warehouse.close()
        ledger.close()

    def run(self, *words, code=0):
        done = CliRunner().invoke(build(), ["identity", *words, "--env", "t"])
        assert done.exit_code == code, done.output
        return done.output

    def json(self, *words):
        return json.loads(self.run(*words, "--json"))


@pytest.fixture
def project(tmp_path, monkeypatch):
    return Project(tmp_path, monkeypatch)


def test_join_look_and_take_back(project):
    """If it fails, a person who knows better than the rules cannot say so."""
    project.sync([("crm", "1", {"email": "ann@x.example"}), ("shop", "9", {})])

    merge = project.json("merge", "crm:1", "1", "--reason", "she said so", "--by", "ann")["merge"]
    project.sync()
    together = project.json("why", "shop:9")
    project.run("unmerge", str(merge), "--reason", "sisters", "--by", "ann")
    project.sync()
    apart = project.json("why", "shop:9")

    assert [one["own"] for one in together["records"]] == [0, 1]
    assert (apart["id"], len(apart["records"])) == (1, 1)
    assert project.json("merges")[0]["undone_reason"] == "sisters"
    assert "no kind of record" not in project.run("merges")
    assert "undone already" in project.run("unmerge", str(merge), "--reason", "x", code=2)


def people(chance):
    """Two hundred people in the CRM; every fifth is in the shop too, with a slip of the pen."""
    syllables = ["ka", "lo", "mi", "ran", "te", "vor", "sel", "du", "pin", "bas", "gre", "nol"]
    for n in range(200):
        first = "".join(chance.choices(syllables, k=2)).title()
        last = "".join(chance.choices(syllables, k=3)).title()
        born = (
            f"{chance.randint(1950, 2003)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"
        )
        zip_code = f"{chance.randint(10000, 99999)}"
        values = {
            "first_name": first, "last_name": last, "birth_date": born, "postal_code": zip_code
        }  # fmt: skip
        yield "crm", str(n), values
        if n % 5 == 0:
            yield "shop", str(n), {**values, "last_name": last[:-1] + chance.choice("aeiou")}


def test_suggestions_wait_for_somebody(project):
    """If it fails, likely pairs are joined by themselves, or never found."""
    project.sync(people(random.Random(7)))

    found = project.json("suggestions", "--refresh")
    one, two = found[0], found[1]
    project.run("suggestions", "--accept", "-".join(map(str, one["ids"])), "--by", "ann")
    project.run("suggestions", "--reject", "-".join(map(str, two["ids"])), "--by", "ann")
    before = project.json("merges")
    project.sync()
    left = project.json("suggestions", "--refresh")

    assert 24 <= len(found) <= 42
    assert all(len(pair["agree"]) >= 2 and pair["score"] >= 0.99 for pair in found)
    assert [merge["rule"] for merge in before] == ["manual"]
    ids = [pair["ids"] for pair in left]
    assert one["ids"] not in ids and two["ids"] not in ids


def test_without_splink_it_says_what_to_install(project, monkeypatch):
    """If it fails, an install without the extra ends in a traceback."""
    project.sync(people(random.Random(7)))
    monkeypatch.setitem(sys.modules, "splink", None)

    assert "audiencehub[suggest]" in project.run("suggestions", "--refresh", code=2)
