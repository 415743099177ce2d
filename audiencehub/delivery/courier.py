"""Courier: a released plan, phase by phase, until every row has its verdict."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from audiencehub.delivery import crash, guards
from audiencehub.delivery.batching import Loader
from audiencehub.delivery.diff import ADD, CONSENT, REMOVE, REPLACED
from audiencehub.delivery.settle import settle
from audiencehub.delivery.wire import Load, Wire
from audiencehub.ledger import Intent, Plan
from audiencehub.settings import Guards

ROUNDS = ((4, 1.0), (20, 4.0), (0, 10.0))
"""For rows to be retried: the batch size's divisor (0: one by one), and the seconds before it."""


@dataclass(slots=True)
class Courier:
    """Delivers plans of one target."""

    wire: Wire
    loader: Loader
    limits: Guards
    progress: Callable[..., None]

    def recover(self) -> None:
        """Settle what an earlier run left open; what it never sent is superseded."""
        wire = self.wire
        crash.point("before_settle")
        settle(wire, self.loader, wire.ledger.delivery.unsettled(wire.target.id))
        with wire.ledger.leases.fenced(wire.lease):
            wire.ledger.delivery.abandon(wire.target.id)
        crash.point("after_settle")

    def deliver(self, plan: Plan) -> bool:
        """Send all of a plan: consent removals, replaced identifiers, adds, removals.

        False when too many rejects stopped it. Raises Wait or Stop, with the plan still open.
        """
        wire, ledger = self.wire, self.wire.ledger
        ended = ledger.delivery.ended(plan.plan_id)
        todo = [c for c in ledger.plans.changes(plan.plan_id) if (c.member, c.op) not in ended]
        with ledger.leases.fenced(wire.lease):
            ledger.plans.mark(plan.plan_id, "applying")
        going = True
        last = ((ADD, REMOVE),) if wire.destination.can.mixed else ((ADD,), (REMOVE,))
        for phases in ((CONSENT,), (REPLACED,), *last):
            group = [one for one in todo if one.phase in phases]
            if not group or not going:
                continue
            out = {one.member for one in ledger.delivery.unsettled(wire.target.id)}
            if phases != (REPLACED,):
                # Who still has the old identifiers there gets no new ones: the old are known yet.
                out |= ledger.delivery.refused(plan.plan_id, REPLACED)
            with ledger.leases.fenced(wire.lease):
                ledger.delivery.begin(
                    wire.target.id,
                    plan.plan_id,
                    wire.run_id,
                    wire.lease.fence,
                    [one for one in group if one.member not in out],
                    wire.now,
                )
            crash.point("after_begin")
            going = self._phase(plan, phases, len(todo))
        with ledger.leases.fenced(wire.lease):
            ledger.delivery.abandon(wire.target.id)
            ledger.plans.mark(plan.plan_id, "done")
        return going

    def _phase(self, plan: Plan, phases: Sequence[int], total: int) -> bool:
        wire = self.wire
        intents = wire.ledger.delivery.planned(plan.plan_id, phases)
        whole = max(1, wire.destination.batch_size(wire.target, len(intents)))
        retry: list[Intent] = []
        for batch in _batches(intents, whole):
            retry += self._batch(batch)
            self.progress(f"push {wire.target.id}", wire.tally["confirmed"], total)
            if self._refused_too_much(plan, total):
                return False
        jitter = random.Random(f"{wire.run_id}:{wire.target.id}")
        for divisor, gap in ROUNDS:
            if not retry:
                break
            (wire.pause or time.sleep)(gap * jitter.uniform(0.5, 1.5))
            size = max(1, whole // divisor) if divisor else 1
            waiting, retry = retry, []
            for batch in _batches(waiting, size):
                retry += self._batch(batch)
        for intent in retry:
            wire.reject(intent, intent.value_hash, "still_busy: locked in every try of this run")
        return True

    def _batch(self, intents: Sequence[Intent]) -> list[Intent]:
        """Send these; the ones to try again later in this run."""
        retry: list[Intent] = []
        loads = self.loader.loads(intents)
        while loads:
            sent = self.wire.send(loads)
            loads = self.wire.isolate(sent.loads) if sent.refused else []
            retry += [load.intent for load in sent.retry]
            # One in doubt is looked for at once: most answers are lost on the way back.
            retry += settle(self.wire, self.loader, self._doubted(sent.unknown))
        return retry

    def _doubted(self, loads: Sequence[Load]) -> list[Intent]:
        if not loads:
            return []
        seqs = {load.intent.seq for load in loads}
        found = self.wire.ledger.delivery.unsettled(self.wire.target.id)
        return [one for one in found if one.seq in seqs]

    def _refused_too_much(self, plan: Plan, total: int) -> bool:
        """Whether the rest is to wait for a person, unless one has released this very plan."""
        if plan.verdict == "approved" or plan.kind == "consent":
            return False
        return guards.rejects(self.limits, self.wire.tally["rejected"], total).verdict == "hold"


def _batches(intents: Sequence[Intent], size: int) -> list[Sequence[Intent]]:
    return [intents[start : start + size] for start in range(0, len(intents), size)]
