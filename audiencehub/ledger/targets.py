"""Targets: every place ever pushed to, with what its destination answered when it was made."""

from __future__ import annotations

import json
from collections.abc import Mapping

from audiencehub.ledger.db import Database
from audiencehub.ledger.stamps import document
from audiencehub.model import Target


class Targets:
    """The target table."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def keep(self, target: Target) -> None:
        """Know this target; the remote answer it already has stays."""
        self._db.run(
            "INSERT INTO target VALUES(?,?,?,?,?,?) ON CONFLICT DO UPDATE SET label=excluded.label",
            (
                target.id,
                target.destination,
                target.kind,
                target.place,
                target.label,
                document(dict(target.remote)),
            ),
        )

    def remember(self, target: Target, remote: Mapping[str, str]) -> None:
        """What the destination answered."""
        self._db.run(
            "UPDATE target SET remote=? WHERE target=?", (document(dict(remote)), target.id)
        )

    def get(self, target_id: str) -> Target | None:
        """One target by its id."""
        return next((one for one in self.all() if one.id == target_id), None)

    def all(self) -> list[Target]:
        """Every target, sorted by id."""
        found = self._db.rows(
            "SELECT destination, kind, place, remote, label FROM target ORDER BY target"
        )
        return [Target(d, kind, place, json.loads(r), label) for d, kind, place, r, label in found]
