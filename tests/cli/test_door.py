"""The door of verbs that send: whose environment it is, and what it leaves to the verb."""

from __future__ import annotations

import pytest

from audiencehub.cli import door
from audiencehub.ledger import Ledger


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A project with one environment, `prod`, of which nothing was ever sent."""
    (tmp_path / "deployments").mkdir()
    (tmp_path / "deployments" / "prod.toml").write_text('[company]\nname = "Acme"\n')
    (tmp_path / "segment_rules").mkdir()
    monkeypatch.setenv("AUDIENCEHUB_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("words", "env"),
    [
        (["push"], "sandbox"),
        (["push", "--env", "prod"], "prod"),
        (["--env=prod", "push"], "prod"),
        (["push", "--env"], ""),
    ],
)
def test_the_environment_is_the_one_that_the_verb_will_take(words, env):
    """The door of another environment would let two pushes of this one pass."""
    assert door.environment(words) == env


@pytest.mark.fault(14)
def test_the_second_is_told_and_the_first_leaves_the_door_open(home, capsys):
    """A push that ends and keeps the door shut would stop every later one."""
    words = ["push", "--env", "prod"]
    with door.entered("push", words):
        with pytest.raises(SystemExit) as refused, door.entered("push", words):
            pass
        assert refused.value.code == 1
        assert "every target is being pushed by run push-" in capsys.readouterr().err
        with door.entered("plan", words):
            pass
    with door.entered("push", words):
        pass


def test_a_question_takes_no_lease_and_makes_no_ledger(home):
    """`push --help` while a push runs must show the help; wrong settings are the verb's to tell."""
    for words in (["push", "--env", "prod", "--help"], ["push", "--env", "nowhere"]):
        with door.entered("push", words):
            pass
    assert list(home.rglob("ledger.sqlite")) == []


def test_who_dies_inside_leaves_it_open(home):
    """An error of the verb's must not leave the door to a process that is gone."""
    with pytest.raises(ZeroDivisionError), door.entered("push", ["push", "--env", "prod"]):
        raise ZeroDivisionError
    (file,) = home.rglob("ledger.sqlite")
    ledger = Ledger.open(file.parent)
    assert ledger.leases.holder(door.WHOLE) is None
    ledger.close()
