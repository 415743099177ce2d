"""Spreads the runs over workers, adds up what they came to, and judges it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue

from tests.torture.places import NAMES
from tests.torture.plan import DESIGNS, OURS, Run, schedule
from tests.torture.tally import Tally

ROOT = Path(__file__).parents[2]
ALL = "all"
ALONE = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
"""Libraries that a worker loads must start no thread in it, for it forks."""
HEADS = (
    ("design", "destination"),
    ("runs", "kills", "missing", "extra", "twice", "false", "again", ">batch", "open"),
)


@dataclass(slots=True)
class Report:
    """Figures by design and destination."""

    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)
    wrong: list[tuple[Run, Tally]] = field(default_factory=list)
    """Runs of ours that left anything but noughts."""
    planned: int = 0
    seconds: float = 0.0

    def add(self, run: Run, tally: Tally) -> None:
        """One run more."""
        for place in (run.place, ALL):
            self.tallies.setdefault((run.design, place), Tally()).add(tally)
        if run.design == OURS and tally.wrong:
            self.wrong.append((run, tally))

    def of(self, design: str, place: str = ALL) -> Tally:
        """What a design came to at one destination, or at all."""
        return self.tallies.get((design, place), Tally())

    def faults(self) -> list[str]:
        """Why the sweep fails; empty when it is passed."""
        found = [f"{OURS}: {run}: {tally}" for run, tally in self.wrong]
        found += [
            f"the control passed: {design}"
            for design in DESIGNS
            if design != OURS and not self.of(design).missing + self.of(design).extra
        ]
        return found

    def table(self) -> str:
        """At most a hundred columns: ours by destination, then the controls."""
        rows = [(OURS, name) for name in NAMES] + [(design, ALL) for design in DESIGNS]
        lines = [_line(*HEADS)]
        for design, place in rows:
            one = self.of(design, place)
            figures = (
                one.runs, one.kills, one.missing, one.extra, one.twice, one.false_confirms,
                one.resent, one.over_batch, one.open,
            )  # fmt: skip
            lines.append(_line((design, place), tuple(f"{figure:,}" for figure in figures)))
        return "\n".join(lines)


def _line(names: tuple[str, str], figures: tuple[str, ...]) -> str:
    return f"{names[0]:14} {names[1]:16}" + "".join(f"{one:>8}" for one in figures)


def sweep(
    runs: int,
    seed: int,
    *,
    every: int = 1,
    workers: int = 2,
    seconds: float | None = None,
    say: Callable[[int, int, int], None] = lambda *_: None,
) -> Report:
    """All runs of the schedule, or those that began in time."""
    report, began = Report(planned=len(schedule(runs, seed, every))), time.monotonic()
    given = {"workers": workers, "runs": runs, "seed": seed, "every": every}
    made = [_worker(share=share, **given) for share in range(workers)]
    done = kills = 0
    try:
        for line in _lines(made):
            run, tally = json.loads(line)
            report.add(Run(**run), Tally(**tally))
            done, kills = done + 1, kills + tally["kills"]
            say(done, report.planned, kills)
            if seconds is not None and time.monotonic() - began > seconds:
                break
        else:
            ended = [one.wait() for one in made]
            if any(ended) or done < report.planned:
                raise RuntimeError(f"a worker broke off: {ended}, {done} of {report.planned} runs")
    finally:
        for one in made:
            one.kill()
            one.wait()
    report.seconds = time.monotonic() - began
    return report


def _worker(**given: int) -> subprocess.Popen[str]:
    words = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.torture", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **ALONE, "PYTHONPATH": str(ROOT)},
    )


def _lines(made: list[subprocess.Popen[str]]) -> Iterator[str]:
    """What they say, as it comes."""
    said: Queue[str | None] = Queue()

    def read(one: subprocess.Popen[str]) -> None:
        assert one.stdout
        for line in one.stdout:
            said.put(line)
        said.put(None)

    for one in made:
        threading.Thread(target=read, args=(one,), daemon=True).start()
    left = len(made)
    while left:
        line = said.get()
        if line is None:
            left -= 1
        else:
            yield line
