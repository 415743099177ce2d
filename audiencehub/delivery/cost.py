"""Cost: at most so many API calls a plan needs, logins, looks before and read-backs included."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from audiencehub.connector import Destination
from audiencehub.delivery.drift import CHUNK, sample_size
from audiencehub.delivery.trust import WITNESSED
from audiencehub.ledger import PlanChange
from audiencehub.model import Target


def cost(
    destination: Destination,
    target: Target,
    changes: Sequence[PlanChange],
    believed: Collection[str],
    *,
    resync: bool = False,
) -> int:
    """API calls of one push of these changes where nothing fails: a bound, since what a place
    lacks and how rows are grouped is known only then. Without changes, those of the read-back.
    A resync ends by replacing, where the destination can."""
    members = set(believed) | {one.member for one in changes}
    calls = _looked_back(destination, target, len(members))
    calls += destination.replacing(target, len(members)) if resync else 0
    if not changes:
        return calls + (destination.setting_up(target) if calls else 0)
    calls += destination.setting_up(target) + WITNESSED * destination.keeps_mark(target)
    for rows in Counter(one.phase for one in changes).values():
        calls += destination.calls(target, rows)
        size = max(1, destination.batch_size(target, rows))
        full, rest = divmod(rows, size)
        calls += full * destination.reading(target, size) + destination.reading(target, rest)
    return calls


def _looked_back(destination: Destination, target: Target, members: int) -> int:
    if not destination.can.reads or target.kind != "tag":
        return 0
    full, rest = divmod(sample_size(members), CHUNK)
    return full * destination.reading(target, CHUNK) + destination.reading(target, rest)
