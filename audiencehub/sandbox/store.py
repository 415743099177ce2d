"""What a fake remembers: named tables of JSON documents, written through to one SQLite file.

Reads come from memory; a write is on disk before the fake answers, so that a fake which is
restarted between two syncs still holds what the first one pushed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import apsw
import orjson

Document = dict[str, Any]


class Table(MutableMapping[str, Document]):
    """One table: key to document. Assign a changed document back, or it is not kept."""

    def __init__(self, store: Store, name: str, rows: dict[str, Document]) -> None:
        self._store, self._name, self._rows = store, name, rows

    def __getitem__(self, key: str) -> Document:
        return self._rows[key]

    def __setitem__(self, key: str, document: Document) -> None:
        self._rows[key] = document
        self._store._write(self._name, [(key, document)])

    def __delitem__(self, key: str) -> None:
        del self._rows[key]
        self._store._write(self._name, [(key, None)])

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def clear(self) -> None:
        """Every document gone, in one write."""
        gone = list(self._rows)
        self._rows.clear()
        self._store._write(self._name, [(key, None) for key in gone])

    def put(self, documents: dict[str, Document]) -> None:
        """Many documents in one write."""
        self._rows.update(documents)
        self._store._write(self._name, list(documents.items()))


class Store:
    """All tables of one fake."""

    def __init__(self, path: Path | None = None) -> None:
        self.lock = threading.RLock()
        self._tables: dict[str, Table] = {}
        self._db = apsw.Connection(str(path) if path else ":memory:")
        self._db.set_busy_timeout(5000)
        # A fake may lose its last write in a power cut; it must not slow every test.
        self._db.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS document(t TEXT, k TEXT, d TEXT, PRIMARY KEY(t, k))"
        )
        rows: dict[str, dict[str, Document]] = {}
        for table, key, text in self._db.execute("SELECT t, k, d FROM document ORDER BY rowid"):
            rows.setdefault(table, {})[key] = orjson.loads(text)
        for name, documents in rows.items():
            self._tables[name] = Table(self, name, documents)

    def table(self, name: str) -> Table:
        """The table of that name, empty at first."""
        with self.lock:
            return self._tables.setdefault(name, Table(self, name, {}))

    def tables(self) -> list[tuple[str, Table]]:
        """Every table with its name."""
        with self.lock:
            return list(self._tables.items())

    def _write(self, table: str, rows: list[tuple[str, Document | None]]) -> None:
        with self.lock, self._db:
            gone = [(table, key) for key, document in rows if document is None]
            kept = [(table, key, orjson.dumps(d).decode()) for key, d in rows if d is not None]
            if gone:
                self._db.executemany("DELETE FROM document WHERE t=? AND k=?", gone)
            if kept:
                self._db.executemany(
                    "INSERT INTO document VALUES(?,?,?) ON CONFLICT DO UPDATE SET d=excluded.d",
                    kept,
                )

    def clear(self) -> None:
        """Every table empty."""
        with self.lock:
            for table in list(self._tables.values()):
                table.clear()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
