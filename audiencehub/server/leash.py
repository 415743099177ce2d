"""A leash: runs one command, and ends it and all it started when the caller is gone.

Run as a script, `python -I leash.py GRACE COMMAND...`. The caller holds the other end of the
leash's standard input; however the caller ends, `kill -9` included, the kernel closes that end
and the leash reads end-of-file. It knows no other module of this package, so that it starts in
milliseconds.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def main(argv: list[str]) -> int:
    """Exit status of the command, or 128 + signal; 0 when the leash was let go."""
    grace, command = float(argv[0]), argv[1:]
    os.umask(0o077)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda got, _: asked.append(got))
    child = subprocess.Popen(  # noqa: S603 - the caller's own command, no shell
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_die_with_leash if sys.platform == "linux" else None,  # noqa: PLW1509 - one thread
    )
    status = _watch(child.pid, asked)
    _end(child.pid, grace, running=status is None)
    if status is None:
        return 0
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _watch(child: int, asked: list[int]) -> int | None:
    """The child's wait status when it ends; None when the caller let go or a signal came."""
    while not asked:
        for pid, status in _collect():
            if pid == child:
                return status
        if select.select([0], [], [], 0.1)[0] and not os.read(0, 1024):
            return None
    return None


def _end(child: int, grace: float, *, running: bool) -> None:
    """Ask politely, then kill; until nothing that descends from the child is left."""
    deadline = time.monotonic() + grace
    if running:
        _signal(child, signal.SIGTERM)
        while time.monotonic() < deadline and child not in {pid for pid, _ in _collect()}:
            time.sleep(0.05)
    # What a worker started outlives it in sessions of its own; on Linux it is ours now.
    for number, patience in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, number)
        left = _descendants()
        for pid in left:
            _signal(pid, number)
        deadline = time.monotonic() + patience
        while left and time.monotonic() < deadline:
            list(_collect())
            time.sleep(0.05)
            left = _descendants()
        if not left:
            return


def _collect() -> list[tuple[int, int]]:
    """Children that have ended since the last call: (pid, wait status)."""
    ended = []
    with contextlib.suppress(ChildProcessError):
        while (got := os.waitpid(-1, os.WNOHANG))[0]:
            ended.append(got)
    return ended


def _descendants() -> set[int]:
    """Every live process below this one."""
    parents = _parents()
    found: set[int] = set()
    level = {os.getpid()}
    while level:
        level = {pid for pid, parent in parents.items() if parent in level} - found
        found |= level
    return found


def _parents() -> dict[int, int]:
    if sys.platform == "linux":
        table = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError, IndexError, ValueError):
                    rest = (entry / "stat").read_text().rpartition(")")[2].split()
                    if rest[0] != "Z":
                        table[int(entry.name)] = int(rest[1])
        return table
    listing = subprocess.Popen(["/bin/ps", "-A", "-o", "pid=,ppid="], stdout=subprocess.PIPE)
    text = listing.communicate()[0].decode()
    rows = (line.split() for line in text.splitlines())
    return {int(pid): int(parent) for pid, parent in rows if int(pid) != listing.pid}


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _die_with_leash() -> None:
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
