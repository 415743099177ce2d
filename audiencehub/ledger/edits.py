"""Hand edits: tags that a person added to or took from a record, and what became of them."""

from __future__ import annotations

import builtins
import json
from dataclasses import dataclass
from datetime import datetime

from audiencehub.ledger.db import Database
from audiencehub.ledger.stamps import document, instant, stamp


@dataclass(frozen=True, slots=True)
class HandEdit:
    """What differs by hand at one record of one target."""

    target: str
    member: str
    added: frozenset[str]
    removed: frozenset[str]
    state: str
    """`open` and `accepted` edits are respected; a `reverted` one is written over."""
    found_at: datetime

    def over(self, desired: frozenset[str]) -> frozenset[str]:
        """The tags to hold: the desired ones with the person's own changes on top."""
        return desired if self.state == "reverted" else (desired | self.added) - self.removed


class HandEdits:
    """The hand_edit table."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def found(
        self,
        target: str,
        member: str,
        added: frozenset[str],
        removed: frozenset[str],
        at: datetime,
        *,
        state: str = "open",
    ) -> None:
        """Join a new finding with what is known; an edit that was undone by hand disappears."""
        with self._db.transaction():
            old = self.of(target).get(member)
            if old is not None and old.state != "reverted":
                added, removed = (
                    (old.added - removed) | (added - old.removed),
                    (old.removed - added) | (removed - old.added),
                )
            self._db.run("DELETE FROM hand_edit WHERE target=? AND member=?", (target, member))
            if added or removed:
                self._db.run(
                    "INSERT INTO hand_edit VALUES(?,?,?,?,?,?,NULL,NULL)",
                    (
                        target,
                        member,
                        document(sorted(added)),
                        document(sorted(removed)),
                        state,
                        stamp(at),
                    ),
                )

    def of(self, target: str) -> dict[str, HandEdit]:
        """Member to edit, of one target, whatever its state."""
        return {one.member: one for one in self._read("WHERE target=?", (target,))}

    def list(self, state: str = "open") -> builtins.list[HandEdit]:
        """Every edit in a state, oldest first."""
        return self._read("WHERE state=?", (state,))

    def settle(self, target: str, member: str, state: str, who: str, at: datetime) -> bool:
        """`accepted`: it stands for good; `reverted`: the next push writes over it. False: none."""
        return bool(
            self._db.run(
                "UPDATE hand_edit SET state=?, settled_by=?, settled_at=?"
                " WHERE target=? AND member=?",
                (state, who, stamp(at), target, member),
            )
        )

    def _read(self, where: str, values: tuple[str, ...]) -> builtins.list[HandEdit]:
        found = self._db.rows(
            "SELECT target, member, added, removed, state, found_at FROM hand_edit"
            f" {where} ORDER BY found_at, target, member",
            values,
        )
        return [
            HandEdit(
                row[0],
                row[1],
                frozenset(json.loads(row[2])),
                frozenset(json.loads(row[3])),
                row[4],
                instant(row[5]),
            )
            for row in found
        ]
