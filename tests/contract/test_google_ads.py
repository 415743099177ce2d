"""Google Ads keeps the contract of lists."""

from __future__ import annotations

from typing import ClassVar

from audiencehub.model import Target
from audiencehub.testing.bench import FakeBench
from audiencehub.testing.lists import ListContract


class TestGoogleLists(ListContract):
    """Customer Match lists, by hashed e-mail addresses."""

    connector = "google_ads"
    options: ClassVar = {"account_id": "123-456-7890"}

    def holdings(self, bench: FakeBench, target: Target) -> list[str]:
        """The hashes that the fake keeps for the list."""
        table = bench.sandbox.store.table(f"member:{target.remote['user_list_id']}")
        return [row["ids"][0].removeprefix("email_address:") for row in table.values()]
