"""What is watched: each subject from a ledger as runs leave it."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from audiencehub.alerts import Due, audit, lists, plans, rejects, runs, sources
from audiencehub.ledger import Plan, PlanChange
from audiencehub.ledger.process import boot_id
from audiencehub.model import Figures, Target
from audiencehub.server.prefect_yaml import Deployment, Document, Limit, Schedule, WorkPool
from audiencehub.server.schedules import past

HOUR = timedelta(hours=1)


def begin(ledger, at, run_id="r", kind="sync", **args):
    ledger.runs.start(run_id, kind, "prod", at, pid=os.getpid(), boot_id=boot_id(), args=args)


def ran(ledger, at, run_id, state="completed", summary=None, **more):
    begin(ledger, at, run_id, **more)
    ledger.runs.finish(run_id, state, at + HOUR / 10, summary or {})


def land(ledger, at, stream="contact", source="hubspot", complete=True):
    why = None if complete else "ann@acme.example was cut"
    ledger.manifests.record("r", source, stream, [], 9, complete, why, False, None, at)


def one(observed, name):
    return next(o for o in observed if o.name == name)


@pytest.mark.parametrize(
    ("hours", "level"), [(1, "ok"), (48, "ok"), (49, "warning"), (97, "critical")]
)
def test_a_source_that_is_not_read_grows_stale(ledger, environment, now, hours, level):
    """A source that stopped leaves everybody where they are, which looks like peace."""
    begin(ledger, now)
    land(ledger, now)

    found = sources(environment(), ledger, now + hours * HOUR)

    assert one(found, "hubspot").level == level
    assert one(found, "builtwith").level == "ok"


def test_an_incomplete_source_is_named_by_streams_and_counts_alone(ledger, environment, now):
    """A pull that was cut holds back removals; the reason a vendor gave may quote a person."""
    begin(ledger, now)
    land(ledger, now)
    land(ledger, now, "deal")
    land(ledger, now + HOUR, "deal", complete=False)

    found = one(sources(environment(), ledger, now + HOUR), "hubspot")

    assert found.level == "warning"
    assert found.text == "1 of 2 streams (deal) not read to the end"
    land(ledger, now + 2 * HOUR, "deal")
    assert one(sources(environment(), ledger, now + 2 * HOUR), "hubspot").level == "ok"


def test_limits_of_single_sources_and_streams(ledger, environment, now):
    """What is bought weekly must not cry daily, and an enricher may be watched too."""
    begin(ledger, now)
    for stream, source in (("contact", "hubspot"), ("deal", "hubspot"), ("tech", "builtwith")):
        land(ledger, now, stream, source)
    more = '[alerts.stale]\nhubspot = 200\n"hubspot/deal" = 20\nbuiltwith = 10\n'

    found = sources(environment(more), ledger, now + 30 * HOUR)

    assert one(found, "hubspot").text.startswith("1 of 2 streams (deal) last read")
    assert one(found, "builtwith").level == "critical"


def test_a_source_that_was_never_read_is_seen(ledger, environment, now):
    """A source added with a wrong scope pulls nothing from its first day on."""
    begin(ledger, now)

    assert one(sources(environment(), ledger, now + HOUR), "hubspot").level == "ok"
    assert one(sources(environment(), ledger, now + 50 * HOUR), "hubspot").level == "warning"


def hold(ledger, at, digest, verdict="hold", target="hubspot/contact/tags"):
    draft = Plan("", target, "change", "r", at, digest * 8, 3, 1, 0, verdict, "open", [], {}, {}, 1)
    return ledger.plans.store(draft, [PlanChange("m", "add", 2, None, digest, "")])


def test_a_plan_waits_from_when_its_target_began_to_wait(ledger, environment, now):
    """Every hour's data voids the held plan for a new one; counted anew it would wait for ever
    without a word."""
    for hour in range(30):
        hold(ledger, now + hour * HOUR, f"{hour:x}")
    settings = environment()

    (early,) = plans(settings, ledger, now + 24 * HOUR)
    (late,) = plans(settings, ledger, now + 30 * HOUR)
    (long,) = plans(settings, ledger, now + 73 * HOUR)

    assert [o.level for o in (early, late, long)] == ["ok", "warning", "critical"]
    assert "3 adds, 1 removals" in late.text
    assert late.name == "hubspot/contact/tags"


def test_after_an_approval_the_waiting_begins_anew(ledger, environment, now):
    """An old hold that was settled must not make a new plan look late."""
    held = hold(ledger, now, "a")
    ledger.plans.approve(held.plan_id, "ann", "looked at", now + HOUR)
    assert plans(environment(), ledger, now + 90 * HOUR) == []
    hold(ledger, now + 89 * HOUR, "b")

    (found,) = plans(environment(), ledger, now + 90 * HOUR)

    assert found.level == "ok"


def test_rejects_above_the_guards_limit(ledger, environment, now):
    """A destination that refuses a tenth of the rows holds the next plan; one must know why."""
    target = Target("hubspot", "tag", "contact/tags")
    ledger.targets.keep(target)
    changes = [PlanChange(f"m{n}", "add", 2, None, f"{n}", "") for n in range(10)]
    draft = Plan("", target.id, "change", "r", now, "a" * 8, 10, 0, 0, "go", "open", [], {}, {}, 1)
    plan = ledger.plans.store(draft, changes)
    ledger.delivery.begin(target.id, plan.plan_id, "r", 1, changes, now)
    ledger._db.run("UPDATE intent SET state='confirmed', proof='x'")
    ledger._db.run("UPDATE intent SET state='rejected' WHERE seq<=2")
    ledger.plans.mark(plan.plan_id, "done")
    settings = environment()

    levels = [rejects(settings, ledger, lambda *_, n=n: n)[0].level for n in (2, 1)]
    ledger._db.run("UPDATE intent SET state='rejected' WHERE seq<=5")

    assert levels == ["ok", "warning"]
    assert rejects(settings, ledger, lambda *_: 1)[0].level == "critical"


def test_a_broken_chain_is_critical(ledger, now):
    """An approval rewritten afterwards must not wait for somebody to think of `audit verify`."""
    ledger.audit.record(now, "ann", "approve", "p1", {})
    assert audit(ledger)[0].level == "ok"

    ledger._db.run("UPDATE audit SET who='bob'")

    assert audit(ledger)[0].level == "critical"
    assert "1 of 1 rows" in audit(ledger)[0].text


def due(*times, full=False, only=(), kind="sync"):
    return Due("sync/hourly", kind, full, tuple(only), tuple(sorted(times, reverse=True)))


@pytest.mark.parametrize(("hours", "level"), [(0, "ok"), (1, "warning"), (2, "critical")])
def test_an_expected_run_that_did_not_happen(ledger, now, hours, level):
    """When the scheduler is dead nothing fails and nothing is red; only the silence tells."""
    ran(ledger, now, "first")
    times = [now + n * HOUR for n in range(1, hours + 1)]

    (found,) = runs(ledger, [due(now, *times)], now + 3 * HOUR)

    assert found.level == level


@pytest.mark.parametrize(
    ("run", "happened"),
    [
        ({}, True),
        ({"state": "held"}, True),
        ({"state": "crashed"}, False),
        ({"state": "failed", "summary": {"error": "OSError"}}, False),
        ({"dry_run": True}, False),
        ({"kind": "maintain"}, False),
        ({"only": ["hubspot"]}, False),
    ],
)
def test_which_runs_count(ledger, now, run, happened):
    """A dry run, a part of a run or a run that died is not the run that was due."""
    ran(ledger, now, "first", kind="doctor")
    ran(ledger, now + 2 * HOUR, "second", **run)

    (found,) = runs(ledger, [due(now + HOUR)], now + 3 * HOUR)

    assert (found.level == "ok") is happened


def test_a_full_run_is_not_replaced_by_an_hourly_one(ledger, now):
    """The nightly full pull finds what cursors miss; twenty-three hourly runs do not."""
    ran(ledger, now + 2 * HOUR, "hourly")
    begin(ledger, now, "first", kind="doctor")
    night, week = due(now + HOUR, full=True), due(now + HOUR, full=True, only=["builtwith"])
    later = now + 5 * HOUR
    assert [o.level for o in runs(ledger, [night, week], later)] == ["warning", "warning"]

    ran(ledger, now + 3 * HOUR, "enrich", full=True, only=["builtwith"])
    assert [o.level for o in runs(ledger, [night, week], later)] == ["warning", "ok"]
    ran(ledger, now + 4 * HOUR, "night", full=True)
    assert [o.level for o in runs(ledger, [night, week], later)] == ["ok", "ok"]


def test_a_run_that_is_under_way_when_the_next_is_due_counts(ledger, now):
    """The hourly run that finds the hub busy with the nightly one ends, and is not missed."""
    begin(ledger, now, "night", full=True)

    (found,) = runs(ledger, [due(now + HOUR)], now + 2 * HOUR)

    assert found.level == "ok"


def test_times_before_the_first_run_are_nobodys_fault(ledger, now):
    """A fresh installation must not begin with an alert about last night."""
    begin(ledger, now)

    (found,) = runs(ledger, [due(now - 9 * HOUR, now - HOUR)], now)

    assert found.level == "ok"


def schedule(**said):
    limit, pool = Limit(limit=1, collision_strategy="CANCEL_NEW"), WorkPool(name="p")
    one = Deployment(
        name="d", entrypoint="flows/sync.py:sync", parameters={"full": True},
        schedules=[Schedule(slug="s", **said)], concurrency_limit=limit, work_pool=pool,
    )  # fmt: skip
    return Document(name="a", deployments=[one])


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"cron": "15 2 * * *", "timezone": "Europe/Berlin"}, ["16 02:15", "15 02:15"]),
        ({"cron": "30 8 * * *"}, ["16 08:30", "15 08:30"]),
        ({"cron": "31 8 * * *"}, ["15 08:31", "14 08:31"]),
        ({"interval": 3600, "anchor_date": "2026-01-01T00:10:00"}, ["16 08:10", "16 07:10"]),
        ({"interval": 86400, "anchor_date": "2026-06-01T08:00:00", "timezone": "Europe/Berlin"},
         ["16 08:00", "15 08:00"]),
    ],
)  # fmt: skip
def test_past_times_of_a_schedule(said, expected):
    """Times in the wrong zone, or one that may still be late, would be false alarms each day."""
    now = datetime(2026, 11, 16, 9, tzinfo=UTC)

    (found,) = past(schedule(**said), now, 1800)

    zone = ZoneInfo(said.get("timezone", "UTC"))
    assert [f"{at.astimezone(zone):%d %H:%M}" for at in found.times[:2]] == expected
    assert (found.flow, found.parameters, len(found.times)) == ("sync", {"full": True}, 24)


@pytest.mark.parametrize(
    ("state", "members", "level"),
    [("ready", 9, "ok"), ("blocked", 0, "critical"), ("gone", 9, "critical"), ("gone", 0, "ok")],
)
def test_a_list_that_is_gone_is_missed_where_somebody_was_on_it(ledger, now, state, members, level):
    """An alert about a list that was given up and deleted would never end; and one that names a
    command which does not exist leaves its reader where they were."""
    ledger.figures.keep("meta_ads/list/warm", members, Figures(state), now)

    (found,) = lists(ledger)

    assert found.level == level
    anew = "audiencehub push --anew --target meta_ads/list/warm"
    assert (anew in found.do) == (state == "gone" and members > 0)
