"""The contract of a destination that keeps audiences.

class TestAcmeAds(ListContract):
    connector = "acme_ads"

    def holdings(self, bench, target):
        return bench.sandbox.store.table(target.remote["audience_id"])
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from audiencehub.model import Change, Op, Target
from audiencehub.privacy.identifiers import identify
from audiencehub.privacy.rule import Identifier
from audiencehub.testing.bench import FakeBench
from audiencehub.testing.destination import SOME, DestinationContract, deliver


class ListContract(DestinationContract):
    """The laws of audiences: people by identifiers, in and out."""

    unusable: ClassVar[Mapping[str, str]] = {"email": "not a hash"}
    """Identifiers that the platform calls invalid."""
    key: ClassVar[str] = "email"
    """The identifier that `changes` gives and `holdings` tells."""

    @abstractmethod
    def holdings(self, bench: FakeBench, target: Target) -> Collection[str]:
        """The identifiers in the audience, asked of the fake itself."""

    def targets(self, bench: FakeBench) -> list[Target]:
        """Two audiences, so that one does not answer for the other."""
        assert "list" in bench.destination().can.kinds
        return [
            Target(self.connector, "list", name, label=f"{name} größte")
            for name in ("vip", "churn_risk")
        ]

    def changes(self, bench: FakeBench, target: Target, *, there: bool) -> list[Change]:  # noqa: ARG002
        """Some people by their e-mail address, as the platform wants it."""
        platform, made = bench.destination().can.platform, dict[str, Change]()
        for number, person in enumerate(bench.company.contacts):
            found = identify(platform, "email", person.email or "")
            if isinstance(found, Identifier) and len(made) < SOME:
                op: Op = "add" if there else "remove"
                made[found.sent] = Change(
                    f"person-{number}",
                    op,
                    identifiers={"email": found.sent},
                )
        return list(made.values())

    def held(self, bench: FakeBench, target: Target) -> Any:
        """The identifiers, sorted."""
        return sorted(self.holdings(bench, target))

    def hopeless(self, bench: FakeBench, target: Target) -> Change:  # noqa: ARG002 - the base's
        """Somebody without a usable identifier."""
        return Change("person-nobody", "add", identifiers=self.unusable)

    def test_what_is_added_is_there_and_only_there(self, bench: FakeBench) -> None:
        """People in the wrong audience see what was not meant for them."""
        target, other = self.ready(bench)
        changes = self.changes(bench, target, there=True)
        deliver(bench.destination(), target, changes)
        assert set(self.held(bench, target)) == {one.identifiers[self.key] for one in changes}
        assert self.held(bench, other) == []
