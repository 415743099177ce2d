"""The contract of a destination whose audiences hold companies.

class TestAcmeAds(CompanyListContract):
    connector = "acme_ads"
    options = {"members": "companies"}

    def holdings(self, bench, target):
        return bench.sandbox.store.table(target.remote["audience_id"])
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from audiencehub.model import Change, Op, Target
from audiencehub.privacy.identifiers import identify
from audiencehub.privacy.rule import Identifier
from audiencehub.testing.bench import FakeBench
from audiencehub.testing.destination import SOME
from audiencehub.testing.lists import ListContract


class CompanyListContract(ListContract):
    """The laws of audiences, for companies by their domains."""

    key: ClassVar[str] = "company_domain"
    unusable: ClassVar[Mapping[str, str]] = {"company_domain": ""}

    def changes(self, bench: FakeBench, target: Target, *, there: bool) -> list[Change]:  # noqa: ARG002
        """Some companies by their domain, as the platform wants it."""
        can, made = bench.destination().can, dict[str, Change]()
        assert can.members == "account", "a list of companies says so"
        for number, company in enumerate(bench.company.accounts):
            found = identify(can.platform, self.key, company.website or "")
            if isinstance(found, Identifier) and len(made) < SOME:
                op: Op = "add" if there else "remove"
                made[found.sent] = Change(
                    f"account-{number}", op, identifiers={self.key: found.sent}
                )
        return list(made.values())
