"""The DuckDB warehouse: one writer under a sidecar lock; readers open a published copy.

DuckDB's own file lock is lost without a word when any code of the process opens and closes the
file, so the promise "one owner" rests on `flock` of a file beside it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from audiencehub.canonical import TABLES, Table
from audiencehub.errors import ConfigError, Wait
from audiencehub.warehouse.schema import fingerprint, statements

KEPT_COPIES = 2
STAMP = "%Y-%m-%d %H:%M:%S.%f"
FILE = "hub.duckdb"
DRAFT = "hub.rebuild"


class Warehouse:
    """The open warehouse of a run. `connection` speaks SQL; only a run opens it."""

    def __init__(
        self,
        folder: Path,
        connection: duckdb.DuckDBPyConnection,
        lock: int | None,
        tables: Mapping[str, Table] = TABLES,
    ) -> None:
        self.folder, self.connection, self._lock = folder, connection, lock
        self.tables = tables
        """The canonical tables, with the fields that settings add."""

    @classmethod
    def open(cls, folder: Path, tables: Mapping[str, Table] = TABLES) -> Warehouse:
        """The warehouse of that folder, made when absent. Raises Wait when a run has it open."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        copies = folder / "published"
        copies.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(folder / "hub.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise Wait(
                f"Another run has the warehouse in {folder} open.",
                hint="Wait for it to end; audiencehub doctor names it",
            ) from None
        path = folder / FILE
        try:
            if not path.exists():
                _create(path, tables)
            connection = _connect(path, copies)
            known = (_mark(connection, "shape"), _mark(connection, "hash"))
            if known != (fingerprint(tables), _hash(connection)):
                # Made by another version of the hub, or hashed by another version of DuckDB:
                # landing holds all that is in it.
                connection.close()
                _remove(path)
                _create(path, tables)
                connection = _connect(path, copies)
        except duckdb.Error as error:
            os.close(lock)
            raise ConfigError(
                f"{path} cannot be opened ({type(error).__name__}).",
                hint=f"Move {path} and {path}.wal aside, then: audiencehub rebuild",
            ) from None
        return cls(folder, connection, lock, tables)

    @classmethod
    def mend(cls, folder: Path, tables: Mapping[str, Table] = TABLES) -> Path | None:
        """Move a file aside that is no database any more, so that a rebuild can begin.

        Returns where it lies now. Raises Wait when a run has the warehouse open.
        """
        path = folder / FILE
        if not path.exists():
            return None
        try:
            cls.open(folder, tables).close()
        except ConfigError:
            broken = path.with_name("hub.broken")
            path.rename(broken)
            path.with_name(f"{FILE}.wal").unlink(missing_ok=True)
            return broken
        return None

    def draft(self) -> Warehouse:
        """An empty warehouse of the same ledger beside this one, under the same lock: `adopt` or
        `discard` it."""
        path = self.folder / DRAFT
        _remove(path)
        _create(path, self.tables)
        connection = _connect(path, self.folder / "published")
        draft = Warehouse(self.folder, connection, None, self.tables)
        if (ledger := self.get("ledger")) is not None:
            draft.set("ledger", ledger)
        return draft

    def adopt(self, draft: Warehouse) -> None:
        """Put the draft in this one's place, for this and every later run: all of it or nothing."""
        draft.connection.execute("CHECKPOINT")
        draft.connection.close()
        self.connection.close()
        path = self.folder / FILE
        _sync(self.folder / DRAFT)
        # A log of the old file must not be played into the new one.
        path.with_name(f"{FILE}.wal").unlink(missing_ok=True)
        (self.folder / DRAFT).rename(path)
        _sync(self.folder)
        self.connection = _connect(path, self.folder / "published")

    def discard(self) -> None:
        """Remove a draft."""
        self.connection.close()
        _remove(self.folder / DRAFT)

    @property
    def applied(self) -> int:
        """The last manifest whose pages are in the tables."""
        return int(self.get("applied") or 0)

    def set_applied(self, manifest_id: int, at: datetime) -> None:
        """Remember the last manifest and its time, inside the caller's transaction."""
        self.set("applied", str(manifest_id))
        newest = max(at, self.known_at or at).astimezone(UTC)
        self.set("known_at", newest.strftime(STAMP))

    @property
    def known_at(self) -> datetime | None:
        """The time of the newest manifest that is in the tables: what the hub knew, it knew then.

        Depends on landing alone, so that a rebuild finds the same.
        """
        found = self.get("known_at")
        return datetime.strptime(found, STAMP).replace(tzinfo=UTC) if found else None

    def get(self, key: str) -> str | None:
        """What `set` was told."""
        # Read to the end: while a result is open, nothing can be registered.
        found = self.connection.execute("SELECT value FROM meta WHERE key = ?", [key]).fetchall()
        return str(found[0][0]) if found else None

    def set(self, key: str, value: str) -> None:
        """Remember a word about the tables, inside the caller's transaction."""
        self.connection.execute("DELETE FROM meta WHERE key = ?", [key])
        self.connection.execute("INSERT INTO meta VALUES(?, ?)", [key, value])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing."""
        self.connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def publish(self, at: datetime) -> Path:
        """Write a read-only copy for readers; the last two are kept. Returns its path."""
        copies = self.folder / "published"
        name = at.astimezone(UTC).strftime("%Y%m%dT%H%M%S%f")
        serial = 1 + max((int(p.stem.split("-")[0]) for p in copies.glob("*-*.duckdb")), default=0)
        final = copies / f"{serial:08d}-{name}.duckdb"
        draft = copies / "draft.tmp"
        draft.unlink(missing_ok=True)
        execute = self.connection.execute
        execute("CHECKPOINT")
        execute(f"ATTACH '{_quoted(draft)}' AS published_copy")
        try:
            execute(f'COPY FROM DATABASE "{self._name()}" TO published_copy')
        finally:
            execute("DETACH published_copy")
        _sync(draft)
        draft.chmod(0o600)
        draft.rename(final)
        _sync(copies)
        for old in sorted(copies.glob("*-*.duckdb"))[:-KEPT_COPIES]:
            old.unlink(missing_ok=True)
        return final

    def _name(self) -> str:
        return str(self.connection.execute("SELECT current_database()").fetchall()[0][0])

    def close(self) -> None:
        """Close the file and let the next run in."""
        self.connection.close()
        if self._lock is not None:
            os.close(self._lock)


def open_published(
    folder: Path, *, anyway: bool = False
) -> tuple[duckdb.DuckDBPyConnection, datetime]:
    """The newest published copy, read-only, and its time.

    Raises ConfigError when there is none, and for one that another version of the hub wrote, but
    when it is wanted `anyway`.
    """
    for path in sorted((folder / "published").glob("*-*.duckdb"), reverse=True):
        try:
            connection = duckdb.connect(str(path), read_only=True)
        except duckdb.IOException:
            continue  # it was removed between listing and opening: a newer one has come
        connection.execute("SET TimeZone='UTC'")
        if not anyway and _mark(connection, "version") != fingerprint():
            connection.close()
            raise ConfigError(
                "What was published last is of another version of the hub.",
                hint="Run: audiencehub rebuild",
            )
        stamp = f"{path.stem.split('-')[1]}+0000"
        return connection, datetime.strptime(stamp, "%Y%m%dT%H%M%S%f%z")
    raise ConfigError(
        "Nothing has been published yet.",
        hint="Run: audiencehub sync (or make demo), then ask again",
    )


def _create(path: Path, tables: Mapping[str, Table]) -> None:
    """An empty warehouse under its final name only when it is whole: a crash during creation
    would otherwise leave a file that never opens again."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    connection = duckdb.connect(str(draft))
    for statement in statements(tables):
        connection.execute(statement)
    marks = [
        ("shape", fingerprint(tables)),
        ("version", fingerprint()),
        ("hash", _hash(connection)),
    ]
    connection.executemany("INSERT INTO meta VALUES(?, ?)", marks)
    connection.close()
    _sync(draft)
    draft.chmod(0o600)
    draft.rename(path)
    _sync(path.parent)


def _hash(connection: duckdb.DuckDBPyConnection) -> str:
    """What this version of DuckDB makes of one key: hashes stand in the tables."""
    return str(connection.execute("SELECT hash('source', 'id')").fetchall()[0][0])


def _remove(path: Path) -> None:
    for name in (f"{path.name}.wal", path.name):
        path.with_name(name).unlink(missing_ok=True)


def _mark(connection: duckdb.DuckDBPyConnection, key: str) -> str | None:
    """A fingerprint that the file was made with: `shape` of its tables, `version` of the hub's."""
    try:
        found = connection.execute("SELECT value FROM meta WHERE key = ?", [key]).fetchall()
    except duckdb.CatalogException:
        return None
    return str(found[0][0]) if found else None


def _connect(path: Path, copies: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(path))
    for setting in (
        "SET TimeZone='UTC'",
        # DuckDB 2.0.0 reads beyond strings of rows not yet checkpointed, when a join hands its keys
        # or row ids down to the scan: an error of corruption, or the end of the process.
        "SET disabled_optimizers='join_filter_pushdown'",
        f"SET allowed_directories=['{_quoted(copies)}/']",
        "SET enable_external_access=false",
        "SET autoinstall_known_extensions=false",
        "SET autoload_known_extensions=false",
        "SET python_enable_replacements=false",
        "SET lock_configuration=true",
    ):
        connection.execute(setting)
    return connection


def _quoted(path: Path) -> str:
    return str(path.resolve()).replace("'", "''")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
