"""The audit chain: who did what, when and why; each row's hash covers the row before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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

    def verify(self) -> list[int]:
        """Sequence numbers where the chain is broken; empty when it is whole."""
        broken: list[int] = []
        before, expected = ROOT, 1
        for *row, digest in self._db.rows(
            "SELECT seq, at, who, what, subject, detail, hash FROM audit ORDER BY seq"
        ):
            if row[0] != expected or chained(before, tuple(row)) != digest:
                broken.append(int(row[0]))
            before, expected = digest, int(row[0]) + 1
        head = self._db.row("SELECT value FROM meta WHERE key='audit_head'")
        if (head[0] if head else f"0:{ROOT}") != f"{expected - 1}:{before}":
            broken.append(expected)
        return broken


def chained(before: str, row: tuple[Any, ...]) -> str:
    """SHA-256 over the hash before and the row."""
    return hashlib.sha256(document([before, *row]).encode()).hexdigest()
