"""The wire: one batch out, its verdicts in. An intent is durable before the call, its verdict
after it, and a dead process leaves no doubt between the two but `sent`."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from audiencehub.connector import Destination
from audiencehub.delivery import crash
from audiencehub.delivery.desired import STRICTEST
from audiencehub.delivery.diff import REPLACED
from audiencehub.delivery.shared import RECORDS, records_left
from audiencehub.errors import BatchRefused, OutcomeUnknown, Stop, Wait
from audiencehub.ledger import Intent, Lease, Ledger
from audiencehub.model import Change, Receipt, Target

TRIES = 3
"""Rejections of the same change after which it is set aside."""


@dataclass(frozen=True, slots=True)
class Load:
    """One intent as it goes out now."""

    intent: Intent
    change: Change
    value: str | None
    digest: str


@dataclass(slots=True)
class Sent:
    """What one call came to, for the rows that have no final verdict."""

    loads: list[Load] = field(default_factory=list)
    """What went out: those whom nobody may be sent any more were left out at the last moment."""
    refused: bool = False
    """The whole batch: some row of it is to blame, nothing was applied."""
    retry: list[Load] = field(default_factory=list)
    unknown: list[Load] = field(default_factory=list)


@dataclass(slots=True)
class Wire:
    """The way to one target under a lease; every write to the ledger checks the fence."""

    ledger: Ledger
    lease: Lease
    destination: Destination
    target: Target
    run_id: str
    now: datetime
    pause: Callable[[float], None] | None = None
    """Waits so many seconds; the machine's own sleep unless a test brings another."""
    tally: Counter[str] = field(default_factory=Counter)
    """confirmed, rejected, superseded, calls, drifted, false_confirms, verified, unwitnessed."""

    def send(self, loads: Sequence[Load]) -> Sent:
        """Send one batch and record its verdicts. Raises Wait or Stop, the intents put back.

        Consent is asked once more for these rows, in the very transaction that notes them as sent.
        """
        crash.point("before_sent")
        loads = self._sending(loads)
        if not loads:
            return Sent()
        batch = _batch_id(self.target.id, loads)
        try:
            self.ledger.custody.stamp()
        except Stop:
            self._back(batch, loads, "stopped")
            raise
        crash.point("after_sent")
        # Who was frozen since has a successor, who has settled these rows already.
        self.ledger.leases.check(self.lease)
        self.tally["calls"] += 1
        try:
            receipts = self.destination.apply(self.target, [load.change for load in loads])
        except OutcomeUnknown:
            self._all(batch, loads, "unknown", "no_answer")
            return Sent(loads, unknown=list(loads))
        except BatchRefused:
            self._back(batch, loads, "batch_refused")
            return Sent(loads, refused=True)
        except (Wait, Stop):
            self._back(batch, loads, "stopped")
            raise
        crash.point("after_apply")
        if [one.member for one in receipts] != [load.change.member for load in loads]:
            # Fewer or other verdicts than rows: nobody can say which row each belongs to.
            self._all(batch, loads, "unknown", "verdicts_do_not_match")
            return Sent(loads, unknown=list(loads))
        sent = self._record(batch, loads, receipts)
        crash.point("after_record")
        return sent

    def isolate(self, loads: Sequence[Load]) -> list[Load]:
        """Find the row that poisons a refused batch and reject it; the rest, to be sent anew.

        With the first refusal it takes at most log2(n) + 1 calls: each call tries one half, and
        whichever half must hold the poison is halved again.
        """
        suspects, aside = list(loads), list[Load]()
        while len(suspects) > 1:
            half = len(suspects) // 2
            left, right = suspects[:half], suspects[half:]
            sent = self.send(left)
            if sent.refused:
                suspects, aside = sent.loads, right + aside
            elif len(sent.loads) < len(left):
                # One who was left out may have been the poison: the rest shows it when sent.
                return [*sent.retry, *right, *aside]
            else:
                suspects = right
                aside += [*sent.retry]
        self.reject(suspects[0].intent, suspects[0].digest, "batch_refused")
        return aside

    def confirm(self, intent: Intent, proof: str) -> None:
        """Confirm without a call: the place is proven to hold it already."""
        with self.ledger.leases.fenced(self.lease):
            self._confirmed(intent, {}, proof)
        self.tally["confirmed"] += 1

    def supersede(self, intents: Sequence[Intent], reason: str) -> None:
        """These are not to be sent any more."""
        with self.ledger.leases.fenced(self.lease):
            seqs = [one.seq for one in intents]
            self.ledger.delivery.end(seqs, "superseded", reason, self.now)
        self.tally["superseded"] += len(intents)

    def reject(self, intent: Intent, digest: str, reason: str) -> None:
        """Refused for good in this run; set aside when it was so three times."""
        with self.ledger.leases.fenced(self.lease):
            self._rejected(intent, digest, reason)

    def unwelcome(self, numbers: Collection[int]) -> set[int]:
        """Of these people (or companies), who may not be on this list at this very moment: whoever
        has not consented, and the suppressed."""
        can, asked = self.destination.can, set(numbers)
        if can.members == "account" or can.internal:
            return asked & self.ledger.consent.suppressed(can.members)
        need = can.need or STRICTEST
        return asked - self.ledger.consent.allowed(need, asked, now=self.now) if asked else set()

    def barred(self, adds: Sequence[Intent]) -> set[int]:
        """Of these adds to a list, those (by `seq`) that may not go out at this very moment."""
        out = self.unwelcome({one.person for one in adds if one.person is not None})
        return {one.seq for one in adds if one.person is None or one.person in out}

    def _barred(self, loads: Sequence[Load]) -> list[Load]:
        """Adds without consent, and tags for the suppressed."""
        if self.target.kind == "tag":
            entity = "account" if self.target.place == "account" else "contact"
            out = self.ledger.consent.suppressed(entity)
            tagged = (one for one in loads if one.change.value and one.change.value.tags)
            return [one for one in tagged if one.intent.person in out]
        adds = [one for one in loads if one.change.op == "add"]
        barred = self.barred([one.intent for one in adds])
        return [one for one in adds if one.intent.seq in barred]

    def _withhold(self, loads: Sequence[Load]) -> None:
        """Not sent any more; one in doubt stays so, until settling takes out what may be there."""
        reason = "suppressed" if self.target.kind == "tag" else "consent"
        for load in loads:
            planned = _before(load.intent) == "planned"
            state = "superseded" if planned else "unknown"
            self.ledger.delivery.end([load.intent.seq], state, reason, self.now)
            self.tally["superseded"] += planned

    def _sending(self, loads: Sequence[Load]) -> list[Load]:
        """Note who is about to be sent, and who is not any more; the former."""
        with self.ledger.leases.fenced(self.lease):
            barred = self._barred(loads)
            self._withhold(barred)
            out = {one.intent.seq for one in barred}
            kept = [one for one in loads if one.intent.seq not in out]
            if kept:
                self._note(_batch_id(self.target.id, kept), kept)
        return kept

    def _note(self, batch: str, loads: Sequence[Load]) -> None:
        sealing = self.ledger.sealing
        sealed = {
            load.change.member: sealing.seal(load.change.identifiers)
            for load in loads
            if load.change.op == "add"
        }
        self.ledger.delivery.sending(
            self.target.id,
            batch,
            self.lease.fence,
            self.run_id,
            [(load.intent, load.value, load.digest) for load in loads],
            sealed,
            self.now,
        )

    def _record(self, batch: str, loads: Sequence[Load], receipts: Sequence[Receipt]) -> Sent:
        sent = Sent(list(loads))
        delivery = self.ledger.delivery
        counts: Counter[str] = Counter(one.verdict for one in receipts)
        with self.ledger.leases.fenced(self.lease):
            for load, receipt in zip(loads, receipts, strict=True):
                seq, reason = load.intent.seq, receipt.reason or receipt.verdict
                if receipt.verdict == "confirmed" and receipt.proof:
                    self._confirmed(load.intent, load.change.identifiers, receipt.proof)
                elif receipt.verdict == "rejected":
                    self._rejected(load.intent, load.digest, reason)
                elif receipt.verdict == "retry":
                    delivery.end([seq], _before(load.intent), reason, self.now)
                    sent.retry.append(load)
                else:
                    delivery.end([seq], "unknown", reason, self.now)
                    sent.unknown.append(load)
            self._replied(batch, loads, "answered", counts)
            taken = Counter(one.job for one in receipts if one.job)
            self.ledger.jobs.add(self.target.id, taken, self.now)
        self.tally["confirmed"] += counts["confirmed"]
        return sent

    def _confirmed(self, intent: Intent, sent: Mapping[str, str], proof: str) -> None:
        """The intent ends. Records that a replacement leaves on the list are believed on until all
        are said again: who is barred meanwhile is taken out with them."""
        delivery, target, sealing = self.ledger.delivery, self.target.id, self.ledger.sealing
        left = dict[str, str]()
        if intent.phase == REPLACED and RECORDS in self.destination.can.identifiers:
            token = delivery.identifiers(target, [intent.member]).get(intent.member)
            left = records_left(sealing.open(token), sent) if token else {}
        delivery.confirm(target, intent.seq, proof, self.now)
        if left:
            digest, member = sealing.digest(left), intent.member
            delivery.believe(target, member, digest, None, intent.person, proof, self.now)
            delivery.left(target, member, sealing.seal(left), self.now)

    def _rejected(self, intent: Intent, digest: str, reason: str) -> None:
        delivery, member = self.ledger.delivery, intent.member
        last = delivery.rejections(self.target.id, member, intent.op, digest) >= TRIES - 1
        delivery.end([intent.seq], "quarantined" if last else "rejected", reason, self.now)
        if last:
            code = reason.partition(":")[0][:60]
            entry = (self.target.id, "delivery", member, code, reason, 0, digest, self.now)
            self.ledger.quarantine.add([entry])
        self.tally["rejected"] += 1

    def _all(self, batch: str, loads: Sequence[Load], state: str, reason: str) -> None:
        seqs = [load.intent.seq for load in loads]
        with self.ledger.leases.fenced(self.lease):
            self.ledger.delivery.end(seqs, state, reason, self.now)
            self._replied(batch, loads, reason, Counter({state: len(loads)}))

    def _back(self, batch: str, loads: Sequence[Load], reason: str) -> None:
        with self.ledger.leases.fenced(self.lease):
            for load in loads:
                state = _before(load.intent)
                self.ledger.delivery.end([load.intent.seq], state, reason, self.now)
            self._replied(batch, loads, reason, Counter())

    def _replied(
        self, batch: str, loads: Sequence[Load], outcome: str, counts: Counter[str]
    ) -> None:
        plan_id = loads[0].intent.plan_id
        self.ledger.delivery.replied(
            self.target.id, plan_id, self.run_id, batch, outcome, counts, self.now
        )


def _before(intent: Intent) -> str:
    """What an intent is again when nothing came of a call: one in doubt stays in doubt."""
    return "planned" if intent.state == "planned" else "unknown"


def _batch_id(target: str, loads: Sequence[Load]) -> str:
    keys = [
        f"{one.intent.plan_id} {one.change.op} {one.change.member} {one.digest}" for one in loads
    ]
    return hashlib.sha256("\n".join([target, *sorted(keys)]).encode()).hexdigest()[:24]
