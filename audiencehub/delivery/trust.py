"""Trust: what may leave for a target after the ledger was lost or put back, and who can tell.

Held: nothing but removals that consent or erasure asks for. Additive: adds too, over what is there.
Whole: everything, once the target was read back, sent whole, or accepted by a person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import NoReturn

from audiencehub.connector import Capabilities, Destination
from audiencehub.delivery.guards import GuardResult
from audiencehub.delivery.outcomes import WHO, ask
from audiencehub.delivery.wire import Wire
from audiencehub.errors import BatchRefused, HubError, OutcomeUnknown, Stop, Wait
from audiencehub.ledger import Ledger, PlanChange
from audiencehub.ledger.custody import State
from audiencehub.ledger.planned import RESTORED
from audiencehub.model import Change, Target

WITNESSED = 3
"""Calls of a push to a destination that keeps the count: one to ask, two to note."""


@dataclass(frozen=True, slots=True)
class Trust:
    """How far one target is trusted."""

    state: State
    resync: bool
    """It is being sent whole: then removals go too, under the other guards. After a restore only
    where a person has asked for that since."""
    can_add: bool
    """Adds can be told apart from what is there."""

    @property
    def adds_only(self) -> bool:
        """Nobody may be removed."""
        return self.state != "whole" and not self.resync

    @property
    def held(self) -> bool:
        """Nothing but consent removals may leave."""
        return self.adds_only and (self.state == "held" or not self.can_add)

    def results(self, target: str) -> list[GuardResult]:
        """The guard's word, where there is one to say."""
        if not self.adds_only:
            return []
        if self.held:
            why = f"the ledger was lost or put back; audiencehub adopt {target}"
            return [GuardResult(RESTORED, "hold", why)]
        waits = "the ledger was put back: adds go, removals wait for audiencehub adopt"
        return [GuardResult(RESTORED, "defer", f"{waits} {target}")]

    def permitted(
        self, changes: Sequence[PlanChange], believed: Collection[str], left_out: Counter[str]
    ) -> list[PlanChange]:
        """Of a list's changes, those that may be planned. A member who is there with other
        identifiers stays with them: to add the new ones would lose the old."""
        if not self.adds_only:
            return list(changes)
        kept = [one for one in changes if one.op == "set" or (
            one.op == "add" and one.member not in believed)]  # fmt: skip
        left_out[RESTORED] += len(changes) - len(kept)
        return kept


def trust(ledger: Ledger, target: Target, can: Capabilities) -> Trust:
    """How far a target is trusted now."""
    state = ledger.custody.state(target.id)
    resync = ledger.resyncs.under_way(target.id)
    if state != "whole":
        resync = ledger.resyncs.vouched(target.id, WHO)
    return Trust(state, resync, target.kind == "list" or can.reads)


def recalled(ledger: Ledger, destination: Destination, target: Target) -> bool:
    """Ask the destination which ledger sent last, where it can keep that; whether it was this one.

    Otherwise the restore is recorded. Raises Wait or Stop.
    """
    if not destination.keeps_mark(target):
        return True
    return ledger.custody.judge(destination.recall(target), target.id)


def refuse(ledger: Ledger) -> NoReturn:
    """Raise Stop for what was just found."""
    found = ledger.custody.restored()
    raise Stop(
        f"Nothing was sent: {found.text if found else 'the ledger was put back'}.",
        hint="Look what the destinations hold: audiencehub adopt",
    )


@contextmanager
def witnessed(wire: Wire, *, begun: bool) -> Iterator[None]:
    """The destination keeps the count: of before the first batch, and of after the last.

    Two, because a copy of the ledger may be taken in the middle of a push. None before it, when
    nothing of a plan is to be sent.
    """
    if not wire.destination.keeps_mark(wire.target):
        yield
        return
    if not begun:
        yield
        if wire.tally["calls"]:
            _remember(wire)
        return
    with wire.ledger.leases.fenced(wire.lease):
        wire.ledger.custody.advance()
    wire.ledger.custody.stamp()
    _remember(wire)
    yield
    if wire.tally["calls"]:
        _remember(wire)


def _kept(wire: Wire) -> list[Change]:
    """Everybody believed to be on a list who may be, with what was sent of them."""
    delivery, target = wire.ledger.delivery, wire.target.id
    believed = delivery.believed(target)
    sent = delivery.identifiers(target, list(believed))
    people = {one.person for one in believed.values() if one.person is not None}
    allowed = people - wire.unwelcome(people)
    return [
        Change(member, "add", identifiers=wire.ledger.sealing.open(sent[member]))
        for member, held in sorted(believed.items())
        if member in sent and held.person in allowed
    ]


def _remember(wire: Wire) -> None:
    try:
        wire.destination.remember(wire.target, wire.ledger.custody.mark)
    except (Wait, Stop, OutcomeUnknown, BatchRefused):
        # The stamp beside the ledger still tells; a note must not keep a removal from going out.
        wire.tally["unwitnessed"] += 1


def sent_before(wire: Wire) -> None:
    """End a resync that an earlier push has said, before this one gives the platform more to work
    off: a list that changes every day would never be without. What hinders it now is told after
    this push, by `sent_whole`."""
    ledger, target = wire.ledger, wire.target
    if not (wire.destination.can.processes_later and wire.destination.can.replaces):
        return
    since = ledger.resyncs.asked_at(target.id)
    if since is None or not ledger.plans.done_since(target.id, since):
        return
    if ledger.delivery.unsettled(target.id):
        return
    with suppress(HubError):
        for job in ledger.jobs.due(wire.now):
            if job.target == target.id:
                ask(ledger, wire.destination, target, job, wire.run_id, wire.now)
        sent_whole(wire)


def _unsaid(ledger: Ledger, target: str) -> set[str]:
    """Who is believed there and was not said since the resync was asked for, be it after the plan
    was made: a platform that drops those would leave them believed. Who is set aside is known to a
    person."""
    aside = {member for member, _, _ in ledger.quarantine.refused(target)}
    return ledger.delivery.believed(target).keys() - ledger.resyncs.said(target) - aside


def sent_whole(wire: Wire) -> None:
    """A resync of which everything has its verdict is over, and its target trusted again.

    Where the destination can, the list is made to hold what is believed and nobody else first, so
    that those go too of whom the ledger never knew. That waits while it still works on what was
    sent, gives no answer, or somebody who is believed there was not said again: a later push ends
    the resync then. Raises Stop, Wait.
    """
    ledger, target = wire.ledger, wire.target.id
    since = ledger.resyncs.asked_at(target)
    if wire.target.kind == "list" and wire.destination.can.replaces and since is not None:
        if ledger.jobs.running(target) or _unsaid(ledger, target):
            return
        ledger.leases.check(wire.lease)
        wire.tally["calls"] += 1
        try:
            wire.destination.replace(wire.target, _kept(wire), since)
        except OutcomeUnknown:
            return
    with ledger.leases.fenced(wire.lease):
        ledger.resyncs.done(target, wire.now)
        if ledger.custody.state(target) != "whole":
            who = ledger.resyncs.asked_by(target)
            ledger.custody.settle(target, "whole", "resynced", who, "sent whole", wire.now)
