"""Slack keeps the contract of lists, as far as a channel can: what was posted stays there."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from audiencehub.http import redact_every_record
from audiencehub.model import Change, Target
from audiencehub.testing.bench import FakeBench
from audiencehub.testing.contract import BROKEN
from audiencehub.testing.destination import SOME, deliver
from audiencehub.testing.lists import ListContract


class TestSlack(ListContract):
    """Digests of six people; the fake holds the texts, each of which may have come twice."""

    connector = "slack"
    unusable: ClassVar = {}

    @pytest.fixture(autouse=True)
    def redacted(self) -> Iterator[None]:
        """As in every run of the hub: the secret stands in the path, which urllib3 logs."""
        before = logging.getLogRecordFactory()
        redact_every_record()
        yield
        logging.setLogRecordFactory(before)

    def changes(self, bench: FakeBench, target: Target, *, there: bool) -> list[Change]:
        """Some people by their numbers."""
        op, why = ("add", "entered vip") if there else ("remove", "left vip")
        return [
            Change(str(n), op, identifiers={"person": str(n)}, why=why)  # type: ignore[arg-type]
            for n in range(1, SOME + 1)
        ]

    def holdings(self, bench: FakeBench, target: Target) -> set[str]:
        """What the channel was told of this segment."""
        told = [one["text"] for one in bench.sandbox.store.table("message").values()]
        return {one for one in told if one.startswith(f"*{target.label}*: ")}

    def test_each_change_gets_one_receipt_in_order(self, bench: FakeBench) -> None:
        """A message for each person would drown the channel."""
        for target in self.ready(bench):
            changes = self.changes(bench, target, there=True)[::-1]
            log = len(bench.written())
            receipts = deliver(bench.destination(), target, changes)
            assert [one.verdict for one in receipts] == ["confirmed"] * len(changes)
            assert all(one.proof for one in receipts)
            assert len(bench.written()) == log + 1

    def test_put_there_and_taken_away_is_absent(self, bench: FakeBench) -> None:
        """A channel that hears of entries alone counts people who left long ago."""
        for target in self.ready(bench):
            for there in (True, False):
                deliver(bench.destination(), target, self.changes(bench, target, there=there))
            left, entered = sorted(self.held(bench, target), key=lambda text: "entered" in text)
            assert f"{SOME} left" in left and f"{SOME} entered" in entered

    def test_a_hopeless_row_costs_itself_alone(self, bench: FakeBench) -> None:
        """Whom the hub does not know is not counted; the others are."""
        for target in self.ready(bench):
            changes = self.changes(bench, target, there=True)
            mixed = [*changes[:3], self.hopeless(bench, target), *changes[3:]]
            receipts = deliver(bench.destination(), target, mixed)
            assert receipts.pop(3).verdict == "rejected"
            assert {one.verdict for one in receipts} == {"confirmed"}
            (text,) = self.held(bench, target)
            assert f"{SOME} entered" in text

    def test_what_is_added_is_there_and_only_there(self, bench: FakeBench) -> None:
        """Each segment is told of by its own name."""
        target, other = self.ready(bench)
        deliver(bench.destination(), target, self.changes(bench, target, there=True))
        assert len(self.held(bench, target)) == 1
        assert self.held(bench, other) == []

    @pytest.mark.parametrize("broken", [one for one in BROKEN if one != "a body that ends early"])
    def test_an_answer_that_proves_nothing_confirms_nothing(
        self, bench: FakeBench, broken: str
    ) -> None:
        """Slack's `ok` is too short to be cut to nine bytes; all else is no ok."""
        fault: Any = BROKEN[broken]
        for target in self.ready(bench):
            self._in_doubt(bench, target, **fault)
