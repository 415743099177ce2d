"""Delivery: intents and their states, what is believed, and what was answered.

An intent is `sent` in its own transaction before the call; its verdict, what is believed and the
reply are written together after it. A caller holds `leases.fenced` around every write here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from audiencehub.ledger.db import Database
from audiencehub.ledger.plans import PlanChange
from audiencehub.ledger.stamps import document, stamp
from audiencehub.ledger.values import Believed, Intent, tag_text, tag_value

COLUMNS = (
    "seq, plan_id, member, person, op, phase, value, value_hash, why, state, attempts, batch_id"
)
UNSETTLED = ("sent", "unknown")


class Deliveries:
    """The intent, believed, sent_identifier and reply tables."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def believed(self, target: str, members: Collection[str] | None = None) -> dict[str, Believed]:
        """Member to what the target is proven to hold; of all members when none are named."""
        chosen = "" if members is None else " AND member IN (SELECT value FROM json_each(?))"
        found = self._db.rows(
            f"SELECT member, value_hash, value, person FROM believed WHERE target=?{chosen}",
            (target,) if members is None else (target, document(list(members))),
        )
        return {member: Believed(digest, value, person) for member, digest, value, person in found}

    def confirmed_before(self, target: str, at: datetime) -> set[str]:
        """Members whose last proof is older than this."""
        found = self._db.rows(
            "SELECT member FROM believed WHERE target=? AND confirmed_at<?", (target, stamp(at))
        )
        return {str(row[0]) for row in found}

    def unsettled(self, target: str) -> list[Intent]:
        """Intents whose outcome nobody knows: sent by a run that died, or without an answer."""
        return self._intents("target=? AND state IN ('sent','unknown')", (target,))

    def planned(self, plan_id: str, phases: Collection[int]) -> list[Intent]:
        """Intents of a plan that wait to be sent, in these phases."""
        listed = ",".join(str(int(phase)) for phase in phases)
        return self._intents(f"plan_id=? AND state='planned' AND phase IN ({listed})", (plan_id,))

    def begin(
        self,
        target: str,
        plan_id: str,
        run_id: str,
        fence: int,
        changes: Iterable[PlanChange],
        at: datetime,
    ) -> None:
        """Turn changes into planned intents."""
        self._db.many(
            "INSERT INTO intent(plan_id, run_id, target, member, person, op, phase, value,"
            " value_hash, why, state, fence, at) VALUES(?,?,?,?,?,?,?,?,?,?,'planned',?,?)",
            [
                (
                    plan_id,
                    run_id,
                    target,
                    c.member,
                    c.person,
                    c.op,
                    c.phase,
                    c.value,
                    c.value_hash,
                    c.why,
                    fence,
                    stamp(at),
                )
                for c in changes
            ],
        )

    def abandon(self, target: str) -> None:
        """Supersede what was planned and never sent: a newer plan decides."""
        self._db.run(
            "UPDATE intent SET state='superseded', reason='newer_plan' WHERE target=?"
            " AND state='planned'",
            (target,),
        )

    def sending(
        self,
        target: str,
        batch_id: str,
        fence: int,
        run_id: str,
        batch: Sequence[tuple[Intent, str | None, str]],
        sealed: Mapping[str, bytes],
        at: datetime,
    ) -> None:
        """(intent, value, hash) are about to be sent, with these identifiers."""
        self._db.many(
            "UPDATE intent SET state='sent', attempts=attempts+1, batch_id=?, fence=?, run_id=?,"
            " value=?, value_hash=?, at=? WHERE seq=?",
            [
                (batch_id, fence, run_id, value, digest, stamp(at), intent.seq)
                for intent, value, digest in batch
            ],
        )
        self._db.many(
            "INSERT INTO sent_identifier VALUES(?,?,?,?) ON CONFLICT DO UPDATE SET"
            " sealed=excluded.sealed, at=excluded.at",
            [(target, member, token, stamp(at)) for member, token in sealed.items()],
        )
        self._db.run("UPDATE meta SET value=CAST(value AS INTEGER)+1 WHERE key='epoch'")

    def confirm(self, target: str, seq: int, proof: str, at: datetime) -> None:
        """The destination proved it: the intent ends, and believed follows it."""
        self._db.run(
            "UPDATE intent SET state='confirmed', proof=?, reason=NULL, at=? WHERE seq=?",
            (proof, stamp(at), seq),
        )
        (intent,) = self._intents("seq=?", (seq,))
        if intent.op == "remove" or (intent.op == "set" and not intent.tags.tags):
            self.disbelieve(target, intent.member)
            return
        self.believe(
            target, intent.member, intent.value_hash, intent.value, intent.person, proof, at
        )

    def believe(
        self,
        target: str,
        member: str,
        digest: str,
        value: str | None,
        person: int | None,
        proof: str,
        at: datetime,
    ) -> None:
        """Note what a reply proved the target to hold."""
        if value is not None:
            value = tag_text(tag_value(value).tags)
        self._db.run(
            "INSERT INTO believed VALUES(?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET"
            " person=excluded.person, value=excluded.value, value_hash=excluded.value_hash,"
            " confirmed_at=excluded.confirmed_at, proof=excluded.proof",
            (target, member, person, value, digest, stamp(at), proof),
        )

    def left(self, target: str, member: str, sealed: bytes, at: datetime) -> None:
        """Note the identifiers that a confirmed removal left of a member of a list."""
        self._db.run(
            "INSERT INTO sent_identifier VALUES(?,?,?,?)", (target, member, sealed, stamp(at))
        )

    def disbelieve(self, target: str, member: str) -> None:
        """The target holds nothing of this member any more."""
        self._db.run("DELETE FROM believed WHERE target=? AND member=?", (target, member))
        self._db.run("DELETE FROM sent_identifier WHERE target=? AND member=?", (target, member))

    def rename(self, target: str, old: str, new: str, person: int) -> None:
        """The same identifiers belong to another person's id now: a merge, not a removal. What was
        sent in vain for the new one, of whom nothing is believed, is of no use."""
        self._db.run("DELETE FROM sent_identifier WHERE target=? AND member=?", (target, new))
        for table in ("believed", "sent_identifier"):
            self._db.run(
                f"UPDATE {table} SET member=? WHERE target=? AND member=?", (new, target, old)
            )
        self._db.run(
            "UPDATE believed SET person=? WHERE target=? AND member=?", (person, target, new)
        )

    def end(self, seqs: Iterable[int], state: str, reason: str, at: datetime) -> None:
        """Reject, quarantine, supersede, call unknown, or put back to planned."""
        self._db.many(
            "UPDATE intent SET state=?, reason=?, at=? WHERE seq=?",
            [(state, reason, stamp(at), seq) for seq in seqs],
        )

    def amend(self, seq: int, value: str, digest: str) -> None:
        """The value that is proven, where a hand edit made it differ from the planned one."""
        self._db.run("UPDATE intent SET value=?, value_hash=? WHERE seq=?", (value, digest, seq))

    def withdraw(self, seq: int) -> None:
        """An add in doubt becomes the removal of what may have arrived."""
        self._db.run("UPDATE intent SET op='remove', why='consent withdrawn' WHERE seq=?", (seq,))

    def belied(self, target: str, member: str, run_id: str, at: datetime) -> None:
        """A confirmed intent of this run was not applied after all."""
        self._db.run(
            "UPDATE intent SET state='rejected', reason='not_applied: read back otherwise', at=?"
            " WHERE target=? AND member=? AND run_id=? AND state='confirmed'",
            (stamp(at), target, member, run_id),
        )

    def ended(self, plan_id: str) -> set[tuple[str, str]]:
        """(member, op) of a plan's changes that have a final verdict."""
        found = self._db.rows(
            "SELECT member, op FROM intent WHERE plan_id=?"
            " AND state IN ('confirmed','rejected','quarantined')",
            (plan_id,),
        )
        return {(member, op) for member, op in found}

    def wrote(self, target: str, run_id: str) -> frozenset[str]:
        """Members whose write this run confirmed."""
        found = self._db.rows(
            "SELECT member FROM intent WHERE target=? AND run_id=? AND state='confirmed'",
            (target, run_id),
        )
        return frozenset(str(row[0]) for row in found)

    def rejections(self, target: str, member: str, op: str, digest: str) -> int:
        """How often this very change was rejected since the member was last confirmed."""
        found = self._db.row(
            "SELECT count(*) FROM intent WHERE target=?1 AND member=?2 AND op=?3 AND value_hash=?4"
            " AND state='rejected' AND seq > coalesce((SELECT max(seq) FROM intent"
            " WHERE target=?1 AND member=?2 AND state='confirmed'), 0)",
            (target, member, op, digest),
        )
        return int(found[0]) if found else 0

    def refused(self, plan_id: str, phase: int) -> set[str]:
        """Members of whom a plan's change of this phase was refused."""
        found = self._db.rows(
            "SELECT member FROM intent WHERE plan_id=? AND phase=?"
            " AND state IN ('rejected','quarantined')",
            (plan_id, phase),
        )
        return {str(row[0]) for row in found}

    def counts(self, plan_id: str) -> dict[str, int]:
        """State to number of intents of a plan."""
        found = self._db.rows(
            "SELECT state, count(*) FROM intent WHERE plan_id=? GROUP BY state", (plan_id,)
        )
        return dict(found)

    def identifiers(self, target: str, members: Collection[str]) -> dict[str, bytes]:
        """Member to the sealed identifiers that were sent for it."""
        found = self._db.rows(
            "SELECT member, sealed FROM sent_identifier WHERE target=?"
            " AND member IN (SELECT value FROM json_each(?))",
            (target, document(list(members))),
        )
        return {member: bytes(token) for member, token in found}

    def replied(
        self,
        target: str,
        plan_id: str,
        run_id: str,
        batch_id: str,
        outcome: str,
        counts: Mapping[str, int],
        at: datetime,
    ) -> None:
        """One line per call: what came of it."""
        self._db.run(
            "INSERT INTO reply(batch_id, target, plan_id, run_id, outcome, confirmed, rejected,"
            " retried, unknown, at) VALUES(?,?,?,?,?,?,?,?,?,?)",
            (
                batch_id,
                target,
                plan_id,
                run_id,
                outcome,
                counts.get("confirmed", 0),
                counts.get("rejected", 0),
                counts.get("retry", 0),
                counts.get("unknown", 0),
                stamp(at),
            ),
        )

    def last_reject_share(self, target: str) -> tuple[int, int]:
        """Of the target's last ended plan: how many changes were rejected, and of how many."""
        found = self._db.row(
            "SELECT plan_id, n_add + n_remove + n_set FROM plan WHERE target=? AND kind='change'"
            " AND state='done' ORDER BY n DESC LIMIT 1",
            (target,),
        )
        if found is None:
            return (0, 0)
        counts = self.counts(found[0])
        return (counts.get("rejected", 0) + counts.get("quarantined", 0), sum(counts.values()))

    def _intents(self, where: str, values: Sequence[Any]) -> list[Intent]:
        found = self._db.rows(f"SELECT {COLUMNS} FROM intent WHERE {where} ORDER BY seq", values)
        return [Intent(*row) for row in found]
