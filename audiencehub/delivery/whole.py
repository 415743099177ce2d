"""Whole: the changes that say everything of a list again, and take out everyone ever sent to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from audiencehub.delivery.desired import Desired
from audiencehub.delivery.diff import ADD, REMOVE, Diff
from audiencehub.ledger import Believed, PlanChange

AGAIN = "said again: resync"
ORPHAN = "was sent once, and its removal was never confirmed"


def whole(
    diff: Diff,
    segment: str,
    desired: Desired,
    digests: Mapping[str, str],
    believed: Mapping[str, Believed],
    ever_sent: Collection[str],
    *,
    skip: Collection[str],
    said: Collection[str],
    staying: bool = False,
) -> None:
    """Add to the changes of a list what its resync needs; those of the difference stand.

    Everyone desired is added once more, whatever is believed; everyone ever sent who is neither
    desired nor believed is removed. `skip`: members whose outcome is open; `said`: those whose add
    has had its verdict since the resync began. `staying`: removals are put off, and the list is
    going to be replaced by what was said, so that who stays for that is said again as well.
    """
    if staying:
        for member in sorted(believed.keys() - digests.keys() - desired.barred - {*skip, *said}):
            there = believed[member]
            again = PlanChange(member, "add", ADD, None, there.value_hash, AGAIN, there.person)
            diff.changes.append(again)
    for member, digest in sorted(digests.items()):
        held = believed.get(member)
        if held is None or held.value_hash != digest:
            continue
        if member in skip or member in said or member in desired.barred:
            continue
        person = desired.persons.get(member, held.person)
        diff.changes.append(PlanChange(member, "add", ADD, None, digest, AGAIN, person))
    for member in sorted(set(ever_sent) - believed.keys() - digests.keys() - set(skip)):
        person = int(member) if member.isdecimal() else None
        diff.changes.append(
            PlanChange(member, "remove", REMOVE, None, "", ORPHAN, person, leaves=(segment,))
        )
    diff.changes.sort(key=lambda one: (one.phase, one.member))
