"""Sixty rules on a synthetic company: every way of evaluating them, each in its own process."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.company import build

WAYS = {
    "full": "(a) ours, full",
    "fast": "(a) ours, full, fast memory mode",
    "lean": "(a) ours, full, within 512 MB",
    "hourly": "(b) ours, an hour later, 1 % changed",
    "day": "(c) ours, a day later",
    "read": "(d) reading the needed columns once",
    "group": "(e) that and one GROUP BY",
    "portable": "(f) one SQL statement per rule",
    "pandas": "(g) pandas, rule by rule",
    "polars": "(h) polars, lazily",
}
AIMS = {
    "(a) to (e)": ("full", "group", "1.8"),
    "(a) to (f)": ("full", "portable", "0.45"),
    "(b) to (a)": ("hourly", "full", "0.1"),
    "(c) to (a)": ("day", "full", "0.33"),
}
YOUNG = frozenset(f"r{number:03d}" for number in range(40, 50))
"""Where the book has the younger kinds, the frames evaluate plain rules instead."""
Result = Mapping[str, Any]


def run(way: str, path: Path, *, young: bool) -> Result:
    """What one way took on a company, in a process of its own."""
    book = "young" if young else "old"
    command = [sys.executable, "-W", "ignore", "-m", "tests.bench.strategies", way, str(path), book]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: Result = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def files(folder: Path | None) -> Iterator[Path]:
    """Where companies are kept: in that folder for the next time, or for this run alone."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def main(sizes: list[int], folder: Path | None, *, young: bool) -> None:
    """Print one table for the first size, and how (a) grows over all of them."""
    console = Console(width=100)
    with files(folder) as kept:
        paths = {size: kept / f"company-{size}.duckdb" for size in sizes}
        for size, path in paths.items():
            build(path, size)
        first = sizes[0]
        found = {way: run(way, paths[first], young=young) for way in WAYS}
        _table(console, first, found)
        _aims(console, found)
        _agree(console, found, young=young)
        grown = {first: found["full"]}
        grown |= {size: run("full", paths[size], young=young) for size in sizes[1:]}
    for size, one in sorted(grown.items()):
        share = one["cpu"] / found["full"]["cpu"]
        console.print(
            f"(a) at {size:,} contacts: {one['cpu']:.2f} CPU s, {one['wall']:.2f} s, "
            f"{one['peak']:,.0f} MB; {share:.2f} x"
        )


def _table(console: Console, size: int, found: Mapping[str, Result]) -> None:
    table = Table(title=f"60 rules, {size:,} contacts, 20 events each")
    for head in ("way", "CPU s", "wall s", "peak MB"):
        table.add_column(head, justify="left" if head == "way" else "right")
    for way, one in found.items():
        table.add_row(WAYS[way], f"{one['cpu']:.2f}", f"{one['wall']:.2f}", f"{one['peak']:,.0f}")
    console.print(table)


def _aims(console: Console, found: Mapping[str, Result]) -> None:
    for name, (one, other, aim) in AIMS.items():
        share = found[one]["cpu"] / found[other]["cpu"]
        console.print(f"{name}: {share:.2f} (aim: {aim})")
    full = found["full"]
    console.print(f"diff to (a): {full['diff_cpu'] / full['cpu']:.1%} (aim: 3 %)")
    for way in ("hourly", "day"):
        console.print(f"{WAYS[way]}: {found[way]['different']} masks differ from a full pass")


def _agree(console: Console, found: Mapping[str, Result], *, young: bool) -> None:
    """Segments whose size differs from ours; the frames know the older kinds alone."""
    ours = found["full"]["sizes"]
    for way in ("portable", "pandas", "polars"):
        theirs = found[way]["sizes"]
        other = YOUNG if young and way != "portable" else frozenset()
        wrong = [name for name in ours if name not in other and theirs.get(name, 0) != ours[name]]
        console.print(f"{WAYS[way]}: {len(wrong)} segments differ from ours {wrong[:8]}")
