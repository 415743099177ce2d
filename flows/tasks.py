"""Steps as tasks: named and tagged, each a box on the run's page."""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Callable, Sequence
from threading import Lock
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
        step = _Step(job)
        try:
            _task(step)()
        finally:
            value = step.end()
        return value

    def many(self, jobs: Sequence[Job]) -> list[Any]:
        """Run jobs side by side, in threads; a job that fails on purpose yields its HubError.

        Jobs with the same last tag (one vendor's) take turns: what they ensure there, they share.
        """
        turns: dict[str, Lock] = {}
        started: list[tuple[_Step, PrefectFuture[None]]] = []
        for job in jobs:
            step = _Step(job, turns.setdefault(job.tags[-1], Lock()))
            started.append((step, _task(step).submit()))
        results = []
        for step, future in started:
            outcome = future.result(raise_on_failure=False)
            value = step.end()
            if isinstance(outcome, BaseException) and not isinstance(outcome, HubError):
                raise outcome
            results.append(outcome if isinstance(outcome, HubError) else value)
        return results


class _Step:
    """One job and what it returned; empty once it has ended, because Prefect keeps its tasks."""

    def __init__(self, job: Job, turn: Lock | None = None) -> None:
        self.name, self.tags = job.name, set(job.tags)
        self._turn = turn or Lock()
        self._job: Job | None = job
        self._value: Any = None

    def run(self) -> None:
        """Do the job once; a retry does it again."""
        with self._turn:
            if self._job is None:
                return
            self._value = guarded(self._job.function, *self._job.args)

    def end(self) -> Any:
        """What it returned; nothing of the hub is held afterwards."""
        value, self._job, self._value = self._value, None, None
        return value


def _task(job: _Step) -> Task[[], None]:
    delays = [
        float(part) for part in os.environ.get("AUDIENCEHUB_STEP_DELAYS", RETRY_DELAYS).split(",")
    ]

    @task(
        name=job.name,
        task_run_name=job.name,
        tags=job.tags,
        retries=len(delays),
        retry_delay_seconds=delays,
        retry_jitter_factor=0.5,
        retry_condition_fn=_asks_for_time,
        cache_policy=NO_CACHE,
        persist_result=False,
    )
    def step() -> None:
        job.run()

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
