"""Where Prefect lives in a project, and the environment it is given before it is imported."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from audiencehub.settings import Settings

TAG = "audiencehub"
"""What every deployment and flow run of ours carries; sweeping and pruning look at no other."""

POOL = "hub-local"
"""The work pool of `audiencehub up`: flow runs as processes on this machine."""


def prefect_home(settings: Settings) -> Path:
    """`.audiencehub/prefect`, made when absent, closed to others (mode 0700)."""
    home = (settings.root / settings.home / "prefect").resolve()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    home.chmod(0o700)
    return home


def prefect_environment(settings: Settings) -> dict[str, str]:
    """The variables Prefect must see before `import prefect`, in every process of ours.

    No telemetry, no result files, the V1 pages (the V2 ones call an outside host), a start-up
    patience that a busy machine needs, no server that Prefect would start by itself, and no
    `uv run` in place of this interpreter.
    """
    return {
        "PREFECT_HOME": str(prefect_home(settings)),
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_V2_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
        "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
        "PREFECT_RUNNER_AUTO_INSTALL_DEPENDENCIES": "false",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "audiencehub",
    }


def project_environment(settings: Settings) -> dict[str, str]:
    """The `$VARIABLES` that `prefect.yaml` names, from the settings."""
    return {
        "AUDIENCEHUB_HOME": str(settings.root),
        "AUDIENCEHUB_ENV": settings.env,
        "AUDIENCEHUB_TIMEZONE": settings.company.timezone,
        "AUDIENCEHUB_WORK_POOL": os.environ.get("AUDIENCEHUB_WORK_POOL") or POOL,
    }


def child_environment(settings: Settings, **more: str) -> dict[str, str]:
    """What a server or worker of ours is started with: our environment, then ours on top."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    scripts = str(Path(sys.executable).parent)
    return {
        **inherited,
        "PATH": os.pathsep.join([scripts, inherited.get("PATH", os.defpath)]),
        **prefect_environment(settings),
        **project_environment(settings),
        **more,
    }


def write_private(path: Path, data: dict[str, Any]) -> None:
    """Write JSON that only its owner can read, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(data, file)
    fresh.replace(path)


def read_private(path: Path) -> dict[str, Any] | None:
    """That JSON again; None when absent or torn."""
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None
