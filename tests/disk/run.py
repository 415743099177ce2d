"""What the disk tests run in a process of its own: `run.py push|read FOLDER`, as a verb would."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "delivery"), str(HERE.parent.parent)]

import typer  # noqa: E402

from audiencehub.cli.common import verb  # noqa: E402


@verb
def push(folder: Path) -> None:
    """A run that plans, approves and pushes."""
    from child import company, sync  # tests/delivery
    from toybench import Bench

    bench = Bench(folder, guards={"removals_count": 3})
    company(bench)
    try:
        sync(bench)
    finally:
        bench.close()


@verb
def read(folder: Path) -> None:
    """A run from pull to resolve on files."""
    from tests.disk.reading import Reading

    Reading(folder).run()


if __name__ == "__main__":
    try:
        {"push": push, "read": read}[sys.argv[1]](Path(sys.argv[2]))
    except typer.Exit as error:
        sys.exit(error.exit_code)
