"""The bench, one per test."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def bench(tmp_path):
    from toybench import Bench

    made = Bench(tmp_path)
    yield made
    made.close()
