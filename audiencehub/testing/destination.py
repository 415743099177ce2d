"""The contract of every destination; a connector inherits it as `tags.TagContract` or
`lists.ListContract`.

What the fake holds is asked anew, and never of the one who wrote.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from audiencehub.connector import Destination
from audiencehub.errors import BatchRefused, OutcomeUnknown, Stop, Wait
from audiencehub.model import Change, Receipt, TagOption, Target
from audiencehub.testing.bench import FakeBench, Patience
from audiencehub.testing.contract import BROKEN, Contract, assert_instruction, assert_one_line

SOME = 6
"""Members that a test writes."""
OPTIONS = (TagOption("churn_risk", "Churn risk"), TagOption("vip", "Größte Kunden"))


class DestinationContract(Contract, ABC):
    """The laws of both kinds; use one of the two below."""

    @abstractmethod
    def targets(self, bench: FakeBench) -> list[Target]:
        """Every kind of place that the destination serves, not made yet."""

    @abstractmethod
    def changes(self, bench: FakeBench, target: Target, *, there: bool) -> list[Change]:
        """Some members put there, or taken away again."""

    @abstractmethod
    def held(self, bench: FakeBench, target: Target) -> Any:
        """What the fake holds of these members, comparable."""

    @abstractmethod
    def hopeless(self, bench: FakeBench, target: Target) -> Change:
        """A change that this destination has to refuse."""

    def ready(self, bench: FakeBench) -> Iterator[Target]:
        """Every target, made."""
        for target in self.targets(bench):
            remote = bench.destination().ensure(target, OPTIONS)
            yield replace(target, remote=remote)

    def test_check_proves_access(self, bench: FakeBench) -> None:
        """`doctor` shows this line; a check that says nothing proves nothing."""
        assert_one_line(bench.destination().check(), bench)

    def test_a_wrong_password_stops_and_writes_nothing(self, bench: FakeBench) -> None:
        """A wrong password that looks like an outage would be retried for ever."""
        for target in self.ready(bench):
            before, log = self.held(bench, target), bench.written()
            changes = self.changes(bench, target, there=True)
            anew = replace(target, remote={})
            acts: list[tuple[str, tuple[Any, ...]]] = [
                ("check", ()),
                ("ensure", (anew, OPTIONS)),
                ("apply", (target, changes)),
            ]
            for act, arguments in acts:
                with pytest.raises(Stop) as found:
                    getattr(bench.destination(wrong=True), act)(*arguments)
                assert_instruction(found.value, bench)
            assert (self.held(bench, target), bench.written()) == (before, log)

    def test_a_line_that_is_kept_is_told_again(self, bench: FakeBench) -> None:
        """Where a destination can tell which ledger sent last, a lost one is noticed even when its
        whole folder was put back; a line that is lost or stale would tell of another."""
        for target in self.ready(bench):
            if not bench.destination().keeps_mark(target):
                with pytest.raises(NotImplementedError):
                    bench.destination().recall(target)
                continue
            held = self.held(bench, target)
            assert bench.destination().recall(target) is None
            for mark in ("0123456789ab:7", "0123456789ab:1234567"):
                bench.destination().remember(target, mark)
                bench.destination().ensure(target, OPTIONS)
                assert bench.destination().recall(target) == mark
                # A ledger that was lost does not know what the place is called there.
                assert bench.destination().recall(replace(target, remote={})) == mark
            assert self.held(bench, target) == held
            with pytest.raises(Stop):
                bench.destination(wrong=True).remember(target, "0123456789ab:8")

    def test_ensure_is_idempotent(self, bench: FakeBench) -> None:
        """A place that is made again each run leaves a trail of empty audiences and fields."""
        for target in self.targets(bench):
            first = bench.destination().ensure(target, OPTIONS)
            assert first, f"{target.id}: ensure says what to remember of the place"
            assert all(isinstance(one, str) for one in first.values())
            known = replace(target, remote=first)
            for again in (known, target):  # the second: the first answer was lost
                assert bench.destination().ensure(again, OPTIONS) == first

    def test_each_change_gets_one_receipt_in_order(self, bench: FakeBench) -> None:
        """A verdict that is given to the wrong row is a row believed and never written."""
        for target in self.ready(bench):
            before = self.held(bench, target)
            changes = self.changes(bench, target, there=True)[::-1]
            log = len(bench.written())
            receipts = deliver(bench.destination(), target, changes)
            assert [one.verdict for one in receipts] == ["confirmed"] * len(changes)
            assert all(one.proof for one in receipts), "confirmed takes proof from the reply"
            assert len(bench.written()) - log >= len(changes), "the fake's log knows each write"
            assert self.held(bench, target) != before, "confirmed, and the fake holds nothing new"

    def test_twice_is_once(self, bench: FakeBench) -> None:
        """Every write may be repeated after a crash: the second one must change nothing."""
        for target in self.ready(bench):
            changes = self.changes(bench, target, there=True)
            deliver(bench.destination(), target, changes)
            once = self.held(bench, target)
            receipts = deliver(bench.destination(), target, changes)
            assert {one.verdict for one in receipts} == {"confirmed"}
            assert self.held(bench, target) == once

    def test_put_there_and_taken_away_is_absent(self, bench: FakeBench) -> None:
        """A removal that does not remove keeps people in an audience they have left."""
        for target in self.ready(bench):
            before = self.held(bench, target)
            deliver(bench.destination(), target, self.changes(bench, target, there=True))
            gone = self.changes(bench, target, there=False)
            for _ in range(2):  # who is not there is removed without complaint
                receipts = deliver(bench.destination(), target, gone)
                assert {one.verdict for one in receipts} == {"confirmed"}
                assert self.held(bench, target) == before

    def test_a_hopeless_row_costs_itself_alone(self, bench: FakeBench) -> None:
        """One bad row that takes its batch with it stops everybody's tags."""
        for target in self.ready(bench):
            changes = self.changes(bench, target, there=True)
            deliver(bench.destination(), target, changes)
            wanted = self.held(bench, target)
            deliver(bench.destination(), target, self.changes(bench, target, there=False))
            middle = len(changes) // 2
            mixed = [*changes[:middle], self.hopeless(bench, target), *changes[middle:]]
            receipts = deliver(bench.destination(), target, mixed)
            refused = receipts.pop(middle)
            assert refused.verdict == "rejected" and refused.reason, "rejected, and why"
            assert {one.verdict for one in receipts} == {"confirmed"}, "its neighbours land"
            assert self.held(bench, target) == wanted

    @pytest.mark.parametrize("applied", [True, False], ids=["applied", "not applied"])
    def test_a_lost_answer_is_neither_success_nor_failure(
        self, bench: FakeBench, applied: bool
    ) -> None:
        """Counted as failed it is sent to no one; counted as done it was sent to no one."""
        for target in self.ready(bench):
            self._in_doubt(bench, target, hang_up=True, after_apply=applied)

    @pytest.mark.parametrize("broken", BROKEN)
    def test_an_answer_that_proves_nothing_confirms_nothing(
        self, bench: FakeBench, broken: str
    ) -> None:
        """Half an answer, or a web page, is no verdict on any row."""
        for target in self.ready(bench):
            self._in_doubt(bench, target, **BROKEN[broken])

    def test_retry_after_is_obeyed(self, bench: FakeBench, patience: Patience) -> None:
        """A client that asks again at once is blocked, and the night's push with it."""
        for target in self.ready(bench):
            method, path = self._write(bench, target)
            patience.slept.clear()
            bench.fault(method=method, path=path, status=429, headers={"Retry-After": "7"}, body={})
            changes = self.changes(bench, target, there=True)
            receipts = deliver(bench.destination(), target, changes)
            assert {one.verdict for one in receipts} == {"confirmed"}
            assert max(patience.slept, default=0) >= 7, "did not wait as told"

    def test_a_limit_of_hours_is_not_waited_for(self, bench: FakeBench) -> None:
        """A push that sleeps for hours holds the lease of its target."""
        for target in self.ready(bench):
            method, path = self._write(bench, target)
            before = self.held(bench, target)
            bench.fault(
                method=method,
                path=path,
                times=1_000_000,
                status=429,
                headers={"Retry-After": "86400"},
                body={},
            )
            with pytest.raises(Wait) as found:
                bench.destination().apply(target, self.changes(bench, target, there=True))
            assert_instruction(found.value, bench)
            bench.heal()
            assert self.held(bench, target) == before, "Wait says that nothing was applied"

    def _write(self, bench: FakeBench, target: Target) -> tuple[str, str]:
        """Method and path of the request that writes, seen on one that goes well."""
        before = len(bench.asked())
        deliver(bench.destination(), target, self.changes(bench, target, there=True))
        found = [one for one in bench.asked()[before:] if one[0] != "GET"][-1]
        deliver(bench.destination(), target, self.changes(bench, target, there=False))
        return found

    def _in_doubt(self, bench: FakeBench, target: Target, **fault: Any) -> None:
        """The write goes wrong; then the same is written again, and all is as if it had not."""
        method, path = self._write(bench, target)
        changes = self.changes(bench, target, there=True)
        bench.fault(method=method, path=path, times=1_000_000, **fault)
        try:
            verdicts = {one.verdict for one in deliver(bench.destination(), target, changes)}
        except OutcomeUnknown as error:
            assert_instruction(error, bench)
        else:
            assert verdicts == {"unknown"}, f"nobody can know, and it says {verdicts}"
        bench.heal()
        deliver(bench.destination(), target, changes)
        wanted = self.held(bench, target)
        deliver(bench.destination(), target, self.changes(bench, target, there=False))
        deliver(bench.destination(), target, changes)
        assert self.held(bench, target) == wanted, "written again, it does not converge"


def deliver(destination: Destination, target: Target, changes: Sequence[Change]) -> list[Receipt]:
    """Send all, halving a batch that is refused whole, as the courier does."""
    size = destination.batch_size(target, len(changes))
    receipts: list[Receipt] = []
    for start in range(0, len(changes), size):
        receipts += _send(destination, target, changes[start : start + size])
    members = [one.member for one in changes]
    assert [one.member for one in receipts] == members, "one receipt per change, in the order given"
    return receipts


def _send(destination: Destination, target: Target, changes: Sequence[Change]) -> list[Receipt]:
    try:
        return list(destination.apply(target, changes))
    except BatchRefused as refused:
        if len(changes) == 1:
            return [Receipt(changes[0].member, "rejected", reason=refused.message)]
        middle = len(changes) // 2
        return [
            *_send(destination, target, changes[:middle]),
            *_send(destination, target, changes[middle:]),
        ]
