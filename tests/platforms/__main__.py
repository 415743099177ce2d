"""A hundred thousand people at every list destination: bad addresses, and minds that change.

`python -m tests.platforms` prints a line for each, and fails (exit code 1) when one of them broke a
promise. In batches as large as each platform takes them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.platforms import stories
from tests.platforms.clock import skipping
from tests.platforms.house import House, house
from tests.platforms.stands import STANDS

HEADS = ("destination", "story", "people", "held", "batches", "CPU s", "")
LINE = "{:<16}{:<16}{:>9}{:>9}{:>9}{:>8}  {}"


def main() -> int:
    """Run and print; two to three minutes of one core for each hundred thousand."""
    parser = argparse.ArgumentParser(prog="python -m tests.platforms", description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("names", nargs="*", metavar="DESTINATION", help="some only")
    given = parser.parse_args()
    print(LINE.format(*HEADS))
    broken = 0
    for name in given.names or STANDS:
        broken += told(name, "bad addresses", given.people, stories.everybody_once)
        broken += told(
            name, "changing minds", given.people, lambda one: stories.minds_change(one, given.seed)
        )
    return 1 if broken else 0


def told(name: str, what: str, people: int, story: Callable[[House], None]) -> bool:
    """Play it and print its line; whether a promise was broken."""
    began = time.process_time()
    with (
        tempfile.TemporaryDirectory(prefix="platforms-") as folder,
        skipping(),
        house(STANDS[name], Path(folder), people) as there,
    ):
        try:
            story(there)
            said = "ok"
        except AssertionError as error:
            said = f"BROKEN: {error}"
        held, batches = len(there.held()), there.batches()
    cpu = f"{time.process_time() - began:.0f}"
    figures = (f"{people:,}", f"{held:,}", f"{batches:,}", cpu)
    print(LINE.format(name, what, *figures, said), flush=True)
    return said != "ok"


if __name__ == "__main__":
    sys.exit(main())
