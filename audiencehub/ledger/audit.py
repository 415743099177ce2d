"""The audit chain: who did what, when and why; each row's mark covers the row before it.

Marks are made with the install's key, so that who rewrites the file cannot make them anew. Rows of
before the key was used bear a bare hash; the seal says up to which row, and is itself keyed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from audiencehub.ledger.db import Database
from audiencehub.ledger.sealing import Sealing
from audiencehub.ledger.stamps import document, instant, stamp

ROOT = "0" * 64
KEYED = "k:"
SHOWN = 12
"""Characters of a keyed mark that are told: enough to compare, too few to write it."""
SEAL, HEAD, ANCHOR = "audit_sealed", "audit_head", "audit_anchor"
COLUMNS = "seq, at, who, what, subject, detail"


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
    what: Literal["number", "hash", "end", "seal"]
    """A gap in the numbers, a content that its mark does not cover, an end that is not the one
    noted with the last act, or a seal or first row that was not set by this install."""
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What following the chain came to."""

    rows: int
    breaks: list[Break]


class Audit:
    """The audit table; seal, head and anchor in meta, so that a cut at either end is seen too."""

    def __init__(self, db: Database, sealing: Sealing) -> None:
        self._db, self._sealing = db, sealing
        self.witnessed: int | None = None
        """Up to which row the chain is bare, as the stamp outside the ledger says."""

    def record(
        self, at: datetime, who: str, what: str, subject: str, detail: Mapping[str, Any]
    ) -> None:
        """Append one act."""
        with self._db.transaction():
            last, before = self._last()
            row = (last + 1, stamp(at), who, what, subject, document(detail))
            mark = self._mark(before, row)
            self._db.run("INSERT INTO audit VALUES(?,?,?,?,?,?,?)", (*row, mark))
            self._note(HEAD, last + 1, mark)

    def entries(self, n: int = 100) -> list[AuditEntry]:
        """The newest acts, newest first."""
        found = self._db.rows(f"SELECT {COLUMNS} FROM audit ORDER BY seq DESC LIMIT ?", (n,))
        return [AuditEntry(r[0], instant(r[1]), r[2], r[3], r[4], json.loads(r[5])) for r in found]

    def seal(self, *, anew: bool = False) -> int | None:
        """Close the part of the chain that bears bare hashes, once; up to which row that is.

        None when it should be closed already and is not, which `check` reports. `anew`: a ledger of
        before, put back, is closed where it ends.
        """
        kept = self._noted(SEAL)
        if kept is None and self.witnessed is not None and not anew:
            return None
        if kept is None:
            with self._db.transaction():
                kept = self._last()
                self._note(SEAL, *kept)
        return kept[0]

    def cut(self, before: datetime) -> int:
        """Let go the acts older than this, from the first on; how many. The rest stays a chain, and
        the newest act stays in any case."""
        with self._db.transaction():
            found = self._db.row(
                "SELECT seq, hash FROM audit WHERE seq < coalesce((SELECT min(seq) FROM audit"
                " WHERE at >= ?1), (SELECT max(seq) FROM audit)) ORDER BY seq DESC LIMIT 1",
                (stamp(before),),
            )
            if found is None:
                return 0
            self._note(ANCHOR, int(found[0]), str(found[1]))
            return self._db.run("DELETE FROM audit WHERE seq<=?", (found[0],))

    def verify(self) -> list[Break]:
        """Where the chain is broken, from the first row to the last; empty when it is whole."""
        return self.check().breaks

    def check(self) -> Checked:
        """The whole chain followed: how many rows it has, and where it is broken.

        Each row is judged against the mark that stands in the row before it, so that one change
        is named where it was made and not in every row after it.
        """
        breaks: list[Break] = []
        bare, closed = self._bare(breaks)
        last, before = self._noted(ANCHOR) or (0, ROOT)
        if not self._genuine(ANCHOR):
            breaks.append(Break(last, "seal", "a first row noted by this install", "another"))
        count = 0
        for *row, mark in self._db.rows(f"SELECT {COLUMNS}, hash FROM audit ORDER BY seq"):
            seq, count = int(row[0]), count + 1
            if seq != last + 1:
                breaks.append(Break(seq, "number", str(last + 1), str(seq)))
            old = seq <= bare
            wanted = chained(before, tuple(row)) if old else self._mark(before, tuple(row))
            if not hmac.compare_digest(wanted, mark):
                breaks.append(Break(seq, "hash", *(map(_told, (wanted, mark)))))
            if seq == bare and closed and mark != closed:
                breaks.append(Break(seq, "seal", closed, mark))
            last, before = seq, mark
        if last < bare and closed:
            breaks.append(Break(last, "seal", f"row {bare}", f"row {last}"))
        self._end(breaks, last, before)
        return Checked(count, breaks)

    def _bare(self, breaks: list[Break]) -> tuple[int, str]:
        """Up to which row bare hashes are allowed, and the one that closes them."""
        seal = self._noted(SEAL)
        if not self._genuine(SEAL) or (seal is None and self.witnessed is not None):
            breaks.append(Break(0, "seal", "a seal set by this install", "none or another"))
            return (self.witnessed or 0, "")
        return seal or (1 << 62, "")

    def _end(self, breaks: list[Break], last: int, mark: str) -> None:
        head = self._noted(HEAD) or self._noted(ANCHOR) or (0, ROOT)
        if head != (last, mark):
            found = (f"row {head[0]}", f"row {last}")
            same = (_told(head[1]), _told(mark))
            breaks.append(Break(last, "end", *(same if head[0] == last else found)))
        elif mark.startswith(KEYED) and not self._genuine(HEAD):
            breaks.append(Break(last, "end", "an end noted by this install", "another"))

    def _last(self) -> tuple[int, str]:
        last = self._db.row("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
        return (int(last[0]), str(last[1])) if last else self._noted(ANCHOR) or (0, ROOT)

    def _mark(self, before: str, row: tuple[Any, ...]) -> str:
        return KEYED + self._sealing.mac(document(["row", before, *row]))

    def _note(self, key: str, seq: int, mark: str) -> None:
        """`seq|mark|mac` in meta."""
        mac = self._sealing.mac(document([key, seq, mark]))
        self._db.run(
            "INSERT INTO meta VALUES(?,?) ON CONFLICT DO UPDATE SET value=excluded.value",
            (key, f"{seq}|{mark}|{mac}"),
        )

    def _noted(self, key: str) -> tuple[int, str] | None:
        found = self._db.row("SELECT value FROM meta WHERE key=?", (key,))
        if found is None:
            return None
        # Before the key was used, the head was `seq:hash`.
        text = str(found[0])
        parts = text.split("|") if "|" in text else text.split(":")
        return (int(parts[0]), parts[1]) if parts[0].isdecimal() and len(parts) > 1 else (-1, "")

    def _genuine(self, key: str) -> bool:
        """What is noted was noted by this install, or nothing is."""
        found = self._db.row("SELECT value FROM meta WHERE key=?", (key,))
        if found is None:
            return True
        seq, _, rest = str(found[0]).partition("|")
        mark, _, mac = rest.partition("|")
        if not seq.isdecimal():
            return False
        return hmac.compare_digest(self._sealing.mac(document([key, int(seq), mark])), mac)


def chained(before: str, row: tuple[Any, ...]) -> str:
    """SHA-256 over the hash before and the row: what rows bore before the key was used."""
    return hashlib.sha256(document([before, *row]).encode()).hexdigest()


def _told(mark: str) -> str:
    return f"{mark[: len(KEYED) + SHOWN]}…" if mark.startswith(KEYED) else mark
