"""Quarantine: rows set aside with their reason, until someone resolves them or they come right."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audiencehub.ledger.db import Database
from audiencehub.ledger.stamps import instant, stamp

Entry = tuple[Any, ...]
"""(source, stream, source_id, code, message, manifest_id, record_ref, at)."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One row set aside. For deliveries source is the target, stream `delivery`."""

    id: int
    source: str
    stream: str
    source_id: str
    code: str
    message: str
    manifest_id: int
    """0 for a delivery."""
    record_ref: str
    """Where the record lies: file and line, or the hash of the value that was refused."""
    at: datetime


class Quarantine:
    """The quarantine table."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, rows: Iterable[Entry]) -> None:
        """Set rows aside; one that already waits there is not counted twice."""
        with self._db.transaction():
            self._db.many(
                "INSERT INTO quarantine(source, stream, source_id, code, message, manifest_id,"
                " record_ref, at) VALUES(?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
                [
                    (a, b, c or "", d, e, f or 0, g or "", stamp(at))
                    for a, b, c, d, e, f, g, at in rows
                ],
            )

    def list(
        self, *, source: str | None = None, code: str | None = None, limit: int = 1000
    ) -> builtins.list[Quarantined]:
        """Rows that wait, oldest first."""
        found = self._db.rows(
            "SELECT id, source, stream, source_id, code, message, manifest_id, record_ref, at"
            " FROM quarantine WHERE resolved=0 AND (?1 IS NULL OR source=?1)"
            " AND (?2 IS NULL OR code=?2) ORDER BY id LIMIT ?3",
            (source, code, limit),
        )
        return [Quarantined(*(*row[:8], instant(row[8]))) for row in found]

    def refused(self, target: str) -> set[tuple[str, str, str]]:
        """(member, value hash, op) of the changes of a target that wait; of one whose intent was
        purged both `add` and `set`, for what is not there any more keeps nobody from leaving."""
        found = self._db.rows(
            "SELECT q.source_id, q.record_ref, i.op FROM quarantine q LEFT JOIN intent i"
            " ON i.target=q.source AND i.member=q.source_id AND i.value_hash=q.record_ref"
            " AND i.state='quarantined' WHERE q.source=? AND q.stream='delivery' AND q.resolved=0",
            (target,),
        )
        return {
            (str(member), str(digest), op)
            for member, digest, known in found
            for op in ((str(known),) if known else ("add", "set"))
        }

    def counts(self) -> dict[tuple[str, str, str], int]:
        """(source, stream, code) to the number of rows that wait."""
        found = self._db.rows(
            "SELECT source, stream, code, count(*) FROM quarantine WHERE resolved=0"
            " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        )
        return {(source, stream, code): n for source, stream, code, n in found}

    def seen(self, manifest_id: int) -> set[str]:
        """Where the records of a pull lie that were ever set aside, resolved or not."""
        found = self._db.rows(
            "SELECT record_ref FROM quarantine WHERE manifest_id=?", (manifest_id,)
        )
        return {str(row[0]) for row in found}

    def supersede(self, source: str, stream: str, manifest_id: int) -> int:
        """Let go what was set aside of earlier pulls than this one; how many there were."""
        return self._db.run(
            "UPDATE quarantine SET resolved=1 WHERE source=? AND stream=? AND manifest_id<?"
            " AND resolved=0",
            (source, stream, manifest_id),
        )

    def resolve(self, ids: Iterable[int]) -> int:
        """Let these go (a delivery is tried again); how many there were."""
        with self._db.transaction():
            return sum(
                self._db.run(
                    "UPDATE quarantine SET resolved=1 WHERE id=? AND resolved=0", (number,)
                )
                for number in ids
            )
