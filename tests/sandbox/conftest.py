"""The toy vendor, and companies small enough to look at whole."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from audiencehub.sandbox.clock import SandboxClock
from audiencehub.sandbox.company import Company, generate
from audiencehub.sandbox.store import Store
from audiencehub.settings import Settings

sys.path.insert(0, str(Path(__file__).parent))

SEED = 20261116


@pytest.fixture
def toy_kind():
    from toy import Toy

    return Toy


@pytest.fixture
def toy(toy_kind):
    store = Store()
    yield toy_kind(store, SandboxClock(store))
    store.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        company={"name": "Acme Analytics"},
        sandbox={"contacts": 120, "accounts": 20, "seed": 7},
        root=tmp_path,
    )


@pytest.fixture(scope="session")
def company() -> Company:
    """The demo company as it ships: 5,000 CRM contacts, 600 accounts."""
    return generate(SEED)
