"""`audiencehub hash`."""

import hashlib
import json

import pytest
import typer
from typer.testing import CliRunner

from audiencehub.cli import hash as verb
from audiencehub.privacy import PLATFORMS
from tests.privacy.test_vectors import VECTORS

MARY = "f1904cf1a9d73a55fa5de0ac823c4403ded71afd4c3248d00bdcd0866552bb79"


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


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


def test_all_is_a_line_for_each_platform_that_takes_the_field(run):
    """If this fails, support asks platform by platform why a person was not found."""
    shown = run("--platform", "all", "--field", "email", " Mary.Major+x@Gmail.com")
    assert shown.exit_code == 0
    head, *lines = shown.stdout.splitlines()
    assert head.split() == ["platform", "sent", "normalized"]
    assert [one.split()[0] for one in lines] == [p for p in PLATFORMS if "email" in PLATFORMS[p]]
    every = {one.split()[0]: one.split()[-2:] for one in lines}
    gmail, plain = "marymajor@gmail.com", "mary.major+x@gmail.com"
    assert every["google"] == [sha(gmail), gmail]
    assert every["meta"] == every["tiktok"] == [sha(plain), plain]
    assert "snap" not in run("--platform", "all", "--field", "company_domain", "a.example").stdout


def test_all_says_who_refuses_and_fails_when_all_do(run):
    """If this fails, one platform's refusal hides what the others get, or passes for success."""
    words = ["--platform", "all", "--field", "phone"]
    some = run(*words, "--json", "15559876543")
    found = json.loads(some.stdout)
    assert some.exit_code == 0
    assert found["meta"]["sent"] == sha("15559876543")
    assert "unverified" in found["microsoft"]["refused"]
    assert "linkedin" not in found
    none = run(*words, "no number")
    assert none.exit_code == 1
    assert all("refused: " in one for one in none.stdout.splitlines()[1:])


def test_all_shows_each_column(run):
    """If this fails, the three hashes of a birth date look like one."""
    shown = run("--platform", "all", "--field", "birth_date", "1990-05-07").stdout
    for column, part in (("DOBY", "1990"), ("DOBM", "05"), ("DOBD", "07")):
        assert f"meta {column}" in shown
        assert sha(part) in shown


def test_the_verb_prints_every_published_vector(run):
    """If this fails, support compares with a value that is not the one that is sent."""
    for platform, field, raw, country, normalized, digest in VECTORS:
        words = ["--platform", platform, "--field", field, "--json", "--", raw]
        where = ["--country", country] if country else []
        found = json.loads(run(*where, *words).stdout)
        wanted = {"normalized": normalized, "sent": digest or sha(normalized), "hashed": True}
        assert found == wanted
        shown = run(*where, "--platform", "all", "--field", field, "--", raw).stdout
        assert wanted["sent"] in shown


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
