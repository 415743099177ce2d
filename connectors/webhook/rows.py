"""Changes as the rows of one message, each row once and in an order of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audiencehub.model import Change, Receipt
from audiencehub.privacy.rule import EMPTY
from connectors.webhook.options import KEYS

HASHED = frozenset({"email", "phone"})
_HASH = re.compile(r"[0-9a-f]{64}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one list of the message, and which changes each speaks for."""

    rows: tuple[Row, ...]
    places: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Message:
    """What goes out in one request, and receipts of what cannot."""

    added: Part
    removed: Part
    refused: Mapping[int, Receipt]

    @property
    def size(self) -> int:
        """How many rows it has."""
        return len(self.added.rows) + len(self.removed.rows)

    def body(self, audience: str, label: str) -> bytes:
        """The same bytes for the same changes, in whatever order they were given."""
        document = {
            "audience": audience,
            "label": label,
            "removed": list(self.removed.rows),
            "added": list(self.added.rows),
        }
        return written(document)


def message(changes: Sequence[Change], fields: Sequence[str], *, hashed: bool) -> Message:
    """Rows of `fields` alone; equal rows go once."""
    refused: dict[int, Receipt] = {}
    found: dict[str, dict[bytes, tuple[Row, list[int]]]] = {"add": {}, "remove": {}}
    for place, change in enumerate(changes):
        row = _row(change, fields, hashed=hashed)
        if isinstance(row, str):
            refused[place] = Receipt(change.member, "rejected", reason=row)
        else:
            found[change.op].setdefault(written(row), (row, []))[1].append(place)
    return Message(_part(found["add"]), _part(found["remove"]), refused)


def written(document: Any) -> bytes:
    """JSON without blanks, keys in order, in UTF-8."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode()


def _part(found: Mapping[bytes, tuple[Row, list[int]]]) -> Part:
    every = [found[key] for key in sorted(found)]
    return Part(tuple(row for row, _ in every), tuple(tuple(places) for _, places in every))


def _row(change: Change, fields: Sequence[str], *, hashed: bool) -> dict[str, str] | str:
    """The row, or why it cannot go out. A removal says what was once sent, whatever the options
    say by now: who was added under others must be taken out all the same."""
    if change.op not in ("add", "remove"):
        return "wrong_op: a list takes add and remove only"
    row = {}
    for name, value in change.identifiers.items():
        if change.op == "add" and name not in fields:
            # The last door: what was not asked for stays here.
            return f"unknown_identifier: this entry sends no {name}"
        digest = hashed if change.op == "add" else _HASH.fullmatch(value) is not None
        why = _wrong(name, value, hashed=digest)
        if why:
            return why
        row[f"{name}_sha256" if digest and name in HASHED else name] = value
    if not KEYS & change.identifiers.keys():
        return "no_identifier: no e-mail, phone or own id"
    return row


def _wrong(name: str, value: str, *, hashed: bool) -> str:
    if hashed and name in HASHED:
        sound = _HASH.fullmatch(value) is not None and value != EMPTY
        return "" if sound else f"not_hashed: {name} is not a SHA-256 hash"
    shape = {"email": _EMAIL, "phone": _PHONE}.get(name)
    if not value.strip() or (shape and not shape.fullmatch(value)):
        return f"malformed: {name}"
    return ""
