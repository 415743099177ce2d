"""What every flow does around its steps: settings, hub, note of its process, end state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from prefect import Flow, tags
from prefect.client.schemas.objects import State
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker
from prefect.runtime import flow_run
from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW,
    temporary_settings,
)
from prefect.states import Cancelled, Completed, Failed

from audiencehub.errors import Wait
from audiencehub.hub import Hub
from audiencehub.opening import open_hub
from audiencehub.pipeline import SyncResult
from audiencehub.server.home import TAG
from audiencehub.server.reap import note
from audiencehub.settings import Settings, load
from flows.publish import publish


DRAIN_SECONDS = 10.0


@dataclass
class Here:
    """What a flow that runs in the caller's own process is given beside its parameters."""

    settings: Settings
    progress: Callable[..., None]
    result: SyncResult | None = None


_here: ContextVar[Here | None] = ContextVar("here", default=None)


def run_here(
    flow: Flow[..., Any], here: Here, access: tuple[str, str], parameters: Mapping[str, Any]
) -> SyncResult:
    """Run a flow in this process against that server (API address, auth string).

    Raises what the flow raised.
    """
    token = _here.set(here)
    # Without this every flow run ends with a second of waiting for its heartbeat thread, and
    # nobody but the caller watches a run that ends with the caller.
    quick = {
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
        PREFECT_API_URL: access[0],
        PREFECT_API_AUTH_STRING: access[1] or None,
        PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW: "ignore",
    }
    try:
        with temporary_settings(quick), tags(TAG, f"env:{here.settings.env}"):
            state: State[Any] = flow(**parameters, return_state=True)
            if here.result is None:
                state.result()
                raise RuntimeError(f"flow {flow.name} ended without a result")
            return here.result
    finally:
        # What is still queued would be sent at exit, to a server that has ended by then, for a
        # minute and a half.
        for worker in (EventsWorker, APILogWorker):
            worker.drain_all(timeout=DRAIN_SECONDS, at_exit=False)
        _here.reset(token)


def run_flow(env: str, kind: str, work: Callable[[Hub], SyncResult], **opening: Any) -> State[Any]:
    """Open the hub, do the work, publish what came of it; the state says it in one word.

    Held and Incomplete are states of their own, so that a list of runs tells them apart. When
    another run has the hub, a scheduled run ends as Busy: it is not needed.
    """
    here = _here.get()
    settings = here.settings if here else load(env)
    progress = here.progress if here else None
    note(settings, str(flow_run.id))
    try:
        with open_hub(settings, kind=kind, progress=progress, **opening) as hub:
            result = work(hub)
            publish(hub, result)
    except Wait as error:
        if here:
            raise
        return Cancelled(name="Busy", message=error.message)
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
