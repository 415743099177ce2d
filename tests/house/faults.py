"""The faults that a push must survive, and which tests prove it: `@pytest.mark.fault(n)`.

`python -m tests.house.faults` writes the table of README.md anew (`make generate` does).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
FAULTS: Mapping[int, str] = {
    1: "killed after the destination applied a batch, before the ledger knew",
    2: "timeout or reset: nobody knows whether a write arrived",
    3: "storms of 429 and 5xx, Retry-After in every spelling",
    4: "a batch that half succeeds, or answers for other rows",
    5: "the same batch delivered twice and more often",
    6: "rows that are locked, for a moment or for ever",
    7: "one poisoned record in a batch",
    8: "credentials that expire on the way, a refresh that is refused",
    9: "records edited by hand at the destination",
    10: "a source that answers with an empty, cut or false page",
    11: "people merged and parted again",
    12: "clocks that are wrong, stamps from the future, daylight saving",
    13: "fields that appear, vanish or change their type at the source",
    14: "two runs at once, and one that wakes up after it was replaced",
    15: "a full disk, input and output errors",
    16: "scheduler, worker or machine killed",
    17: "a destination that says 200 and applies nothing",
    18: "consent withdrawn between plan and send",
    19: "a rule with a mistake in it",
    20: "a ledger that was lost, or restored from a backup",
    21: "killed in an upgrade; a ledger of a newer version",
}
BEGIN, END = "<!-- faults: make generate -->", "<!-- /faults -->"
SHOWN = 2
"""Files named for each fault."""
FIRST = ("torture", "delivery", "model", "ledger", "http", "rules", "flows", "e2e")
"""Folders of tests in the order in which README.md names them; then the others."""


def marked(folder: Path = ROOT / "tests") -> dict[int, list[str]]:
    """Fault to the test files with a test of it, in the order of `FIRST`."""
    found: dict[int, set[str]] = {number: set() for number in FAULTS}
    for path in sorted(folder.rglob("test_*.py")):
        name = path.relative_to(folder.parent).as_posix()
        for number in _numbers(ast.parse(path.read_text("utf-8"))):
            found.setdefault(number, set()).add(name)
    return {number: sorted(files, key=_place) for number, files in sorted(found.items())}


def _place(file: str) -> tuple[int, str]:
    folder = file.split("/")[1]
    return FIRST.index(folder) if folder in FIRST else len(FIRST), file


def _numbers(tree: ast.Module) -> Iterator[int]:
    """The arguments of every `pytest.mark.fault(...)`: on a test, or on the whole file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.fault":
            yield from (int(ast.literal_eval(one)) for one in node.args)


def table(found: Mapping[int, list[str]]) -> str:
    """What README.md shows between its marks."""
    proven = sum(bool(found[number]) for number in FAULTS)
    lines = [
        f"**Faults survived: {proven} of {len(FAULTS)}.** Each has tests that make it happen,"
        " marked `@pytest.mark.fault(number)`.",
        "",
        "| # | fault | proven, among others, in |",
        "|---|---|---|",
    ]
    for number, what in FAULTS.items():
        files = ", ".join(f"`{one.removeprefix('tests/')}`" for one in found[number][:SHOWN])
        lines.append(f"| {number} | {what} | {files or 'nothing yet'} |")
    return "\n".join(lines)


def written(page: str, found: Mapping[int, list[str]]) -> str:
    """The page with the table as it should be."""
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.S)
    return pattern.sub(lambda _: f"{BEGIN}\n{table(found)}\n{END}", page)


def main() -> None:
    """Write README.md."""
    path = ROOT / "README.md"
    path.write_text(written(path.read_text("utf-8"), marked()), "utf-8")


if __name__ == "__main__":
    main()
