"""`audiencehub hash`."""

import json

import pytest
import typer
from typer.testing import CliRunner

from audiencehub.cli import hash as verb

MARY = "f1904cf1a9d73a55fa5de0ac823c4403ded71afd4c3248d00bdcd0866552bb79"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AUDIENCEHUB_HOME", raising=False)
    app = typer.Typer()

    @app.callback()
    def root() -> None:
        """A second level, as in the real command line."""

    verb.register(app)
    return lambda *words: CliRunner().invoke(app, ["hash", *words])


def test_json_holds_three_keys(run):
    """If this fails, scripts that read the verb's JSON break."""
    found = run("--platform", "meta", "--field", "email", "--json", " Mary@Example.com")
    assert found.exit_code == 0
    assert json.loads(found.stdout) == {
        "normalized": "mary@example.com",
        "sent": MARY,
        "hashed": True,
    }


def test_refused_is_exit_one(run):
    """If this fails, a script takes a refused value for a sent one."""
    found = run("--platform", "linkedin", "--field", "phone", "--json", "+15559876543")
    assert found.exit_code == 1
    assert json.loads(found.stdout) == {"refused": "linkedin takes no phone"}
    shown = run("--platform", "linkedin", "--field", "phone", "+15559876543")
    assert (shown.exit_code, shown.stdout) == (1, "refused: linkedin takes no phone\n")


def test_text_shows_the_whole_hash(run):
    """If this fails, support copies half a hash."""
    found = run("--platform", "meta", "--field", "email", "mary@example.com")
    assert MARY in found.stdout
    assert all(len(line) <= 100 for line in found.stdout.splitlines())
    assert "DOBM" in run("--platform", "meta", "--field", "birth_date", "1990-05-07").stdout


def test_country_is_used(run):
    """If this fails, national numbers are hashed without their country code."""
    words = ["--platform", "meta", "--field", "phone", "--json", "(650)555-1212"]
    found = run(*words, "--country", "us")
    assert json.loads(found.stdout)["normalized"] == "16505551212"


@pytest.mark.parametrize(
    "words",
    [
        ["--platform", "myspace", "--field", "email", "x"],
        ["--platform", "meta", "--field", "shoe", "x"],
        ["--platform", "meta", "--field", "phone", "--country", "USA", "x"],
        ["--platform", "meta", "--field", "phone", "--country", "XX", "x"],
        ["--platform", "meta", "--field", "email"],
        ["--field", "email", "x"],
        ["--platform", "microsoft", "--field", "phone", "--env", "nowhere", "+15559876543"],
    ],
)
def test_wrong_arguments_are_exit_two(run, words):
    """If this fails, a typing error looks like a refused value."""
    found = run(*words)
    assert found.exit_code == 2
    assert "Traceback" not in found.output


def test_a_setting_allows_unverified_rules(run, tmp_path):
    """If this fails, the setting that DESIGN asks for does nothing, or is not needed."""
    words = ["--platform", "microsoft", "--field", "phone", "--json", "+1 555 987 6543"]
    assert run(*words).exit_code == 1
    (tmp_path / "deployments").mkdir()
    (tmp_path / "deployments" / "sandbox.toml").write_text(
        '[company]\nname = "Acme"\n[destinations.bing]\nconnector = "microsoft_ads"\n'
        "[destinations.bing.options]\nunverified_identifiers = true\n"
    )
    assert json.loads(run(*words).stdout)["normalized"] == "+15559876543"


def test_help_has_examples(run):
    """If this fails, nobody finds out how a field is written."""
    found = run("--help")
    assert "audiencehub hash --platform meta --field email" in found.stdout
    assert all(len(line) <= 100 for line in found.stdout.splitlines())
