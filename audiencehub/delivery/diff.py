"""Diff: the changes that turn what is believed into what is desired. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from audiencehub.delivery.desired import Desired
from audiencehub.ledger import Believed, HandEdit, PlanChange, tag_hash, tag_text
from audiencehub.ledger.stamps import document

CONSENT, REPLACED, ADD, REMOVE = 0, 1, 2, 3
"""Phases, in the order they are sent."""


RENEWED = "renewed before it expires"


@dataclass(slots=True)
class Diff:
    """The changes of one target; `consent` are a plan of their own."""

    consent: list[PlanChange] = field(default_factory=list)
    changes: list[PlanChange] = field(default_factory=list)
    deferred: Counter[str] = field(default_factory=Counter)
    """Per segment, removals left out because a source was not read to its end."""


def diff_tags(
    desired: Desired,
    believed: Mapping[str, Believed],
    edits: Mapping[str, HandEdit],
    *,
    skip: Collection[str] = (),
    keep: bool = False,
    with_reason: bool = True,
) -> Diff:
    """Changes of a tag target; a record's tags are written whole.

    Hand edits are respected. `skip` are members whose outcome is open; with `keep` no tag is taken.
    """
    result = Diff()
    for member in sorted(believed.keys() | desired.reasons.keys()):
        if member in skip:
            continue
        reasons = desired.reasons.get(member, {})
        held = believed.get(member)
        have = held.tags if held else frozenset()
        barred = member in desired.barred
        want = frozenset[str]() if barred else frozenset(reasons)
        if member in edits and not barred:
            want = edits[member].over(want)
        if keep and not barred:
            result.deferred.update(have - want)
            want |= have
        if want == have:
            continue
        enters, leaves = want - have, have - want
        change = PlanChange(
            member=member,
            op="set",
            phase=CONSENT if barred else (ADD if enters else REMOVE),
            value=tag_text(want, reasons if with_reason else None),
            value_hash=tag_hash(want),
            why=_why(enters, leaves, barred),
            person=desired.persons.get(member, held.person if held else None),
            enters=tuple(sorted(enters)),
            leaves=tuple(sorted(leaves)),
        )
        (result.consent if barred else result.changes).append(change)
    result.changes.sort(key=lambda one: (one.phase, one.member))
    return result


def diff_list(
    segment: str,
    desired: Desired,
    digests: Mapping[str, str],
    believed: Mapping[str, Believed],
    *,
    skip: Collection[str] = (),
    keep: bool = False,
    expiring: Collection[str] = (),
) -> Diff:
    """Changes of a list target; `digests` are those of the desired identifiers, by member.

    A member whose identifiers changed is removed with the old and added with the new ones. Who is
    `expiring` is added again, and enters nothing by it.
    """
    result = Diff()
    for member in sorted(believed.keys() | digests.keys()):
        held, wanted = believed.get(member), digests.get(member)
        person = desired.persons.get(member, held.person if held else None)
        barred = member in desired.barred
        if member in skip:
            continue
        if held and wanted == held.value_hash and not barred:
            if member in expiring:
                renewed = PlanChange(member, "add", ADD, None, wanted, RENEWED, person)
                result.changes.append(renewed)
            continue
        leaves = PlanChange(
            member, "remove", CONSENT, None, held.value_hash if held else "", "", person
        )
        if barred:
            result.consent.append(_gone(leaves, segment, CONSENT, "consent or suppression"))
            continue
        if held and wanted is None:
            if keep:
                result.deferred[segment] += 1
            else:
                result.changes.append(_gone(leaves, segment, REMOVE, f"left {segment}"))
            continue
        if held:
            result.changes.append(replace(leaves, phase=REPLACED, why="identifiers changed"))
        why, enters = ("identifiers changed", ()) if held else (f"entered {segment}", (segment,))
        result.changes.append(
            PlanChange(member, "add", ADD, None, str(wanted), why, person, enters=enters)
        )
    result.changes.sort(key=lambda one: (one.phase, one.member))
    return result


def renamed(
    digests: Mapping[str, str], believed: Mapping[str, Believed], skip: Collection[str] = ()
) -> list[tuple[str, str]]:
    """(old member, new member) whose identifiers are the same: a merge at the source, no change."""
    leaving = {
        held.value_hash: member
        for member, held in sorted(believed.items(), reverse=True)
        if member not in digests and member not in skip
    }
    found = []
    for member, digest in sorted(digests.items()):
        if member not in believed and member not in skip and digest in leaving:
            found.append((leaving.pop(digest), member))
    return found


def merged(
    alias: Mapping[str, str], believed: Mapping[str, Believed], skip: Collection[str] = ()
) -> list[tuple[str, str]]:
    """(old member, new member) for members who were joined to one that is not on the list yet:
    what it holds of them is replaced in one step, instead of a removal and an entry."""
    found: dict[str, str] = {}
    for member in sorted(believed.keys() - set(skip), key=lambda one: (len(one), one)):
        new = alias.get(member, member)
        if new not in believed and new not in skip:
            found.setdefault(new, member)
    return [(old, new) for new, old in found.items()]


def parted(
    leaving: Mapping[str, Sequence[tuple[str, str]]],
    entering: Mapping[str, Sequence[tuple[str, str]]],
) -> list[tuple[str, str]]:
    """(old member, new member) of whom one leaves with an identifier that the other enters with:
    to the platform they are one row. So it is after an undone merge; what the one sent is taken out
    whole before the other is added, instead of staying for the sake of the other.

    Both by member: identifier and value, of those identifiers alone that name a person.
    """
    holder = {
        pair: member for member, found in sorted(leaving.items(), reverse=True) for pair in found
    }
    renames: dict[str, str] = {}
    for member, found in sorted(entering.items()):
        old = next((holder[pair] for pair in sorted(found) if pair in holder), None)
        if old is not None:
            renames.setdefault(old, member)
    return list(renames.items())


def plan_hash(target: str, versions: Mapping[str, str], changes: Iterable[PlanChange]) -> str:
    """Covers target, rule versions and sorted (member, op, value); no times, no reasons."""
    keys = sorted(change.key for change in changes)
    return hashlib.sha256(document([target, versions, keys]).encode()).hexdigest()


def counted(changes: Sequence[PlanChange]) -> tuple[Counter[str], Counter[str]]:
    """Per segment how many members enter and how many leave."""
    enters: Counter[str] = Counter()
    leaves: Counter[str] = Counter()
    for change in changes:
        enters.update(change.enters)
        leaves.update(change.leaves)
    return enters, leaves


def held_now(segment: str, kind: str, believed: Mapping[str, Believed]) -> Counter[str]:
    """Per segment how many members the target is believed to hold."""
    if kind == "list":
        return Counter({segment: len(believed)})
    total: Counter[str] = Counter()
    for held in believed.values():
        total.update(held.tags)
    return total


def _gone(change: PlanChange, segment: str, phase: int, why: str) -> PlanChange:
    return replace(change, phase=phase, why=why, leaves=(segment,))


def _why(enters: frozenset[str], leaves: frozenset[str], barred: bool) -> str:
    if barred:
        return "consent or suppression"
    said = [f"entered {name}" for name in sorted(enters)]
    return "; ".join(said + [f"left {name}" for name in sorted(leaves)])
