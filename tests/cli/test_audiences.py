"""The verb audiences: what platforms told of lists, for a person."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from audiencehub.ledger import Ledger
from audiencehub.model import Figures, Processed, Target
from tests.cli.small import NOW, SETTINGS, project, run

LIST = "meta_ads/list/warm"
PLACES = """
[destinations.meta_ads]
connector = "meta_ads"
[destinations.meta_ads.options]
ad_account_id = "77"
"""


@pytest.fixture
def ledger(tmp_path, monkeypatch):
    """A project with one list, of which nothing is known yet."""
    folder = project(tmp_path)
    monkeypatch.setenv("AUDIENCEHUB_HOME", str(folder))
    (folder / "deployments" / "sandbox.toml").write_text(SETTINGS + PLACES)
    (folder / ".audiencehub" / "sandbox").mkdir(parents=True)
    made = Ledger.open(folder / ".audiencehub" / "sandbox")
    yield made
    made.close()


def known(ledger):
    """The list, a batch of which one row in ten was refused later, and two answers."""
    ledger.runs.start("r1", "sync", "sandbox", NOW, pid=1, boot_id="b", args={})
    ledger.targets.keep(Target("meta_ads", "list", "warm", {"audience_id": "1"}, "Warm"))
    ledger.jobs.add(LIST, {"job-1": 10}, NOW)
    (job,) = ledger.jobs.due(NOW + timedelta(hours=1))
    told = Processed("partly", 10, {"NO_CONSENT": 1}, (0.5, 0.6))
    ledger.jobs.told(job, told, NOW + timedelta(hours=1))
    ledger.figures.keep(LIST, 9, Figures("building", detail="BUILDING"), NOW)
    later = Figures("too_small", (1000, 2000), (0.41, 0.5), "needs 300")
    ledger.figures.keep(LIST, 12, later, NOW + timedelta(days=1))


def test_without_lists_it_says_what_to_do(ledger):
    """An empty table tells nobody how a list comes about."""
    found = run("audiences")
    assert found.exit_code == 0
    assert "No list was planned yet" in found.output and "audiencehub sync" in found.output


def test_lists_with_size_match_state_and_what_was_refused(ledger):
    """Else a list that is too small, or half refused, is found out when the campaign has failed."""
    known(ledger)
    found = run("audiences")
    assert found.exit_code == 0, found.output
    for words in (LIST, "1,000–2,000", "41%–50%", "too small", "1 NO_CONSENT"):
        assert words in found.output
    assert max(len(line) for line in found.output.splitlines()) <= 100
    (row,) = json.loads(run("audiences", "--json").stdout)
    assert row["rejected"] == {"NO_CONSENT": 1} and row["told"]["size"] == [1000, 2000]


def test_the_history_of_one_list(ledger):
    """A match rate is a figure to be compared with last week's."""
    known(ledger)
    found = run("audiences", LIST)
    assert "too small (needs 300)" in found.output
    assert "building" in found.output and "building (" not in found.output
    history = json.loads(run("audiences", LIST, "--json").stdout)["history"]
    assert [one["members"] for one in history] == [12, 9]


def test_a_list_that_there_is_not_is_named_with_those_there_are(ledger):
    """A typing error ends in an instruction."""
    known(ledger)
    found = run("audiences", "meta_ads/list/wram")
    assert found.exit_code == 2 and LIST in found.output
