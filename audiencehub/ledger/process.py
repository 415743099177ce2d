"""Who runs: whether the process that left a mark in the ledger still lives."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path


@cache
def boot_id() -> str:
    """This boot of this machine; another id means that every earlier process is gone."""
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text("ascii").strip() if path.exists() else "unknown"


def started(pid: int) -> str | None:
    """When the process began, in clock ticks since boot; None where it is gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return None
    # The name may hold spaces and brackets: fields count from the last one (proc_pid_stat(5)).
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else fields[19]


def begun(pid: int) -> datetime | None:
    """When the process began, UTC, to the second; None where the system does not tell.

    From the kernel's time of boot (proc_stat(5), btime), so that no clock is asked.
    """
    ticks, stat = started(pid), Path("/proc/stat")
    if ticks is None or not stat.exists():
        return None
    lines = stat.read_text("ascii").splitlines()
    boot = next((int(line.split()[1]) for line in lines if line.startswith("btime ")), None)
    if boot is None:
        return None
    after = int(ticks) // os.sysconf("SC_CLK_TCK")
    return datetime.fromtimestamp(boot, UTC) + timedelta(seconds=after)


def alive(pid: int, pid_started: str | None, boot: str) -> bool:
    """The very process that wrote this mark still exists, not a later one of the same number."""
    if boot != boot_id():
        return False
    if Path("/proc/self/stat").exists():
        now = started(pid)
        return now is not None and pid_started in (None, now)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
