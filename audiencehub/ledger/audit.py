"""The audit chain: who did what, when and why; each row's hash covers the row before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from audiencehub.ledger.db import Database
from audiencehub.ledger.stamps import document, instant, stamp

ROOT = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act; the detail holds ids and counts, never a person's data."""

    seq: int
    at: datetime
    who: str
    what: str
    subject: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Break:
    """One place where the chain is broken; hashes and row numbers, nobody's data."""

    row: int
    """The row's number; for the end of the chain that of the last row there is."""
    what: Literal["number", "hash", "end"]
    """A gap in the numbers, a content that its hash does not cover, or an end that is not the
    one noted with the last act."""
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What following the chain came to."""

    rows: int
    breaks: list[Break]


class Audit:
    """The audit table, and its head in meta so that a cut tail is seen too."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def record(
        self, at: datetime, who: str, what: str, subject: str, detail: Mapping[str, Any]
    ) -> None:
        """Append one act."""
        with self._db.transaction():
            last = self._db.row("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
            seq, before = (int(last[0]) + 1, str(last[1])) if last else (1, ROOT)
            row = (seq, stamp(at), who, what, subject, document(detail))
            digest = chained(before, row)
            self._db.run("INSERT INTO audit VALUES(?,?,?,?,?,?,?)", (*row, digest))
            self._db.run(
                "INSERT INTO meta VALUES('audit_head', ?) ON CONFLICT DO UPDATE SET"
                " value=excluded.value",
                (f"{seq}:{digest}",),
            )

    def entries(self, n: int = 100) -> list[AuditEntry]:
        """The newest acts, newest first."""
        found = self._db.rows(
            "SELECT seq, at, who, what, subject, detail FROM audit ORDER BY seq DESC LIMIT ?", (n,)
        )
        return [AuditEntry(r[0], instant(r[1]), r[2], r[3], r[4], json.loads(r[5])) for r in found]

    def verify(self) -> list[Break]:
        """Where the chain is broken, from the first row to the last; empty when it is whole."""
        return self.check().breaks

    def check(self) -> Checked:
        """The whole chain followed: how many rows it has, and where it is broken.

        Each row is judged against the hash that stands in the row before it, so that one change
        is named where it was made and not in every row after it.
        """
        breaks: list[Break] = []
        before, expected, count = ROOT, 1, 0
        for *row, digest in self._db.rows(
            "SELECT seq, at, who, what, subject, detail, hash FROM audit ORDER BY seq"
        ):
            seq, count = int(row[0]), count + 1
            wanted = chained(before, tuple(row))
            if seq != expected:
                breaks.append(Break(seq, "number", str(expected), str(seq)))
            if wanted != digest:
                breaks.append(Break(seq, "hash", wanted, digest))
            before, expected = digest, seq + 1
        head = self._db.row("SELECT value FROM meta WHERE key='audit_head'")
        kept = str(head[0]) if head else f"0:{ROOT}"
        if kept != f"{expected - 1}:{before}":
            breaks.append(_tail(kept, expected - 1, before))
        return Checked(count, breaks)


def _tail(kept: str, last: int, digest: str) -> Break:
    """The end of the chain is not the one that was noted when its last row was written."""
    seq, _, wanted = kept.partition(":")
    if seq == str(last):
        return Break(last, "end", wanted, digest)
    return Break(last, "end", f"row {seq}", f"row {last}")


def chained(before: str, row: tuple[Any, ...]) -> str:
    """SHA-256 over the hash before and the row."""
    return hashlib.sha256(document([before, *row]).encode()).hexdigest()
