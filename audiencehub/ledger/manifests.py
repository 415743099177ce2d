"""Manifests: which files a pull left, whether it was proven complete, where the next begins."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audiencehub.ledger.db import Database
from audiencehub.ledger.stamps import document, instant, maybe, stamp
from audiencehub.model import Cursor

COLUMNS = (
    "manifest_id, run_id, source, stream, row_count, complete, reason,"
    " full_pull AND purged_at IS NULL, cursor, at"
)
"""A full pull that was compacted says no more who is gone."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One landed file; the path is relative to the landing folder."""

    path: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """One pull of one stream."""

    manifest_id: int
    run_id: str
    source: str
    stream: str
    rows: int
    complete: bool
    reason: str | None
    """Why it is not complete."""
    full: bool
    """It read everything there is, so that absence means deletion."""
    cursor: Cursor | None
    at: datetime
    files: tuple[FileEntry, ...]


class Manifests:
    """The manifest, manifest_file and cursor tables."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def record(
        self,
        run_id: str,
        source: str,
        stream: str,
        files: Sequence[FileEntry],
        rows: int,
        complete: bool,
        reason: str | None,
        full: bool,
        cursor: Cursor | None,
        at: datetime,
    ) -> int:
        """One pull, its files and its cursor in one transaction; the manifest's id.

        The cursor moves only when the pull was complete.
        """
        kept = None if cursor is None else document(dict(cursor))
        with self._db.transaction():
            manifest_id = self._db.insert(
                "INSERT INTO manifest(run_id, source, stream, row_count, complete, reason,"
                " full_pull, cursor, at) VALUES(?,?,?,?,?,?,?,?,?)",
                (run_id, source, stream, rows, int(complete), reason, int(full), kept, stamp(at)),
            )
            self._db.many(
                "INSERT INTO manifest_file VALUES(?,?,?,?,?)",
                [(f.path, manifest_id, n, f.rows, f.sha256) for n, f in enumerate(files)],
            )
            if complete and kept is not None:
                self._db.run(
                    "INSERT INTO cursor VALUES(?,?,?,?) ON CONFLICT DO UPDATE SET"
                    " cursor=excluded.cursor, manifest_id=excluded.manifest_id",
                    (source, stream, kept, manifest_id),
                )
        return manifest_id

    def cursor(self, source: str, stream: str) -> Cursor | None:
        """Where the next pull of a stream begins; None: at the beginning."""
        found = self._db.row(
            "SELECT cursor FROM cursor WHERE source=? AND stream=?", (source, stream)
        )
        return None if found is None else dict(json.loads(found[0]))

    def after(self, manifest_id: int) -> list[Manifest]:
        """Every manifest later than this one whose pages are kept, oldest first."""
        sql = (
            f"SELECT {COLUMNS} FROM manifest WHERE manifest_id>? AND (purged_at IS NULL"
            " OR manifest_id IN (SELECT manifest_id FROM manifest_file)) ORDER BY manifest_id"
        )
        return self._read(self._db.rows(sql, (manifest_id,)))

    def recent_complete(self, source: str, stream: str, n: int = 5, full: bool = True) -> list[int]:
        """Row counts of the last complete pulls, newest first; full ones unless told otherwise."""
        found = self._db.rows(
            "SELECT row_count FROM manifest WHERE source=? AND stream=? AND complete=1"
            " AND full_pull>=? ORDER BY manifest_id DESC LIMIT ?",
            (source, stream, int(full), n),
        )
        return [int(row[0]) for row in found]

    def last_full(self, source: str, stream: str) -> datetime | None:
        """When the last complete full pull was landed."""
        found = self._db.row(
            "SELECT max(at) FROM manifest WHERE source=? AND stream=? AND complete=1"
            " AND full_pull=1",
            (source, stream),
        )
        return maybe(found[0]) if found else None

    def last_complete(self, source: str, stream: str) -> datetime | None:
        """When a pull of the stream, of changes or of everything, was last proven complete."""
        found = self._db.row(
            "SELECT max(at) FROM manifest WHERE source=? AND stream=? AND complete=1",
            (source, stream),
        )
        return maybe(found[0]) if found else None

    def latest(self, source: str, stream: str) -> Manifest | None:
        """The newest pull of a stream, complete or not."""
        sql = (
            f"SELECT {COLUMNS} FROM manifest WHERE source=? AND stream=?"
            " ORDER BY manifest_id DESC LIMIT 1"
        )
        return next(iter(self._read(self._db.rows(sql, (source, stream)))), None)

    def streams(self) -> list[tuple[str, str]]:
        """Every (source, stream) that was ever pulled, sorted."""
        found = self._db.rows("SELECT DISTINCT source, stream FROM manifest ORDER BY 1, 2")
        return [(str(source), str(stream)) for source, stream in found]

    def files(self) -> set[str]:
        """Paths of every landed file that a manifest names; any other file is swept."""
        return {str(row[0]) for row in self._db.rows("SELECT path FROM manifest_file")}

    def superseded(self, before: datetime, applied: int) -> list[int]:
        """Pulls from before that instant that nothing is read from any more.

        A complete full pull of the same stream came after them, and the warehouse has both: up to
        `applied`.
        """
        found = self._db.rows(
            "SELECT m.manifest_id FROM manifest m WHERE m.purged_at IS NULL AND m.at<?1"
            " AND m.manifest_id<=?2 AND m.manifest_id<(SELECT max(f.manifest_id) FROM manifest f"
            " WHERE f.source=m.source AND f.stream=m.stream AND f.complete=1 AND f.full_pull=1"
            " AND f.manifest_id<=?2) ORDER BY m.manifest_id",
            (stamp(before), applied),
        )
        return [int(row[0]) for row in found]

    def compacted(self, manifest_id: int, at: datetime) -> None:
        """Its page holds only what no later pull said again."""
        self._db.run(
            "UPDATE manifest SET purged_at=? WHERE manifest_id=?", (stamp(at), manifest_id)
        )

    def let_go(self, ids: Collection[int], at: datetime, *, rewind: bool = False) -> list[str]:
        """The pages of these pulls are not read again; the paths of their files, for removal.

        Their counts stay. `rewind`: their streams are pulled from the beginning.
        """
        listed = json.dumps(sorted(ids))
        chosen = "manifest_id IN (SELECT value FROM json_each(?))"
        with self._db.transaction():
            found = self._db.rows(f"SELECT path FROM manifest_file WHERE {chosen}", (listed,))
            self._db.run(
                f"UPDATE manifest SET purged_at=? WHERE purged_at IS NULL AND {chosen}",
                (stamp(at), listed),
            )
            self._db.run(f"DELETE FROM manifest_file WHERE {chosen}", (listed,))
            if rewind:
                self._db.run(
                    "DELETE FROM cursor WHERE EXISTS(SELECT 1 FROM manifest m WHERE"
                    f" m.source=cursor.source AND m.stream=cursor.stream AND m.{chosen})",
                    (listed,),
                )
        return [str(row[0]) for row in found]

    def _read(self, rows: Iterable[tuple[Any, ...]]) -> list[Manifest]:
        return [self._manifest(row) for row in rows]

    def _manifest(self, row: tuple[Any, ...]) -> Manifest:
        cursor = None if row[8] is None else json.loads(row[8])
        flags = (bool(row[5]), row[6], bool(row[7]))
        return Manifest(*(*row[:5], *flags, cursor, instant(row[9]), self._files(row[0])))

    def _files(self, manifest_id: int) -> tuple[FileEntry, ...]:
        found = self._db.rows(
            "SELECT path, row_count, sha256 FROM manifest_file WHERE manifest_id=?"
            " ORDER BY position",
            (manifest_id,),
        )
        return tuple(FileEntry(*row) for row in found)
