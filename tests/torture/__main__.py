"""The crash sweep: every named point, first and third passing, in a storm; the controls as well.

`python -m tests.torture` prints what every design came to. It fails (exit code 1) when ours has
anything but noughts, or when a control passes.
"""

from __future__ import annotations

import argparse
import os
import sys

from tests.torture import plan, sweep


def main() -> int:
    """Sweep and print; a run takes about half a second of one core."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--runs", type=int, default=300, help="runs of ours; controls come on top")
    parser.add_argument("--seconds", type=float, help="begin no run after so many seconds")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other companies")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--every", type=int, default=1, help="play only every n-th run of ours")
    parser.add_argument("--share", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.share is not None:
        from tests.torture import worker

        worker.main(given.share, given.workers, plan.schedule(given.runs, given.seed, given.every))
        return 0
    report = sweep.sweep(
        given.runs,
        given.seed,
        every=given.every,
        workers=given.workers,
        seconds=given.seconds,
        say=_say,
    )
    print(report.table())
    print(f"seed {given.seed}, {report.seconds:,.0f} seconds, {given.workers} workers")
    for line in report.faults():
        print(line)
    return 1 if report.faults() else 0


def _say(done: int, total: int, kills: int) -> None:
    """A line for each tenth; on a terminal one line that moves."""
    moving = sys.stderr.isatty()
    if not moving and done % max(1, total // 10) and done != total:
        return
    end = "\r" if moving and done != total else "\n"
    print(f"{done:,} of {total:,} runs, {kills:,} kills", end=end, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
