"""The one connection to `ledger.sqlite`: durable, shared by threads, migrated on opening."""

from __future__ import annotations

import fcntl
import os
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from audiencehub.errors import ConfigError, Stop, Wait
from audiencehub.ledger.schema import MIGRATIONS

WAL_SAFE = (3, 51, 3)
"""SQLite before this can corrupt a WAL when two connections write and checkpoint at once
(sqlite.org/wal.html, "The WAL Reset Bug")."""
BUSY_MS = 30_000


class Database:
    """SQL on the ledger. One writer at a time: a transaction holds the lock of its thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = connect(path)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing; an inner transaction joins the outer one."""
        with self._lock:
            if self._depth:
                self._depth += 1
                try:
                    yield
                finally:
                    self._depth -= 1
                return
            with plainly(self.path):
                self._connection.execute("BEGIN IMMEDIATE")
                self._depth = 1
                try:
                    yield
                    self._connection.execute("COMMIT")
                except BaseException:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    raise
                finally:
                    self._depth = 0

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Every row of a query."""
        with self._lock:
            return list(self._connection.execute(sql, tuple(values)))

    def row(self, sql: str, values: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row of a query, if there is one."""
        with self._lock:
            return next(iter(self._connection.execute(sql, tuple(values))), None)

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Execute one statement; how many rows it changed."""
        with self._lock, plainly(self.path):
            self._connection.execute(sql, tuple(values))
            return self._connection.changes()

    def many(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        """Execute one statement for each of many rows, inside the caller's transaction."""
        with self._lock:
            self._connection.executemany(sql, (tuple(one) for one in values))

    def insert(self, sql: str, values: Sequence[Any]) -> int:
        """Insert one row; its rowid."""
        with self._lock:
            self._connection.execute(sql, tuple(values))
            return self._connection.last_insert_rowid()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()


@contextmanager
def plainly(path: Path) -> Iterator[None]:
    """Say in plain words what keeps the ledger from being written: Wait for a lock, else Stop."""
    try:
        yield
    except apsw.BusyError:
        raise Wait(
            f"{path} is locked by another process.",
            hint="Wait for it; if one hangs, audiencehub doctor names it, and it may be stopped",
        ) from None
    except (apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.CantOpenError) as error:
        raise Stop(
            f"{path} cannot be written ({type(error).__name__}); nothing was sent without it.",
            hint="Free space and check the disk, then run audiencehub sync: it resumes",
        ) from None


def connect(path: Path) -> apsw.Connection:
    """A connection with the promises of the ledger set and checked."""
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(BUSY_MS)
    version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    mode, level = ("WAL", "FULL") if version >= WAL_SAFE else ("DELETE", "EXTRA")
    for pragma in (
        f"journal_mode={mode}",
        f"synchronous={level}",
        "mmap_size=0",
        "foreign_keys=ON",
    ):
        list(connection.execute(f"PRAGMA {pragma}"))
    return connection


def prepare(folder: Path) -> Path:
    """The ledger's path in a folder, created or migrated when needed; files are 0600, folders 0700.

    Raises ConfigError when a newer version of the hub wrote it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    path = folder / "ledger.sqlite"
    # Two processes that start together must not both create or migrate.
    gate = os.open(folder / "ledger.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(gate, fcntl.LOCK_EX)
        if not path.exists():
            # SQLite gives the -wal and -shm files the mode of the database.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
        connection = connect(path)
        try:
            _migrate(connection, path)
        finally:
            connection.close()
    finally:
        os.close(gate)
    return path


def _migrate(connection: apsw.Connection, path: Path) -> None:
    found = int(next(iter(connection.execute("PRAGMA user_version")))[0])
    if found > len(MIGRATIONS):
        raise ConfigError(
            f"{path} was written by a newer audiencehub (version {found} of the ledger, "
            f"this one knows {len(MIGRATIONS)}).",
            hint="Upgrade audiencehub to at least the version that last ran here",
        )
    if found == len(MIGRATIONS):
        return
    connection.execute("BEGIN EXCLUSIVE")
    try:
        for script in MIGRATIONS[found:]:
            connection.execute(script)
        connection.execute(
            "INSERT INTO meta VALUES('uuid', ?) ON CONFLICT DO NOTHING", (str(uuid.uuid4()),)
        )
        connection.execute(f"PRAGMA user_version={len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
