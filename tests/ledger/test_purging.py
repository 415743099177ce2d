"""Purging, with the clock as a parameter: what nothing is decided by goes, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audiencehub.ledger import PlanChange
from audiencehub.ledger.plans import Plan

LIST = "ads/list/warm"
DAY = timedelta(days=1)


def sent(ledger, at, *changes, state="done", verdicts=None):
    """One plan of (member, op), delivered; verdicts by member, else confirmed."""
    rows = [
        PlanChange(m, op, 2, None, f"h{m}", "why", int(m), ledger.sealing.seal({"email": m}))
        for m, op in changes
    ]
    draft = Plan(
        "", LIST, "change", "r", at, f"{at:%j%H}" * 4, 0, 0, 0, "go", "open", [], {}, {}, 1
    )
    plan = ledger.plans.store(draft, rows)
    with ledger.transaction():
        ledger.delivery.begin(LIST, plan.plan_id, "r", 1, rows, at)
        for one in ledger.delivery.planned(plan.plan_id, [2]):
            sealed = {one.member: ledger.sealing.seal({"email": one.member})}
            ledger.delivery.sending(
                LIST, "b", 1, "r", [(one, None, one.value_hash)],
                sealed if one.op == "add" else {}, at,
            )  # fmt: skip
            verdict = (verdicts or {}).get(one.member, "confirmed")
            if verdict == "confirmed":
                ledger.delivery.confirm(LIST, one.seq, "200", at)
            elif verdict != "sent":
                ledger.delivery.end([one.seq], verdict, "why", at)
        ledger.delivery.replied(LIST, plan.plan_id, "r", "b", "answered", {}, at)
        ledger.plans.mark(plan.plan_id, state)
    return plan.plan_id


def intents(ledger):
    return {tuple(r) for r in ledger._db.rows("SELECT member, op, state FROM intent")}


@pytest.fixture
def year(ledger, now):
    """A year of a list: 1 came and stays, 2 came and went, 3 was refused, 4 is in doubt."""
    sent(ledger, now, ("1", "add"), ("2", "add"), ("3", "add"), verdicts={"3": "rejected"})
    sent(ledger, now + DAY, ("2", "remove"), ("4", "add"), verdicts={"4": "unknown"})
    ledger.consent.record([(1, "advertising", "ads", "granted", "crm", now, None)])
    ledger.consent.suppress("contact", [9], "asked", "ann", now)
    return now + timedelta(days=365)


def test_the_row_log_goes_and_what_removals_need_stays(ledger, year):
    """Who was sent must still be removable years later; who left needs no row any more."""
    before = ledger.delivery.believed(LIST), ledger.delivery.unsettled(LIST)

    done = ledger.purging.rows(year - 90 * DAY)

    assert intents(ledger) == {
        ("1", "add", "confirmed"), ("3", "add", "rejected"), ("4", "add", "unknown")}  # fmt: skip
    assert (done.intents, done.replies) == (2, 2)
    assert (ledger.delivery.believed(LIST), ledger.delivery.unsettled(LIST)) == before
    kept = ledger.resyncs.ever_sent(LIST)
    assert {m: ledger.sealing.open(t)["email"] for m, t in kept.items()} == {"1": "1", "4": "4"}
    ledger._db.run("DELETE FROM believed")
    ledger._db.run("DELETE FROM sent_identifier")
    assert ledger.resyncs.ever_sent(LIST).keys() == {"1", "4"}
    assert ledger.consent.decisions([1])
    assert ledger.consent.suppressed("contact") == {9}
    assert ledger.plans.ever_released(LIST), "the first run is over, for ever"


def test_what_is_younger_stays(ledger, now):
    """The days that settings keep are whole days: a row of the last of them is there."""
    sent(ledger, now, ("1", "add"), ("2", "add"))
    sent(ledger, now + DAY, ("2", "remove"))
    at_limit = now + 91 * DAY

    assert ledger.purging.rows(at_limit - 91 * DAY).intents == 0
    assert ledger.purging.rows(at_limit - 90 * DAY).intents == 1
    assert ledger.purging.rows(at_limit - 90 * DAY).intents == 0


def test_a_plan_under_way_keeps_its_rows(ledger, now):
    """A plan that was interrupted and is resumed late must know what it had sent."""
    plan = sent(ledger, now, ("1", "add"), ("2", "remove"), state="applying")

    ledger.purging.rows(now + 365 * DAY)

    assert ledger.delivery.ended(plan) == {("1", "add"), ("2", "remove")}
    assert len(ledger.plans.changes(plan)) == 2


def test_audit_plans_and_runs_go_after_years_and_the_chain_verifies(ledger, now):
    """Retention of the audit must not break the proof of what is left, and says itself."""
    for n in range(4):
        at = now + 365 * n * DAY
        ledger.audit.record(at, "ann", "approve", f"p{n}", {})
        ledger.runs.start(f"r{n}", "sync", "prod", at, pid=1, boot_id="b", args={})
        ledger.runs.finish(f"r{n}", "completed", at, {})
        sent(ledger, at, ("1", "add"))
        sent(ledger, at + DAY, ("1", "remove"))
    end = now + 365 * 4 * DAY
    ledger.purging.rows(end - 90 * DAY)

    done = ledger.purging.record(end - 1095 * DAY, end, "run r9")

    assert done.audit_entries == 1
    assert ledger.audit.verify() == []
    assert [one.what for one in ledger.audit.entries()] == ["purge", *["approve"] * 3]
    assert [one.run_id for one in ledger.runs.last(9)] == ["r3", "r2", "r1", "r0"]
    assert ledger.runs.first() == now, "since when the ledger lives decides what is late"
    assert done.plans == 2
    assert ledger.plans.ever_released(LIST)
    assert ledger.purging.record(end - 1095 * DAY, end, "run r9").audit_entries == 0
