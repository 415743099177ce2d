"""`audiencehub audit verify`: what it says and how it ends."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from audiencehub.cli.main import build
from audiencehub.ledger import Ledger

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)


@pytest.fixture
def home(tmp_path, monkeypatch):
    (tmp_path / "deployments").mkdir()
    (tmp_path / "deployments/prod.toml").write_text('[company]\nname = "Acme"\n', "utf-8")
    monkeypatch.setenv("AUDIENCEHUB_HOME", str(tmp_path))
    return tmp_path / ".audiencehub" / "prod"


@pytest.fixture
def ledger(home):
    made = Ledger.open(home)
    for n in range(3):
        made.audit.record(NOW, "ann@acme.example", "approve", f"p{n}", {"reason": "secret plan"})
    yield made
    made.close()


def verify(*more):
    return CliRunner().invoke(build("audit"), ["audit", "verify", "--env", "prod", *more])


def test_a_whole_chain_ends_well(ledger):
    """A verb that fails on a whole chain is soon ignored."""
    done = verify("--json")

    assert done.exit_code == 0
    assert json.loads(done.stdout) == {"rows": 3, "whole": True, "breaks": []}
    assert "whole: 3 rows" in verify().stdout


def test_a_broken_chain_ends_in_one_and_names_the_row_but_nobody(ledger):
    """A scheduler sees exit codes; a person must see the row, and no one's name or words."""
    ledger._db.run("UPDATE audit SET who='bob' WHERE seq=2")

    done, machine = verify(), verify("--json")

    assert (done.exit_code, machine.exit_code) == (1, 1)
    assert "row 2" in done.stdout
    said = json.loads(machine.stdout)
    assert said["whole"] is False
    assert [(one["row"], one["what"]) for one in said["breaks"]] == [(2, "hash")]
    for text in (done.stdout, machine.stdout):
        assert not any(word in text for word in ("ann@", "bob", "secret plan"))


def test_without_a_ledger_it_makes_none(home):
    """A new empty chain in place of a lost one would be called whole."""
    done = verify()

    assert done.exit_code == 2
    assert not (home / "ledger.sqlite").exists()


def test_help_shows_an_example():
    """A verb without an example is looked up elsewhere."""
    done = CliRunner().invoke(build("audit"), ["audit", "verify", "--help"])

    assert "audiencehub audit verify --env prod" in done.stdout
