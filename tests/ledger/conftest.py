"""A ledger, one per test."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from audiencehub.ledger import Ledger


@pytest.fixture
def now():
    return datetime(2026, 11, 16, 9, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path):
    made = Ledger.open(tmp_path / "home")
    yield made
    made.close()
