"""One pusher per target: processes that race, die, freeze and wake up."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import pytest
import time_machine
from toybench import LIST, TAGS, Bench

from audiencehub.delivery import crash
from audiencehub.errors import Wait
from audiencehub.ledger import Ledger

CHILD = Path(__file__).parent / "child.py"


@contextmanager
def children(folder, count):
    """Processes that try the lease; each one's first line tells how it went."""
    made = [
        subprocess.Popen(
            [sys.executable, str(CHILD), "lease", str(folder), TAGS],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(count)
    ]  # fmt: skip
    try:
        yield made
    finally:
        for one in made:
            one.kill()
            one.communicate()


@pytest.fixture
def ledger(tmp_path):
    made = Ledger.open(tmp_path)
    yield made
    made.close()


@pytest.mark.fault(14)
def test_of_many_that_start_at_once_one_works(tmp_path):
    """Two pushers of one target would interleave their batches."""
    with children(tmp_path, 6) as made:
        said = [one.stdout.readline() for one in made]

        taken = [one for one in made if said[made.index(one)].startswith("taken")]
        busy = [line for line in said if line.startswith("Wait")]
        assert (len(taken), len(busy)) == (1, 5)
        assert all(f"pid {taken[0].pid} " in line for line in busy)


@pytest.mark.fault(14)
def test_the_dead_are_taken_over_at_once(tmp_path, ledger):
    """A killed run must not block its successor for a minute and a half."""
    with children(tmp_path, 1) as (child,):
        child.stdout.readline()
        with pytest.raises(Wait, match=f"pid {child.pid} "):
            ledger.leases.take(TAGS, "second")
        child.kill()
        child.wait()

        taken = ledger.leases.take(TAGS, "third")

        assert (taken.fence, taken.taken_from) == (2, None)


@pytest.mark.fault(14)
def test_a_frozen_holder_that_wakes_up_writes_nothing(tmp_path, ledger):
    """The fence must stop a run that slept through its own replacement."""
    with children(tmp_path, 1) as (child,):
        child.stdout.readline()
        child.stdin.write("go\n")
        child.stdin.flush()
        assert child.stdout.readline() == "wrote\n"
        child.send_signal(signal.SIGSTOP)
        ledger._db.run("UPDATE lease SET beat_mono = beat_mono - 100")

        taken = ledger.leases.take(TAGS, "second")
        child.send_signal(signal.SIGCONT)
        child.stdin.write("go\n")
        child.stdin.flush()

        assert f"pid {child.pid} " in taken.taken_from
        assert child.stdout.readline().startswith("Stop The lease")


@pytest.mark.fault(14)
@pytest.mark.parametrize(
    "point", ["after_settle", "after_begin", "before_sent", "after_sent", "after_apply"]
)
def test_a_push_that_slept_through_its_replacement_writes_nothing(tmp_path, point):
    """A machine that wakes up from standby must not send what another has sent, or undone."""
    from child import company, sync

    frozen = subprocess.Popen(
        [sys.executable, str(CHILD), "sync", str(tmp_path)],
        env={**os.environ, crash.VARIABLE: f"{point}:2:SIGSTOP"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert os.WIFSTOPPED(os.waitpid(frozen.pid, os.WUNTRACED)[1])
        bench = Bench(tmp_path, guards={"removals_count": 3})
        bench.ledger._db.run("UPDATE lease SET beat_mono = beat_mono - 100")
        company(bench)
        sync(bench)
        bench.close()
        before = everything(tmp_path)

        frozen.send_signal(signal.SIGCONT)
        said = frozen.communicate(timeout=60)[1]
    finally:
        frozen.kill()
        frozen.wait()

    assert frozen.returncode == 1
    assert "was taken over while this run stood still" in said
    assert everything(tmp_path) == before
    bench = Bench(tmp_path)
    assert bench.ledger.delivery.unsettled(TAGS) == bench.ledger.delivery.unsettled(LIST) == []
    bench.close()


def everything(folder):
    """Every row of the ledger and of the places."""
    found = {}
    for file in ("ledger.sqlite", "world.sqlite"):
        db = apsw.Connection(str(folder / file), flags=apsw.SQLITE_OPEN_READONLY)
        for (table,) in list(db.execute("SELECT name FROM sqlite_schema WHERE type='table'")):
            found[file, table] = sorted(db.execute(f'SELECT * FROM "{table}"'), key=repr)
        db.close()
    return found


def test_the_busy_hear_who_holds_it_and_since_when(ledger):
    """Who is refused must be able to tell a run of this morning from one that hangs for days."""
    with ledger.leases.held(TAGS, "first"), pytest.raises(Wait) as refused:
        ledger.leases.take(TAGS, "second")

    told = re.search(r"run first \(pid (\d+) on .+, since (\S+ \S+) UTC\)", refused.value.message)
    begun = Path(f"/proc/{os.getpid()}").stat().st_ctime
    assert int(told[1]) == os.getpid()
    since = datetime.strptime(f"{told[2]} +0000", "%Y-%m-%d %H:%M:%S %z")
    assert abs(since.timestamp() - begun) < 60


@pytest.mark.fault(12)
def test_another_boot_is_another_world(ledger):
    """A process id from before a reboot names a stranger."""
    with ledger.leases.held(TAGS, "first"):
        ledger._db.run("UPDATE lease SET boot_id = 'earlier'")

        assert ledger.leases.take(TAGS, "second").fence == 2


@pytest.mark.fault(12)
@pytest.mark.parametrize("days", [-1, 1])
def test_a_clock_that_jumps_takes_no_lease(ledger, days):
    """A clock set right by a day must neither end a run that works nor keep one that is frozen."""
    with ledger.leases.held(TAGS, "first") as held:
        with time_machine.travel(datetime.now(UTC) + timedelta(days=days)):
            with pytest.raises(Wait):
                ledger.leases.take(TAGS, "second")
            ledger._db.run("UPDATE lease SET beat_mono = beat_mono - 100")
            taken = ledger.leases.take(TAGS, "third")

        assert (held.fence, taken.fence) == (1, 2)


def test_a_released_lease_is_free(ledger):
    """A finished run must not leave its name on the door."""
    with ledger.leases.held(TAGS, "first"):
        pass

    assert ledger.leases.holder(TAGS) is None
    assert ledger.leases.take(TAGS, "second").fence == 2


@pytest.mark.fault(14)
def test_push_says_who_holds_the_target(bench):
    """The second one must name the first, so that a person knows whom to ask."""
    from audiencehub.steps.push import push

    bench.member(warm=[1])
    bench.plan()
    with bench.ledger.leases.held(TAGS, "the-other"), pytest.raises(Wait, match="the-other"):
        push(bench.hub(), TAGS)
    assert len(bench.world.writes) == 0


def test_a_long_call_keeps_its_lease(ledger, monkeypatch):
    """A bulk job of minutes writes nothing to the ledger, and must not look frozen."""
    from audiencehub.ledger import leases

    monkeypatch.setattr(leases, "BEAT_EVERY", 0.01)
    with ledger.leases.held(TAGS, "first"):
        before = ledger._db.row("SELECT beat_mono FROM lease")[0]
        while ledger._db.row("SELECT beat_mono FROM lease")[0] == before:
            pass
