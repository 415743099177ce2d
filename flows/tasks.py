"""Steps as tasks: named and tagged, each a box on the run's page."""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.futures import PrefectFuture

from audiencehub.errors import HubError, Wait
from audiencehub.pipeline import Caller, Job

RETRY_DELAYS = "30,120"
"""Seconds before the second and the third try of a step whose vendor asked for time."""

log = logging.getLogger("audiencehub.flows")


class StepFailed(HubError):
    """A step ended in an error that nobody foresaw: a fault of ours."""


class Tasks(Caller):
    """Runs each step as a task of the flow around it.

    The hub and the rows never pass through Prefect, which would walk and copy them: a task takes
    no arguments (the job is in its closure) and returns nothing; what the step returns is kept
    here.
    """

    def run(self, job: Job) -> Any:
        """Run one job now, in this thread."""
        kept: list[Any] = []
        _task(job, kept)()
        return kept[-1]

    def many(self, jobs: Sequence[Job]) -> list[Any]:
        """Run jobs side by side, in threads; a job that fails on purpose yields its HubError."""
        started: list[tuple[list[Any], PrefectFuture[None]]] = []
        for job in jobs:
            kept: list[Any] = []
            started.append((kept, _task(job, kept).submit()))
        results = []
        for kept, future in started:
            outcome = future.result(raise_on_failure=False)
            if isinstance(outcome, BaseException) and not isinstance(outcome, HubError):
                raise outcome
            results.append(outcome if isinstance(outcome, HubError) else kept[-1])
        return results


def _task(job: Job, kept: list[Any]) -> Task[[], None]:
    delays = [
        float(part) for part in os.environ.get("AUDIENCEHUB_STEP_DELAYS", RETRY_DELAYS).split(",")
    ]

    @task(
        name=job.name,
        task_run_name=job.name,
        tags=set(job.tags),
        retries=len(delays),
        retry_delay_seconds=delays,
        retry_jitter_factor=0.5,
        retry_condition_fn=_asks_for_time,
        cache_policy=NO_CACHE,
        persist_result=False,
    )
    def step() -> None:
        kept.append(guarded(job.function, *job.args))

    return step


def _asks_for_time(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Retry a step only for what time cures: HTTP's own retries are behind us by then."""
    return isinstance(state.result(raise_on_failure=False), Wait)


def guarded(function: Callable[..., Any], *args: Any) -> Any:
    """Call; an error that nobody foresaw keeps its place and loses its text.

    Prefect stores messages and tracebacks in its database, and such a text may quote a person.
    """
    try:
        return function(*args)
    except HubError:
        raise
    except Exception as error:  # noqa: BLE001 - raised again below, without its text
        frames = traceback.extract_tb(error.__traceback__)
        for frame in frames:
            log.error("  %s:%s in %s", frame.filename, frame.lineno, frame.name)
        last = frames[-1]
        raise StepFailed(
            f"{type(error).__name__} at {last.filename}:{last.lineno} in {last.name}.",
            hint="A fault of audiencehub: run it with --no-prefect to see all of it, and report it",
        ) from None
