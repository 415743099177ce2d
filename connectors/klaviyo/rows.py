"""Changes as rows: one per address, and receipts of what may not go out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from audiencehub.model import Change, Receipt, Verdict

NAMES = ("first_name", "last_name")
_ADDRESS = re.compile(r"[^@\s<>()\[\],;:\"'\\]+@[^@\s<>()\[\],;:\"'\\]+\.[^@\s<>()\[\],;:\"'\\.]+")
LONGEST = 254
"""Characters of an address (RFC 5321 §4.5.3.1.3)."""


@dataclass(frozen=True, slots=True)
class Row:
    """One address, and the changes it speaks for."""

    email: str
    names: Mapping[str, str] = field(default_factory=dict)
    places: tuple[int, ...] = ()


def prepare(
    changes: Sequence[Change], *, names: bool
) -> tuple[list[Row], list[Row], dict[int, Receipt]]:
    """Rows to add, rows to remove, and receipts of the changes that are in neither."""
    refused: dict[int, Receipt] = {}
    groups: dict[str, dict[str, list[int]]] = {"add": {}, "remove": {}}
    for place, change in enumerate(changes):
        email = _email(change)
        if email in _REASONS:
            refused[place] = Receipt(change.member, "rejected", reason=_REASONS[email])
        else:
            groups[change.op].setdefault(email, []).append(place)
    made = {
        op: [
            Row(email, _names(changes[places[0]]) if names else {}, tuple(places))
            for email, places in found.items()
        ]
        for op, found in groups.items()
    }
    return made["add"], made["remove"], refused


def receipts(
    changes: Sequence[Change],
    rows: Sequence[Row],
    verdict: Verdict,
    *,
    proof: str | None = None,
    reason: str | None = None,
    job: str | None = None,
) -> dict[int, Receipt]:
    """The same verdict for every change of these rows."""
    return {
        place: Receipt(changes[place].member, verdict, proof=proof, reason=reason, job=job)
        for row in rows
        for place in row.places
    }


_REASONS = {
    "op": "wrong_op: a list takes add and remove only",
    "none": "no_identifier: no e-mail address",
    "malformed": "malformed: not an e-mail address",
}
"""What `_email` answers in place of an address, which always has an @."""


def _email(change: Change) -> str:
    if change.op not in ("add", "remove"):
        return "op"
    email = change.identifiers.get("email", "").strip().lower()
    if not email:
        return "none"
    return email if len(email) <= LONGEST and _ADDRESS.fullmatch(email) else "malformed"


def _names(change: Change) -> dict[str, str]:
    return {name: change.identifiers[name] for name in NAMES if change.identifiers.get(name)}
