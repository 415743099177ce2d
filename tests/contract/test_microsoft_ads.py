"""Microsoft Advertising keeps the contract of lists."""

from __future__ import annotations

from typing import ClassVar

from audiencehub.model import Target
from audiencehub.testing.bench import FakeBench
from audiencehub.testing.lists import ListContract


class TestMicrosoftLists(ListContract):
    """Customer lists, by hashed e-mail addresses."""

    connector = "microsoft_ads"
    options: ClassVar = {
        "account_id": "1001",
        "customer_id": "2002",
        "client_id": "3f2b8a10-0000-4000-8000-000000000001",
    }

    def holdings(self, bench: FakeBench, target: Target) -> list[str]:
        """The hashes that the fake keeps for the list."""
        table = bench.sandbox.store.table(f"item:{target.remote['audience_id']}")
        return [item["value"] for item in table.values() if item["kind"] == "Email"]
