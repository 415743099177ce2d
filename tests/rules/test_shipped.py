"""The shipped segments, their schema, and advice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import jsonschema
import pytest
from referencing import Registry, Resource

from audiencehub import settings
from audiencehub.rules import advise, load, run_examples
from audiencehub.rules.book import MODELS
from audiencehub.rules.computedschema import ladder_schema, trait_schema
from audiencehub.rules.computedschema import text as computed_text
from audiencehub.rules.load.tree import plain, read
from audiencehub.rules.schema import schema, text
from tests.rules.kit import book, segment

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "segment_rules"
FILES = sorted(FOLDER.rglob("*.yaml"))
SCHEMAS = {"traits": trait_schema, "ladders": ladder_schema}
BESIDE = Registry().with_resource("schema.json", Resource.from_contents(schema()))
"""Schemas of traits and ladders refer to definitions in the file beside them."""
TODAY = date(2026, 11, 16)


def test_shipped_segments_hold_their_examples_on_any_day():
    """A rule that comes with the product must do what it says, in every month and hour."""
    rules = load(FOLDER, zone=ZoneInfo("America/New_York"))
    start = datetime(2026, 1, 31, 2, 30, tzinfo=UTC)

    for days in range(0, 400, 29):
        failed = [
            one
            for one in run_examples(rules, start + timedelta(days=days, hours=days))
            if not one.passed
        ]
        assert failed == []


def test_shipped_segments_are_complete():
    """The library shows what a segment needs: purpose, owner, review, destinations, examples."""
    rules = load(FOLDER, zone=ZoneInfo("UTC"))
    models = [one.model for one in rules.segments.values()]

    places = settings.load("sandbox", ROOT).destinations
    assert advise(rules, TODAY, list(places)) == []
    for model in MODELS:
        assert models.count(model) >= 2, model
    assert all(one.kpis for one in rules.segments.values() if not one.ladder)
    assert len(rules.traits) >= 8
    assert {"lifecycle", "value_tier", "rfm_cells"} <= rules.ladders.keys()
    assert len(rules.activations("meta_ads")) >= 2
    assert {one.kind for _, one in rules.activations("hubspot")} == {"tag"}
    assert rules.destinations() == tuple(sorted(places))


def test_schema_is_not_stale():
    """Editors must complete what the loader reads: python -m audiencehub.rules.schema."""
    assert (FOLDER / "schema.json").read_text("utf-8") == text()
    for name, made in (("trait", trait_schema()), ("ladder", ladder_schema())):
        stands = (FOLDER / f"{name}.schema.json").read_text("utf-8")
        assert stands == computed_text(made), "python -m audiencehub.rules.computedschema"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_shipped_segments_satisfy_the_schema(path):
    """A schema that refuses a good rule is switched off by the first user."""
    tree, _ = read(path.name, path.read_bytes())

    made = SCHEMAS.get(path.parent.name, schema)()
    jsonschema.Draft202012Validator(made, registry=BESIDE).validate(plain(tree))


@pytest.mark.parametrize(
    "when",
    [
        {"titel": "x"},
        {"title": {"at_least": 5}},
        {"event": {"nme": "x"}},
        {"title": "x", "country": "y"},
    ],
)
def test_schema_refuses_what_the_loader_refuses(when):
    """A typing mistake is cheapest while it is typed."""
    whole = {"segment": "a", "label": "A", "model": "intent", "of": "contact", "when": when}

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(whole, schema())


def test_advice_names_what_a_colleague_would():
    """A segment without purpose, or that takes in everyone, is a cost and a risk."""
    full = {
        "goal": "g",
        "action": "a",
        "owner": "o@acme.example",
        "review_by": "2027-01-01",
        "activate": [{"to": "meta_ads", "as": "list"}],
        "examples": [{"given": {}, "member": True}, {"given": {}, "member": False}],
    }
    rules = book(
        segment("bare", {"title": "x"}),
        segment("late", {"title": "y"}, **{**full, "review_by": "2026-01-01"}),
        segment("wide", {"any": [{"title": "x"}, {"not": {"title": "y"}}]}, **full),
        segment("twin", {"any": [{"title": "x"}, {"not": {"title": "y"}}]}, **full),
        segment("secret", {"gender": "f"}, **full),
        segment("spelt", {"account.industry": "FinTech"}, **full),
        segment("good", {"lifecycle_stage": "lead"}, **full),
    )

    found = [one.message for one in advise(rules, TODAY, ["hubspot", "meta_ads"])]

    assert sum("bare has no" in one or "bare goes" in one for one in found) == 6
    assert "late was to be reviewed by 2026-01-01" in found
    assert "wide takes in nearly everyone" in found
    assert "wide has the same condition as twin" in found
    assert "contact.gender is sensitive and the segment goes to a list" in found
    assert "industry is kept in lower case; 'FinTech' is never equal to it" in found
    assert not any("good" in one for one in found)
    assert any("not set up here" in one.message for one in advise(rules, TODAY, ["hubspot"]))


def test_more_than_eight_segments_for_one_purpose_is_too_many():
    """Few, useful segments: the ninth for one goal dilutes the others."""
    many = book(*(replace(segment(f"s{n}", {"title": f"t{n}"}), goal="g") for n in range(9)))

    assert any("more than 8" in one.message for one in advise(many, TODAY))
