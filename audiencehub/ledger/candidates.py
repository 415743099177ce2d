"""Candidates: pairs that may be one person, waiting for somebody to decide."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from audiencehub.errors import ConfigError
from audiencehub.ledger.db import Database
from audiencehub.ledger.stamps import document, stamp


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two persons, how sure it is that they are one, and the independent fields that agree."""

    low: int
    high: int
    score: float
    fields: Sequence[str]


class Candidates:
    """The merge_candidate table."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def replace(self, entity: str, found: Iterable[Candidate], at: datetime) -> None:
        """Wait for these instead of those that waited; what was decided stays decided."""
        with self._db.transaction():
            self._db.run("DELETE FROM merge_candidate WHERE entity=? AND state='open'", (entity,))
            self._db.many(
                "INSERT INTO merge_candidate(entity, low, high, score, fields, state, found_at)"
                " VALUES(?,?,?,?,?,'open',?) ON CONFLICT DO NOTHING",
                [
                    (entity, c.low, c.high, c.score, document(list(c.fields)), stamp(at))
                    for c in found
                ],
            )

    def waiting(self, entity: str) -> list[Candidate]:
        """Those nobody has decided, the surest first."""
        rows = self._db.rows(
            "SELECT low, high, score, fields FROM merge_candidate WHERE entity=?"
            " AND state='open' ORDER BY score DESC, low, high",
            (entity,),
        )
        return [Candidate(low, high, score, json.loads(said)) for low, high, score, said in rows]

    def decide(self, entity: str, low: int, high: int, state: str, who: str, at: datetime) -> None:
        """`accepted` or `rejected`. Raises ConfigError for a pair that does not wait."""
        if not self._db.run(
            "UPDATE merge_candidate SET state=?, decided_by=?, decided_at=? WHERE entity=?"
            " AND low=? AND high=? AND state='open'",
            (state, who, stamp(at), entity, low, high),
        ):
            raise ConfigError(
                f"{low}-{high} is no open suggestion.",
                hint="Run: audiencehub identity suggestions",
            )
