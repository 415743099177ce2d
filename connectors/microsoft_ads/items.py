"""Uploads: changes as items of one kind each, and what each item's fate means for its person."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from audiencehub.model import Change, Receipt, Verdict
from audiencehub.privacy.platforms.microsoft import RULES
from audiencehub.privacy.rule import EMPTY

MOST_ITEMS = 1_000
"""Per call (learn.microsoft.com/advertising, ApplyCustomerListUserData)."""
KINDS: Mapping[str, str] = {"email": "Email", "external_id": "CRM", "phone": "Phone"}
"""Identifier field to CustomerListItemSubType; one call carries one of them."""
Action = Literal["Add", "Remove", "Replace"]
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Items:
    """One call: distinct values of one kind, and which changes each value speaks for."""

    action: Action
    kind: str
    values: tuple[str, ...]
    places: tuple[tuple[int, ...], ...] = ()

    def halves(self) -> tuple[Items, Items]:
        """Two calls of half the values each."""
        middle = len(self.values) // 2
        return self.part(0, middle), self.part(middle, len(self.values))

    def part(self, start: int, end: int) -> Items:
        """The same with these values only."""
        return Items(self.action, self.kind, self.values[start:end], self.places[start:end])

    @property
    def digest(self) -> str:
        """Sixteen hex digits that tell this call's content from another's."""
        text = "\n".join((self.action, self.kind, *self.values))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def prepare(changes: Sequence[Change]) -> tuple[list[Items], dict[int, Receipt]]:
    """The calls that carry these changes, removals first, and receipts of those that no call may
    carry. Equal values go once."""
    refused: dict[int, Receipt] = {}
    groups: dict[tuple[Action, str], dict[str, list[int]]] = {}
    for place, change in enumerate(changes):
        found = _items(change)
        if isinstance(found, str):
            refused[place] = Receipt(change.member, "rejected", reason=found)
            continue
        action: Action = "Remove" if change.op == "remove" else "Add"
        for kind, value in found.items():
            groups.setdefault((action, kind), {}).setdefault(value, []).append(place)
    calls: list[Items] = []
    for (action, kind), values in sorted(groups.items(), key=lambda one: one[0][0] != "Remove"):
        whole = Items(action, kind, tuple(values), tuple(map(tuple, values.values())))
        calls += [
            whole.part(start, start + MOST_ITEMS) for start in range(0, len(values), MOST_ITEMS)
        ]
    return calls, refused


def _items(change: Change) -> dict[str, str] | str:
    """Kind to value, or the reason why this change cannot go out."""
    if change.op not in ("add", "remove"):
        return "wrong_op: a list takes add and remove only"
    found: dict[str, str] = {}
    for name, sent in change.identifiers.items():
        if name not in KINDS:
            return f"unknown_identifier: microsoft takes no {name}"
        if not sent:
            continue
        if RULES[name].hashed and (_HASH.fullmatch(sent) is None or sent == EMPTY):
            # The last door: nothing readable leaves, whatever went wrong before.
            return f"not_hashed: {name} is not a SHA-256 hash"
        found[KINDS[name]] = sent
    return found or "no_identifier: no e-mail, phone or own id"


class Fates:
    """What became of each change's items, until one receipt can be written."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self.changes = changes
        self._known: dict[int, list[tuple[Verdict, str]]] = {}

    def note(self, places: Iterable[int], verdict: Verdict, text: str) -> None:
        """One item's verdict, with its proof or reason, for the changes it speaks for."""
        for place in places:
            self._known.setdefault(place, []).append((verdict, text))

    @property
    def empty(self) -> bool:
        """Nothing has been decided yet."""
        return not self._known

    def receipts(self) -> dict[int, Receipt]:
        """One receipt per change. Somebody is in by any item; where one item is in and another is
        not settled, what is there is unknown, and so the next run says all of it again."""
        return {place: self._receipt(place, fates) for place, fates in self._known.items()}

    def _receipt(self, place: int, fates: list[tuple[Verdict, str]]) -> Receipt:
        member = self.changes[place].member
        by: dict[Verdict, str] = dict(reversed(fates))
        if "unknown" in by or {"retry", "confirmed"} <= by.keys():
            return Receipt(member, "unknown", reason=by.get("unknown") or by["retry"])
        if "retry" in by:
            return Receipt(member, "retry", reason=by["retry"])
        if "confirmed" in by:
            proof, aside = by["confirmed"], by.get("rejected")
            return Receipt(member, "confirmed", proof=proof, reason=aside)
        return Receipt(member, "rejected", reason=by["rejected"])
