"""A project whose one flow leaves marks: what schedules, kills and stops are tried on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from audiencehub.settings import Settings, load

T = TypeVar("T")

FLOW = """
import json, os, threading
from pathlib import Path

from prefect import flow
from prefect.runtime import flow_run

from audiencehub.server.reap import note
from audiencehub.settings import load


@flow(name="marker", persist_result=False)
def marker(env: str = "test", mark: str = "ran", plan: str = "") -> str:
    settings = load(env)
    folder = settings.root / "marks"
    note(settings, str(flow_run.id))
    line = {"run": str(flow_run.id), "pid": os.getpid(), "mark": mark, "plan": plan}
    (folder / f"{flow_run.id}.json").write_text(json.dumps(line))
    if (folder / "hang").exists():
        (folder / "hang").unlink()
        threading.Event().wait()
    (folder / f"{flow_run.id}.done").touch()
    return mark
"""

YAML = """
name: marker
pull:
- prefect.deployments.steps.set_working_directory: {directory: "{{ $AUDIENCEHUB_HOME }}"}
deployments:
- name: often
  entrypoint: flows/marker.py:marker
  tags: [audiencehub]
  parameters: {env: "{{ $AUDIENCEHUB_ENV }}", mark: scheduled}
  schedules:
  - {slug: often, interval: 15, timezone: "{{ $AUDIENCEHUB_TIMEZONE }}"}
  concurrency_limit: {limit: 1, collision_strategy: CANCEL_NEW}
  work_pool: {name: "{{ $AUDIENCEHUB_WORK_POOL }}"}
- name: on-approval
  entrypoint: flows/marker.py:marker
  tags: [audiencehub]
  parameters: {mark: approved}
  concurrency_limit: {limit: 1, collision_strategy: ENQUEUE}
  work_pool: {name: "{{ $AUDIENCEHUB_WORK_POOL }}"}
  triggers:
  - type: event
    match: {prefect.resource.id: "audiencehub.plan.*"}
    expect: [audiencehub.plan.approved]
    parameters: {env: "{{ event.payload.env }}", plan: "{{ event.payload.plan }}"}
"""

TOML = '[company]\nname = "Acme"\ntimezone = "Europe/Berlin"\n'


def project(root: Path) -> Settings:
    """A project folder with the marker flow, its deployments and an environment `test`."""
    for folder in ("flows", "deployments", "marks"):
        (root / folder).mkdir(parents=True)
    (root / "flows" / "marker.py").write_text(FLOW)
    (root / "prefect.yaml").write_text(YAML)
    (root / "deployments" / "test.toml").write_text(TOML)
    return load("test", root)


def marks(settings: Settings) -> list[dict[str, Any]]:
    """What the flow wrote, oldest first; `done` says whether it came to its end."""
    files = sorted(
        (settings.root / "marks").glob("*.json"), key=lambda path: path.stat().st_mtime_ns
    )
    return [
        {**json.loads(path.read_text()), "done": path.with_suffix(".done").exists()}
        for path in files
    ]


def until(what: str, seconds: float, check: Callable[[], T | None]) -> T:
    """Poll until `check` returns something true; fails with what was waited for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := check():
            return found
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


@dataclass
class Up:
    """A running `audiencehub up`."""

    process: subprocess.Popen[str]
    settings: Settings
    log: Path

    def family(self) -> set[int]:
        """Every process below it."""
        return descendants(self.process.pid)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for its exit status."""
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def up(settings: Settings, env: Mapping[str, str] | None = None) -> Iterator[Up]:
    """`audiencehub up` in the project, ready; killed at the end if it still runs."""
    log = settings.root / "up.log"
    with log.open("w") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.flows.up_verb", "--env", settings.env],
            cwd=settings.root,
            env={
                **os.environ,
                "PYTHONPATH": str(Path.cwd()),
                "AUDIENCEHUB_HOME": str(settings.root),
            }
            | dict(env or {}),
            stdout=sink,
            stderr=sink,
            text=True,
        )
    running = Up(process, settings, log)
    try:
        until(f"up is ready, see {log.read_text()}", 180, lambda: _ready(running))
        yield running
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


def _ready(running: Up) -> bool:
    assert running.process.poll() is None, running.log.read_text()
    return "deployments: " in running.log.read_text()


def descendants(root: int) -> set[int]:
    """Live processes below one, zombies left out."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                rest = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if rest[0] != "Z":
                parents[int(entry.name)] = int(rest[1])
    found: set[int] = set()
    level = {root}
    while level:
        level = {pid for pid, parent in parents.items() if parent in level} - found
        found |= level
    return found


def alive(pids: set[int]) -> set[int]:
    """Those that still run."""
    return {pid for pid in pids if _state(pid) not in ("", "Z")}


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""
