"""Clears what dead processes left: servers without an owner, runs still called running, slots.

A flow killed with -9 says RUNNING for ever, and its deployment's only concurrency slot may stay
taken, so that every later run is cancelled as one too many (measured on Prefect 3.8.8). Each flow
run therefore leaves a note of its process; a run whose process is gone is called Crashed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audiencehub.server.api import Api
from audiencehub.server.home import TAG, prefect_home, read_private, write_private
from audiencehub.server.processes import Identity
from audiencehub.settings import Settings

PENDING_PATIENCE = 180.0
"""Seconds a run may be on its way to a process before it counts as lost."""

HOLDING = ["PENDING", "RUNNING", "CANCELLING"]


def note(settings: Settings, flow_run: str) -> None:
    """Write down which process a flow run is: `runs/<flow run>.json`.

    The note outlives the process on purpose: the sweep reads from it that the process is gone.
    """
    write_private(_notes(settings) / f"{flow_run}.json", Identity.of().record())


def reap_servers(settings: Settings) -> int:
    """End the servers whose owner is dead; returns how many there were."""
    ended = 0
    for path in sorted((prefect_home(settings) / "servers").glob("*.json")):
        data = read_private(path)
        if data and Identity(**data["owner"]).alive():
            continue
        leash = Identity(**data["leash"]) if data else None
        if leash and leash.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(leash.pid, signal.SIGTERM)
            deadline = time.monotonic() + 20
            while leash.alive() and time.monotonic() < deadline:
                time.sleep(0.1)
        path.unlink(missing_ok=True)
        ended += 1
    state = prefect_home(settings) / "server.json"
    up = read_private(state)
    if up and not Identity(**up["owner"]).alive():
        state.unlink(missing_ok=True)
    return ended


@dataclass
class Reaped:
    """What one sweep set right."""

    runs: list[str] = field(default_factory=list)
    slots: int = 0

    def __bool__(self) -> bool:
        return bool(self.runs or self.slots)

    def __str__(self) -> str:
        runs = f"{len(self.runs)} dead run{'s' * (len(self.runs) != 1)} marked Crashed"
        return f"{runs}, {self.slots} slot{'s' * (self.slots != 1)} freed"


class Reaper:
    """Sweeps one server of ours; remembers between sweeps what it saw once."""

    def __init__(self, settings: Settings, api: Api) -> None:
        self._notes = _notes(settings)
        self._api = api
        self._pending: dict[str, float] = {}
        self._leaking: set[str] = set()

    def sweep(self, *, start: bool = False) -> Reaped:
        """Mark dead runs Crashed and free slots that nobody holds.

        At the start no worker runs yet, so nothing can be on its way: what is pending is lost.
        """
        done = Reaped()
        ours = {"state": {"type": {"any_": HOLDING}}, "tags": {"all_": [TAG]}}
        held: dict[str, int] = {}
        runs = self._api.all("/flow_runs/filter", {"flow_runs": ours})
        for run in runs:
            if self._dead(run, start=start):
                self._crash(run)
                done.runs.append(str(run["name"]))
            elif run.get("deployment_id"):
                held[run["deployment_id"]] = held.get(run["deployment_id"], 0) + 1
        done.slots = self._free(held, start=start)
        self._forget({run["id"] for run in runs})
        return done

    def _dead(self, run: dict[str, Any], *, start: bool) -> bool:
        found = read_private(self._notes / f"{run['id']}.json")
        if found:
            return not Identity(**found).alive()
        # Without a note: still on its way to a process, or dead before it could write one.
        if start and run.get("deployment_id"):
            return True
        since = self._pending.setdefault(run["id"], time.monotonic())
        return time.monotonic() - since > PENDING_PATIENCE

    def _crash(self, run: dict[str, Any]) -> None:
        message = "Its process is gone; the ledger knows what was sent, the next run goes on."
        state = {"type": "CRASHED", "name": "Crashed", "message": message}
        tasks = {
            "flow_runs": {"id": {"any_": [run["id"]]}},
            "task_runs": {"state": {"type": {"any_": ["PENDING", "RUNNING"]}}},
        }
        for task in self._api.all("/task_runs/filter", tasks):
            self._set("task_runs", task["id"], state)
        self._set("flow_runs", run["id"], state)
        (self._notes / f"{run['id']}.json").unlink(missing_ok=True)
        self._pending.pop(run["id"], None)

    def _set(self, kind: str, run: str, state: dict[str, str]) -> None:
        self._api.call("POST", f"/{kind}/{run}/set_state", {"state": state, "force": True})

    def _free(self, held: dict[str, int], *, start: bool) -> int:
        """Slots beyond the runs that hold them: seen twice in a row, or at the start."""
        freed, leaking = 0, set()
        ours = {"deployments": {"tags": {"all_": [TAG]}}}
        for deployment in self._api.all("/deployments/filter", ours):
            limit = deployment.get("global_concurrency_limit")
            excess = int(limit["active_slots"]) - held.get(deployment["id"], 0) if limit else 0
            if limit is None or excess <= 0:
                continue
            if start or limit["id"] in self._leaking:
                kept = {"active_slots": held.get(deployment["id"], 0)}
                self._api.call("PATCH", f"/v2/concurrency_limits/{limit['id']}", kept)
                freed += excess
            else:
                leaking.add(limit["id"])
        self._leaking = leaking
        return freed

    def _forget(self, unsettled: set[str]) -> None:
        """A note of a process that is gone serves nobody once its run is settled."""
        for path in self._notes.glob("*.json"):
            found = read_private(path)
            if path.stem not in unsettled and not (found and Identity(**found).alive()):
                path.unlink(missing_ok=True)


def _notes(settings: Settings) -> Path:
    return prefect_home(settings) / "runs"
