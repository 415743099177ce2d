"""Killed with SIGKILL at any moment and run again: as if nothing had happened."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter

import pytest

from audiencehub.delivery import crash
from tests.e2e import fakes, people
from tests.e2e.project import SECONDS, Done, Project

ONE_BATCH = 100
"""HubSpot's batch, the largest that this company fills."""
MOMENTS = {
    "pull": "pull hubspot/contact",
    "land": "pull preferences/consent",
    "normalize": "normalize product/event",
    "enrich": "pull builtwith/technology_install",
    "segment": "segment contacts",
    "plan": "plan hubspot/contact/tags",
    "push": "push hubspot/contact/tags",
    "record": "record",
}
"""What a sync says on standard error when it is there."""


def crashed(project: Project, point: str, *words: str) -> None:
    """A sync that dies at a crash point; fails when it never came there."""
    done = project.run(
        "sync", *(words or ("--no-prefect",)), "--quiet", code=None, **{crash.VARIABLE: point}
    )
    assert done.code == -signal.SIGKILL, f"{point} was not reached:\n{done.text}"


def sent_again(project: Project, control: Project) -> Counter:
    """What was written more often than in the clean world."""
    return fakes.written(project) - fakes.written(control)


def as_one_clean_run(project: Project, control: Project) -> None:
    """Sync again and compare with the world that was never killed."""
    project.sync("--quiet")
    assert fakes.state(project) == fakes.state(control)
    again = sent_again(project, control)
    assert set(again.values()) <= {1}, again
    assert len({place[:2] for place in again}) <= 1, "more than one batch was in doubt"
    assert len(again) <= ONE_BATCH
    assert not fakes.written(control) - fakes.written(project)


def nothing_left(project: Project) -> None:
    """The ledger agrees: one more sync has nothing to send, and no run is called running."""
    before = fakes.written(project)
    result = project.json("sync", "--no-prefect")
    assert fakes.written(project) == before
    assert result["state"] == "completed"


@pytest.mark.verify
@pytest.mark.parametrize("point", ["after_apply:2", "after_sent:1"])
@pytest.mark.fault(1)
def test_killed_on_the_second_day(tomorrow, second_day, tmp_path, point):
    """A batch in doubt must be settled by looking, not sent blindly nor forgotten."""
    project = tomorrow.copy(tmp_path / "killed")

    crashed(project, point)
    assert fakes.state(project) != fakes.state(second_day), "the kill came too late to matter"

    as_one_clean_run(project, second_day)


EVERY_POINT = "EVERY_CRASH_POINT" in os.environ
"""Set, a whole sync is killed at every crash point; else at every second one. The sweep of the
torture kills the push at all of them, at each destination, in any case."""
SLOW = {"duckdb", "numpy", "pandas", "prefect", "pyarrow", "audiencehub.rules"}


@pytest.mark.fault(14)
@pytest.mark.verify
def test_of_eight_pushes_that_start_at_once_one_works(tomorrow, tmp_path):
    """Seven that pushed as well would double every call; seven that hang would pile up for days."""
    project = tomorrow.copy(tmp_path / "crowd")
    crowd = [Started(project) for _ in range(8)]
    try:
        assert {one.line() for one in crowd} == {"ready"}
        for one in crowd:
            one.go()
        tries = [json.loads(one.line()) for one in crowd]
        seconds = [one.line() for one in crowd]
        (winner,) = [one for one, said in zip(crowd, seconds, strict=True) if said == "taken"]
        took = [
            json.loads(said)["ended"] - tried["tried"]
            for said, tried in zip(seconds, tries, strict=True)
            if said != "taken"
        ]
        ends = [one.end() for one in crowd if one is not winner]
        winner.go()
        done = winner.end()
    finally:
        for one in crowd:
            one.child.kill()
            one.child.wait()

    assert [end.code for end in ends] == [1] * 7
    pid = winner.child.pid
    name = rf"run push-{pid} \(pid {pid} on .+, since [-0-9]+ [:0-9]+ UTC\)"
    assert all(re.search(name, end.err) for end in ends), ends[0].err
    assert len(took) == 7 and max(took) < 2, took
    assert not [tried for tried in tries if SLOW & set(tried["loaded"])]
    assert done.code == 0, done.text


class Started:
    """A push through `starter.py`."""

    def __init__(self, project: Project) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.starter", "push", "--quiet"],
            cwd=project.root, env=project.environment(), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def line(self) -> str:
        """The next thing it says; empty when it has ended."""
        return self.child.stdout.readline().strip()

    def go(self) -> None:
        """Let it go on."""
        self.child.stdin.write("go\n")
        self.child.stdin.flush()

    def end(self) -> Done:
        """How it ended."""
        out, err = self.child.communicate(timeout=SECONDS)
        return Done(self.child.returncode, out, err)


@pytest.mark.verify
@pytest.mark.parametrize("moment", sorted(MOMENTS))
@pytest.mark.fault(16)
def test_killed_at_every_step(morning, pushed, tmp_path, moment):
    """Whatever a step leaves half done, the next run must take up or sweep away."""
    project = morning.copy(tmp_path / "killed")

    with project.sandbox():
        project.killed("sync", "--no-prefect", when=MOMENTS[moment])
        as_one_clean_run(project, pushed)
        nothing_left(project)
    left = [path for path in (project.folder / "landing" / ".spool").rglob("*") if path.is_file()]
    assert not left, "pages of a dead run are kept"


@pytest.mark.verify
@pytest.mark.parametrize(
    "point",
    [*crash.POINTS[:: 1 if EVERY_POINT else 2], "after_sent:3", "after_apply:7"],
)
@pytest.mark.fault(1)
def test_killed_at_every_crash_point(morning, pushed, tmp_path, point):
    """The first push of all places, killed once in each of its moments."""
    project = morning.copy(tmp_path / "killed")

    crashed(project, point)
    as_one_clean_run(project, pushed)
    nothing_left(project)


@pytest.mark.verify
@pytest.mark.parametrize(
    "point",
    [
        "after_plan",
        "before_sent:3",
        "after_apply:4",
        "before_sweep:2",
    ],
)
@pytest.mark.fault(1)
def test_killed_at_a_crash_point_of_the_second_day(tomorrow, second_day, tmp_path, point):
    """A push with removals, killed: what leaves must leave, and nothing else."""
    project = tomorrow.copy(tmp_path / "killed")

    crashed(project, point)
    as_one_clean_run(project, second_day)
    nothing_left(project)


@pytest.mark.verify
@pytest.mark.fault(1)
def test_killed_three_times_in_a_row(tomorrow, second_day, tmp_path):
    """A run that dies while it repairs what another left must itself be repaired."""
    project = tomorrow.copy(tmp_path / "killed")

    crashed(project, "after_apply:1")
    crashed(project, "before_settle:1")
    crashed(project, "after_settle:1")
    as_one_clean_run(project, second_day)
    nothing_left(project)


@pytest.mark.verify
@pytest.mark.parametrize("point", ["after_apply:2"])
@pytest.mark.fault(16)
def test_killed_inside_a_flow(tomorrow, second_day, tmp_path, point):
    """Through Prefect: the dead run's server is reaped, and the next flow ends what it began."""
    project = tomorrow.copy(tmp_path / "killed")

    crashed(project, point, "--env", "sandbox")
    project.run("sync", "--quiet")

    assert fakes.state(project) == fakes.state(second_day)
    nothing_left(project)


@pytest.mark.verify
def test_the_comparison_sees_one_changed_record(second_day, tmp_path):
    """If a single wrong tag, row or reason went unseen, every test above would prove nothing."""
    project = second_day.copy(tmp_path / "tampered")
    record = next(
        key
        for crm, kind, key in fakes.state(project).segments()
        if (crm, kind) == ("hubspot", "contacts")
    )
    with project.sandbox() as urls:
        people.edit(urls, "contacts", record, audiencehub_segments="")

    assert fakes.state(project) != fakes.state(second_day)
    assert fakes.taken(fakes.state(second_day), fakes.state(project))
    with pytest.raises(AssertionError):
        as_one_clean_run(project, second_day)


@pytest.mark.verify
def test_a_run_that_is_not_resumed_is_told_apart(tomorrow, second_day, tmp_path):
    """The naive way, never to run again, must fail the comparison: writes are missing."""
    project = tomorrow.copy(tmp_path / "killed")

    crashed(project, "before_sent:2")

    assert fakes.state(project) != fakes.state(second_day)
    assert fakes.written(second_day) - fakes.written(project)
