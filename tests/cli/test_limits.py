"""`check` holds limits of settings against the rules they are for."""

from __future__ import annotations

import json

from tests.cli.small import SETTINGS, project, rule, run

LIMITS = """
[destinations.hubspot]
connector = "hubspot"
[destinations.meta_ads]
connector = "meta_ads"
[destinations.meta_ads.options]
ad_account_id = "77"
[segments.wram]
guards = { adds_count = 5 }
[segments.warm]
guards = { adds_count = 5 }
[targets."hubspot/contact/tags".segments.hot]
guards = { adds_count = 5 }
[targets."meta_ads/list/worm"]
freeze_hours = 2
"""


def test_a_limit_for_a_segment_that_no_rule_has_is_a_fault(tmp_path, monkeypatch):
    """If it fails, a misspelt name leaves its segment under the general limits unseen."""
    folder = project(tmp_path)
    monkeypatch.setenv("AUDIENCEHUB_HOME", str(folder))
    rule(folder, "warm", {"contact.email": {"ends_with": "@x.example"}})
    (folder / "deployments" / "sandbox.toml").write_text(SETTINGS + LIMITS)
    first = len(SETTINGS.splitlines())

    done = run("check", "--no-live", "--json")

    faults = {one["line"] - first: one["message"] for one in json.loads(done.stdout)["faults"]}
    assert done.exit_code == 2
    assert faults == {
        8: "segments.wram: there is no segment wram",
        12: "targets.hubspot/contact/tags.segments.hot: there is no segment hot",
        14: "targets.meta_ads/list/worm: there is no segment worm",
    }


def test_a_priority_that_ranks_nothing_is_a_fault(tmp_path, monkeypatch):
    """If it fails, two lists compete for the same people although a setting says they do not."""
    folder = project(tmp_path)
    monkeypatch.setenv("AUDIENCEHUB_HOME", str(folder))
    when = {"contact.email": {"ends_with": "@x.example"}}
    rule(folder, "warm", when, activate=[{"to": "meta_ads", "as": "list"}])
    rule(folder, "hot", when, activate=[{"to": "hubspot", "as": "tag"}])
    ranked = '[priorities.win]\ndestinations = ["meta_ads"]\nsegments = ["warm", "hot", "wram"]\n'
    places = LIMITS.split("[segments.wram]", maxsplit=1)[0]
    (folder / "deployments" / "sandbox.toml").write_text(SETTINGS + places + ranked)

    done = run("check", "--no-live", "--json")

    assert done.exit_code == 2
    assert [one["message"] for one in json.loads(done.stdout)["faults"]] == [
        "priorities.win: hot is no list at meta_ads",
        "priorities.win: there is no segment wram",
    ]
