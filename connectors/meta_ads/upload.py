"""Uploads: changes as rows and columns, and each row's verdict from Meta's counts and samples."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from audiencehub.model import Change, Receipt
from audiencehub.privacy.identifiers import VALUE
from audiencehub.privacy.platforms.meta import COLUMNS, RULES, columns
from audiencehub.privacy.rule import EMPTY

MOST_ROWS = 10_000
"""Per request (developers.facebook.com/docs/marketing-api, Custom Audience users)."""
KEYS = frozenset({"EMAIL", "PHONE", "MADID", "EXTERN_ID"})
"""Columns that find a person by themselves."""
_ORDER = tuple(name for names in COLUMNS.values() for name in names)
_HASH = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
WORTH = "LOOKALIKE_VALUE"
"""What a person is worth, in plain text ("Value-Based Lookalikes"): a column of audiences that
were made for it, and of no other."""
NO_WORTH = "0"
_READABLE = re.compile(r"[A-Za-z][A-Za-z ,.'_-]{0,79}")

Cells = tuple[str, ...]
Constants = tuple[tuple[str, Any], ...]


def limited_use(wanted: bool | None) -> Constants:
    """The columns that say whether data may be used without limits, equal in every row.

    Country and state 0 let Meta find out who is of a US state that has Limited Data Use (Marketing
    API, "Data Processing Options"): what we know of a place goes out hashed, or not at all.
    """
    if wanted is None:
        return ()
    names = ("DATA_PROCESSING_OPTIONS_COUNTRY", "DATA_PROCESSING_OPTIONS_STATE")
    return (
        ("DATA_PROCESSING_OPTIONS", ["LDU"] if wanted else []),
        *((name, 0) for name in names if wanted),
    )


@dataclass(frozen=True, slots=True)
class Upload:
    """One request: distinct rows, and which changes each row speaks for."""

    op: Literal["add", "remove"]
    columns: Cells
    rows: tuple[Cells, ...]
    places: tuple[tuple[int, ...], ...]
    more: Constants = ()
    """Columns that are equal in every row; of additions only."""

    def part(self, keep: Sequence[int]) -> Upload:
        """The same with only these rows."""
        return Upload(
            self.op,
            self.columns,
            tuple(self.rows[i] for i in keep),
            tuple(self.places[i] for i in keep),
            self.more,
        )

    def halves(self) -> tuple[Upload, Upload]:
        """Two uploads of half the rows each."""
        middle = len(self.rows) // 2
        return self.part(range(middle)), self.part(range(middle, len(self.rows)))

    def payload(self) -> dict[str, Any]:
        """`{"schema": […], "data": [[…], …]}`"""
        names, values = [name for name, _ in self.more], [value for _, value in self.more]
        return {
            "schema": [*self.columns, *names],
            "data": [[*row, *values] for row in self.rows],
        }

    def session(self, *salt: str) -> int:
        """A positive 63-bit number that another content, or another salt, does not share.

        Meta adds up the counts of a session, so that a repeated upload needs a session of its own.
        """
        text = json.dumps([self.op, self.columns, self.rows, salt])
        return (int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1) or 1


def prepare(
    changes: Sequence[Change], *, worth: bool = False, more: Constants = ()
) -> tuple[list[Upload], dict[int, Receipt]]:
    """The requests that carry these changes, and receipts of those that no request may carry.

    Rows with and without EXTERN_ID go apart: where that column exists, Meta counts a row that
    leaves it empty as invalid. Equal rows go once. `worth`: the audience takes values, so that each
    addition has one, the highest of those who share a row; `more` are columns of additions.
    """
    refused: dict[int, Receipt] = {}
    groups: dict[tuple[str, bool], dict[tuple[tuple[str, str], ...], list[int]]] = {}
    for place, change in enumerate(changes):
        cells = _cells(change)
        if isinstance(cells, str):
            refused[place] = Receipt(change.member, "rejected", reason=cells)
            continue
        group = groups.setdefault((change.op, "EXTERN_ID" in cells), {})
        group.setdefault(tuple(sorted(cells.items())), []).append(place)
    uploads: list[Upload] = []
    for (op, _), found in groups.items():
        every = [(dict(cells), tuple(places)) for cells, places in found.items()]
        for start in range(0, len(every), MOST_ROWS):
            part = every[start : start + MOST_ROWS]
            if op == "add" and worth:
                for cells, places in part:
                    cells[WORTH] = _worth([changes[place] for place in places])
            uploads.append(_upload(op, part, more if op == "add" else ()))
    return uploads, refused


def _upload(op: str, part: list[tuple[dict[str, str], tuple[int, ...]]], more: Constants) -> Upload:
    used = {name for cells, _ in part for name in cells}
    names = tuple(name for name in (*_ORDER, WORTH) if name in used)
    return Upload(
        "remove" if op == "remove" else "add",
        names,
        tuple(tuple(cells.get(name, "") for name in names) for cells, _ in part),
        tuple(places for _, places in part),
        more,
    )


def _worth(people: Sequence[Change]) -> str:
    said = [one.identifiers[VALUE] for one in people if one.identifiers.get(VALUE)]
    return max(said, key=Decimal, default=NO_WORTH)


def _cells(change: Change) -> dict[str, str] | str:
    """Column to value, or the reason why this change cannot go out."""
    if change.op not in ("add", "remove"):
        return "wrong_op: a list takes add and remove only"
    cells: dict[str, str] = {}
    for name, sent in change.identifiers.items():
        if name == VALUE:
            if sent and not _NUMBER.fullmatch(sent):
                return "malformed: value is no plain number"
            continue
        if name not in COLUMNS:
            return f"unknown_identifier: meta takes no {name}"
        try:
            found = columns(name, sent)
        except ValueError:
            return f"malformed: {name} has not one value per column"
        if RULES[name].hashed and not all(_is_hash(v) for v in found.values()):
            # The last door: nothing readable leaves, whatever went wrong before.
            return f"not_hashed: {name} is not a SHA-256 hash"
        cells |= {column: value for column, value in found.items() if value}
    return cells if KEYS & set(cells) else "no_identifier: no e-mail, phone, device or own id"


def nobody(salt: str, *, worth: bool) -> Upload:
    """One row that is nobody's: the hash of what is no address."""
    row = (hashlib.sha256(salt.encode()).hexdigest(), *([NO_WORTH] if worth else []))
    return Upload("add", ("EMAIL", WORTH) if worth else ("EMAIL",), (row,), ((),))


def _is_hash(value: str) -> bool:
    return value == "" or (_HASH.fullmatch(value) is not None and value != EMPTY)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a reply says of an upload's rows."""

    invalid: Mapping[int, str]
    """Rows that Meta named, and why."""
    unnamed: int
    """Further rows that it calls invalid without naming them."""


def outcome(upload: Upload, body: Mapping[str, Any]) -> Outcome | None:
    """Read the reply; None when its counts do not fit what was sent, which proves nothing."""
    received = body.get("num_received")
    invalid = body.get("num_invalid_entries", 0)
    if received != len(upload.rows) or not isinstance(invalid, int) or isinstance(invalid, bool):
        return None
    if not 0 <= invalid <= len(upload.rows):
        return None
    where = {row: number for number, row in enumerate(upload.rows)}
    named: dict[int, str] = {}
    for row, why in _samples(body.get("invalid_entry_samples")):
        number = where.get(row[: len(upload.columns)])
        if number is not None:
            named[number] = why
    if len(upload.rows) == 1 and invalid and not named:
        named[0] = "invalid_entry"
    return Outcome(named, max(0, invalid - len(named)))


def _samples(document: Any) -> list[tuple[Cells, str]]:
    """Rows with reasons; Meta sends a map of JSON text to reason, or a plain list."""
    if isinstance(document, Mapping):
        pairs = list(document.items())
    elif isinstance(document, list):
        pairs = [(entry, "") for entry in document]
    else:
        return []
    found: list[tuple[Cells, str]] = []
    for raw, why in pairs:
        row = raw
        if isinstance(raw, str):
            try:
                row = json.loads(raw)
            except ValueError:
                row = [raw]
        if isinstance(row, list):
            found.append((tuple(str(cell) for cell in row), _reason(why)))
    return found


def _reason(why: Any) -> str:
    """Meta's words, if they are words: a value that it quotes never gets into a reason."""
    text = str(why).strip()
    return f"invalid_entry: {text}" if _READABLE.fullmatch(text) else "invalid_entry"
