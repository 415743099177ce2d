"""The SQL of a dozen rules, as people read it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from audiencehub.rules.load.tree import plain, read
from audiencehub.rules.portable import DIALECTS, Portable, sql
from tests.rules.kit import CLOCK, WIDE, ZONE, book, segment
from tests.rules.traitkit import book_of, traits

HERE = Path(__file__).parent / "golden"
TREE, FAULTS = read("rules.yaml", (HERE / "rules.yaml").read_bytes())
assert not FAULTS
RULES = plain(TREE)
BOOK = book(
    *(
        segment(
            name, one.get("when", one), one.get("of", "contact") if "when" in one else "contact"
        )
        for name, one in RULES.items()
    )
)

TRAITS: list[dict[str, Any]] = [
    {"trait": "spend", "aggregate": {"order": {"sum": {"of": "total"}, "within": "1 year"}}},
    {"trait": "favourite", "aggregate": {"event": {"most_frequent": {"of": "feature"}}}},
    {"trait": "share", "ratio": {"of": "trait.spend", "over": "account.annual_revenue"}},
    {
        "trait": "size",
        "of": "account",
        "band": {
            "of": "employee_count",
            "bands": [{"name": "small", "below": 50}, {"name": "large"}],
        },
    },
    {"trait": "fit", "points": [{"when": {"title": {"contains": "Data"}}, "points": 10}]},
    {"trait": "place", "percentile": {"of": "trait.spend", "within": "account.industry"}},
    {"trait": "rfm", "rfm": {"order": {"sum": "total", "within": "1 year"}}},
    {"trait": "churn", "model_score": {"model": "churn", "within": "7 days"}},
]


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
@pytest.mark.parametrize("name", sorted(RULES))
def test_sql_as_reviewed(name, dialect):
    """SQL that changes unseen, or that nobody can read, is no second opinion."""
    found = sql(BOOK.segments[name], BOOK, dialect, WIDE).shown(CLOCK, ZONE) + "\n"
    _compare(HERE / f"{name}.{dialect}.sql", found)


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_sql_of_traits_as_reviewed(dialect):
    """The same for what traits are made by."""
    book_ = book_of(traits(*TRAITS))
    found = [one.shown(CLOCK, ZONE) + ";\n" for one in Portable(book_, dialect, WIDE).traits()]
    _compare(HERE / f"traits.{dialect}.sql", "\n".join(found))


def _compare(file: Path, found: str) -> None:
    if os.environ.get("GOLDEN") == "write":
        file.write_text(found, "utf-8")

    assert file.read_text("utf-8") == found


def test_no_file_is_left_over():
    """A file that nothing checks says what the engine no longer does."""
    wanted = {f"{name}.{dialect}.sql" for name in [*RULES, "traits"] for dialect in DIALECTS}

    assert {one.name for one in HERE.glob("*.sql")} == wanted
