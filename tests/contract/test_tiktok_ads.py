"""TikTok ads keeps the contract of lists."""

from __future__ import annotations

from typing import ClassVar

from audiencehub.model import Target
from audiencehub.testing.bench import FakeBench
from audiencehub.testing.lists import ListContract


class TestTikTokAudiences(ListContract):
    """Custom audiences, by hashed e-mail addresses."""

    connector = "tiktok_ads"
    options: ClassVar = {"advertiser_id": "7000000000000000001"}

    def holdings(self, bench: FakeBench, target: Target) -> list[str]:
        """The hashes that the fake keeps for the audience."""
        table = bench.sandbox.store.table(f"member:{target.remote['audience_id']}")
        return [row["id"] for row in table.values()]
