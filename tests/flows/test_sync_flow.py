"""The sync flow on the sandbox, seen from Prefect's side: steps, states, artifacts, events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from audiencehub.cli import launch
from audiencehub.errors import HubError, Stop, Wait
from audiencehub.ledger import Ledger
from audiencehub.opening import sandbox_command
from audiencehub.pipeline import Job, SyncResult
from audiencehub.sandbox import process
from audiencehub.server.api import Api
from audiencehub.settings import Settings

pytestmark = [pytest.mark.flow, pytest.mark.verify, pytest.mark.timeout(420)]


@dataclass
class Story:
    """Three runs on one server: a first sync, which is held; its plans applied; a sync again."""

    settings: Settings
    api: Api
    first: SyncResult
    applied: SyncResult
    again: SyncResult

    def run(self, name: str, nth: int = 0) -> dict[str, Any]:
        """The n-th flow run of a flow."""
        body = {"flows": {"name": {"any_": [name]}}, "sort": "START_TIME_ASC"}
        return self.api.all("/flow_runs/filter", body)[nth]

    def tasks(self, run: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Task runs by name."""
        body = {"flow_runs": {"id": {"any_": [run["id"]]}}}
        rows = self.api.all("/task_runs/filter", body)
        return {row["name"]: row for row in rows}

    def artifacts(self, run: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Artifacts by key."""
        rows = self.api.all("/artifacts/filter", {"flow_runs": {"id": {"any_": [run["id"]]}}})
        return {row["key"]: row for row in rows}


@pytest.fixture(scope="module")
def story(small: Settings) -> Iterator[Story]:
    """The runs; the server stays up while they are looked at."""
    with (
        process.ensure_running(small, sandbox_command(small)),
        launch.prefect_server(small, quiet=True) as access,
    ):
        first = launch.run_flow(small, "sync", {}, quiet=True)
        approve(small, first.held)
        applied = launch.run_flow(small, "apply_plan", {"plan": ",".join(first.held)}, quiet=True)
        again = launch.run_flow(small, "sync", {}, quiet=True)
        yield Story(small, access.api(), first, applied, again)


def approve(settings: Settings, plans: list[str]) -> None:
    ledger = Ledger.open(settings.folder)
    try:
        for plan in plans:
            ledger.plans.approve(plan, "a test", "looked at", datetime(2026, 11, 16, 9, tzinfo=UTC))
    finally:
        ledger.close()


def test_a_held_run_says_so_by_name(story: Story) -> None:
    """If this fails, a run that waits for a person looks like one that is done."""
    assert story.first.state == "held"
    assert story.first.exit_code == 3
    run = story.run("sync")
    assert (run["state"]["type"], run["state"]["name"]) == ("COMPLETED", "Held")
    assert all(plan in run["state"]["message"] for plan in story.first.held)
    assert {"audiencehub", "env:sandbox"} <= set(run["tags"])


def test_every_step_is_a_named_and_tagged_task(story: Story) -> None:
    """If this fails, the run's page shows boxes that nobody can tell apart."""
    tasks = story.tasks(story.run("sync"))

    steps = {"normalize", "resolve", "segment", "plan", "record"}
    pulls = {f"{verb}-{name}" for verb in ("pull", "land") for name in ("salesforce", "hubspot")}
    assert steps | pulls <= set(tasks)
    assert {"pull", "source:salesforce"} <= set(tasks["pull-salesforce"]["tags"])
    assert {task["state"]["type"] for task in tasks.values()} == {"COMPLETED"}
    assert len(tasks) <= 60
    pushes = story.tasks(story.run("apply_plan"))
    assert {"push-hubspot-contact-tags", "push-salesforce-contact-tags"} <= set(pushes)
    assert "hubspot" in pushes["push-hubspot-contact-tags"]["tags"]


def test_the_plan_can_be_read_on_the_runs_page(story: Story) -> None:
    """If this fails, RevOps approves a plan that Prefect's pages do not show."""
    found = story.artifacts(story.run("sync"))

    assert set(found) == {"plan", "plan-table", "result", "report"}
    assert found["plan-table"]["type"] == "table"
    text = found["plan"]["data"]
    assert "hubspot/contact/tags" in text
    for plan in story.first.held:
        assert f"audiencehub approve {plan} --reason" in text
    assert story.first.report in found["report"]["data"]
    assert "file://" in found["report"]["data"]
    assert "pulled" in found["result"]["data"]


def test_a_held_plan_is_an_event(story: Story) -> None:
    """If this fails, no automation can tell anybody that a plan waits."""
    body = {"filter": {"event": {"name": ["audiencehub.plan.held"]}}}
    events = story.api.call("POST", "/events/filter", body)["events"]

    assert {event["payload"]["plan"] for event in events} >= set(story.first.held)
    assert {event["payload"]["env"] for event in events} == {"sandbox"}


def test_an_applied_plan_completes_and_a_second_sync_sends_nothing(story: Story) -> None:
    """If this fails, approved plans are not sent, or sent again."""
    assert story.applied.problems == []
    assert story.applied.state == "completed"
    assert sum(one["confirmed"] for one in story.applied.summary["pushed"]) > 0
    assert story.run("apply_plan")["state"]["type"] == "COMPLETED"
    assert story.again.held == []
    assert sum(one["confirmed"] for one in story.again.summary.get("pushed", [])) == 0


def test_prefect_holds_nobodys_data(story: Story) -> None:
    """If this fails, people's addresses lie in a database that erasure does not reach."""
    home = story.settings.root / ".audiencehub" / "prefect"
    address = re.compile(rb"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.example")
    files = [path for path in home.rglob("*") if path.is_file()]
    assert any(path.name == "prefect.db" for path in files)
    found = {path.name: address.findall(path.read_bytes())[:1] for path in files}
    assert {name: hits for name, hits in found.items() if hits} == {}


class Script:
    """A step that goes wrong in turn, then works."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def in_a_flow(story: Story, jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Run jobs as tasks of a flow on the story's server."""
    from prefect import flow
    from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

    from flows.here import drain
    from flows.tasks import Tasks

    access = launch._open[-1]
    monkeypatch.setenv("AUDIENCEHUB_STEP_DELAYS", "0,0")

    @flow(name="steps", persist_result=False)
    def steps() -> None:
        results.extend(Tasks().many(jobs))

    results: list[Any] = []
    with temporary_settings({PREFECT_API_URL: access.url, PREFECT_API_AUTH_STRING: access.auth}):
        steps()
        drain()
    return results


def test_a_step_is_tried_again_only_for_what_time_cures(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If this fails, a wrong password is tried three times, or a busy vendor only once."""
    busy = Script(Wait("busy", hint="wait"), Wait("busy", hint="wait"))
    busier = Script(*(Wait("busy", hint="wait") for _ in range(9)))
    refused = Script(Stop("password", hint="log in"), Stop("password", hint="log in"))
    tries = enumerate([busy, busier, refused])
    jobs = [Job(f"job-{n}", ["test", str(n)], one, ()) for n, one in tries]

    results = in_a_flow(story, jobs, monkeypatch)

    assert results[0] == "done"
    assert [type(one) for one in results[1:]] == [Wait, Stop]
    assert [busy.calls, busier.calls, refused.calls] == [3, 3, 1]


def test_an_error_that_nobody_foresaw_keeps_its_place_and_loses_its_text(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If this fails, the text of an exception puts a person's address into Prefect's database."""
    broken = Script(ValueError("cannot parse canary.person@mailbox.example"))
    jobs = [Job("job-broken", ["test"], broken, ())]

    [outcome] = in_a_flow(story, jobs, monkeypatch)

    assert isinstance(outcome, HubError)
    assert "ValueError at" in str(outcome)
    assert "test_sync_flow.py" in str(outcome)
    assert "canary" not in str(outcome)
    runs = story.api.all("/task_runs/filter", {"task_runs": {"name": {"like_": "job-broken"}}})
    assert {run["state"]["type"] for run in runs} == {"FAILED"}
    assert "canary" not in str(runs)
    assert "canary" not in str(story.api.all("/logs/filter", {}))
