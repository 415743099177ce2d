"""A Prefect server on loopback that only we can use: started, probed, found again."""

from __future__ import annotations

import secrets
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from audiencehub.errors import Stop
from audiencehub.server.api import Api
from audiencehub.server.home import (
    child_environment,
    prefect_home,
    read_private,
    write_private,
)
from audiencehub.server.probe import assert_closed
from audiencehub.server.processes import Identity, Leashed
from audiencehub.settings import Settings

PATIENCE = 120.0
"""Seconds a server is given to answer; a cold start took 19 on an idle machine."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach a server: its API address, and the auth string it asks for."""

    url: str
    auth: str

    def variables(self) -> dict[str, str]:
        """The client's side as environment variables."""
        return {"PREFECT_API_URL": self.url, "PREFECT_API_AUTH_STRING": self.auth}

    def api(self) -> Api:
        """A client."""
        return Api(self.url, self.auth)


class LocalServer:
    """A running server of ours; its record lies in `.audiencehub/prefect/servers/`."""

    def __init__(self, access: Access, process: Leashed, record: Path) -> None:
        self.access = access
        self.process = process
        self.record = record

    @property
    def pages(self) -> str:
        """The address of its web pages."""
        return self.access.url.removesuffix("/api")

    def stop(self) -> None:
        """End it with everything it started, and take back its record."""
        self.process.stop()
        self.record.unlink(missing_ok=True)


def start_server(settings: Settings, say: Say, *, kind: str, port: int = 0) -> LocalServer:
    """A server that answers, bound to 127.0.0.1, with a login of its own; probed before use.

    `kind` is "up" (schedules, pages) or "temporary" (one command's run). Both keep their history
    in the same database. Raises Stop with the log's last lines when it does not come up, or when
    a foreign page could read from it.
    """
    home = prefect_home(settings)
    for attempt in (port or (4200 if kind == "up" else 0), 0, 0):
        chosen = free_port(attempt)
        server = _launch(settings, home, kind, chosen)
        try:
            if _wait(server, say):
                assert_closed(server.access)
                _publish(server, kind)
                return server
        except BaseException:
            server.stop()
            raise
        ended = server.process.exit_code() is not None
        tail = server.process.tail()
        server.stop()
        if not ended or free_port(chosen) == chosen:
            break  # not for a port that another server took while ours was starting
    raise Stop(
        f"The Prefect server did not come up. The end of {server.process.log}:\n{tail}",
        hint="Run it again; if it stays so, run: audiencehub doctor",
    )


def free_port(wanted: int) -> int:
    """That port of 127.0.0.1 if nobody has it, else some free one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise Stop("There is no free port on 127.0.0.1.", hint="Close programs that hold ports")


def running_server(settings: Settings) -> Access | None:
    """The server of a live `audiencehub up` in this project; None when there is none."""
    data = read_private(prefect_home(settings) / "server.json")
    if not data or not Identity(**data["owner"]).alive():
        return None
    access = Access(data["url"], data["auth"])
    return access if access.api().healthy() else None


def server_records(settings: Settings) -> list[Path]:
    """The records of every server started here and not taken back."""
    return sorted((prefect_home(settings) / "servers").glob("*.json"))


def _launch(settings: Settings, home: Path, kind: str, port: int) -> LocalServer:
    access = Access(f"http://127.0.0.1:{port}/api", f"audiencehub:{secrets.token_urlsafe(24)}")
    env = child_environment(
        settings,
        PREFECT_SERVER_API_HOST="127.0.0.1",
        PREFECT_SERVER_API_PORT=str(port),
        PREFECT_SERVER_API_AUTH_STRING=access.auth,
        PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS=f"http://127.0.0.1:{port}",
        PREFECT_UI_API_URL=access.url,
        PREFECT_API_URL=access.url,
        PREFECT_API_AUTH_STRING=access.auth,
        PREFECT_SERVER_UI_ENABLED=str(kind == "up").lower(),
        PREFECT__SERVER_FINAL="1",
        **({} if kind == "up" else {"PREFECT__SERVER_EPHEMERAL": "1"}),
    )
    app = "prefect.server.api.server:create_app"
    command = [sys.executable, "-m", "uvicorn", "--factory", app, "--lifespan", "on"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"]
    command += ["--timeout-graceful-shutdown", "3"]
    log = home / "logs" / f"server-{kind}.log"
    process = Leashed(command, env=env, cwd=settings.root, log=log, grace=8.0)
    record = home / "servers" / f"{process.identity.pid}.json"
    write_private(
        record, {"leash": process.identity.record(), "owner": Identity.of().record(), "kind": kind}
    )
    return LocalServer(access, process, record)


def _publish(server: LocalServer, kind: str) -> None:
    if kind == "up":
        home = server.record.parent.parent
        data = {"url": server.access.url, "auth": server.access.auth}
        write_private(home / "server.json", {**data, "owner": Identity.of().record()})


def _wait(server: LocalServer, say: Say) -> bool:
    """Until it answers; False when its process ended or the patience did."""
    began = time.monotonic()
    api = server.access.api()
    while (waited := time.monotonic() - began) < PATIENCE:
        if api.healthy():
            return True
        if server.process.exit_code() is not None:
            return False
        say(f"starting Prefect's server … {waited:.0f} s")
        time.sleep(0.2)
    return False
