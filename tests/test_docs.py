"""Documentation that shows commands and rules says what the product does."""

from __future__ import annotations

import re
import shlex
import shutil
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.main import get_command

from audiencehub import connector, rules
from audiencehub.cli.main import build
from audiencehub.rules.book import MODELS

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "CONTRIBUTING.md")


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def commands() -> list[str]:
    lines = [line for page in PAGES for one in blocks(page, "sh") for line in one.splitlines()]
    return sorted({line.partition("#")[0].strip() for line in lines if line.strip()})


def entries() -> list[tuple[str, str, dict[str, object]]]:
    """(name, connector, options) of the example settings, its comments read as settings too."""
    text = (ROOT / "deployments" / "prod.example.toml").read_text("utf-8")
    whole = tomllib.loads(re.sub(r"^# (\[|[a-z_]+ = )", r"\1", text, flags=re.M))
    every = {**whole["destinations"], **{f"from {k}": v for k, v in whole["sources"].items()}}
    return [(name, one["connector"], one.get("options", {})) for name, one in every.items()]


@pytest.mark.parametrize(("name", "vendor", "options"), entries(), ids=lambda one: str(one)[:20])
def test_every_option_of_the_example_settings_exists(name, vendor, options):
    """If it fails, whoever copies the example is told that it is wrong."""
    model = connector.load(str(connector.spec(vendor).options))
    assert model(**options), name


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


def book_with(folder: Path, *kinds: str) -> rules.RuleBook:
    """The shipped rules and the README's own example of each kind, as a person would save it."""
    shutil.copytree(ROOT / "segment_rules", folder, dirs_exist_ok=True)
    for kind in kinds:
        text = next(one for one in blocks("README.md", "yaml") if one.startswith(f"{kind}:"))
        name = text.splitlines()[0].partition(": ")[2]
        place = "action" if kind == "segment" else f"{kind}s"
        (folder / place / f"{name}.yaml").write_text(text, "utf-8")
    return rules.load(folder, zone=ZoneInfo("America/New_York"), root=folder)


def test_the_first_rule_of_the_readme_works(tmp_path):
    """If it fails, the five-minute example does not load, or its examples are wrong."""
    book = book_with(tmp_path, "segment")

    assert "docs_readers" in book.segments
    outcomes = rules.run_examples(book, datetime(2026, 11, 16, 9, tzinfo=UTC), ["docs_readers"])
    assert [one.actual == one.expected for one in outcomes] == [True, True]


def test_the_trait_and_the_ladder_of_the_readme_work(tmp_path):
    """If it fails, who copies the README's trait or ladder is met with faults."""
    book = book_with(tmp_path, "trait", "ladder")
    clock = datetime(2026, 11, 16, 9, tzinfo=UTC)

    names = ["ticket_count", *(one.segment for one in book.ladders["support_need"].rungs)]
    outcomes = rules.run_examples(book, clock)
    own = [one for one in outcomes if any(name in str(one) for name in names)]
    assert len(own) >= 2
    assert all(one.passed for one in own)


def test_the_library_is_what_the_readme_says(tmp_path):
    """If it fails, a model that the README promises has fewer than two rules to start from."""
    book = book_with(tmp_path)

    assert len(MODELS) == 13
    for model in MODELS:
        files = {one.path for one in book.segments.values() if one.model == model}
        assert len(files) >= 2, model
        assert model in (ROOT / "README.md").read_text("utf-8").lower()


def test_figures_of_the_readme_are_those_of_the_command():
    """If it fails, the README shows other counts than the end-to-end test of real rows sees."""
    text = (ROOT / "README.md").read_text("utf-8")

    assert "10,000 rows normalized + 0 in quarantine = 10,000." in text
    assert "69,659 orders of 23,570 customers, 2,500,315.63 dollars." in text


def test_files_that_an_addition_touches_exist():
    """If it fails, who adds a condition looks for a file that has moved."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    part = text[text.index("## Add a condition") : text.index("## Add a schedule")]
    named = set(re.findall(r"`([a-z_/]+\.(?:py|yaml|md))`", part))
    above = (ROOT, ROOT / "audiencehub" / "rules", ROOT / "audiencehub" / "predict")

    assert len(named) > 20
    assert [one for one in named if not any((up / one).is_file() for up in above)] == []
