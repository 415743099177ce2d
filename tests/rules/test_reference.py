"""The reference page: whole, up to date, and every example on it works."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from referencing import Registry, Resource

from audiencehub.rules import load, run_examples
from audiencehub.rules.computedschema import ladder_schema, trait_schema
from audiencehub.rules.language.catalog import Catalog
from audiencehub.rules.load.tree import plain, read
from audiencehub.rules.reference import Entry, entries, missing, page
from audiencehub.rules.schema import schema
from audiencehub.settings import load as load_settings

ROOT = Path(__file__).parents[2]
ENTRIES = entries()
RULES = [one for kind in ("conditions", "aggregates", "tests") for one in ENTRIES[kind]]
CLOCK = datetime(2026, 11, 16, 14, tzinfo=UTC)
HEAD = "segment: shown\nlabel: Shown\nmodel: intent\nof: {}\n"


def book_of(folder: Path, where: str, text: str):
    """The shipped rules with one more file, as the shipped settings read them."""
    settings = load_settings("sandbox", ROOT)
    for path in (ROOT / "segment_rules").rglob("*.yaml"):
        copy = folder / path.relative_to(ROOT / "segment_rules")
        copy.parent.mkdir(exist_ok=True, parents=True)
        copy.write_text(path.read_text("utf-8"), "utf-8")
    (folder / where).parent.mkdir(exist_ok=True)
    (folder / where).write_text(text, "utf-8")
    return load(folder, zone=settings.zone, catalog=Catalog(settings.tables))


@pytest.mark.parametrize("entry", RULES, ids=lambda one: one.title)
def test_every_condition_and_test_works_as_shown(entry: Entry, tmp_path):
    """Someone copies an example from the page: it must load and say what the page says."""
    rules = book_of(tmp_path, "shown.yaml", HEAD.format(entry.of) + entry.rule)

    outcomes = run_examples(rules, CLOCK, ["shown"])

    assert outcomes, "a condition without an example shows nothing"
    assert [one.why for one in outcomes if not one.passed] == []


@pytest.mark.parametrize("entry", ENTRIES["traits"], ids=lambda one: one.title)
def test_every_kind_of_trait_works_as_shown(entry: Entry, tmp_path):
    """A trait copied from the page computes what the page says."""
    name = entry.rule.split()[1]
    rules = book_of(tmp_path, f"traits/{name}.yaml", entry.rule)

    assert rules.traits[name].kind == entry.shows[0]
    assert [one for one in run_examples(rules, CLOCK, [f"trait.{name}"]) if not one.passed] == []


@pytest.mark.parametrize("entry", ENTRIES["ladders"], ids=lambda one: one.title)
def test_the_ladder_works_as_shown(entry: Entry, tmp_path):
    """A ladder copied from the page puts people where the page says."""
    name = entry.rule.split()[1]
    rules = book_of(tmp_path, f"ladders/{name}.yaml", entry.rule)
    rungs = [one.segment for one in rules.ladders[name].rungs]

    outcomes = run_examples(rules, CLOCK, rungs)

    assert len(outcomes) == 9
    assert [one for one in outcomes if not one.passed] == []


@pytest.mark.parametrize(
    "entry",
    [*RULES, *ENTRIES["traits"], *ENTRIES["ladders"]],
    ids=lambda one: one.title,
)
def test_the_schema_takes_every_example(entry: Entry):
    """An editor that underlines an example of the manual is switched off."""
    settings = load_settings("sandbox", ROOT)
    catalog = Catalog(settings.tables)
    text, known = entry.rule, trait_schema(catalog)
    if entry in RULES:
        text, known = HEAD.format(entry.of) + entry.rule, schema(catalog)
    elif entry in ENTRIES["ladders"]:
        known = ladder_schema(catalog)
    tree, faults = read("shown.yaml", text.encode())

    assert not faults
    beside = Registry().with_resource("schema.json", Resource.from_contents(schema(catalog)))
    jsonschema.Draft202012Validator(known, registry=beside).validate(plain(tree))


def test_the_page_shows_every_word():
    """A condition that the manual does not have is not used."""
    assert missing() == []


def test_the_page_is_not_stale():
    """The manual says what the code does; `make generate` writes it anew."""
    assert (ROOT / "docs" / "rules.md").read_text("utf-8") == page()
