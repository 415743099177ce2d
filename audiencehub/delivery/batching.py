"""Batching: intents made into what goes out now, looked at once more just before they go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from audiencehub.delivery.diff import CONSENT, REMOVE
from audiencehub.delivery.keepers import Keepers
from audiencehub.delivery.shared import joined, pairs
from audiencehub.delivery.wire import Load, Wire
from audiencehub.ledger import Intent, tag_hash, tag_reasons, tag_text, tag_value
from audiencehub.model import Change, TagValue

WAITS = "waits for the member who is to keep what was sent"
KEPT = "nothing to send: every identifier also belongs to a member who stays"


@dataclass(slots=True)
class Loader:
    """Builds batches of one target: consent asked again, actual compared with believed."""

    wire: Wire
    drift: Literal["report", "enforce"]
    additive: bool = False
    """Tags that are there stay, whoever wrote them."""
    before: dict[str, frozenset[str]] = field(default_factory=dict)
    """What each written record held just before, where it can be read."""
    _sealed: dict[tuple[str, str], dict[str, bytes]] = field(default_factory=dict)
    _keepers: Keepers = field(init=False)

    def __post_init__(self) -> None:
        self._keepers = Keepers(self.wire.ledger, self.wire.target.id)

    def loads(self, intents: Sequence[Intent]) -> list[Load]:
        """What of these is to be sent; the others are settled here. Raises Wait or Stop."""
        if self.wire.target.kind == "list":
            return self.list_loads(intents)
        return self.tag_loads(intents)

    def list_loads(self, intents: Sequence[Intent]) -> list[Load]:
        """Adds, and removals with the identifiers once sent; the wire asks who may be sent."""
        found = (self.list_load(intent, self.identifiers(intent)) for intent in intents)
        return [load for load in found if load is not None]

    def list_load(self, intent: Intent, identifiers: Mapping[str, str] | None) -> Load | None:
        """One row of a list; None when it was settled without being sent.

        What a removal leaves in for the sake of others must not stay where none of them is believed
        to be there with it: nobody would ever take it out. Who leaves the segment waits for them,
        because they are to have it; who withdraws, or is replaced, takes it along.
        """
        if identifiers is None:
            self.wire.reject(intent, intent.value_hash, "no_identifiers")
            return None
        if intent.op == "remove" and (left := self._keepers.without(intent.member, identifiers)):
            if intent.phase == REMOVE:
                self.wire.supersede([intent], WAITS)
                return None
            identifiers = {**identifiers, **joined({*pairs(left), *pairs(identifiers)})}
        if not identifiers:
            self.wire.confirm(intent, KEPT)
            return None
        op: Literal["add", "remove"] = "add" if intent.op == "add" else "remove"
        change = Change(intent.member, op, identifiers=identifiers, why=intent.why)
        return Load(intent, change, None, intent.value_hash)

    def identifiers(self, intent: Intent) -> dict[str, str] | None:
        """The identifiers of a list intent, from its plan."""
        key = (intent.plan_id, intent.op)
        if key not in self._sealed:
            self._sealed[key] = self.wire.ledger.plans.sealed(*key)
        token = self._sealed[key].get(intent.member)
        return None if token is None else self.wire.ledger.sealing.open(token)

    def tag_loads(self, intents: Sequence[Intent]) -> list[Load]:
        """Records whose tags are not yet as they should be; hand edits are found here."""
        wire = self.wire
        entity = "account" if wire.target.place == "account" else "contact"
        suppressed = wire.ledger.consent.suppressed(entity)
        barred = [one for one in intents if one.person in suppressed and one.tags.tags]
        if barred:
            wire.supersede(barred, "suppressed")
        waiting = [one for one in intents if not (one.person in suppressed and one.tags.tags)]
        if not wire.destination.can.reads or not waiting:
            return [tag_load(one, frozenset(one.tags.tags)) for one in waiting]
        actual = wire.destination.read(wire.target, [one.member for one in waiting])
        believed = wire.ledger.delivery.believed(wire.target.id, list(actual))
        loads = []
        for intent in waiting:
            held = believed.get(intent.member)
            have = held.tags if held else frozenset()
            load = self._compared(intent, have, actual.get(intent.member))
            if load is not None:
                loads.append(load)
        return loads

    def _compared(
        self, intent: Intent, have: frozenset[str], actual: TagValue | None
    ) -> Load | None:
        want = frozenset(intent.tags.tags)
        if actual is None:
            if want:
                self.wire.reject(intent, intent.value_hash, "record_gone: not at the destination")
            else:
                self.wire.confirm(intent, "read-back: the record is gone")
            return None
        seen = frozenset(actual.tags)
        if self.additive and intent.phase != CONSENT:
            want |= seen
        elif seen not in (have, want) and intent.phase != CONSENT:
            want = self._edited(intent, have, seen, want)
        if want == seen:
            self._already(intent, seen)
            return None
        self.before[intent.member] = seen
        return tag_load(intent, want)

    def _edited(
        self, intent: Intent, have: frozenset[str], seen: frozenset[str], want: frozenset[str]
    ) -> frozenset[str]:
        note_edit(self.wire, intent.member, intent.person, have, seen, self.drift)
        if self.drift == "enforce":
            return want
        return (want | (seen - have)) - (have - seen)

    def _already(self, intent: Intent, seen: frozenset[str]) -> None:
        """Somebody, or a call whose answer was lost, has written it: nothing is sent."""
        wire, value = self.wire, tag_text(seen)
        with wire.ledger.leases.fenced(wire.lease):
            wire.ledger.delivery.amend(intent.seq, value, tag_hash(seen))
            wire.ledger.delivery.confirm(wire.target.id, intent.seq, read_back(seen), wire.now)
        wire.tally["confirmed"] += 1


def tag_load(intent: Intent, want: frozenset[str]) -> Load:
    """The record written whole, with the reasons of the tags that are written."""
    value = tag_text(want, tag_reasons(intent.value))
    change = Change(intent.member, "set", value=tag_value(value), why=intent.why)
    return Load(intent, change, value, tag_hash(want))


def note_edit(
    wire: Wire,
    member: str,
    person: int | None,
    have: frozenset[str],
    seen: frozenset[str],
    drift: str,
) -> None:
    """A person's edit goes on record, and what was read is believed from now on."""
    state = "open" if drift == "report" else "reverted"
    with wire.ledger.leases.fenced(wire.lease):
        wire.ledger.edits.found(
            wire.target.id, member, seen - have, have - seen, wire.now, state=state
        )
        believe_seen(wire, member, person, seen)
    wire.tally["drifted"] += 1


def believe_seen(wire: Wire, member: str, person: int | None, seen: frozenset[str]) -> None:
    """Believe what was read, inside the caller's transaction."""
    delivery, target = wire.ledger.delivery, wire.target.id
    if not seen:
        delivery.disbelieve(target, member)
        return
    delivery.believe(
        target, member, tag_hash(seen), tag_text(seen), person, read_back(seen), wire.now
    )


def read_back(seen: frozenset[str]) -> str:
    """The proof of a value that was read."""
    return f"read-back: {tag_hash(seen)[:16]}"
