"""`prefect.yaml` on a real server: schedules create runs, and what the file drops goes away."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from audiencehub.errors import Faults
from audiencehub.server.deploy import deploy
from audiencehub.server.home import child_environment
from audiencehub.server.local import LocalServer
from audiencehub.settings import Settings
from tests.flows import marker
from tests.flows.conftest import small_project
from tests.flows.marker import until

pytestmark = pytest.mark.flow


def deployments(server: LocalServer) -> dict[str, dict[str, Any]]:
    ours = {"deployments": {"tags": {"all_": ["audiencehub"]}}}
    rows = server.access.api().all("/deployments/filter", ours)
    return {row["name"]: row for row in rows}


def scheduled(server: LocalServer, name: str) -> list[dict[str, Any]]:
    at = {"deployments": {"name": {"any_": [name]}}}
    runs = server.access.api().all("/flow_runs/filter", at)
    return [run for run in runs if run["state"]["type"] == "SCHEDULED" and run["auto_scheduled"]]


def test_the_shipped_file_deploys_and_its_schedules_create_runs(
    server: LocalServer, tmp_path: Path
) -> None:
    """If this fails, the schedules silently never fire, as they do with an unpinned SQLAlchemy."""
    settings = small_project(tmp_path)
    api = server.access.api()
    api.call("POST", "/work_pools/", {"name": "hub-local", "type": "process"})

    done = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"],
        cwd=settings.root,
        env=child_environment(settings, **server.access.variables()),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    found = deployments(server)
    assert set(found) == {
        "sync-hourly", "sync-nightly-full", "enrich-weekly", "apply-plan", "maintenance-daily",
    }  # fmt: skip
    hourly = found["sync-hourly"]
    assert hourly["parameters"] == {"env": "sandbox"}
    assert hourly["tags"] == ["audiencehub", "env:sandbox"]
    assert hourly["schedules"][0]["schedule"]["timezone"] == "America/New_York"
    assert hourly["global_concurrency_limit"]["limit"] == 1
    assert hourly["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    for name in ("sync-hourly", "sync-nightly-full", "enrich-weekly", "maintenance-daily"):
        runs = until(f"runs of {name}", 60, lambda name=name: scheduled(server, name))
        assert {run["deployment_id"] for run in runs} == {found[name]["id"]}
    assert scheduled(server, "apply-plan") == []
    assert [one["enabled"] for one in api.all("/automations/filter", {})] == [True]


@pytest.mark.verify
def test_deploying_again_changes_nothing_and_keeps_a_pause(
    server: LocalServer, tmp_path: Path
) -> None:
    """If this fails, a schedule that someone paused runs again after the next deploy."""
    settings = marker.project(tmp_path)
    api = server.access.api()
    deploy(settings, api, server.access.variables())
    before = deployments(server)["often"]
    path = f"/deployments/{before['id']}/schedules/{before['schedules'][0]['id']}"
    api.call("PATCH", path, {"active": False})

    deploy(settings, api, server.access.variables())

    after = deployments(server)["often"]
    assert after["id"] == before["id"]
    assert [one["id"] for one in after["schedules"]] == [one["id"] for one in before["schedules"]]
    assert [one["active"] for one in after["schedules"]] == [False]


@pytest.mark.verify
def test_prune_removes_what_the_file_no_longer_names(server: LocalServer, tmp_path: Path) -> None:
    """If this fails, a schedule that was deleted from the file runs for ever."""
    settings = marker.project(tmp_path)
    api = server.access.api()
    file = settings.root / "prefect.yaml"
    text = file.read_text()
    limit = "  concurrency_limit: "
    file.write_text(text.replace(limit, "  - {slug: seldom, cron: '0 5 * * *'}\n" + limit, 1))
    deploy(settings, api, server.access.variables(), prune=True)
    assert {one["slug"] for one in deployments(server)["often"]["schedules"]} == {"often", "seldom"}
    api.call("POST", "/deployments/", _stranger(server))

    file.write_text(text.split("- name: on-approval")[0])
    kept = deploy(settings, api, server.access.variables())
    assert {"often", "on-approval"} <= set(deployments(server)), "only --prune may remove"
    done = deploy(settings, api, server.access.variables(), prune=True)

    assert kept.removed == []
    assert {"on-approval", "often: seldom"} <= set(done.removed)
    assert set(deployments(server)) == {"often"}
    assert {one["slug"] for one in deployments(server)["often"]["schedules"]} == {"often"}
    names = {row["name"] for row in api.all("/deployments/filter", {})}
    assert "a-strangers" in names, "a deployment without our tag is not ours to remove"


def _stranger(server: LocalServer) -> dict[str, Any]:
    flow = server.access.api().call("POST", "/flows/", {"name": "a-strangers-flow"})
    return {"name": "a-strangers", "flow_id": flow["id"], "tags": ["somebody"]}


def test_a_fault_in_the_file_deploys_nothing(server: LocalServer, tmp_path: Path) -> None:
    """If this fails, half of a wrong file is deployed before the fault is seen."""
    settings: Settings = marker.project(tmp_path / "wrong")
    file = settings.root / "prefect.yaml"
    file.write_text(
        file.read_text().replace("mark: scheduled", "marke: scheduled").replace("often", "new")
    )

    with pytest.raises(Faults, match=r"prefect.yaml:9: the flow marker takes no parameter 'marke'"):
        deploy(settings, server.access.api(), server.access.variables())

    assert "new" not in deployments(server)
    shutil.rmtree(settings.root)
