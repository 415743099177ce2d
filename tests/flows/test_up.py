"""`audiencehub up`: schedules that survive kills, and nothing left after a stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audiencehub.cli.launch import announce_approval
from audiencehub.server.api import Api
from audiencehub.server.home import child_environment
from audiencehub.server.local import running_server
from audiencehub.settings import Settings
from tests.flows.marker import Up, alive, marks, project, until, up

pytestmark = [pytest.mark.flow, pytest.mark.timeout(420)]


def api_of(settings: Settings) -> Api:
    access = running_server(settings)
    assert access is not None
    return access.api()


def states(settings: Settings) -> dict[str, str]:
    """Flow run to state, of those that were more than planned."""
    runs = api_of(settings).all("/flow_runs/filter", {})
    return {run["id"]: run["state"]["type"] for run in runs if run["state"]["type"] != "SCHEDULED"}


def done(settings: Settings, mark: str = "scheduled") -> list[dict[str, Any]]:
    return [one for one in marks(settings) if one["done"] and one["mark"] == mark]


def hang_next(settings: Settings) -> None:
    (settings.root / "marks" / "hang").touch()


def hanging(settings: Settings) -> dict[str, Any]:
    """The run that hangs, once it does."""

    def find() -> dict[str, Any] | None:
        if (settings.root / "marks" / "hang").exists():
            return None
        return next((m for m in marks(settings) if not m["done"] and alive({m["pid"]})), None)

    return until("a run hangs", 120, find)


@pytest.mark.verify
def test_schedules_run_an_approval_starts_a_plan_and_sigterm_leaves_nothing(tmp_path: Path) -> None:
    """If this fails, schedules do not fire, an approved plan waits, or a stop leaves processes."""
    settings = project(tmp_path)
    with up(settings) as running:
        until("a scheduled run", 90, lambda: done(settings))
        assert announce_approval(settings, "p1-abc")
        started = until("the approved plan's run", 60, lambda: done(settings, "approved"))[0]
        assert started["plan"] == "p1-abc"
        hang_next(settings)
        hanging(settings)
        family = running.family()
        assert len(family) >= 5

        assert running.end(signal.SIGTERM) == 0

        assert alive(family) == set()
    assert not announce_approval(settings, "p1-abc"), "no server is left to hear it"
    assert running_server(settings) is None
    assert not list((settings.root / ".audiencehub/prefect/servers").iterdir())


def test_ctrl_c_while_starting_leaves_nothing(tmp_path: Path) -> None:
    """If this fails, an impatient Ctrl-C leaves a server running for good."""
    settings = project(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.flows.up_verb", "--env", "test"],
        cwd=settings.root,
        env={**child_environment(settings), "PYTHONPATH": str(Path.cwd())},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    running = Up(process, settings, settings.root / "log")
    family = until("the server's process", 60, running.family)

    assert running.end(signal.SIGINT) == 0

    assert alive(family) == set()


@pytest.mark.verify
def test_a_second_up_is_refused_and_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    """If this fails, two schedulers run the same deployments, or a stop leaves processes."""
    settings = project(tmp_path)
    with up(settings) as running:
        other = subprocess.run(
            [sys.executable, "-m", "tests.flows.up_verb", "--env", "test"],
            cwd=settings.root,
            env={**child_environment(settings), "PYTHONPATH": str(Path.cwd())},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        family = until("server and worker", 60, lambda: _all_up(running))
        assert running.end(signal.SIGINT) == 0
        assert alive(family) == set()
    assert other.returncode == 1
    assert "already running in this project" in other.stderr
    assert "Traceback" not in other.stderr


def _all_up(running: Up) -> set[int] | None:
    """Server and worker, each on its leash: four processes at least."""
    family = running.family()
    return family if len(family) >= 4 else None


def kill_flow(running: Up, run: dict[str, Any]) -> None:
    os.kill(run["pid"], signal.SIGKILL)


def kill_worker(running: Up, run: dict[str, Any]) -> None:
    for pid in running.family():
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if b"worker" in words and not any(word.endswith(b"leash.py") for word in words):
            os.kill(pid, signal.SIGKILL)


def kill_worker_and_flow(running: Up, run: dict[str, Any]) -> None:
    kill_worker(running, run)
    kill_flow(running, run)


@pytest.mark.verify
@pytest.mark.parametrize("kill", [kill_worker_and_flow])
@pytest.mark.fault(16)
def test_the_run_after_a_killed_one_runs(
    tmp_path: Path, kill: Callable[[Up, dict[str, Any]], None]
) -> None:
    """If this fails, one kill -9 holds the only slot, and every later run is cancelled."""
    settings = project(tmp_path)
    with up(settings) as running:
        hang_next(settings)
        victim = hanging(settings)
        before = len(done(settings))

        kill(running, victim)

        until("a following run", 150, lambda: len(done(settings)) > before)
        until("Crashed", 60, lambda: states(settings)[victim["run"]] == "CRASHED")
        assert not alive({victim["pid"]})


@pytest.mark.verify
@pytest.mark.fault(16)
def test_the_next_start_settles_what_a_killed_one_left(tmp_path: Path) -> None:
    """If this fails, a run is called running for ever, and after a reboot no schedule goes on."""
    settings = project(tmp_path)
    with up(settings) as running:
        hang_next(settings)
        victim = hanging(settings)
        family = running.family()
        running.process.kill()
        running.process.wait()
        until("all are gone", 60, lambda: not alive(family))
    before = len(done(settings))

    with up(settings) as again:
        assert "1 dead run marked Crashed" in again.log.read_text()
        assert states(settings)[victim["run"]] == "CRASHED"
        until("a following run", 120, lambda: len(done(settings)) > before)
        assert again.end(signal.SIGINT) == 0
