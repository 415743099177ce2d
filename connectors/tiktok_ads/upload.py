"""Uploads: changes as the rows of one call, a cell per kind of id."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from audiencehub.model import Change, Receipt
from audiencehub.privacy.rule import EMPTY

MOST_ROWS = 1_000
"""Per call, as published connectors have it; TikTok's own text names no number (unverified)."""
SCHEMA: Mapping[str, str] = {"email": "EMAIL_SHA256", "phone": "PHONE_SHA256"}
"""Identifier field to the id type that carries it, in the order of the cells."""
_HASH = re.compile(r"[0-9a-f]{64}")

Cells = tuple[str, ...]
"""One row: a hash per kind of id, "" for none."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One call: distinct rows, and which changes each row speaks for."""

    action: Literal["add", "delete"]
    schema: tuple[str, ...]
    rows: tuple[Cells, ...]
    places: tuple[tuple[int, ...], ...]

    def body(self, advertiser: str, audience: str) -> dict[str, Any]:
        """The call's body. A person without one of the ids has `{}` in its place: a row that is
        shorter would give the ids that follow to another kind."""
        return {
            "advertiser_ids": [advertiser],
            "action": self.action,
            "id_schema": list(self.schema),
            "batch_data": [
                [{"id": cell, "audience_ids": [audience]} if cell else {} for cell in row]
                for row in self.rows
            ],
        }


def prepare(changes: Sequence[Change]) -> tuple[list[Upload], dict[int, Receipt]]:
    """The calls that carry these changes in order, one action each, and receipts of those that
    none may carry. Equal rows go once."""
    refused: dict[int, Receipt] = {}
    good: list[tuple[str, int, Mapping[str, str]]] = []
    for place, change in enumerate(changes):
        cells = _cells(change)
        if isinstance(cells, str):
            refused[place] = Receipt(change.member, "rejected", reason=cells)
        else:
            good.append((change.op, place, cells))
    uploads: list[Upload] = []
    for op, run in groupby(good, key=lambda one: one[0]):
        rows: dict[tuple[tuple[str, str], ...], list[int]] = {}
        for _, place, cells in run:
            rows.setdefault(tuple(sorted(cells.items())), []).append(place)
        every = [(dict(cells), tuple(places)) for cells, places in rows.items()]
        for start in range(0, len(every), MOST_ROWS):
            uploads.append(_upload(op, every[start : start + MOST_ROWS]))
    return uploads, refused


def _upload(op: str, part: Sequence[tuple[Mapping[str, str], tuple[int, ...]]]) -> Upload:
    used = {name for cells, _ in part for name in cells}
    names = tuple(name for name in SCHEMA.values() if name in used)
    return Upload(
        "delete" if op == "remove" else "add",
        names,
        tuple(tuple(cells.get(name, "") for name in names) for cells, _ in part),
        tuple(places for _, places in part),
    )


def _cells(change: Change) -> Mapping[str, str] | str:
    """Id type to hash, or the reason why this change cannot go out."""
    if change.op not in ("add", "remove"):
        return "wrong_op: a list takes add and remove only"
    cells: dict[str, str] = {}
    for name, sent in change.identifiers.items():
        if name not in SCHEMA:
            return f"unknown_identifier: tiktok takes no {name}"
        if sent and (not _HASH.fullmatch(sent) or sent == EMPTY):
            # The last door: nothing readable leaves, whatever went wrong before.
            return f"not_hashed: {name} is not a SHA-256 hash"
        if sent:
            cells[SCHEMA[name]] = sent
    return cells or "no_identifier: no e-mail and no phone"
