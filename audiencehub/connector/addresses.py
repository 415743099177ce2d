"""Changes of a list of plain e-mail addresses: a row per address, and why others stay."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from audiencehub.model import Change, Receipt, Verdict

NAMES = ("first_name", "last_name")
LONGEST = 254
"""Characters of an address (RFC 5321 §4.5.3.1.3)."""
_ADDRESS = re.compile(r"[^@\s<>()\[\],;:\"'\\]+@[^@\s<>()\[\],;:\"'\\]+\.[^@\s<>()\[\],;:\"'\\.]+")


@dataclass(frozen=True, slots=True)
class Row:
    """One address, and the changes it speaks for."""

    email: str
    names: Mapping[str, str] = field(default_factory=dict)
    places: tuple[int, ...] = ()


def rows_of(
    changes: Sequence[Change], *, names: bool
) -> tuple[list[Row], list[Row], dict[int, Receipt]]:
    """Rows to add, rows to remove, and receipts of the changes that are in neither."""
    refused: dict[int, Receipt] = {}
    groups: dict[str, dict[str, list[int]]] = {"add": {}, "remove": {}}
    for place, change in enumerate(changes):
        email = change.identifiers.get("email", "").strip().lower()
        reason = _reason(change, email)
        if reason:
            refused[place] = Receipt(change.member, "rejected", reason=reason)
        else:
            groups[change.op].setdefault(email, []).append(place)
    adds, removals = (
        [
            Row(email, _names(changes[places[0]]) if names else {}, tuple(places))
            for email, places in groups[op].items()
        ]
        for op in ("add", "remove")
    )
    return adds, removals, refused


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


def _reason(change: Change, email: str) -> str | None:
    if change.op not in ("add", "remove"):
        return "wrong_op: a list takes add and remove only"
    if not email:
        return "no_identifier: no e-mail address"
    if len(email) > LONGEST or not _ADDRESS.fullmatch(email):
        return "malformed: not an e-mail address"
    return None


def _names(change: Change) -> dict[str, str]:
    return {name: change.identifiers[name] for name in NAMES if change.identifiers.get(name)}
