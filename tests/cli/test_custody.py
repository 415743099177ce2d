"""`audiencehub adopt` and `audiencehub maintain`: what they say, and how they end."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from audiencehub.cli.main import build
from audiencehub.ledger import Ledger

SETTINGS = """
[company]
name = "Acme"
[sources.crm]
connector = "files"
[sources.crm.options]
path = "drops/*.csv"
table = "contact"
columns = { email = "E-mail" }
key = ["E-mail"]
required = ["email"]
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    (tmp_path / "deployments").mkdir()
    (tmp_path / "deployments" / "prod.toml").write_text(SETTINGS, "utf-8")
    (tmp_path / "segment_rules").mkdir()
    monkeypatch.setenv("AUDIENCEHUB_HOME", str(tmp_path))
    return tmp_path / ".audiencehub" / "prod"


def verb(*words):
    return CliRunner().invoke(build(words[0]), [*words, "--env", "prod", "--quiet"])


def test_maintain_says_what_it_made_and_let_go(home):
    """A verb that tells nothing of its backup is one that nobody trusts with it."""
    done = verb("maintain")

    assert done.exit_code == 0, done.output
    (path,) = (home / "backups").glob("*.sqlite")
    assert path.name in done.stdout
    assert "1 kept" in done.stdout
    assert "Nothing is older than settings keep." in done.stdout
    machine = json.loads(verb("maintain", "--json").stdout)
    assert machine["summary"]["backup"]["size"] > 0


def test_maintain_ends_in_one_when_the_audit_is_broken(home):
    """A scheduler sees exit codes."""
    verb("maintain")
    ledger = Ledger.open(home)
    ledger.audit.record(ledger.runs.first(), "ann", "approve", "p1", {})
    ledger._db.run("UPDATE audit SET who='bob'")
    ledger.close()

    done = verb("maintain")

    assert done.exit_code == 1
    assert "audiencehub audit verify" in done.stdout


def test_adopt_says_what_next_where_there_is_nothing(home):
    """Who tries a verb on an empty project must see where to begin."""
    done = verb("adopt")

    assert done.exit_code == 0, done.output
    assert "The ledger is the one that sent last." in done.stdout
    assert "audiencehub plan" in done.stdout
    unknown = verb("adopt", "crm/contact/tags")
    assert unknown.exit_code == 2
    assert verb("adopt", "--additive", "--accept").exit_code == 2


def test_adopt_says_why_the_ledger_is_not_trusted(home):
    """The message is all that somebody has who finds every target held."""
    ledger = Ledger.open(home)
    ledger._db.run("UPDATE meta SET value='7' WHERE key='epoch'")
    ledger.close()
    (home / "ledger.stamp").unlink()

    said = json.loads(verb("adopt", "--json").stdout)

    assert "put back without its stamp" in said["restored"]
    text = verb("adopt").stdout
    assert "put back without its stamp" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("name", ["adopt", "maintain"])
def test_help_shows_an_example(name):
    """A verb without an example is looked up elsewhere."""
    done = CliRunner().invoke(build(name), [name, "--help"])

    assert f"Example: audiencehub {name}" in done.stdout
