"""A PostgreSQL server of the tests' own, and companies in it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from audiencehub.rules.language.catalog import TABLE_OF, Catalog
from audiencehub.testing.world import FACT_KEYS, KEYS, World

FACTS = tuple(dict.fromkeys(TABLE_OF.values()))
TYPES = {
    "text": "TEXT",
    "integer": "BIGINT",
    "money": "NUMERIC(18,2)",
    "number": "DOUBLE PRECISION",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "instant": "TIMESTAMP",
    "texts": "TEXT[]",
    "json": "JSONB",
}
OPTIONS = {
    "listen_addresses": "''",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "jit": "off",
    "shared_buffers": "32MB",
    "max_connections": "10",
    # No rule may depend on the zone of the session.
    "TimeZone": "Asia/Tokyo",
}


@contextmanager
def server() -> Iterator[str]:
    """The folder of the socket of a running server, which is stopped and removed afterwards.

    It sorts text as English does, so that a comparison that forgot the collation shows.
    """
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    data, who = folder / "data", _unprivileged()
    if who:
        shutil.chown(folder, who)
    start = " ".join(f"-c {name}={value}" for name, value in OPTIONS.items())
    try:
        made = [
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--locale-provider=icu",
            "--icu-locale=en-US",
        ]
        _run(who, "initdb", "-D", data, "-U", "hub", "-A", "trust", "--no-sync", *made)
        _run(
            who,
            "pg_ctl",
            "start",
            "-w",
            "-D",
            data,
            "-l",
            folder / "log",
            "-o",
            f"-k {folder} {start}",
        )
        try:
            yield str(folder)
        finally:
            _run(who, "pg_ctl", "stop", "-w", "-m", "fast", "-D", data)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged() -> str | None:
    """The server refuses to run as root: another account, where the tests do."""
    if os.geteuid() != 0:
        return None
    known = {one.pw_name for one in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


def _run(who: str | None, program: str, *arguments: object) -> None:
    found = shutil.which(program) or str(
        max(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda one: one.parts)
    )
    done = subprocess.run(
        [found, *map(str, arguments)],
        user=who,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    assert done.returncode == 0, f"{program}: {done.stderr.decode()}"


class Warehouse:
    """Companies in one server, one after the other; each is gone when the next one comes."""

    def __init__(self, socket: str, catalog: Catalog) -> None:
        self.connection = psycopg.connect(host=socket, user="hub", dbname="postgres")
        self.catalog = catalog
        self.columns: dict[str, list[str]] = {}
        for table in ("contact", "account", *FACTS):
            self._create(table)
        self.connection.execute(
            "CREATE TABLE model_score(entity TEXT, id BIGINT, model TEXT, value DOUBLE PRECISION, "
            "at TIMESTAMP)"
        )
        self.columns["model_score"] = ["entity", "id", "model", "value", "at"]
        self.connection.execute(
            "CREATE TABLE stay(entity TEXT, id BIGINT, segment TEXT, entered_at TIMESTAMP, "
            "left_at TIMESTAMP)"
        )
        self.columns["stay"] = ["entity", "id", "segment", "entered_at", "left_at"]
        self.connection.commit()

    def close(self) -> None:
        """Leave the server."""
        self.connection.close()

    def fill(self, world: World) -> psycopg.Connection[Any]:
        """The connection, in a transaction that sees this company alone."""
        self.connection.rollback()
        people = [{**row, "contact_id": key} for key, row in world.contacts.items()]
        companies = [{**row, "account_id": key} for key, row in world.accounts.items()]
        self._insert("contact", people)
        self._insert("account", companies)
        for table in FACTS:
            rows = enumerate(world.facts.get(table, ()))
            self._insert(table, [{"source_id": f"{table}-{n}", **row} for n, row in rows])
        for table in ("model_score", "stay"):
            self._insert(table, list(map(dict, world.facts.get(table, ()))))
        return self.connection

    def _create(self, table: str) -> None:
        keys = KEYS.get(table, FACT_KEYS)
        kinds = {key: "TEXT" if key.startswith("source") else "BIGINT" for key in keys}
        kinds.update({one.name: TYPES[one.type] for one in self.catalog.tables[table].fields})
        columns = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
        self.connection.execute(f'CREATE TABLE "{table}"({columns})')
        self.columns[table] = list(kinds)

    def _insert(self, table: str, rows: list[dict[str, Any]]) -> None:
        names = [
            one for one in self.columns[table] if any(row.get(one) is not None for row in rows)
        ]
        if not names:
            return
        columns = ", ".join(f'"{name}"' for name in names)
        marks = ", ".join(["%s"] * len(names))
        with self.connection.cursor() as cursor:
            cursor.executemany(
                f'INSERT INTO "{table}"({columns}) VALUES ({marks})',
                [[_stored(row.get(name)) for name in names] for row in rows],
            )


def _stored(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, Mapping):
        return Jsonb(value)
    return list(value) if isinstance(value, tuple) else value
