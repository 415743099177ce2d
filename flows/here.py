"""Runs a flow in the caller's own process: what `audiencehub sync`, `apply` and `demo` do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from prefect import Flow, tags
from prefect.client.schemas.objects import State
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker
from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW,
    temporary_settings,
)

from audiencehub.pipeline import SyncResult
from audiencehub.server.home import TAG
from flows.apply_plan import apply_plan
from flows.maintain import maintain
from flows.running import HERE, Here
from flows.sync import sync

FLOWS: dict[str, Flow[..., Any]] = {"sync": sync, "apply_plan": apply_plan, "maintain": maintain}

DRAIN_SECONDS = 10.0


def run_here(
    name: str, here: Here, access: tuple[str, str], parameters: Mapping[str, Any]
) -> SyncResult:
    """Run a flow of ours in this process against that server (API address, auth string).

    Raises what the flow raised.
    """
    token = HERE.set(here)
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
            state = cast("State[Any]", FLOWS[name](**parameters, return_state=True))
            if here.result is None:
                state.result()
                raise RuntimeError(f"flow {name} ended without a result")
            return here.result
    finally:
        drain()
        HERE.reset(token)


def drain() -> None:
    """Send what is queued of events and logs.

    Left to itself it would go out at exit, to a server that has ended by then, and be tried for a
    minute and a half.
    """
    for worker in (EventsWorker, APILogWorker):
        worker.drain_all(timeout=DRAIN_SECONDS, at_exit=False)
