"""Processes of ours: started on a leash, and recognized later by pid and start time."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from audiencehub.ledger import process
from audiencehub.server import leash


@dataclass(frozen=True, slots=True)
class Identity:
    """One process, told from a later one that was given the same pid."""

    pid: int
    started: str | None
    boot: str

    @classmethod
    def of(cls, pid: int | None = None) -> Identity:
        """The identity of a live process; by default this one."""
        pid = os.getpid() if pid is None else pid
        return cls(pid, process.started(pid), process.boot_id())

    def alive(self) -> bool:
        """Whether that very process still runs."""
        return process.alive(self.pid, self.started, self.boot)

    def record(self) -> dict[str, Any]:
        """The identity as JSON."""
        return asdict(self)


class Leashed:
    """A command that cannot outlive this process. Its output goes to a log file, mode 0600."""

    def __init__(
        self, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path, grace: float
    ) -> None:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.log = log
        self._grace = grace
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own command, no shell
                [sys.executable, "-I", str(leash.__file__), str(grace), *command],
                stdin=subprocess.PIPE,
                stdout=sink,
                stderr=sink,
                env=dict(env),
                cwd=cwd,
                # Ctrl-C in the terminal reaches only us; we then end it in order.
                start_new_session=True,
            )
        finally:
            os.close(sink)
        self.identity = Identity.of(self._process.pid)
        self._lock = threading.Lock()

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def stop(self) -> None:
        """End it and all it started; returns when nothing is left. Safe to call again."""
        with self._lock:
            if self._process.stdin and not self._process.stdin.closed:
                self._process.stdin.close()
            try:
                self._process.wait(self._grace + 10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def tail(self, lines: int = 6) -> str:
        """The last lines it wrote, for an error message."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])
