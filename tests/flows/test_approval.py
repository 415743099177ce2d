"""A held plan on the product's own deployments: its run ends, an approval sends exactly it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from audiencehub.opening import sandbox_command
from audiencehub.sandbox import process
from audiencehub.server.api import Api
from audiencehub.server.home import child_environment
from audiencehub.server.local import running_server
from audiencehub.settings import Settings
from tests.flows.conftest import small_project
from tests.flows.marker import until, up

pytestmark = [pytest.mark.flow, pytest.mark.verify, pytest.mark.timeout(600)]

FIRST, SECOND = "hubspot/account/tags", "salesforce/account/tags"


def test_an_approval_starts_the_plan_it_was_given_to_and_a_stale_one_is_refused(
    tmp_path: Path,
) -> None:
    """If this fails, held plans keep a worker waiting, approvals send nothing, or send another."""
    settings = small_project(tmp_path / "project")
    with process.ensure_running(settings, sandbox_command(settings)) as urls, up(settings) as on:
        access = running_server(settings)
        assert access is not None
        api = access.api()
        ran = started(api, "sync-hourly")
        run = until("the run ends", 240, lambda: ended(api, ran))

        assert (run["state"]["type"], run["state"]["name"]) == ("COMPLETED", "Held")
        body = {"artifacts": {"flow_run_id": {"any_": [ran]}}}
        plan = next(one for one in api.all("/artifacts/filter", body) if one["key"] == "plan")
        assert f"## Held: {FIRST}" in plan["data"] and "| segment | enter | leave |" in plan["data"]
        assert process.writes(urls, "hubspot") == []

        told = approve(settings, FIRST)
        assert [(one["target"], one["started"]) for one in told] == [(FIRST, True)]
        [sent] = until("the approved plan's run", 180, lambda: done(api, 1))

        assert sent["state"]["type"] == "COMPLETED"
        assert sent["parameters"]["plan"] == told[0]["plan_id"]
        assert {one["object"] for one in process.writes(urls, "hubspot")} == {"companies"}
        assert process.writes(urls, "salesforce") == []

        drop_a_rule(settings)
        approve(settings, SECOND)
        later = until("the stale plan's run", 180, lambda: done(api, 2))[-1]

        assert later["state"]["type"] == "FAILED"
        assert "is void: the segment" in later["state"]["message"]
        assert process.writes(urls, "salesforce") == []
        assert on.end(signal.SIGTERM) == 0


def drop_a_rule(settings: Settings) -> None:
    """A rule that goes to the second target is edited after the plan was made."""
    (rule,) = (settings.root / "segment_rules").rglob("salesforce_users.yaml")
    rule.unlink()


def started(api: Api, deployment: str) -> str:
    """The id of a run of that deployment, which a worker takes up."""
    body = {"deployments": {"name": {"any_": [deployment]}}}
    [found] = api.all("/deployments/filter", body)
    run = api.call("POST", f"/deployments/{found['id']}/create_flow_run", {})
    return str(run["id"])


def ended(api: Api, run: str) -> dict[str, Any] | None:
    found: dict[str, Any] = api.call("GET", f"/flow_runs/{run}")
    return found if found["state"]["type"] in ("COMPLETED", "FAILED", "CRASHED") else None


def done(api: Api, count: int) -> list[dict[str, Any]] | None:
    """The runs of apply-plan once so many have ended, oldest first."""
    body = {"deployments": {"name": {"any_": ["apply-plan"]}}, "sort": "START_TIME_ASC"}
    runs = [found for one in api.all("/flow_runs/filter", body) if (found := ended(api, one["id"]))]
    return runs if len(runs) >= count else None


def approve(settings: Settings, target: str) -> list[dict[str, Any]]:
    """`audiencehub approve` as a person types it beside a running server."""
    words = ["approve", target, "--reason", "looked at it", "--by", "ann", "--json"]
    program = [sys.executable, "-m", "audiencehub.cli.main", *words]
    made = subprocess.run(
        program,
        cwd=settings.root,
        env={**child_environment(settings), "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert made.returncode == 0, made.stderr
    found: list[dict[str, Any]] = json.loads(made.stdout)
    return found
