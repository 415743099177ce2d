"""Files: every file of the project searched for a forgotten person, and what is found blanked.

Databases are searched value by value, in every table: engines compress text, and put values side by
side. The rest is searched as it is read. What the fakes of a sandbox hold is the vendors' own.
"""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import apsw
import duckdb

from audiencehub.errors import Wait
from audiencehub.forgetting.person import Person
from audiencehub.forgetting.traces import Traces, traces
from audiencehub.settings import Settings

SQLITE = b"SQLite format 3\0"
NO_TEXT = ("INTEGER", "REAL", "BLOB", "BOOLEAN", "FLOAT", "BIGINT", "DATETIME", "TIMESTAMP")
NEVER = ("install.key", "hub.lock", "ledger.lock")
OPEN = "hub.duckdb"
LEDGER = "ledger.sqlite"
SPARED = ("audit", "forgetting", "tombstone")
"""Tables of the ledger that hold keyed digests alone; the chain of the audit covers its text."""
TOLD = ("run", "plan", "alert", "alert_message")
"""Tables of the ledger whose text is of our own making."""
Connection = duckdb.DuckDBPyConnection
BUSY_MS = 10_000
PAGE = 1 << 20


@dataclass(slots=True)
class Searched:
    """What a search came to."""

    files: int = 0
    size: int = 0
    """Bytes, as they lie on disk."""
    hits: list[str] = field(default_factory=list)
    """Files that name the person, relative to the project; of databases also table and column."""
    named: list[str] = field(default_factory=list)
    """The same files, each once."""
    spellings: int = 0
    """How many different texts were searched for."""


def search(settings: Settings, person: Person, warehouse: Connection) -> Searched:
    """Look through every file; nothing is changed. `warehouse` is the open `hub.duckdb`: to open
    and close a file that is open already would let go of its lock."""
    own, wide = traces(person), traces(person, ids=True)
    result = Searched(spellings=len(wide.spellings))
    for path in everything(settings):
        result.files += 1
        result.size += path.stat().st_size
        if path == settings.folder / OPEN:
            found = _in_tables(warehouse, own)
        else:
            found = _found(path, own if _of_records(settings, path) else wide)
        told = path.relative_to(settings.root).as_posix()
        hits = [f"{told} {where}".strip() for where in found]
        result.hits += hits
        result.named += [told] * bool(hits)
    return result


def sweep(settings: Settings, person: Person) -> int:
    """Blank what names the person: texts, and the databases of others; how many files changed.

    Warehouse and landing are not touched: they are made clean by what knows them.
    """
    changed, wide = 0, traces(person, ids=True)
    for path in everything(settings):
        if _of_records(settings, path) or path.name.startswith(OPEN):
            continue
        if any(True for _ in _found(path, wide)):
            if _is_database(path):
                _blank_database(path, wide, lambda _: True)
            else:
                _blank_text(path, wide)
            changed += 1
    ledger = settings.folder / LEDGER
    blanked = _blank_database(ledger, traces(person), lambda table: table not in SPARED)
    blanked += _blank_database(ledger, wide, lambda table: table in TOLD)
    return changed + bool(blanked)


def _of_records(settings: Settings, path: Path) -> bool:
    """What holds records of vendors, where a short id may be another object's."""
    folders = tuple(settings.folder / name for name in ("landing", "published", "backups"))
    return any(one in path.parents for one in folders) or path.name.startswith(LEDGER)


def everything(settings: Settings) -> Iterator[Path]:
    """Every file of this environment and of Prefect's home, but for the fakes' own state."""
    home = settings.root / settings.home
    vendors = settings.folder / "sandbox"
    for folder in (settings.folder, home / "prefect"):
        for path in sorted(folder.rglob("*")):
            theirs = vendors in path.parents and settings.sandbox is not None
            log = path.name == "sandbox.log"
            # The index of a log holds no values, and must not be opened by anybody but its owner.
            if path.name in NEVER or path.name.endswith("-shm"):
                continue
            if path.is_file() and (log or not theirs):
                yield path


def _found(path: Path, traces: Traces) -> Iterator[str]:
    """Where in a file the person is named: table and column, or nothing more to say."""
    if traces.among(path.name):
        yield "(its name)"
    if path.suffix == ".duckdb":
        connection = duckdb.connect(str(path), read_only=True)
        try:
            yield from _in_tables(connection, traces)
        finally:
            connection.close()
    elif _is_database(path):
        yield from _in_sqlite(path, traces)
    elif any(traces.among(text) for text in _texts(path)):
        yield ""


def _is_database(path: Path) -> bool:
    """A file of SQLite. The ledger itself is known by name: this process has it open, and to open
    and close it besides would let go of its locks (sqlite.org/howtocorrupt.html, 2.2)."""
    if path.name == LEDGER:
        return True
    with path.open("rb") as file:
        return file.read(len(SQLITE)) == SQLITE


def _texts(path: Path) -> Iterator[str]:
    """The file in pieces that overlap by a line's worth; unpacked where it is packed."""
    opener = gzip.open if path.suffix == ".gz" else open
    tail = b""
    with opener(path, "rb") as file:
        while piece := file.read(PAGE):
            yield (tail + piece).decode("utf-8", "replace")
            tail = piece[-512:]


def _in_sqlite(path: Path, traces: Traces) -> Iterator[str]:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(BUSY_MS)
    try:
        for table, column in _columns(connection):
            if any(traces.among(text) for text in _candidates(connection, table, column, traces)):
                yield f"{table}.{column}"
    finally:
        connection.close()


def _columns(connection: apsw.Connection) -> list[tuple[str, str]]:
    tables = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    found: list[tuple[str, str]] = []
    for (table,) in tables:
        rows = connection.execute(
            "SELECT name, type FROM pragma_table_info(?)", (table,)
        ).fetchall()
        found += [(str(table), str(name)) for name, kind in rows if kind not in NO_TEXT]
    return found


def _candidates(
    connection: apsw.Connection, table: str, column: str, traces: Traces
) -> Iterable[str]:
    """Texts of a column that may name the person."""
    tests = " OR ".join(f"instr(lower({_name(column)}), ?)" for _ in traces.spellings) or "0"
    rows = connection.execute(
        f"SELECT CAST({_name(column)} AS TEXT) FROM {_name(table)} WHERE {tests}", traces.spellings
    )
    return (str(text) for (text,) in rows)


def _in_tables(connection: Connection, traces: Traces) -> Iterator[str]:
    """One pass over each table; its columns are told apart only where something was found."""
    found = connection.execute(
        "SELECT table_name, list(column_name) FROM duckdb_columns() WHERE NOT internal "
        "AND database_name = current_database() AND contains(data_type, 'VARCHAR') "
        "AND table_name IN (SELECT table_name FROM duckdb_tables() WHERE NOT temporary) "
        "GROUP BY table_name ORDER BY table_name"
    ).fetchall()
    pattern = "|".join(re.escape(one) for one in traces.spellings)
    for table, columns in found if pattern else ():
        texts = [f"CAST({_name(column)} AS VARCHAR)" for column in columns]
        rows = connection.execute(
            f"SELECT {', '.join(texts)} FROM {_name(table)} "
            f"WHERE regexp_matches(lower(concat_ws(chr(10), {', '.join(texts)})), $pattern)",
            {"pattern": pattern},
        ).fetchall()
        for column, held in zip(columns, zip(*rows, strict=True), strict=bool(rows)):
            if any(traces.among(text) for text in held if text):
                yield f"{table}.{column}"


def _blank_database(path: Path, traces: Traces, where: Callable[[str], bool]) -> int:
    """Blank every text of a SQLite file that names the person, in such tables; how many."""
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(BUSY_MS)
    changed = 0
    try:
        for table, column in _columns(connection):
            if not where(table):
                continue
            for text in {*_candidates(connection, table, column, traces)}:
                if traces.among(text):
                    changed += 1
                    connection.execute(
                        f"UPDATE OR REPLACE {_name(table)} SET {_name(column)} = ?"
                        f" WHERE CAST({_name(column)} AS TEXT) = ?",
                        (traces.blank(text), text),
                    )
        if changed and path.name != LEDGER:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except apsw.BusyError:
        raise Wait(
            f"{path.name} names the person and is locked by another process.",
            hint="Stop what uses it (audiencehub up), then: audiencehub forget --resume",
        ) from None
    finally:
        connection.close()
    return changed


def _blank_text(path: Path, traces: Traces) -> None:
    """The file anew, of the same mode; one that is named after the person goes."""
    if traces.among(path.name) or path.name.endswith(("-wal", "-shm", ".wal", ".gz")):
        path.unlink()
        return
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    draft = path.with_name(f".{path.name}.new")
    draft.touch(mode=path.stat().st_mode & 0o777)
    with draft.open("wb") as file:
        file.write(traces.blank(text).encode("utf-8", "surrogateescape"))
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'
