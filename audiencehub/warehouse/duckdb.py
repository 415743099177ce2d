"""The DuckDB warehouse: one writer under a sidecar lock; readers open a published copy.

DuckDB's own file lock is lost without a word when any code of the process opens and closes the
file, so the promise "one owner" rests on `flock` of a file beside it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from audiencehub.errors import ConfigError, Wait
from audiencehub.warehouse.schema import statements

KEPT_COPIES = 2


class Warehouse:
    """The open warehouse of a run. `connection` speaks SQL; only a run opens it."""

    def __init__(self, folder: Path, connection: duckdb.DuckDBPyConnection, lock: int) -> None:
        self.folder, self.connection, self._lock = folder, connection, lock

    @classmethod
    def open(cls, folder: Path) -> Warehouse:
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
        path = folder / "hub.duckdb"
        if not path.exists():
            _create(path)
        try:
            connection = _connect(path, copies)
        except duckdb.Error as error:
            os.close(lock)
            raise ConfigError(
                f"{path} cannot be opened ({type(error).__name__}).",
                hint=f"Move {path} and {path}.wal aside; the next sync builds it anew from landing",
            ) from None
        return cls(folder, connection, lock)

    @property
    def applied(self) -> int:
        """The last manifest whose pages are in the tables."""
        found = self.connection.execute("SELECT value FROM meta WHERE key='applied'").fetchall()
        return int(found[0][0]) if found else 0

    def set_applied(self, manifest_id: int) -> None:
        """Remember the last manifest, inside the caller's transaction."""
        self.set("applied", str(manifest_id))

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
        os.close(self._lock)


def open_published(folder: Path) -> tuple[duckdb.DuckDBPyConnection, datetime]:
    """The newest published copy, read-only, and its time. Raises ConfigError when there is none."""
    for path in sorted((folder / "published").glob("*-*.duckdb"), reverse=True):
        try:
            connection = duckdb.connect(str(path), read_only=True)
        except duckdb.IOException:
            continue  # it was removed between listing and opening: a newer one has come
        connection.execute("SET TimeZone='UTC'")
        stamp = f"{path.stem.split('-')[1]}+0000"
        return connection, datetime.strptime(stamp, "%Y%m%dT%H%M%S%f%z")
    raise ConfigError(
        "Nothing has been published yet.",
        hint="Run: audiencehub sync (or make demo), then ask again",
    )


def _create(path: Path) -> None:
    """An empty warehouse under its final name only when it is whole: a crash during creation
    would otherwise leave a file that never opens again."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    connection = duckdb.connect(str(draft))
    for statement in statements():
        connection.execute(statement)
    connection.close()
    _sync(draft)
    draft.chmod(0o600)
    draft.rename(path)
    _sync(path.parent)


def _connect(path: Path, copies: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(path))
    for setting in (
        "SET TimeZone='UTC'",
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
