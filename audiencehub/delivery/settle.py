"""Settle: what became of intents that were sent and never answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from audiencehub.delivery.batching import Loader, read_back, tag_load
from audiencehub.delivery.diff import ADD
from audiencehub.delivery.wire import Load, Wire
from audiencehub.ledger import Intent


def settle(wire: Wire, loader: Loader, intents: Sequence[Intent]) -> list[Intent]:
    """Look where the destination can be read, else say the same again; never assume.

    Returns those proven not applied, which are planned again. What stays without an answer stays
    `unknown`. Raises Wait or Stop.
    """
    if not intents:
        return []
    if wire.target.kind == "tag" and wire.destination.can.reads:
        return _read_back(wire, intents)
    loads = _again(wire, loader, intents)
    size = max(1, wire.destination.batch_size(wire.target, len(loads)))
    for start in range(0, len(loads), size):
        transmit(wire, loads[start : start + size])
    return []


def transmit(wire: Wire, loads: Sequence[Load]) -> None:
    """Send until each row has a verdict, or is in doubt as before."""
    waiting = list(loads)
    while waiting:
        sent = wire.send(waiting)
        waiting = wire.isolate(sent.loads) if sent.refused else []


def _read_back(wire: Wire, intents: Sequence[Intent]) -> list[Intent]:
    actual = wire.destination.read(wire.target, [one.member for one in intents])
    planned = []
    for intent in intents:
        want = frozenset(intent.tags.tags)
        found = actual.get(intent.member)
        if found is not None and frozenset(found.tags) == want:
            wire.confirm(intent, read_back(want))
        elif found is None and not want:
            wire.confirm(intent, "read-back: the record is gone")
        elif found is None:
            wire.reject(intent, intent.value_hash, "record_gone: not at the destination")
        else:
            planned.append(replace(intent, state="planned"))
    if planned:
        with wire.ledger.leases.fenced(wire.lease):
            seqs = [one.seq for one in planned]
            wire.ledger.delivery.end(seqs, "planned", "read-back: not applied", wire.now)
    return planned


def _again(wire: Wire, loader: Loader, intents: Sequence[Intent]) -> list[Load]:
    """The same writes once more; an add whose consent has gone since becomes its removal."""
    if wire.target.kind == "tag":
        return [tag_load(one, frozenset(one.tags.tags)) for one in intents]
    delivery, sealing = wire.ledger.delivery, wire.ledger.sealing
    barred = wire.barred([one for one in intents if one.op == "add"])
    sent = delivery.identifiers(wire.target.id, [one.member for one in intents])
    loads = []
    for one in intents:
        intent = one
        if one.seq in barred:
            with wire.ledger.leases.fenced(wire.lease):
                delivery.withdraw(one.seq)
            intent = replace(one, op="remove", why="consent withdrawn")
        identifiers = loader.identifiers(one)
        token = sent.get(one.member)
        if intent.op == "remove" and intent.phase == ADD and token is not None:
            # An add that became a removal, now or in an earlier run: what was sent is taken out.
            identifiers = sealing.open(token)
        load = loader.list_load(intent, identifiers)
        if load is not None:
            loads.append(load)
    return loads
