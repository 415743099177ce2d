"""Benchmarks: rules over a synthetic company, identity, then throughput. Prints ratios, never a
verdict."""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.bench import identity, rules, throughput

USUAL = [1_000_000, 100_000]
LONG = 5_000_000


def main() -> None:
    """Run and print; a million contacts need some minutes and six gigabytes."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--contacts", type=int, nargs="+", default=USUAL, help="sizes; main first")
    parser.add_argument("--long", action="store_true", help="and five million")
    parser.add_argument("--keep", type=Path, help="folder to keep the companies in")
    parser.add_argument("--older", action="store_true", help="only kinds that data frames say")
    given = parser.parse_args()
    rules.main(given.contacts + [LONG] * given.long, given.keep, young=not given.older)
    identity.main()
    throughput.main()


if __name__ == "__main__":
    main()
