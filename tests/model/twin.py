"""The model: what the hub may know, and what follows from it. Plain Python, none of the hub's code.

People are named by record ids; the hub's own numbers come in where its answers are compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import combinations

from tests.model.world import Record

SEGMENTS = ("fresh", "hot", "warm")
TAGGED = {"crm/contact/tags": ("hot", "warm")}
LISTED = {"ads/list/fresh": "fresh", "ads/list/warm": "warm"}
DAYS = 3
"""`fresh`: seen within so many days, today included."""
Group = frozenset[str]


def address(email: str) -> str:
    """What the platform is sent for an address."""
    return hashlib.sha256(email.encode()).hexdigest()


def _content(row: Record) -> Record:
    return replace(row, consent=None, said_at=None)


@dataclass
class Known:
    """What the hub has read, and what people told it directly."""

    rows: dict[str, Record] = field(default_factory=dict)
    seen: dict[str, datetime] = field(default_factory=dict)
    """When a record's content was last found changed."""
    absent: set[str] = field(default_factory=set)
    words: dict[tuple[str, str], dict[datetime, set[str]]] = field(default_factory=dict)
    """(record, who has it from them) to time to what was said."""
    incomplete: bool = False
    groups: dict[str, Group] = field(default_factory=dict)
    suppressed: set[str] = field(default_factory=set)

    def copy(self) -> Known:
        """As it is now."""
        words = {key: {at: set(s) for at, s in said.items()} for key, said in self.words.items()}
        return replace(
            self,
            rows=dict(self.rows), seen=dict(self.seen), absent=set(self.absent), words=words,
            groups=dict(self.groups), suppressed=set(self.suppressed),
        )  # fmt: skip

    def read(self, sent: dict[str, tuple[Record, datetime]], full: bool, complete: bool) -> None:
        """One landed pull. Absence counts only in one that is full and complete."""
        for key, (row, at) in sent.items():
            said = Record(deleted=True, merged_into=row.merged_into) if row.deleted else row
            # A word about consent is a row of its own; the person was not seen anew by it.
            old = self.rows.get(key)
            if old is None or key in self.absent or _content(old) != _content(said):
                self.seen[key] = at
            self.rows[key] = said
            self.absent.discard(key)
        if full and complete:
            gone = [key for key, row in self.rows.items() if not row.deleted and key not in sent]
            for key in gone:
                self.rows[key] = replace(self.rows[key], deleted=True)
                self.absent.add(key)
        self.incomplete = not complete

    def listen(self) -> None:
        """Take down what the records that are there say about consent."""
        for key, row in self.rows.items():
            if row.consent and row.said_at and not row.deleted:
                self.say(key, "crm", row.consent, row.said_at)

    def say(self, key: str, by: str, status: str, at: datetime) -> None:
        """Somebody said yes or no."""
        self.words.setdefault((key, by), {}).setdefault(at, set()).add(status)

    def live(self, group: Group) -> list[str]:
        """The records of a person that are there, the one that counts most first."""
        found = [key for key in group if key in self.rows and not self.rows[key].deleted]
        return sorted(sorted(found), key=lambda key: self.seen[key], reverse=True)

    def people(self) -> set[Group]:
        """Everybody, whether a record of them is still there or not."""
        return set(self.groups.values())

    def email(self, group: Group) -> str | None:
        """The address that stands."""
        found = (self.rows[key].email for key in self.live(group))
        return next((one for one in found if one is not None), None)

    def member(self, segment: str, group: Group, clock: datetime) -> bool:
        """Whether the rule is true of a person."""
        live = self.live(group)
        if not live:
            return False
        if segment == "fresh":
            first = (clock - timedelta(days=DAYS - 1)).date()
            return first <= max(self.seen[key] for key in live).date() <= clock.date()
        return segment in self.rows[live[0]].title

    def allowed(self, group: Group) -> bool:
        """Whether a person may be sent to the ad platform: the strictest word of all records."""
        if group & self.suppressed:
            return False
        standing = []
        for (key, _), said in self.words.items():
            if key in group:
                last = said[max(said)]
                standing.append("denied" if "denied" in last else "granted")
        return bool(standing) and "denied" not in standing

    def members(self, clock: datetime) -> dict[str, set[Group]]:
        """Segment to those in it."""
        return {
            name: {one for one in self.people() if self.member(name, one, clock)}
            for name in SEGMENTS
        }

    def tags(self, target: str, members: dict[str, set[Group]]) -> dict[str, frozenset[str]]:
        """Record to the tags that it should have."""
        found: dict[str, set[str]] = {}
        for segment in TAGGED[target]:
            for group in members[segment]:
                if not group & self.suppressed:
                    for key in self.live(group):
                        found.setdefault(key, set()).add(segment)
        return {key: frozenset(tags) for key, tags in found.items()}

    def listed(self, target: str, members: dict[str, set[Group]]) -> set[str]:
        """The addresses that a list should have."""
        chosen = (one for one in members[LISTED[target]] if self.allowed(one))
        return {address(email) for one in chosen if (email := self.email(one))}


def joined(
    rows: dict[str, Record],
    known: Iterable[str],
    manual: Iterable[tuple[str, str]],
) -> list[Group]:
    """Records that something connects: an address, a merge at the source, a person's word."""
    head = {key: key for key in known}

    def of(key: str) -> str:
        while head[key] != key:
            key = head[key]
        return key

    pairs = [pair for pair in manual if set(pair) <= head.keys()]
    pairs += [
        (key, row.merged_into)
        for key, row in rows.items()
        if key in head and row.merged_into in head
    ]
    live = [key for key, row in rows.items() if not row.deleted and row.email and key in head]
    pairs += [(a, b) for a, b in combinations(live, 2) if rows[a].email == rows[b].email]
    for one, other in pairs:
        head[of(one)] = of(other)
    found: dict[str, set[str]] = {}
    for key in head:
        found.setdefault(of(key), set()).add(key)
    return [frozenset(one) for one in found.values()]


def moves(
    before: dict[str, set[Group]], now: dict[str, set[Group]], old: set[Group], new: set[Group]
) -> dict[str, tuple[int, int]]:
    """Segment to how many may have entered and left at most. Joining and parting move nobody."""
    result = {}
    for segment in SEGMENTS:
        into = out = 0
        for olds, news in _touching(old, new):
            was, stands = len(before[segment] & olds), len(now[segment] & news)
            plain = len(olds) <= 1 or len(news) <= 1
            if was and stands and plain:
                continue
            into += stands if not (was and plain) else 0
            out += (was if not plain else min(was, 1)) if not (stands and plain) else 0
        result[segment] = (into, out)
    return result


def _touching(old: set[Group], new: set[Group]) -> list[tuple[set[Group], set[Group]]]:
    """People before and after who share a record, directly or through others."""
    parts: list[tuple[set[str], set[Group], set[Group]]] = []
    for place, groups in enumerate((old, new)):
        for group in groups:
            keys, sides = set(group), (set[Group](), set[Group]())
            sides[place].add(group)
            for part in [one for one in parts if one[0] & keys]:
                parts.remove(part)
                keys |= part[0]
                sides[0].update(part[1])
                sides[1].update(part[2])
            parts.append((keys, *sides))
    return [(olds, news) for _, olds, news in parts]
