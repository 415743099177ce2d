"""Consent decisions and suppression: what people said, kept for ever; unknown is no."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from audiencehub.ledger.db import Database
from audiencehub.ledger.stamps import instant, stamp
from audiencehub.model import Need

DecisionRow = tuple[int, str, str, str, str, datetime, str | None]
"""(person_id, purpose, channel, status, source, at, proof)."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The latest word of one person, at one source, on one purpose and channel."""

    person_id: int
    purpose: str
    channel: str
    status: str
    """`granted` or `denied`."""
    source: str
    at: datetime
    proof: str | None


class Consent:
    """The consent_decision and suppression tables."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def record(self, rows: Iterable[DecisionRow]) -> None:
        """Keep these decisions; one that is already known changes nothing."""
        with self._db.transaction():
            self._db.many(
                "INSERT INTO consent_decision"
                "(person_id, purpose, channel, status, source, at, proof)"
                " VALUES(?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
                [(p, u, c, t, s, stamp(at), proof) for p, u, c, t, s, at, proof in rows],
            )

    def decisions(self, person_ids: Collection[int] | None = None) -> builtins.list[Decision]:
        """The latest decision per person, purpose, channel and source; a denial wins a tie."""
        found = self._db.rows(
            "SELECT person_id, purpose, channel, status, source, at, proof FROM consent_decision"
            # 'denied' < 'granted': read last to first, the strictest of an instant comes first.
            " ORDER BY person_id, purpose, channel, source, at DESC, status"
        )
        wanted = None if person_ids is None else frozenset(person_ids)
        latest: dict[tuple[int, str, str, str], Decision] = {}
        for person, purpose, channel, status, source, at, proof in found:
            if wanted is None or person in wanted:
                latest.setdefault(
                    (person, purpose, channel, source),
                    Decision(person, purpose, channel, status, source, instant(at), proof),
                )
        return builtins.list(latest.values())

    def allowed(self, need: Need, person_ids: Collection[int]) -> set[int]:
        """Of these people, those who may be sent where `need` applies; the suppressed never.

        Every source's latest word counts: one denial outweighs any grant, and silence is a denial.
        """
        granted: set[int] = set()
        denied = self.suppressed("contact")
        for one in self.decisions(person_ids):
            if one.purpose in {need.purpose, "any"} and one.channel in {need.channel, "any"}:
                (granted if one.status == "granted" else denied).add(one.person_id)
        return (granted - denied) & set(person_ids)

    def suppress(
        self,
        entity: str,
        ids: Iterable[int],
        reason: str,
        who: str,
        at: datetime,
        *,
        hmacs: Iterable[str | None] | None = None,
    ) -> None:
        """Let these reach no destination; `hmacs` are tombstones that outlive their ids."""
        listed = builtins.list(ids)
        marks = builtins.list(hmacs) if hmacs is not None else [None] * len(listed)
        with self._db.transaction():
            self._db.many(
                "INSERT INTO suppression VALUES(?,?,?,?,?,?) ON CONFLICT DO NOTHING",
                [
                    (entity, i, reason, who, stamp(at), m)
                    for i, m in zip(listed, marks, strict=True)
                ],
            )

    def release(self, entity: str, ids: Iterable[int]) -> None:
        """Lift the suppression of these."""
        with self._db.transaction():
            self._db.many(
                "DELETE FROM suppression WHERE entity=? AND id=?", [(entity, i) for i in ids]
            )

    def suppressed(self, entity: str) -> set[int]:
        """Ids that may reach no destination."""
        return {
            int(row[0])
            for row in self._db.rows("SELECT id FROM suppression WHERE entity=?", (entity,))
        }
