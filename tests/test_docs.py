"""Documentation that shows commands and rules says what the product does."""

from __future__ import annotations

import re
import shlex
import shutil
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.main import get_command

from audiencehub import rules
from audiencehub.cli.main import build

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "CONTRIBUTING.md")


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def commands() -> list[str]:
    lines = [line for page in PAGES for one in blocks(page, "sh") for line in one.splitlines()]
    return sorted({line.partition("#")[0].strip() for line in lines if line.strip()})


@pytest.mark.parametrize("line", [one for one in commands() if "audiencehub " in one])
def test_every_shown_command_exists(line):
    """If it fails, a newcomer types what the documentation shows and is refused."""
    words = shlex.split(line)
    words = words[next(n for n, word in enumerate(words) if word.endswith("audiencehub")) + 1 :]
    command = get_command(build())
    context = command.make_context("audiencehub", [words[0]], resilient_parsing=True)

    found = command.get_command(context, words[0])

    assert found is not None, f"no verb {words[0]}"
    found.make_context(words[0], words[1:], parent=context)


@pytest.mark.parametrize("line", [one for one in commands() if one.startswith("make ")])
def test_every_shown_target_exists(line):
    """If it fails, the README names a make target that is not there."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M)

    assert line.split()[1] in targets


def test_the_first_rule_of_the_readme_works(tmp_path):
    """If it fails, the five-minute example does not load, or its examples are wrong."""
    text = next(one for one in blocks("README.md", "yaml") if one.startswith("segment:"))
    shutil.copytree(ROOT / "segment_rules", tmp_path, dirs_exist_ok=True)
    (tmp_path / "docs_readers.yaml").write_text(text, "utf-8")

    book = rules.load(tmp_path, zone=ZoneInfo("America/New_York"), root=tmp_path)

    assert "docs_readers" in book.segments
    outcomes = rules.run_examples(book, datetime(2026, 11, 16, 9, tzinfo=UTC), ["docs_readers"])
    assert [one.actual == one.expected for one in outcomes] == [True, True]


def test_figures_of_the_readme_are_those_of_the_command():
    """If it fails, the README shows other counts than the end-to-end test of real rows sees."""
    text = (ROOT / "README.md").read_text("utf-8")

    assert "10,000 rows normalized + 0 in quarantine = 10,000." in text
    assert "69,659 orders of 23,570 customers, 2,500,315.63 dollars." in text
