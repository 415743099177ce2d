"""Meta ads keeps the contract of lists."""

from __future__ import annotations

from typing import ClassVar

from audiencehub.model import Target
from audiencehub.testing.bench import FakeBench
from audiencehub.testing.lists import ListContract


class TestMetaAudiences(ListContract):
    """Custom audiences, by hashed e-mail addresses."""

    connector = "meta_ads"
    options: ClassVar = {"ad_account_id": "100200300"}

    def holdings(self, bench: FakeBench, target: Target) -> list[str]:
        """The hashes that the fake keeps for the audience."""
        table = bench.sandbox.store.table(f"member:{target.remote['audience_id']}")
        return [row["EMAIL"] for row in table.values()]
