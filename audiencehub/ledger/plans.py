"""Plans: what was decided to be sent, held until approved, and never changed once stored."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from audiencehub.errors import ConfigError
from audiencehub.ledger.audit import Audit
from audiencehub.ledger.db import Database
from audiencehub.ledger.planned import RESTORED, Kind, Plan, PlanChange, outdated, same_terms
from audiencehub.ledger.stamps import document, instant, maybe, stamp

__all__ = ["Kind", "Plan", "PlanChange", "Plans"]

COLUMNS = (
    "plan_id, target, kind, run_id, at, hash, n_add, n_remove, n_set, verdict, state, guards,"
    " excluded, versions, calls, approved_by, approved_at, reason, frozen_until,"
    " n_write, basis, ended"
)
LIVE = "state IN ('open','applying')"


class Plans:
    """The plan and plan_change tables."""

    def __init__(self, db: Database, audit: Audit) -> None:
        self._db, self._audit = db, audit

    def store(self, draft: Plan, changes: Sequence[PlanChange], notes: Sequence[str] = ()) -> Plan:
        """Keep a draft in place of the open plan of its target and kind; the plan that stands.

        The same hash, under the same settings, keeps the earlier plan with its hold or approval;
        another one voids it and says why (`notes` are said as well), unless it is frozen and only
        the data are others. A draft without changes only voids.
        """
        with self._db.transaction():
            old = self.open(draft.target, draft.kind)
            if old is not None and old.state == "open":
                frozen = old.frozen_until is not None and old.frozen_until > draft.at
                if frozen and same_terms(old, draft):
                    return old
                if old.hash == draft.hash and changes and same_terms(old, draft):
                    return self._keep(old, draft)
            if old is not None:
                self._end(old, draft, changes, notes)
            return self._insert(draft, changes) if changes else replace(draft, state="done")

    def _end(
        self, old: Plan, draft: Plan, changes: Sequence[PlanChange], notes: Sequence[str]
    ) -> None:
        if old.state != "open":
            self.mark(old.plan_id, "done")
            return
        why = outdated(old, draft, self.keys(old.plan_id), {one.key for one in changes}, notes)
        self._db.run("UPDATE plan SET state='void', ended=? WHERE plan_id=?", (why, old.plan_id))
        if old.verdict == "approved":
            who = f"run {draft.run_id}"
            self._audit.record(draft.at, who, "void", old.plan_id, {"why": why})

    def _keep(self, old: Plan, draft: Plan) -> Plan:
        stays = old.verdict == "approved" or (old.verdict == "hold" and not old.waits_for_time)
        kept = replace(
            old,
            run_id=draft.run_id,
            verdict=old.verdict if stays else draft.verdict,
            guards=draft.guards,
            excluded=draft.excluded,
            calls=draft.calls,
            basis=draft.basis,
        )
        self._db.run(
            "UPDATE plan SET run_id=?, verdict=?, guards=?, excluded=?, calls=?, basis=?"
            " WHERE plan_id=?",
            (
                kept.run_id,
                kept.verdict,
                document(kept.guards),
                document(kept.excluded),
                kept.calls,
                document(kept.basis),
                kept.plan_id,
            ),
        )
        return kept

    def _insert(self, draft: Plan, changes: Sequence[PlanChange]) -> Plan:
        found = self._db.row("SELECT coalesce(max(n), 0) + 1 FROM plan")
        number = int(found[0]) if found else 1
        plan = replace(draft, plan_id=f"p{number}-{draft.hash[:8]}")
        self._db.run(
            f"INSERT INTO plan(n, {COLUMNS}) VALUES({','.join('?' * 23)})",
            (
                number,
                plan.plan_id,
                plan.target,
                plan.kind,
                plan.run_id,
                stamp(plan.at),
                plan.hash,
                plan.adds,
                plan.removes,
                plan.sets,
                plan.verdict,
                plan.state,
                document(plan.guards),
                document(plan.excluded),
                document(plan.versions),
                plan.calls,
                plan.approved_by,
                stamp(plan.approved_at) if plan.approved_at else None,
                plan.reason,
                stamp(plan.frozen_until) if plan.frozen_until else None,
                plan.writes,
                document(plan.basis),
                plan.ended,
            ),
        )
        self._db.many(
            "INSERT INTO plan_change VALUES(?,?,?,?,?,?,?,?,?,?,?,?)",
            [
                (
                    plan.plan_id,
                    n,
                    c.member,
                    c.person,
                    c.op,
                    c.phase,
                    c.value,
                    c.sealed,
                    c.value_hash,
                    c.why,
                    document(c.enters),
                    document(c.leaves),
                )
                for n, c in enumerate(changes)
            ],
        )
        return plan

    def open(self, target: str, kind: Kind) -> Plan | None:
        """The plan of a target that is not ended yet."""
        return self._one(f"target=? AND kind=? AND {LIVE}", (target, kind))

    def get(self, plan_id: str) -> Plan | None:
        """One plan."""
        return self._one("plan_id=?", (plan_id,))

    def held(self) -> list[Plan]:
        """Plans that wait for approval, oldest first."""
        return self._read(f"verdict='hold' AND {LIVE}", ())

    def held_since(self, plan: Plan) -> datetime:
        """Since when plans of its target wait, one after the other: changed data voids a held
        plan for a new one, and that does not make the waiting shorter."""
        found = self._db.row(
            "SELECT min(at) FROM plan WHERE target=?1 AND kind=?2 AND verdict='hold' AND n >"
            " coalesce((SELECT max(n) FROM plan WHERE target=?1 AND kind=?2"
            " AND verdict IN ('go','approved')), 0)",
            (plan.target, plan.kind),
        )
        return (maybe(found[0]) if found else None) or plan.at

    def of_run(self, run_id: str) -> list[Plan]:
        """Plans that a run made or kept."""
        return self._read("run_id=?", (run_id,))

    def changes(self, plan_id: str) -> list[PlanChange]:
        """A plan's changes in the order they are sent."""
        found = self._db.rows(
            "SELECT member, op, phase, value, value_hash, why, person, sealed, enters, leaves"
            " FROM plan_change WHERE plan_id=? ORDER BY position",
            (plan_id,),
        )
        return [
            PlanChange(*(*row[:8], tuple(json.loads(row[8])), tuple(json.loads(row[9]))))
            for row in found
        ]

    def keys(self, plan_id: str) -> set[tuple[str, str, str]]:
        """(member, op, value hash) of every change of a plan."""
        found = self._db.rows(
            "SELECT member, op, value_hash FROM plan_change WHERE plan_id=?", (plan_id,)
        )
        return {(member, op, digest) for member, op, digest in found}

    def ever_released(self, target: str) -> bool:
        """Some plan of this target was begun before, so that this is not its first run."""
        sql = "SELECT 1 FROM plan WHERE target=? AND kind='change' AND state IN ('applying','done')"
        return self._db.row(sql + " LIMIT 1", (target,)) is not None

    def versions_sent(self, target: str) -> dict[str, str]:
        """Rule versions of the latest plan of this target whose sending was begun."""
        row = self._db.row(
            "SELECT versions FROM plan WHERE target=? AND kind='change'"
            " AND state IN ('applying','done') ORDER BY n DESC LIMIT 1",
            (target,),
        )
        return dict(json.loads(row[0])) if row else {}

    def approved_since(self, target: str, at: datetime) -> bool:
        """A person approved a plan of this target at that instant or later."""
        sql = "SELECT 1 FROM plan WHERE target=? AND approved_at>=? LIMIT 1"
        return self._db.row(sql, (target, stamp(at))) is not None

    def done_since(self, target: str, at: datetime) -> bool:
        """Whether a plan of changes that was made since was sent to its end."""
        sql = "SELECT 1 FROM plan WHERE target=? AND kind='change' AND state='done' AND at>=?"
        return self._db.row(sql, (target, stamp(at))) is not None

    def sealed(self, plan_id: str, op: str) -> dict[str, bytes]:
        """Member to the sealed identifiers of a plan's adds, or of its removes."""
        found = self._db.rows(
            "SELECT member, sealed FROM plan_change WHERE plan_id=? AND op=?"
            " AND sealed IS NOT NULL",
            (plan_id, op),
        )
        return {member: bytes(token) for member, token in found}

    def mark(self, plan_id: str, state: str) -> None:
        """`applying` when the first intent is about to be made, `done` when the push ended it."""
        self._db.run("UPDATE plan SET state=? WHERE plan_id=?", (state, plan_id))

    def approve(self, which: str, who: str, reason: str, at: datetime) -> list[Plan]:
        """Release held plans by plan id, hash, target or run. Raises ConfigError for none."""
        if not reason.strip():
            raise ConfigError(
                "An approval needs a reason.", hint='Add --reason "why this is right"'
            )
        with self._db.transaction():
            waiting = [p for p in self.held() if which in (p.plan_id, p.hash, p.target, p.run_id)]
            if not waiting:
                raise self._nothing_waits(which)
            for plan in waiting:
                if any(one["name"] == RESTORED and one["verdict"] == "hold" for one in plan.guards):
                    raise ConfigError(
                        f"Plan {plan.plan_id} rests on a ledger that was lost or put back, and no "
                        "approval makes that good.",
                        hint=f"Look what {plan.target} holds: audiencehub adopt {plan.target}",
                    )
                self._db.run(
                    "UPDATE plan SET verdict='approved', approved_by=?, approved_at=?, reason=?"
                    " WHERE plan_id=?",
                    (who, stamp(at), reason, plan.plan_id),
                )
                over = [dict(one) for one in plan.guards if one["verdict"] == "hold"]
                detail = {
                    "hash": plan.hash,
                    "target": plan.target,
                    "reason": reason,
                    "over": [
                        {k: one.get(k) for k in ("name", "segment", "message")} for one in over
                    ],
                }
                self._audit.record(at, who, "approve", plan.plan_id, detail)
        return [replace(p, verdict="approved", approved_by=who, reason=reason) for p in waiting]

    def _nothing_waits(self, which: str) -> ConfigError:
        known = ", ".join(p.plan_id for p in self.held()) or "none"
        found = self.get(which)
        if found is not None and found.state == "void":
            return ConfigError(
                f"Plan {which} is void: {found.ended or 'a newer one stands in its place'}.",
                hint=f"Look again: audiencehub plan; plans that wait: {known}",
            )
        return ConfigError(
            f"No plan {which!r} waits for approval.", hint=f"Plans that wait: {known}"
        )

    def freeze(self, plan_id: str, hours: float, at: datetime) -> None:
        """Keep an open plan for so long, whatever later syncs find."""
        until = stamp(at + timedelta(hours=hours))
        self._db.run("UPDATE plan SET frozen_until=? WHERE plan_id=?", (until, plan_id))

    def _one(self, where: str, values: tuple[str, ...]) -> Plan | None:
        return next(iter(self._read(where, values)), None)

    def _read(self, where: str, values: tuple[str, ...]) -> list[Plan]:
        found = self._db.rows(f"SELECT {COLUMNS} FROM plan WHERE {where} ORDER BY n", values)
        return [_plan(row) for row in found]


def _plan(row: tuple[Any, ...]) -> Plan:
    documents = [json.loads(text) for text in row[11:14]]
    ending = (*row[14:16], maybe(row[16]), row[17], maybe(row[18]))
    ending = (*ending, row[19], json.loads(row[20]), row[21])
    return Plan(*(*row[:4], instant(row[4]), *row[5:11], *documents, *ending))
