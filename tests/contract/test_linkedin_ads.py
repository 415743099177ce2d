"""LinkedIn matched audiences keep the contract of lists: of people, and of companies."""

from __future__ import annotations

from typing import ClassVar

from audiencehub.model import Target
from audiencehub.testing.bench import FakeBench
from audiencehub.testing.companies import CompanyListContract
from audiencehub.testing.lists import ListContract


class TestLinkedInPeople(ListContract):
    """USER segments, by hashed e-mail addresses."""

    connector = "linkedin_ads"
    options: ClassVar = {"account_id": "512345678", "source_platform": "ACME_ANALYTICS"}

    def holdings(self, bench: FakeBench, target: Target) -> list[str]:
        """The hashes that the fake keeps for the segment."""
        table = bench.sandbox.store.table(f"member:{target.remote['segment_id']}")
        return [row["userIds"][0]["idValue"] for row in table.values()]


class TestLinkedInCompanies(CompanyListContract):
    """COMPANY segments, by domains."""

    connector = "linkedin_ads"
    options: ClassVar = {
        "account_id": "512345678",
        "source_platform": "ACME_ANALYTICS",
        "members": "companies",
    }

    def holdings(self, bench: FakeBench, target: Target) -> list[str]:
        """The domains that the fake keeps for the segment."""
        table = bench.sandbox.store.table(f"member:{target.remote['segment_id']}")
        return [row["companyWebsiteDomain"] for row in table.values()]
