"""A PostgreSQL server for the tests that compare engines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.rules.kit import WIDE


@pytest.fixture(scope="session")
def postgres() -> Iterator[object]:
    """A `Warehouse` in a server that lives as long as the session."""
    from tests.rules.postgres import Warehouse, server

    with server() as socket:
        warehouse = Warehouse(socket, WIDE)
        yield warehouse
        warehouse.close()
