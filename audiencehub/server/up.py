"""`audiencehub up`: server, deployments and worker, until told to stop."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from audiencehub.errors import HubError, Stop
from audiencehub.server.deploy import deploy
from audiencehub.server.home import POOL, child_environment, prefect_home
from audiencehub.server.local import LocalServer, Say, running_server, start_server
from audiencehub.server.processes import Leashed
from audiencehub.server.reap import Reaper, reap_servers
from audiencehub.settings import Settings

SWEEP_SECONDS = 15.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def serve(
    settings: Settings,
    say: Say,
    starting: Callable[[], AbstractContextManager[Say]],
    *,
    port: int = 0,
) -> None:
    """Bring everything up, say so, and return after Ctrl-C or SIGTERM with nothing left behind.

    Raises Stop when another `up` runs here, when the server would be open to foreign pages, or
    when it dies.
    """
    with _stop_signals() as stopping:
        if running_server(settings):
            raise Stop(
                "audiencehub up is already running in this project.",
                hint="Stop it first (Ctrl-C there), or use it",
            )
        reap_servers(settings)
        with starting() as wait:
            server = start_server(settings, _unless(stopping, wait), kind="up", port=port)
        worker: Leashed | None = None
        try:
            reaper = Reaper(settings, server.access.api())
            if reaped := reaper.sweep(start=True):
                say(f"after the last stop: {reaped}")
            say("deploying prefect.yaml …")
            done = deploy(settings, server.access.api(), server.access.variables(), prune=True)
            worker = _start_worker(settings, server)
            say(_ready(settings, server, done.names))
            _watch(settings, server, worker, reaper, stopping, say)
        finally:
            say("stopping …")
            _stop(settings, server, worker)


class _Interrupted(BaseException):
    """A stop signal came while something was being started."""


def _unless(stopping: threading.Event, say: Say) -> Say:
    def tell(text: str) -> None:
        if stopping.is_set():
            raise _Interrupted
        say(text)

    return tell


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """Inside, Ctrl-C and SIGTERM set an event and interrupt nothing."""
    stopping = threading.Event()
    before = {number: signal.signal(number, lambda *_: stopping.set()) for number in STOP_SIGNALS}
    try:
        yield stopping
    except _Interrupted:
        return
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _start_worker(settings: Settings, server: LocalServer) -> Leashed:
    home = prefect_home(settings)
    env = child_environment(
        settings,
        **server.access.variables(),
        PREFECT_WORKER_QUERY_SECONDS="5",
        # A run that is fetched early holds the deployment's only slot while it waits.
        PREFECT_WORKER_PREFETCH_SECONDS="1",
    )
    command = [sys.executable, "-m", "prefect", "--no-prompt", "worker", "start"]
    command += ["--pool", env["AUDIENCEHUB_WORK_POOL"], "--type", "process", "--name", POOL]
    log = home / "logs" / "worker.log"
    return Leashed(command, env=env, cwd=settings.root, log=log, grace=10.0)


def _watch(
    settings: Settings,
    server: LocalServer,
    worker: Leashed,
    reaper: Reaper,
    stopping: threading.Event,
    say: Say,
) -> None:
    current = worker
    try:
        while not stopping.wait(SWEEP_SECONDS):
            if server.process.exit_code() is not None:
                raise Stop(
                    f"The Prefect server ended by itself. The end of {server.process.log}:\n"
                    f"{server.process.tail()}",
                    hint="Run audiencehub up again",
                )
            if current.exit_code() is not None:
                say("the worker ended by itself; starting it again")
                current.stop()
                current = _start_worker(settings, server)
            try:
                if reaped := reaper.sweep():
                    say(str(reaped))
            except HubError as error:
                # A busy server is no reason to stop the schedules; the next sweep sees the same.
                say(error.message)
    finally:
        if current is not worker:
            current.stop()


def _stop(settings: Settings, server: LocalServer, worker: Leashed | None) -> None:
    """The worker first, with its runs; then what they left is settled; then the server."""
    try:
        if worker is not None:
            worker.stop()
            if server.process.exit_code() is None:
                Reaper(settings, server.access.api()).sweep(start=True)
    except HubError:
        return  # the next start sweeps
    finally:
        server.stop()
        (prefect_home(settings) / "server.json").unlink(missing_ok=True)


def _ready(settings: Settings, server: LocalServer, names: list[str]) -> str:
    state = prefect_home(settings) / "server.json"
    return (
        f"up: {server.pages}\n"
        f"  sign in with the value of auth in {state}\n"
        f"  deployments: {', '.join(names)}\n"
        f"  logs: {prefect_home(settings) / 'logs'}\n"
        "  what runs when: audiencehub schedule · stop: Ctrl-C"
    )
