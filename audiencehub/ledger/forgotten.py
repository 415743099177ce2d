"""Who asked to be forgotten, how far it came, and the keyed digests that keep them from returning.

Nothing here names a person: what a forgetting still needs in plain is sealed, and goes when it
ends.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audiencehub.ledger.db import Database
from audiencehub.ledger.stamps import document, instant, maybe, stamp

COLUMNS = "person, state, who, reason, asked_at, finished_at, owns, sealed, found, certificate"


@dataclass(frozen=True, slots=True)
class Forgetting:
    """One request to be forgotten; instants are aware, UTC."""

    person: str
    """The person's HMAC id."""
    state: str
    """`open` until every step is done, then `done`."""
    who: str
    reason: str
    asked_at: datetime
    finished_at: datetime | None
    owns: tuple[int, ...]
    """Numbers of the contact records that were the person's."""
    sealed: bytes | None
    """The identifiers, encrypted; None when it is done."""
    found: Mapping[str, Any]
    """What each finished step came to, by its name."""
    certificate: Mapping[str, Any] | None


class Forgotten:
    """The forgetting and tombstone tables."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def begin(
        self,
        person: str,
        who: str,
        reason: str,
        at: datetime,
        owns: Iterable[int],
        sealed: bytes,
        marks: Mapping[str, str],
    ) -> None:
        """Note a request and its tombstones (HMAC to kind); one that is noted stays as it is."""
        with self._db.transaction():
            self._db.run(
                "INSERT INTO forgetting(person, state, who, reason, asked_at, owns, sealed)"
                " VALUES(?,'open',?,?,?,?,?) ON CONFLICT DO NOTHING",
                (person, who, reason, stamp(at), document(sorted(owns)), sealed),
            )
            self._db.many(
                "INSERT INTO tombstone VALUES(?,?,?) ON CONFLICT DO NOTHING",
                [(mark, kind, person) for mark, kind in marks.items()],
            )

    def marks(self) -> frozenset[str]:
        """Every tombstone."""
        return frozenset(str(row[0]) for row in self._db.rows("SELECT hmac FROM tombstone"))

    def kinds(self, person: str) -> dict[str, int]:
        """Kind of identifier to how many tombstones a person has."""
        found = self._db.rows(
            "SELECT kind, count(*) FROM tombstone WHERE person=? GROUP BY kind ORDER BY kind",
            (person,),
        )
        return {str(kind): int(count) for kind, count in found}

    def all(self) -> list[Forgetting]:
        """Every request, oldest first."""
        return self._read("1 ORDER BY asked_at, person", ())

    def get(self, person: str) -> Forgetting | None:
        """The request with this HMAC id, or the only one whose id begins so."""
        found = self._read("substr(person, 1, length(?1)) = ?1", (person,)) if person else []
        return found[0] if len(found) == 1 else None

    def of_mark(self, mark: str) -> Forgetting | None:
        """The request that has this tombstone."""
        found = self._db.row("SELECT person FROM tombstone WHERE hmac=?", (mark,))
        return self.get(str(found[0])) if found else None

    def of_own(self, own: int) -> Forgetting | None:
        """The request of the person who had the record of this number."""
        found = self._read("EXISTS(SELECT 1 FROM json_each(owns) WHERE value=?)", (own,))
        return found[0] if found else None

    def note(self, person: str, step: str, found: Any) -> None:
        """What a step came to; it is done with this."""
        self._db.run(
            "UPDATE forgetting SET found=json_set(found, '$.' || ?2, json(?3)) WHERE person=?1",
            (person, step, document(found)),
        )

    def finish(self, person: str, at: datetime, certificate: Mapping[str, Any]) -> None:
        """Everything is done: what was sealed goes, the certificate stays."""
        self._db.run(
            "UPDATE forgetting SET state='done', finished_at=?, certificate=?, sealed=NULL"
            " WHERE person=?",
            (stamp(at), document(dict(certificate)), person),
        )

    def _read(self, where: str, values: tuple[Any, ...]) -> list[Forgetting]:
        found = self._db.rows(f"SELECT {COLUMNS} FROM forgetting WHERE {where}", values)
        return [
            Forgetting(
                row[0],
                row[1],
                row[2],
                row[3],
                instant(row[4]),
                maybe(row[5]),
                tuple(json.loads(row[6])),
                None if row[7] is None else bytes(row[7]),
                json.loads(row[8]),
                None if row[9] is None else json.loads(row[9]),
            )
            for row in found
        ]
