"""Migrations killed at every statement, each in a process of its own.

`migrating.py FOLDER SQL [naive]`

For each n a child opens a copy of the old ledger and is killed with SIGKILL at its n-th statement
(at 0 inside the COMMIT); what it left is printed as JSON lines, until one child lives to the end.
`naive`: the same scripts without a transaction around them, as the control that must fail.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2])]

import apsw  # noqa: E402

from audiencehub.ledger import db  # noqa: E402
from audiencehub.ledger.schema import MIGRATIONS  # noqa: E402

OWN = {"uuid", "epoch"}
"""Keys that migrations themselves put into meta."""


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


def deadly(n):
    """Every connection opened from now on dies at its n-th statement after the migration began."""
    left = [n]

    def traced(_cursor, sql, _bindings):
        if left[0] == n and not sql.startswith("BEGIN") and not NAIVE:
            return True
        left[0] -= 1
        if left[0] == 0:
            die()
        return True

    def hook(connection):
        if n == 0:
            connection.set_commit_hook(die)
        else:
            connection.exec_trace = traced

    apsw.connection_hooks.append(hook)


def naive(folder):
    connection = db.connect(folder / "ledger.sqlite")
    found = next(iter(connection.execute("PRAGMA user_version")))[0]
    for script in MIGRATIONS[found:]:
        connection.execute(script)
    connection.execute(f"PRAGMA user_version={len(MIGRATIONS)}")


def seen(path, columns):
    """(version, digest of the schema, digest of the rows in the columns of before)."""
    connection = apsw.Connection(str(path))
    version = next(iter(connection.execute("PRAGMA user_version")))[0]
    schema = sorted(
        map(str, connection.execute("SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE"
                                    " 'sqlite%'"))
    )  # fmt: skip
    rows = []
    for table, names in sorted(columns.items()):
        kept = f"SELECT {', '.join(names)} FROM {table}"
        found = [row for row in connection.execute(kept) if table != "meta" or row[0] not in OWN]
        rows.append((table, sorted(map(str, found))))
    whole = next(iter(connection.execute("PRAGMA integrity_check")))[0]
    connection.close()
    digests = [hashlib.sha256(str(part).encode()).hexdigest()[:12] for part in (schema, rows)]
    return [version, *digests, whole, sum(len(found) for _, found in rows)]


def columns(path):
    connection = apsw.Connection(str(path))
    tables = [
        name
        for kind, name in connection.execute("SELECT type, name FROM sqlite_schema")
        if kind == "table" and not name.startswith("sqlite")
    ]
    found = {
        table: [f'"{r[1]}"' for r in connection.execute(f"PRAGMA table_info({table})")]
        for table in tables
    }
    connection.close()
    return found


def main(root, text):
    old = root / "old"
    old.mkdir(parents=True)
    connection = apsw.Connection(str(old / "ledger.sqlite"))
    connection.execute(Path(text).read_text("utf-8"))
    connection.close()
    known = columns(old / "ledger.sqlite")
    print(json.dumps(seen(old / "ledger.sqlite", known)), flush=True)
    n, alive = 0, False
    while not alive:
        folder = root / f"kill{n}"
        shutil.copytree(old, folder)
        child = os.fork()
        if child == 0:
            deadly(n)
            naive(folder) if NAIVE else db.prepare(folder)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        alive = os.WIFEXITED(status)
        if alive and os.WEXITSTATUS(status):
            sys.exit("a child failed")
        print(json.dumps(seen(folder / "ledger.sqlite", known)), flush=True)
        shutil.rmtree(folder)
        n += 1


if __name__ == "__main__":
    NAIVE = sys.argv[3:] == ["naive"]
    main(Path(sys.argv[1]), sys.argv[2])
