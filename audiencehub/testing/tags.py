"""The contract of a destination that tags CRM records.

class TestAcmeTags(TagContract):
    connector = "acme_crm"
    nobody: ClassVar = {"contact": "999999"}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from audiencehub.model import Change, TagValue, Target
from audiencehub.testing.bench import FakeBench
from audiencehub.testing.destination import OPTIONS, SOME, DestinationContract, deliver
from audiencehub.testing.source import take

REASON = 'vip: Umsatz ≥ 1.000 €, "Käse & Co", 李 Ωmega 🦊; rule a1b2'


class TagContract(DestinationContract):
    """The laws of tags on CRM records."""

    nobody: ClassVar[Mapping[str, str]]
    """By place, an id of the vendor's own shape that no record has."""

    def members(self, bench: FakeBench, place: str) -> list[str]:
        """Record ids at the vendor; by default those that the connector's own source reads."""
        if place not in bench.known:
            source = bench.source()
            stream = next(one for one in source.available() if one.name == place)
            table = "account" if place == "account" else "contact"
            found = [key for kind, key in take(source, stream, None).live if kind == table]
            bench.known[place] = sorted(found)[:SOME]
        return bench.known[place]

    def targets(self, bench: FakeBench) -> list[Target]:
        """A target for each place."""
        can = bench.destination().can
        assert "tag" in can.kinds and set(self.nobody) == set(can.places)
        return [Target(self.connector, "tag", place) for place in can.places]

    def changes(self, bench: FakeBench, target: Target, *, there: bool) -> list[Change]:
        """Two tags with a reason, or none."""
        value = TagValue(("churn_risk", "vip"), REASON) if there else TagValue((), "")
        return [Change(one, "set", value) for one in self.members(bench, target.place)]

    def held(self, bench: FakeBench, target: Target) -> Any:
        """Tags and reason as a destination that was opened anew reads them; no reason is empty."""
        members = self.members(bench, target.place)
        found = bench.destination().read(target, members)
        assert set(found) == set(members), f"{target.id}: read() misses records that are there"
        return {key: (one.tags, one.reason or "") for key, one in found.items()}

    def hopeless(self, bench: FakeBench, target: Target) -> Change:  # noqa: ARG002 - the base's
        """A tag for a record that is not there."""
        return Change(self.nobody[target.place], "set", TagValue(("vip",), REASON))

    def test_what_is_written_is_read(self, bench: FakeBench) -> None:
        """Text that loses a letter on the way is written again in every run."""
        for target in self.ready(bench):
            deliver(bench.destination(), target, self.changes(bench, target, there=True))
            assert set(self.held(bench, target).values()) == {(("churn_risk", "vip"), REASON)}

    def test_a_set_replaces_the_whole_set(self, bench: FakeBench) -> None:
        """A tag that stays when its segment is left lies to whoever reads the record."""
        for target in self.ready(bench):
            deliver(bench.destination(), target, self.changes(bench, target, there=True))
            for value, expected in (
                (TagValue(("vip",), None), (("vip",), REASON)),
                (TagValue(("churn_risk",), "why"), (("churn_risk",), "why")),
                (TagValue((), None), ((), "why")),
                (TagValue((), ""), ((), "")),
            ):
                changes = [
                    replace(one, value=value) for one in self.changes(bench, target, there=True)
                ]
                deliver(bench.destination(), target, changes)
                assert set(self.held(bench, target).values()) == {expected}

    def test_options_of_before_stay(self, bench: FakeBench) -> None:
        """An option that is taken away while records hold it breaks every later write of them."""
        for target in self.ready(bench):
            bench.destination().ensure(target, OPTIONS[:1])
            receipts = deliver(bench.destination(), target, self.changes(bench, target, there=True))
            assert {one.verdict for one in receipts} == {"confirmed"}

    def test_who_is_not_there_is_not_read(self, bench: FakeBench) -> None:
        """A record that is gone and reads as empty would be written for ever."""
        for target in self.ready(bench):
            assert bench.destination().read(target, [self.nobody[target.place]]) == {}
