"""The product's own schedule: a run killed in the middle of a push, and the one after it."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from audiencehub.ledger import Ledger
from audiencehub.opening import sandbox_command
from audiencehub.sandbox import process
from audiencehub.server.local import running_server
from tests.flows.conftest import small_project
from tests.flows.marker import alive, until, up

pytestmark = [pytest.mark.flow, pytest.mark.verify, pytest.mark.timeout(600)]

NO_GUARD = """
[guards]
first_run = "go"
removals_share = 1.0
adds_share = 1.0
field_share = 1.0
segment_to_none = false
"""


@pytest.mark.fault(16)
def test_a_killed_scheduled_sync_is_followed_by_one_that_pushes(tmp_path: Path) -> None:
    """If this fails, one kill -9 in the night ends all syncs until somebody looks."""
    settings = small_project(tmp_path / "project", more=NO_GUARD)
    file = settings.root / "prefect.yaml"
    hourly = '{slug: hourly, cron: "5 * * * *", timezone: "{{ $AUDIENCEHUB_TIMEZONE }}"}'
    text = file.read_text()
    assert hourly in text
    file.write_text(text.replace(hourly, "{slug: hourly, interval: 45}"))

    with process.ensure_running(settings, sandbox_command(settings)) as urls:
        # The write reaches HubSpot and its answer does not come: the moment that is hardest.
        lost = {"path": "/batch/update", "delay": 120, "after_apply": True}
        process.fault(urls, "hubspot", method="POST", **lost)
        with up(settings) as running:
            access = running_server(settings)
            assert access is not None
            api = access.api()
            until("a write at HubSpot", 240, lambda: process.writes(urls, "hubspot"))
            [victim] = [run for run in runs(api) if run["state"]["type"] == "RUNNING"]
            note = settings.root / ".audiencehub/prefect/runs" / f"{victim['id']}.json"
            pid = json.loads(note.read_text())["pid"]
            process.clear_faults(urls, "hubspot")

            os.kill(pid, signal.SIGKILL)

            following = until("a following sync completes", 240, lambda: completed(api, victim))
            assert state(api, victim) == "CRASHED"
            assert not alive({pid})
            assert following["deployment_id"] == victim["deployment_id"]
            assert running.end(signal.SIGTERM) == 0
        writes = process.writes(urls, "salesforce")

    assert writes, "the following run pushed to Salesforce"
    ledger = Ledger.open(settings.folder)
    try:
        assert [run.state for run in ledger.runs.last(99) if run.state == "running"] == []
        assert ledger.plans.held() == []
    finally:
        ledger.close()


def runs(api: Any) -> list[dict[str, Any]]:
    body = {"deployments": {"name": {"any_": ["sync-hourly"]}}}
    return [one for one in api.all("/flow_runs/filter", body) if one["start_time"]]


def state(api: Any, run: dict[str, Any]) -> str:
    return str(api.call("GET", f"/flow_runs/{run['id']}")["state"]["type"])


def completed(api: Any, victim: dict[str, Any]) -> dict[str, Any] | None:
    later = [one for one in runs(api) if one["start_time"] > victim["start_time"]]
    failed = [one for one in later if one["state"]["type"] == "FAILED"]
    assert not failed, failed[0]["state"]["message"]
    return next((one for one in later if one["state"]["type"] == "COMPLETED"), None)
