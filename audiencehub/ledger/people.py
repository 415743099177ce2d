"""People: every source record's dense id, given once and never again to another."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from audiencehub.ledger.db import Database
from audiencehub.ledger.stamps import document, stamp

Key = tuple[str, str]
"""(source, source_id)."""
MANY = 20_000
"""From here on every id is read at once."""
LAST = "9999"
"""Sorts after every stamp: records of unknown age are numbered last."""


class People:
    """The person table, for contacts and accounts alike."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def assign(
        self, entity: str, keys: Iterable[tuple[str, str, datetime | None]]
    ) -> dict[Key, int]:
        """Ids of these records, dense from 0; new ones by (first_seen, source, source_id)."""
        asked: dict[Key, str] = {}
        for source, source_id, seen in keys:
            when = LAST if seen is None else stamp(seen)
            asked[source, source_id] = min(when, asked.get((source, source_id), LAST))
        with self._db.transaction():
            known = self._known(entity, asked)
            fresh = sorted((when, *key) for key, when in asked.items() if key not in known)
            found = self._db.row(
                "SELECT coalesce(max(id) + 1, 0) FROM person WHERE entity=?", (entity,)
            )
            following = int(found[0]) if found else 0
            rows = []
            for number, (when, source, source_id) in enumerate(fresh, following):
                known[source, source_id] = number
                rows.append((entity, source, source_id, number, None if when == LAST else when))
            self._db.many("INSERT INTO person VALUES(?,?,?,?,?)", rows)
        return {key: known[key] for key in asked}

    def _known(self, entity: str, asked: Collection[Key]) -> dict[Key, int]:
        if len(asked) > MANY:
            return self.ids(entity)
        found = self._db.rows(
            "SELECT p.source, p.source_id, p.id FROM json_each(?) asked CROSS JOIN person p"
            " ON p.entity=? AND p.source=asked.value->>0 AND p.source_id=asked.value->>1",
            (document([list(key) for key in asked]), entity),
        )
        return {(source, source_id): number for source, source_id, number in found}

    def ids(self, entity: str) -> dict[Key, int]:
        """Every record that has an id."""
        found = self._db.rows("SELECT source, source_id, id FROM person WHERE entity=?", (entity,))
        return {(source, source_id): number for source, source_id, number in found}
