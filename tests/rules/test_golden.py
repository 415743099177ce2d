"""The SQL of a dozen rules, as people read it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from audiencehub.rules.load.tree import plain, read
from audiencehub.rules.portable import DIALECTS, sql
from tests.rules.kit import CLOCK, WIDE, ZONE, book, segment

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


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
@pytest.mark.parametrize("name", sorted(RULES))
def test_sql_as_reviewed(name, dialect):
    """SQL that changes unseen, or that nobody can read, is no second opinion."""
    found = sql(BOOK.segments[name], BOOK, dialect, WIDE).shown(CLOCK, ZONE) + "\n"
    file = HERE / f"{name}.{dialect}.sql"
    if os.environ.get("GOLDEN") == "write":
        file.write_text(found, "utf-8")

    assert file.read_text("utf-8") == found


def test_no_file_is_left_over():
    """A file that nothing checks says what the engine no longer does."""
    wanted = {f"{name}.{dialect}.sql" for name in RULES for dialect in DIALECTS}

    assert {one.name for one in HERE.glob("*.sql")} == wanted
