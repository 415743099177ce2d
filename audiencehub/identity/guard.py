"""What limits and separations leave of a group of records that keys connect. Pure, in fixed order.

Keys join in the order of their priority, so that where a limit is reached the weaker key gives way.
Then each separation cuts: the record that goes is taken out, and takes along only what nothing else
connects to the person it leaves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from audiencehub.identity.policy import STATED, Policy

Key = tuple[str, str]
"""Kind and value."""


@dataclass(frozen=True, slots=True, order=True)
class Conflict:
    """A key of a record that joined it to nobody."""

    own: int
    kind: str
    key: str
    reason: str


@dataclass(slots=True)
class Group:
    """Records that are connected: each key, and who has it."""

    keys: dict[Key, list[int]] = field(default_factory=lambda: defaultdict(list))
    conflicts: list[Conflict] = field(default_factory=list)

    @classmethod
    def of(cls, rows: Iterable[tuple[int, str, str]]) -> Group:
        """From (own id, kind, value) in any order."""
        made = cls()
        for own, kind, key in sorted(set(rows)):
            made.keys[kind, key].append(own)
        return made


def settle(
    group: Group, owns: Sequence[int], policy: Policy, separations: Sequence[tuple[int, int]]
) -> dict[int, int]:
    """Each record to the smallest own id of its person; dropped keys are in `group.conflicts`."""
    held = _Joined(group, owns, policy)
    order = {kind: place for place, kind in enumerate(policy.kinds)}
    links: list[list[int]] = []
    for (kind, key), members in sorted(
        group.keys.items(), key=lambda item: (order[item[0][0]], item[1][0], item[0][1])
    ):
        joined = members[:1]
        for own in members[1:]:
            reason = "" if kind in STATED else held.against(members[0], own)
            if reason:
                group.conflicts.append(Conflict(own, kind, key, reason))
            else:
                held.join(members[0], own)
                joined.append(own)
        links.append(joined)
    return _cut(owns, links, separations)


class _Joined:
    """Persons in the making, with what each has of every kind."""

    def __init__(self, group: Group, owns: Sequence[int], policy: Policy) -> None:
        self.policy = policy
        self.head = {own: own for own in owns}
        self.records = dict.fromkeys(owns, 1)
        self.values: dict[int, set[Key]] = {own: set() for own in owns}
        for (kind, key), members in group.keys.items():
            if kind not in STATED:
                for own in members:
                    self.values[own].add((kind, key))

    def of(self, own: int) -> int:
        while self.head[own] != own:
            self.head[own] = self.head[self.head[own]]
            own = self.head[own]
        return own

    def join(self, one: int, other: int) -> None:
        low, high = sorted((self.of(one), self.of(other)))
        if low != high:
            self.head[high] = low
            self.records[low] += self.records.pop(high)
            self.values[low] |= self.values.pop(high)

    def against(self, one: int, other: int) -> str:
        """The limit that this join would break; a limit that is broken already stops no join that
        makes it no worse."""
        left, right = self.of(one), self.of(other)
        if left == right:
            return ""
        if self.records[left] + self.records[right] > self.policy.records_per_profile:
            return f"more than {self.policy.records_per_profile} records"
        mine, theirs = self.values[left], self.values[right]
        both = mine | theirs
        for kind, limit in sorted(self.policy.values_per_profile.items()):
            before = max(_count(mine, kind), _count(theirs, kind))
            if _count(both, kind) > max(limit, before):
                return f"more than {limit} of {kind}"
        if len(both) > max(self.policy.keys_per_profile, len(mine), len(theirs)):
            return f"more than {self.policy.keys_per_profile} keys"
        return ""


def _count(keys: set[Key], kind: str) -> int:
    return sum(one == kind for one, _ in keys)


def _cut(
    owns: Sequence[int], links: list[list[int]], separations: Sequence[tuple[int, int]]
) -> dict[int, int]:
    """Smallest own id of each part, after every separation has cut its part in two."""
    parts = _parts(set(owns), links)
    for keeps, goes in sorted(set(separations)):
        if keeps not in parts or parts.get(goes) is not parts[keeps]:
            continue
        whole = parts[keeps]
        stays = _parts(whole - {goes}, links)[keeps]
        for part in (stays, whole - stays):
            parts.update(dict.fromkeys(part, part))
    smallest = {id(part): min(part) for part in parts.values()}
    return {own: smallest[id(part)] for own, part in parts.items()}


def _parts(owns: set[int], links: list[list[int]]) -> dict[int, set[int]]:
    """Each record to the set of those it is connected to through these records alone."""
    parts: dict[int, set[int]] = {own: {own} for own in owns}
    for link in links:
        members = [own for own in link if own in owns]
        for own in members[1:]:
            small, large = parts[members[0]], parts[own]
            if small is large:
                continue
            if len(small) > len(large):
                small, large = large, small
            large |= small
            parts.update(dict.fromkeys(small, large))
    return parts
