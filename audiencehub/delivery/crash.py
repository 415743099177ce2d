"""Named crash points: where a test kills or stops the process for real, at the n-th passing."""

from __future__ import annotations

import os
import signal
from collections import Counter

VARIABLE = "AUDIENCEHUB_CRASH"
"""`point:n`, or `point:n:SIGSTOP` for another signal; unset in every run that is no such test."""
POINTS = (
    "before_plan", "plan_drafted", "after_plan", "after_lease", "before_ensure", "after_ensure",
    "before_settle", "after_settle", "after_begin", "before_sent", "after_sent", "after_apply",
    "after_record", "before_sweep", "after_push",
)  # fmt: skip
_passed: Counter[str] = Counter()


def point(name: str) -> None:
    """Die here with SIGKILL when the environment says so; otherwise nothing."""
    wanted = os.environ.get(VARIABLE)
    if wanted is None:
        return
    where, hit, by = (*wanted.split(":"), "", "")[:3]
    if where == name:
        _passed[name] += 1
        if _passed[name] == int(hit or 1):
            os.kill(os.getpid(), signal.Signals[by or "SIGKILL"])
