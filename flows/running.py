"""What every flow does around its steps: settings, hub, note of its process, end state."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Cancelled, Completed, Failed

from audiencehub.errors import Wait
from audiencehub.hub import Hub
from audiencehub.opening import open_hub
from audiencehub.pipeline import SyncResult
from audiencehub.server.reap import note
from audiencehub.settings import Settings, load
from flows.publish import publish


@dataclass
class Here:
    """What a flow that runs in the caller's own process is given beside its parameters."""

    settings: Settings
    progress: Callable[..., None]
    result: SyncResult | None = None


HERE: ContextVar[Here | None] = ContextVar("here", default=None)
"""Set while a flow runs in its caller's process."""


def run_flow(env: str, kind: str, work: Callable[[Hub], SyncResult], **opening: Any) -> State[Any]:
    """Open the hub, do the work, publish what came of it; the state says it in one word.

    Held and Incomplete are states of their own, so that a list of runs tells them apart. When
    another run has the hub, a scheduled run ends as Busy: it is not needed.
    """
    here = HERE.get()
    settings = here.settings if here else load(env)
    progress = here.progress if here else None
    note(settings, str(flow_run.id))
    with ExitStack() as stack:
        try:
            hub = stack.enter_context(open_hub(settings, kind=kind, progress=progress, **opening))
        except Wait as error:
            if here:
                raise
            return Cancelled(name="Busy", message=error.message)
        result = work(hub)
        publish(hub, result)
    if here:
        here.result = result
    return end_state(result)


def end_state(result: SyncResult) -> State[Any]:
    """The state of the flow run."""
    problems = "; ".join(text.splitlines()[0] for text in result.problems)
    if result.state == "held":
        held = ", ".join(result.held)
        return Completed(name="Held", message=f"Waiting for approval: {held}")
    if result.state == "incomplete":
        return Failed(name="Incomplete", message=problems or "A source was not read to its end")
    if result.state == "failed":
        return Failed(message=problems or "A step failed")
    return Completed(message="Everything that was due was sent and proven")
