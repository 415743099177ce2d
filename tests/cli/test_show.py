"""Tables of a run, as a terminal of a hundred columns shows them."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from audiencehub.cli import show
from audiencehub.opening import load_rules
from audiencehub.settings import load

BOOK = load_rules(load("sandbox", Path(__file__).parents[2]))


@pytest.fixture
def terminal(monkeypatch):
    """A console that remembers what it was given."""
    console = Console(width=100, record=True, file=StringIO())
    monkeypatch.setattr(show, "console", console)
    return console


def test_segments_are_found_by_layer_and_ladders_read_from_top_to_bottom(terminal):
    """Sixty rows by size alone are a heap: rungs of one ladder must stand together, in order."""
    sizes = {name: place * 1_000 for place, name in enumerate(BOOK.segments)}
    found = {"sizes": sizes, "entered": {"likely_to_buy": 5}, "left": {"lifecycle.lead": 7}}
    show.segments({"segment": found}, BOOK)
    lines = terminal.export_text().splitlines()
    cells = [[part.strip() for part in line.split("│")[1:-1]] for line in lines if "│" in line]

    assert max(map(len, lines)) <= 100
    names = [row[0] for row in cells]
    for ladder in BOOK.ladders.values():
        start = names.index(ladder.label)
        rungs = [one.segment for one in ladder.rungs]
        assert names[start + 1 : start + 1 + len(rungs)] == rungs
    assert names.index("Motivation") < names.index("salesforce_users") < names.index("Apex")
    assert set(BOOK.segments) <= set(names), "a name was cut or lost"
    (bought,) = [row for row in cells if row[0] == "likely_to_buy"]
    assert bought[-2:] == ["+5", ""]
