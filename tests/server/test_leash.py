"""A leash ends what it holds, however its holder ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from audiencehub.server.processes import Identity, Leashed
from tests.flows.marker import alive, until

# A child that starts a grandchild in a session of its own, as Prefect's worker does, and writes
# both pids down.
FAMILY = """
import os, subprocess, sys, threading
other = subprocess.Popen([sys.executable, "-c", "import threading; threading.Event().wait()"],
                         start_new_session=True)
with open(sys.argv[1] + ".new", "w") as file: file.write(f"{os.getpid()} {other.pid}")
os.rename(sys.argv[1] + ".new", sys.argv[1])
threading.Event().wait()
"""

HOLDER = """
import os, signal, sys, threading
from pathlib import Path
# A test run in the background inherits an ignored Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
from audiencehub.server.processes import Leashed
code, pids = sys.argv[1:]
held = Leashed([sys.executable, "-c", code, pids], env=dict(os.environ), cwd=Path.cwd(),
               log=Path(pids).with_suffix(".log"), grace=1.0)
threading.Event().wait()
"""


def family(path: Path) -> set[int]:
    until("the family stands", 30, path.exists)
    return set(map(int, path.read_text().split()))


def hold(folder: Path, *command: str) -> Leashed:
    return Leashed(
        [sys.executable, "-c", *command], env={}, cwd=folder, log=folder / "log", grace=1
    )


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_the_holder(tmp_path: Path, number: int) -> None:
    """If this fails, kill -9 of a sync leaves a server of 230 MB running for good."""
    pids = tmp_path / "pids"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, FAMILY, str(pids)], start_new_session=True
    )
    members = family(pids)
    assert alive(members) == members
    holder.send_signal(number)
    holder.wait(30)
    until("all are gone", 30, lambda: not alive(members))


def test_stop_ends_children_in_sessions_of_their_own(tmp_path: Path) -> None:
    """If this fails, stopping `up` leaves a flow run of its worker behind."""
    pids = tmp_path / "pids"
    held = hold(tmp_path, FAMILY, str(pids))
    members = family(pids)
    held.stop()
    assert alive(members) == set()
    held.stop()


def test_what_a_dead_command_left_is_ended_too(tmp_path: Path) -> None:
    """If this fails, a worker killed with -9 leaves its flow run writing beside the next one."""
    pids = tmp_path / "pids"
    held = hold(tmp_path, FAMILY, str(pids))
    members = family(pids)
    first = int(pids.read_text().split()[0])
    os.kill(first, signal.SIGKILL)
    until("all are gone", 30, lambda: not alive(members))
    assert until("the leash ends", 30, held.exit_code) == 128 + signal.SIGKILL


def test_exit_status_passes_through(tmp_path: Path) -> None:
    """If this fails, `up` cannot tell a server that ended from one that failed."""
    held = hold(tmp_path, "raise SystemExit(7)")
    assert until("it ended", 30, held.exit_code) == 7


def test_log_is_private(tmp_path: Path) -> None:
    """If this fails, another user of the machine reads the server's log."""
    held = hold(tmp_path, "print('hello')")
    until("it ended", 30, lambda: held.exit_code() is not None)
    held.stop()
    assert held.log.stat().st_mode & 0o777 == 0o600
    assert held.tail() == "hello"


def test_a_later_process_of_the_same_pid_is_another_one() -> None:
    """If this fails, reaping could end a stranger's process."""
    mine = Identity.of()
    assert mine.alive()
    assert not Identity(mine.pid, "1", mine.boot).alive()
    assert not Identity(mine.pid, mine.started, "another boot").alive()
