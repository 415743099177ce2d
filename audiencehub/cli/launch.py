"""The one door from the core to the flows: a server to run on, then the flow, imported late."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from audiencehub.cli.common import progress as bars
from audiencehub.cli.common import stderr
from audiencehub.errors import HubError
from audiencehub.opening import machine_now
from audiencehub.server.home import prefect_environment
from audiencehub.server.local import Access, LocalServer, running_server, start_server
from audiencehub.server.reap import Reaper, reap_servers
from audiencehub.settings import Settings

if TYPE_CHECKING:
    from audiencehub.pipeline import SyncResult

__all__ = ["announce_approval", "prefect_environment", "prefect_server", "run_flow", "starting"]

_open: list[Access] = []
"""The server that this process works with, while `prefect_server` is open."""


def run_flow(
    settings: Settings,
    name: str,
    parameters: Mapping[str, Any],
    quiet: bool = False,
    progress: Callable[..., None] | None = None,
) -> SyncResult:
    """Run the flow `sync`, `apply_plan` or `maintain` in this process, seen on Prefect's pages.

    It runs on the server of `audiencehub up`, or on PREFECT_API_URL, or on a temporary one that
    ends with this process, however it ends. Raises what the flow raised.
    """
    with prefect_server(settings, quiet) as access:
        from flows.here import run_here
        from flows.running import Here

        given = {**parameters, "env": settings.env}
        with nullcontext(progress) if progress else bars(quiet) as show:
            here = Here(settings, show)
            return run_here(name, here, (access.url, access.auth), given)


@contextmanager
def prefect_server(settings: Settings, quiet: bool = False) -> Iterator[Access]:
    """A server to run flows on; several runs inside share it, and so does a nested call."""
    if _open:
        yield _open[-1]
        return
    os.environ.update(_quiet_console(prefect_environment(settings)))
    mine: LocalServer | None = None
    access = _given() or running_server(settings)
    try:
        if access is None:
            reap_servers(settings)
            with starting(quiet) as say:
                mine = start_server(settings, say, kind="temporary")
            access = mine.access
            reaped = Reaper(settings, access.api()).sweep(start=True)
            if reaped and not quiet:
                stderr.print(f"  after the last run: {reaped}", style="dim")
        _open.append(access)
        yield access
    finally:
        _open.clear()
        if mine is not None:
            mine.stop()


def announce_approval(settings: Settings, plan_id: str) -> bool:
    """Tell the running server that a plan was approved, so that apply-plan starts there.

    False when there is none: then nothing sends the plan but `audiencehub apply`.
    """
    access = _given() or running_server(settings)
    if access is None:
        return False
    try:
        access.api().emit(
            "audiencehub.plan.approved",
            f"audiencehub.plan.{plan_id}",
            machine_now().isoformat(),
            str(uuid.uuid4()),
            {"env": settings.env, "plan": plan_id},
        )
    except HubError as error:
        stderr.print(error.message, style="yellow", markup=False)
        return False
    return True


def _given() -> Access | None:
    url = os.environ.get("PREFECT_API_URL", "")
    return Access(url, os.environ.get("PREFECT_API_AUTH_STRING", "")) if url else None


def _quiet_console(environment: dict[str, str]) -> dict[str, str]:
    """A command tells its own story; Prefect's lines go to the server, not to the terminal."""
    return {**environment, "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL"}


@contextmanager
def starting(quiet: bool) -> Iterator[Callable[[str], None]]:
    """Shows one line that changes; where there is no terminal, a line every five seconds."""
    if quiet:
        yield lambda _: None
    elif stderr.is_terminal:
        with stderr.status("starting Prefect's server …") as status:
            yield status.update
    else:
        last = [0.0]

        def line(text: str) -> None:
            if time.monotonic() - last[0] >= 5:
                last[0] = time.monotonic()
                stderr.print(f"  {text}", style="dim")

        yield line
