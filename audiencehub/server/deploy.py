"""Deploys `prefect.yaml` to a server, and removes there what the file no longer names."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from audiencehub.errors import ConfigError, Faults, Stop
from audiencehub.server.api import Api
from audiencehub.server.home import TAG, child_environment, project_environment
from audiencehub.server.local import running_server
from audiencehub.server.prefect_yaml import Document, read
from audiencehub.settings import Settings


@dataclass(frozen=True, slots=True)
class Place:
    """A server to deploy to, and the variables that let Prefect's own command reach it."""

    api: Api
    login: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Deployed:
    """What a deploy did, by name."""

    names: list[str]
    removed: list[str]


def reach(settings: Settings) -> Place:
    """The server to deploy to: PREFECT_API_URL when set, else that of `audiencehub up`."""
    login = {k: v for k, v in os.environ.items() if k.startswith("PREFECT_API_")}
    if url := login.get("PREFECT_API_URL"):
        auth, key = (login.get(f"PREFECT_API_{name}", "") for name in ("AUTH_STRING", "KEY"))
        return Place(Api(url, auth, key), login)
    access = running_server(settings)
    if access is None:
        raise ConfigError(
            "There is no Prefect server to deploy to. Searched: PREFECT_API_URL (unset), "
            "audiencehub up (not running).",
            hint="Run audiencehub up, or export PREFECT_API_URL",
        )
    return Place(access.api(), access.variables())


def deploy(
    settings: Settings, api: Api, login: Mapping[str, str], *, prune: bool = False
) -> Deployed:
    """Deploy all deployments. `login` is the server's PREFECT_API_* variables.

    Raises Faults for what `prefect deploy` would let pass silently, before anything is sent.
    """
    variables = project_environment(settings)
    document, faults = read(settings.root, variables)
    if faults or document is None:
        raise Faults(faults)
    api.call("GET", "/health")
    pool = variables["AUDIENCEHUB_WORK_POOL"]
    if api.call("GET", f"/work_pools/{pool}", absent_ok=True) is None:
        api.call("POST", "/work_pools/", {"name": pool, "type": "process"})
    result = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"],
        env=child_environment(settings, **login),
        cwd=settings.root,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        shown = "\n".join((result.stdout + result.stderr).strip().splitlines()[-12:])
        raise Stop(f"prefect deploy failed:\n{shown}", hint="Correct prefect.yaml")
    removed = prune_server(api, document) if prune else []
    return Deployed([one.name for one in document.deployments], removed)


def prune_server(api: Api, document: Document) -> list[str]:
    """Delete deployments and schedules of ours that the file no longer names; says which."""
    named = {one.name: one for one in document.deployments}
    ours = {"deployments": {"tags": {"all_": [TAG]}}}
    gone = []
    for deployment in api.all("/deployments/filter", ours):
        kept = named.get(deployment["name"])
        if kept is None:
            api.call("DELETE", f"/deployments/{deployment['id']}", absent_ok=True)
            gone.append(deployment["name"])
            continue
        slugs = {schedule.slug for schedule in kept.schedules}
        for schedule in deployment.get("schedules") or []:
            if schedule.get("slug") not in slugs:
                path = f"/deployments/{deployment['id']}/schedules/{schedule['id']}"
                api.call("DELETE", path, absent_ok=True)
                gone.append(f"{deployment['name']}: {schedule.get('slug') or schedule['id']}")
    return gone
