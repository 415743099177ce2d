"""Runs: what was started, how it ended, and which ones died without a word."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audiencehub.errors import ConfigError
from audiencehub.ledger.db import Database
from audiencehub.ledger.process import alive, started
from audiencehub.ledger.stamps import document, instant, maybe, stamp

COLUMNS = "run_id, kind, env, state, started_at, finished_at, pid, boot_id, args, summary"


@dataclass(frozen=True, slots=True)
class Run:
    """One run as the ledger knows it; times are aware, UTC."""

    run_id: str
    kind: str
    env: str
    state: str
    """`running`, then what `finish` was told; `crashed` when its process was found gone."""
    started_at: datetime
    finished_at: datetime | None
    pid: int
    boot_id: str
    args: Mapping[str, Any]
    summary: Mapping[str, Any]


class Runs:
    """The run table."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def start(
        self,
        run_id: str,
        kind: str,
        env: str,
        at: datetime,
        *,
        pid: int,
        boot_id: str,
        args: Mapping[str, Any],
    ) -> None:
        """Note that a run began."""
        self._db.run(
            "INSERT INTO run(run_id, kind, env, state, started_at, pid, pid_started, boot_id, args)"
            " VALUES(?,?,?,'running',?,?,?,?,?)",
            (run_id, kind, env, stamp(at), pid, started(pid), boot_id, document(args)),
        )

    def finish(self, run_id: str, state: str, at: datetime, summary: Mapping[str, Any]) -> None:
        """Note how a run ended. Raises ConfigError for a run that was never started."""
        changed = self._db.run(
            "UPDATE run SET state=?, finished_at=?, summary=? WHERE run_id=?",
            (state, stamp(at), document(summary), run_id),
        )
        if not changed:
            raise ConfigError(f"There is no run {run_id}.", hint="Start it before it is finished")

    def get(self, run_id: str) -> Run | None:
        """One run."""
        found = self._db.row(f"SELECT {COLUMNS} FROM run WHERE run_id=?", (run_id,))
        return _run(found) if found else None

    def last(self, n: int = 1) -> list[Run]:
        """The newest runs, newest first."""
        sql = f"SELECT {COLUMNS} FROM run ORDER BY rowid DESC LIMIT ?"
        return [_run(row) for row in self._db.rows(sql, (n,))]

    def first(self) -> datetime | None:
        """When the first run of all began."""
        found = self._db.row("SELECT min(started_at) FROM run")
        return maybe(found[0]) if found else None

    def reaching(self, at: datetime) -> list[Run]:
        """Runs that had not ended by that instant, or began later; newest first."""
        sql = f"SELECT {COLUMNS} FROM run WHERE coalesce(finished_at, ?1)>=?1 ORDER BY rowid DESC"
        return [_run(row) for row in self._db.rows(sql, (stamp(at),))]

    def reap(self, at: datetime) -> list[str]:
        """Mark runs whose process is gone as crashed; their ids."""
        gone = [
            str(run_id)
            for run_id, pid, began, boot in self._db.rows(
                "SELECT run_id, pid, pid_started, boot_id FROM run WHERE state='running'"
                " ORDER BY rowid"
            )
            if not alive(pid, began, boot)
        ]
        with self._db.transaction():
            for run_id in gone:
                self._db.run(
                    "UPDATE run SET state='crashed', finished_at=? WHERE run_id=?"
                    " AND state='running'",
                    (stamp(at), run_id),
                )
        return gone


def _run(row: tuple[Any, ...]) -> Run:
    values = [*row[:4], instant(row[4]), maybe(row[5]), *row[6:8], *map(json.loads, row[8:])]
    return Run(*values)
