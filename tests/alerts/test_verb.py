"""`audiencehub alerts`, and the evaluation that every sync ends with."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from audiencehub.cli.main import build
from audiencehub.ledger.process import boot_id
from audiencehub.steps.alert import alert, evaluate

ROOT = Path(__file__).parents[2]


@pytest.fixture
def ask(environment, tmp_path, monkeypatch):
    environment()
    monkeypatch.setenv("AUDIENCEHUB_HOME", str(tmp_path))
    return lambda *more: CliRunner().invoke(build("alerts"), ["alerts", "--env", "prod", *more])


def begin(ledger, at, kind="sync"):
    ledger.runs.start("r", kind, "prod", at, pid=os.getpid(), boot_id=boot_id(), args={})
    ledger.runs.finish("r", "completed", at, {})


def test_it_lists_what_is_wrong_and_what_to_do(ask, ledger):
    """A state without an instruction leaves the reader where they were."""
    assert "alerts --now --env prod" in ask().stdout
    ledger.audit.record(datetime(2026, 11, 16, tzinfo=UTC), "ann", "approve", "p1", {})
    ledger._db.run("UPDATE audit SET who='bob'")

    done = ask("--now")
    listed = json.loads(ask("--json").stdout)

    assert done.exit_code == 0
    assert "critical" in done.stdout
    assert "audit verify" in done.stdout
    assert [(one["subject"], one["state"]) for one in listed["alerts"]] == [("audit", "critical")]


def test_a_schedule_that_does_not_run_is_seen_without_a_run(ask, ledger, tmp_path, environment):
    """Nobody evaluates when nothing runs, unless a cron line of one's own asks."""
    shutil.copy(ROOT / "prefect.yaml", tmp_path)
    shutil.copytree(ROOT / "flows", tmp_path / "flows")
    now = datetime(2026, 11, 16, 9, 40, tzinfo=UTC)
    begin(ledger, now - timedelta(hours=1))
    settings = environment()

    evaluate(settings, ledger, now)

    assert {s for s in ledger.alerts.states("prod") if s.startswith("run:")} == {
        "run:sync-hourly/hourly"
    }
    evaluate(settings, ledger, now + timedelta(days=2))
    states = ledger.alerts.states("prod")
    assert states["run:sync-nightly-full/nightly"].state == "critical"
    assert states["run:maintenance-daily/daily"].state == "critical"


def test_a_dry_run_tells_nobody(environment, ledger, now):
    """A dry run changes nothing; a message from it would be about a world that is not."""
    hub = SimpleNamespace(settings=environment(), ledger=ledger, now=now, dry_run=True)

    assert alert(hub) is None
    assert ledger.alerts.evaluated() is None


def test_there_is_no_list_without_a_ledger(ask, environment):
    """An empty new ledger would say that everything is in order."""
    done = ask()

    assert done.exit_code == 2
    assert not environment().folder.exists()


def test_help_shows_an_example(ask):
    """A verb without an example is looked up elsewhere."""
    assert "audiencehub alerts --now --env prod" in ask("--help").stdout


def broken(environment, ledger, now):
    begin(ledger, now)
    ledger.audit.record(now, "ann", "approve", "p1", {})
    ledger._db.run("UPDATE audit SET who='bob'")
    return SimpleNamespace(
        settings=environment(), ledger=ledger, now=now, dry_run=False, run_id="r"
    )


def test_a_run_ends_with_an_evaluation(environment, ledger, now):
    """Watching that no run calls is no watching; it comes last, when the run's end is noted."""
    from audiencehub.pipeline import SyncResult, finish

    called = []

    def call(name, _, function, *args):
        called.append(name)
        return function(*args) if name == "alert" else ""

    finish(broken(environment, ledger, now), call, SyncResult("r"))

    assert called == ["record", "alert", "digest"]
    assert ledger.alerts.states("prod")["audit"].state == "critical"


def test_maintenance_evaluates_too(environment, ledger, now):
    """Where the syncs are what fails, the daily maintenance is who says so."""
    from audiencehub.pipeline import Caller
    from flows.maintain import keep

    result = keep(broken(environment, ledger, now), Caller())

    assert result.state == "failed"
    assert ledger.alerts.states("prod")["audit"].state == "critical"
