"""Killed at every named point and run again: as one clean run; and a naive control that is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from toybench import LIST, TAGS, Bench, sent

from audiencehub.delivery import crash
from audiencehub.privacy.rule import sha256

CHILD = Path(__file__).parent / "child.py"
HELD = {"removals_count": 3}
WANTED = {f"r{n}": ("warm",) for n in (0, 9, 10, 11)}
WANTED |= {f"r{n}": ("hot", "warm") for n in range(4, 9)} | {"r3": ("hot",)}
PEOPLE = sent(0, *range(6, 12)) | {sha256("other@acme.example")}


def killed(what, folder, point):
    """Run in a process of its own; whether it was really killed at the point."""
    ended = subprocess.run(
        [sys.executable, str(CHILD), what, str(folder)],
        env={**os.environ, crash.VARIABLE: point},
        capture_output=True,
        check=False,
    )
    assert ended.returncode in (0, -signal.SIGKILL), ended.stderr.decode()
    return ended.returncode == -signal.SIGKILL


def yesterday(folder):
    bench = Bench(folder, guards={"first_run": "go", "field_share": 1.0})
    bench.member(warm=range(6), hot=[1])
    bench.sync()
    bench.close()


@pytest.mark.parametrize("point", crash.POINTS)
@pytest.mark.fault(1)
def test_a_killed_run_resumes_to_the_same_places(tmp_path, point):
    """Whatever moment a run dies in, the next one must leave both places as one clean run would."""
    from child import company, sync

    yesterday(tmp_path)
    dead = killed("sync", tmp_path, f"{point}:1")

    bench = Bench(tmp_path, guards=HELD)
    company(bench)
    sync(bench)

    assert dead
    assert bench.world.tags() == WANTED
    assert bench.world.people("aud-warm") == PEOPLE
    assert bench.ledger.delivery.unsettled(TAGS) == bench.ledger.delivery.unsettled(LIST) == []
    believed = bench.ledger.delivery.believed(TAGS)
    assert {m: tuple(sorted(b.tags)) for m, b in believed.items()} == WANTED
    assert bench.ledger.audit.verify() == []
    resent = [(d["target"], d["member"], d["op"]) for d in bench.world.writes.values()]
    assert len(resent) - len(set(resent)) <= 5 + 6  # one batch, and yesterday's writes of the same
    bench.close()


@pytest.mark.parametrize("point", ["after_apply", "after_record", "after_begin"])
@pytest.mark.fault(1)
def test_the_rest_of_an_approved_plan_needs_no_second_approval(tmp_path, point):
    """A schedule that stops for a person after every crash does not resume by itself."""
    from child import company

    assert killed("sync", tmp_path, f"{point}:1")
    bench = Bench(tmp_path, guards=HELD)
    company(bench)
    done = bench.sync(TAGS)

    assert done[TAGS].held == 0
    assert bench.world.tags() == WANTED
    assert [a.what for a in bench.ledger.audit.entries()].count("approve") == 2
    bench.close()


@pytest.mark.fault(1)
@pytest.mark.verify
def test_the_naive_control_fails_the_same_sweep(tmp_path):
    """If a push that marks first passed as well, the sweep would prove nothing."""
    from child import company, naive

    wrong = 0
    for point in ("before_sent", "after_sent", "after_apply"):
        folder = tmp_path / point
        folder.mkdir()
        assert killed("naive", folder, f"{point}:1")
        bench = Bench(folder)
        company(bench)
        naive(bench, folder)
        wrong += bench.world.tags() != WANTED
        bench.close()

    assert wrong >= 1
