"""The digest of a run: one message, nobody named, nothing where nothing happened."""

from __future__ import annotations

import json

import pytest

from audiencehub.alerts import digest
from audiencehub.opening import open_hub
from audiencehub.pipeline import Caller, SyncOptions, run_sync
from audiencehub.settings import load
from tests.cli.small import project, rule

PATH = "/services/T0000/B0000/very-secret-part"
ASKED = '\n[alerts.slack]\nurl = {{ env = "SLACK_URL" }}\ndigest = {}\n'


@pytest.fixture
def shop(tmp_path, sink, monkeypatch):
    """`shop(digest)`: two people of three match one rule; Slack is set up."""
    monkeypatch.setenv("SLACK_URL", f"{sink.url}{PATH}")
    folder = project(tmp_path)
    (folder / "drops").mkdir()
    (folder / "drops" / "people.csv").write_text("E-mail\na@x.example\nb@x.example\nc@y.example\n")
    rule(folder, "at_x", {"contact.email": {"ends_with": "@x.example"}})

    def made(asked):
        path = folder / "deployments" / "sandbox.toml"
        path.write_text(path.read_text() + ASKED.format(str(asked).lower()))
        return load("sandbox", folder)

    return made


def run(settings, *, dry=False):
    with open_hub(settings, dry_run=dry) as hub:
        return run_sync(hub, SyncOptions(dry_run=dry), Caller())


def told(sink):
    return [json.loads(body)["text"] for _, _, body in sink.of(PATH)]


def test_a_run_is_told_once_and_a_quiet_one_not(shop, sink):
    """If this fails, the channel hears nothing of a run, or hears of every hour without news."""
    settings = shop(True)
    run(settings)
    (text,) = told(sink)
    assert text.startswith("*[sandbox] run completed*, ")
    assert "2 entered, now 2" in text
    assert "x.example" not in text

    run(settings)
    assert told(sink) == [text]


@pytest.mark.parametrize(("asked", "dry"), [(False, False), (True, True)])
def test_who_did_not_ask_and_a_dry_run_are_silent(shop, sink, asked, dry):
    """If this fails, a rehearsal is announced, or alerts' channel is filled with digests."""
    run(shop(asked), dry=dry)
    assert told(sink) == []


@pytest.mark.parametrize("status", [0, 403, 404, 500])
def test_a_hook_that_fails_ends_no_run(shop, sink, status, caplog):
    """If this fails, a message about a run decides how the run ended, or its address is logged."""
    sink.answers = [status] * 9
    assert run(shop(True)).state == "completed"
    assert "did not take the digest" in caplog.text
    assert "very-secret-part" not in caplog.text


def test_what_is_held_says_what_to_do(now):
    """If this fails, a held plan waits for somebody who was never told how to release it."""
    plan = {"plan_id": "p12", "target": "meta_ads/list/vip", "adds": 0, "removes": 412,
            "verdict": "hold"}  # fmt: skip
    summary = {
        "plans": [plan, plan | {"verdict": "go"}],
        "problems": ["hubspot is away\n  -> Wait"],
        "pushed": [{"target": "a/tag/b", "confirmed": 3, "rejected": 1, "unknown": 0, "held": 0}],
    }
    assert digest("prod", "held", now, summary, {}).splitlines() == [
        "*[prod] run held*, 2026-11-16 09:00 UTC",
        "*Sent*",
        "• a/tag/b: 3 confirmed, 1 rejected",
        "*Waiting for approval*",
        "• meta_ads/list/vip: 412 to remove -> `audiencehub approve p12 --reason … --env prod`",
        "*Problems*",
        "• hubspot is away",
    ]


def test_a_long_one_is_cut_and_says_so(now):
    """If this fails, Slack folds or refuses the digest of a company with many segments."""
    names = [f"s{n:03}" for n in range(400)]
    found = {"entered": dict.fromkeys(names, 1), "left": {"s399": 5},
             "sizes": dict.fromkeys(names, 7)}  # fmt: skip
    lines = digest("prod", "completed", now, {"segment": found}, {"s399": "Lapsing"}).splitlines()
    assert lines[2] == "• Lapsing: 1 entered, 5 left, now 7"
    assert lines[-1] == "• and 390 more"
    assert len(lines) == 13
