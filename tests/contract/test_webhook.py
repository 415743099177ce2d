"""A webhook keeps the contract of lists."""

from __future__ import annotations

from typing import ClassVar

from audiencehub.model import Target
from audiencehub.testing.bench import FakeBench
from audiencehub.testing.lists import ListContract


class TestWebhook(ListContract):
    """A receiver that counts what it takes, by hashed e-mail addresses."""

    connector = "webhook"
    options: ClassVar = {"receipt": "count", "calls_per_second": 1000}
    field = "email_sha256"

    def holdings(self, bench: FakeBench, target: Target) -> list[str]:
        """The addresses that the fake keeps for the audience."""
        table = bench.sandbox.store.table(f"member:{target.remote['audience']}")
        return [row[self.field] for row in table.values()]


class TestReadableWebhook(TestWebhook):
    """The same with addresses as readable text."""

    options: ClassVar = {**TestWebhook.options, "hashed": False, "fields": ["email", "first_name"]}
    unusable: ClassVar = {"email": "not an address"}
    field = "email"
