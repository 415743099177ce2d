"""A desk of identity, one per test."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def desk(tmp_path):
    from iddesk import Desk

    made = Desk(tmp_path)
    yield made
    made.close()


@pytest.fixture
def make_desk(tmp_path):
    from iddesk import Desk

    made = []

    def make(**settings):
        made.append(Desk(tmp_path / str(len(made)), **settings))
        return made[-1]

    yield make
    for one in made:
        one.close()
