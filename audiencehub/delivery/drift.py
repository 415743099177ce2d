"""Drift: read records back after a push, and find what was edited by hand or never applied."""

from __future__ import annotations

import math
import random

from audiencehub.delivery import crash
from audiencehub.delivery.batching import Loader, believe_seen, note_edit
from audiencehub.delivery.wire import Wire
from audiencehub.errors import Wait
from audiencehub.ledger import Believed
from audiencehub.model import TagValue

ALL_UP_TO = 10_000
"""Targets of so many records are read back whole."""
SAMPLE, SHARE = 100, 0.05
CHUNK = 1_000


def sweep(wire: Wire, loader: Loader, wrote: frozenset[str]) -> None:
    """Compare what the target holds with what is believed; `wrote` are this run's members.

    A record that still holds what it held before its confirmed write counts as a false confirm and
    is planned again by the next run; any other difference is a hand edit.
    """
    if not wire.destination.can.reads or wire.target.kind != "tag":
        return
    crash.point("before_sweep")
    believed = wire.ledger.delivery.believed(wire.target.id)
    open_members = {one.member for one in wire.ledger.delivery.unsettled(wire.target.id)}
    chosen = sample(sorted((believed.keys() | wrote) - open_members), wire.run_id, wrote)
    for start in range(0, len(chosen), CHUNK):
        members = chosen[start : start + CHUNK]
        try:
            actual = wire.destination.read(wire.target, members)
        except Wait:
            return  # the writes are confirmed; the next run looks again
        for member in members:
            _look(wire, loader, member, believed.get(member), actual.get(member), wrote)
        wire.tally["verified"] += len(members)


def sample(members: list[str], seed: str, wrote: frozenset[str] = frozenset()) -> list[str]:
    """All of a small target; else up to a hundred of those just written, where a destination that
    lies is found, and a random share of the others. The same for the same run."""
    if len(members) <= ALL_UP_TO:
        return members
    dice = random.Random(seed)
    fresh = [one for one in members if one in wrote]
    others = [one for one in members if one not in wrote]
    share = min(SAMPLE, int(len(members) * SHARE), len(others))
    return dice.sample(fresh, min(SAMPLE, len(fresh))) + dice.sample(others, share)


def sample_size(members: int) -> int:
    """At most how many of so many are read back."""
    return members if members <= ALL_UP_TO else SAMPLE + min(SAMPLE, int(members * SHARE))


def chance(members: int, writes: int, lies: int) -> float:
    """Probability that one run finds a lie, where of its writes to a target of so many members so
    many were confirmed and not applied."""
    looked = writes if members <= ALL_UP_TO else min(SAMPLE, writes)
    return 1 - math.comb(writes - lies, looked) / math.comb(writes, looked)


def _look(
    wire: Wire,
    loader: Loader,
    member: str,
    held: Believed | None,
    actual: TagValue | None,
    wrote: frozenset[str],
) -> None:
    have = held.tags if held else frozenset[str]()
    seen = frozenset(actual.tags) if actual else frozenset[str]()
    if seen == have:
        return
    person = held.person if held else None
    if actual is None:
        with wire.ledger.leases.fenced(wire.lease):
            wire.ledger.delivery.disbelieve(wire.target.id, member)
        return
    if member in wrote and loader.before.get(member) == seen:
        with wire.ledger.leases.fenced(wire.lease):
            believe_seen(wire, member, person, seen)
            wire.ledger.delivery.belied(wire.target.id, member, wire.run_id, wire.now)
        wire.tally["false_confirms"] += 1
        return
    note_edit(wire, member, person, have, seen, loader.drift)
