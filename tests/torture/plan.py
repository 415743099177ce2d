"""Which runs there are: points, passings, destinations, seeds and designs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from audiencehub.delivery import crash
from tests.torture.places import NAMES, VENDORS

OURS = "intent ledger"
CONTROLS = ("push then mark", "mark then push")
DESIGNS = (OURS, *CONTROLS)
HITS = (1, 3)
SECOND = 0.25
"""Share of runs whose second process is killed as well, while it repairs what the first left."""
LEAST = 22
"""Runs of ours at each vendor."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the sweep."""

    design: str
    place: str
    point: str
    hit: int
    seed: int

    def kills(self) -> list[str]:
        """Where each process dies; the last one does not."""
        rng = random.Random(f"kills {self.seed}")
        second = [f"{rng.choice(crash.POINTS)}:1"] if rng.random() < SECOND else []
        return [f"{self.point}:{self.hit}", *second, ""]


def schedule(runs: int, seed: int, every: int = 1) -> list[Run]:
    """The runs of a sweep; or every n-th of ours at each destination (one at least), and more of
    the controls, of which one alone may be lucky."""
    found = list(_all(runs, seed))
    chosen = set[Run]()
    for place, name in enumerate(NAMES):
        ours = [one for one in found if one.design == OURS and one.place == name]
        chosen |= {*ours[place % min(every, len(ours)) :: every]}
    for design in CONTROLS:
        chosen |= {*[one for one in found if one.design == design][:: max(1, every // 4)]}
    return [one for one in found if one in chosen]


def _all(runs: int, seed: int) -> Iterator[Run]:
    """Point by point and passing by passing at every destination; toys have what vendors leave.

    The controls have a twentieth of the runs each, but thirty at least, of the same kind.
    """
    vendors = max(LEAST, runs // 40)
    toys = max(1, runs - vendors * len(VENDORS))
    counts = {name: vendors if name in VENDORS else toys // 2 for name in NAMES}
    for number in range(max(counts.values())):
        for name in NAMES:
            if number < counts[name]:
                yield _run(OURS, name, number, seed)
    for number in range(max(30, runs // 20)):
        for design in CONTROLS:
            yield _run(design, NAMES[number % len(NAMES)], number, seed)


def _run(design: str, place: str, number: int, seed: int) -> Run:
    combos = [(point, hit) for hit in HITS for point in crash.POINTS]
    # Each destination begins elsewhere, so that few runs of it still meet both passings.
    point, hit = combos[(number * 7 + NAMES.index(place)) % len(combos)]
    return Run(design, place, point, hit, seed * 100_000 + number)
