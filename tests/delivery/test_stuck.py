"""Nobody stays on a list for want of somebody who believes them there: what was refused, half
replaced or not said again is still known, and still taken out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from test_lists import HIGH, on, synced
from toybench import NOW, one, sent

from audiencehub.errors import Wait
from audiencehub.forgetting import places
from audiencehub.ledger.erasing import Erasing
from audiencehub.ledger.manifests import FileEntry
from audiencehub.model import Processed, Receipt
from audiencehub.privacy.rule import sha256
from audiencehub.settings import SourceEntry
from audiencehub.steps.adopt import resync
from audiencehub.steps.follow import follow
from audiencehub.steps.plan import plan
from audiencehub.steps.push import push


@pytest.fixture
def lists(monkeypatch):
    """The toy ad platform with further abilities; each test names its own."""
    import toys

    def able(**more):
        monkeypatch.setattr(toys.ToyLists, "can", replace(toys.ToyLists.can, **more))
        return toys.ToyLists

    return able


def test_a_refused_renewal_keeps_nobody_on_the_list(bench, lists):
    """Who was set aside after three refused renewals is still removed when they leave the segment:
    the removal is another change, of which nobody has refused anything."""
    lists(lifetime=timedelta(days=10))
    on(bench, {"high": {}})
    bench.member(high=range(3))
    synced(bench)
    bench.world.fail("reject", member="1", times=3)
    for day in (9, 10, 11):
        synced(bench, replace(bench.hub(), now=NOW + timedelta(days=day)))
    assert len(bench.ledger.quarantine.list(source=HIGH)) == 1
    bench.member(high=[0, 2])
    synced(bench, replace(bench.hub(), now=NOW + timedelta(days=12)))
    assert bench.world.people("aud-high") == sent(0, 2)


def test_a_record_that_stays_is_believed_until_it_is_said_again(bench, lists, monkeypatch):
    """A person's second record replaces nothing of the first. Whoever withdraws consent before the
    second is sent is taken out with the first, which nobody would believe in otherwise."""
    toy = lists(identifiers=("records",), record_kinds=("contact",))
    plain = toy.write

    def each(self, target, change):
        for record in change.identifiers["records"].split(","):
            plain(self, target, replace(change, identifiers={"records": record}))

    monkeypatch.setattr(toy, "write", each)
    on(bench, {"high": {}})
    bench.db.execute("UPDATE record_map SET source='ads' WHERE id=1")
    bench.member(high=[1])

    def hub():
        made = bench.hub()
        entries = {**made.settings.sources, "ads": SourceEntry(connector="toy_ads")}
        return replace(made, settings=made.settings.model_copy(update={"sources": entries}))

    synced(bench, hub())
    assert bench.world.people("aud-high") == {"r1"}
    bench.db.execute("INSERT INTO record_map VALUES('ads','x9','contact','contact',1,NULL)")
    now = hub()
    plan(now)
    bench.world.fail("wait", times=1)
    with pytest.raises(Wait):
        push(now, HIGH)
    bench.grant([1], "denied", at=NOW)
    synced(bench, hub())
    assert bench.world.people("aud-high") == set()
    assert not bench.ledger.delivery.believed(HIGH)


def test_whose_old_identifier_cannot_be_taken_out_gets_no_new_one(bench):
    """Else the old one is forgotten for the new, and stays on the list when consent goes."""
    on(bench, {"high": {}})
    bench.member(high=[1, 2])
    synced(bench)
    bench.db.execute("UPDATE contact SET email='new@acme.example' WHERE contact_id=1")
    bench.world.fail("reject", member="1", times=3)
    for _ in range(4):
        synced(bench)
    assert bench.world.people("aud-high") == sent(1, 2)
    assert len(bench.ledger.quarantine.list(source=HIGH)) == 1
    bench.grant([1], "denied", at=NOW)
    synced(bench)
    assert bench.world.people("aud-high") == sent(2)


def test_a_job_that_failed_during_a_resync_has_its_rows_said_again(bench, lists, monkeypatch):
    """Else the resync ends with rows believed that the platform threw away."""
    toy = lists(processes_later=True)
    plain, count = toy.apply, iter(range(100))
    monkeypatch.setattr(
        toy,
        "apply",
        lambda self, target, changes: [
            Receipt(r.member, r.verdict, r.proof, r.reason, f"job-{n}")
            for n in [next(count)]
            for r in plain(self, target, changes)
        ],
    )
    monkeypatch.setattr(toy, "replace", lambda *_: "200", raising=False)
    lists(replaces=True)
    monkeypatch.setattr(
        toy, "processed", lambda _, __, job: Processed("done" if job != "job-1" else "failed")
    )
    on(bench, {"high": {}})
    bench.member(high=range(3))
    synced(bench)
    resync(bench.hub(), HIGH, "ops")
    synced(bench)
    bench.world.lists["aud-high"] = {}
    found = follow(replace(bench.hub(), now=NOW + timedelta(days=1)))
    assert found.again == [HIGH]
    synced(bench, replace(bench.hub(), now=NOW + timedelta(days=1)))
    assert bench.world.people("aud-high") == sent(0, 1, 2)


def test_who_stays_for_an_unread_source_survives_the_end_of_a_resync(bench, lists, monkeypatch):
    """A platform that drops whoever was not said again since would drop them while they are
    believed to be there, so that they never come back."""
    toy = lists(replaces=True)
    again = set()
    plain = toy.apply

    def noted(self, target, changes):
        again.update(v for c in changes if c.op == "add" for v in c.identifiers.values())
        return plain(self, target, changes)

    def dropped(self, target, keep, since):
        name = target.remote["id"]
        held = self.world.lists[name]
        self.world.lists[name] = {v: m for v, m in held.items() if v in again}
        return "200"

    monkeypatch.setattr(toy, "apply", noted)
    monkeypatch.setattr(toy, "replace", dropped)
    on(bench, {"high": {}})
    bench.member(high=range(3))
    synced(bench)
    again.clear()
    bench.member(high=[0, 1])
    files = [FileEntry("crm/contact/1.jsonl", 1, "00")]
    bench.ledger.manifests.record(
        "run0", "crm", "contact", files, 1, False, "cut off", True, None, NOW
    )
    resync(bench.hub(), HIGH, "ops")
    planned = synced(bench)
    assert one(planned, HIGH).excluded["deferred"] == 1
    assert bench.world.people("aud-high") == sent(0, 1, 2)


@pytest.fixture
def later(lists, monkeypatch):
    """A platform that works batches off later, and can drop whoever was not said again."""
    toy = lists(processes_later=True, replaces=True)
    plain, count, said = toy.apply, iter(range(100)), []

    def apply(self, target, changes):
        number = next(count)
        values = {v for c in changes if c.op == "add" for v in c.identifiers.values()}
        said.append((self.context.now, values))
        return [replace(r, job=f"job-{number}") for r in plain(self, target, changes)]

    def dropped(self, target, keep, since):
        again = set().union(*(values for at, values in said if at >= since))
        held = self.world.lists[target.remote["id"]]
        self.world.lists[target.remote["id"]] = {v: m for v, m in held.items() if v in again}
        return "200"

    monkeypatch.setattr(toy, "apply", apply)
    monkeypatch.setattr(toy, "replace", dropped)
    monkeypatch.setattr(toy, "processed", lambda *_: Processed("done"))
    return toy


def test_a_resync_asked_for_after_the_plan_empties_no_list(bench, later):
    """A plan that was made before says nobody again: to drop whoever was not said again since then
    would drop everybody, and the hub would believe them there."""
    on(bench, {"high": {}})
    bench.member(high=range(3))
    synced(bench)
    follow(replace(bench.hub(), now=NOW + timedelta(days=1)))
    hub = replace(bench.hub(), now=NOW + timedelta(days=2))
    plan(hub)
    bench.ledger.resyncs.ask(HIGH, "the platform", hub.now)
    push(hub, HIGH)
    assert bench.world.people("aud-high") == sent(0, 1, 2)
    assert bench.ledger.resyncs.under_way(HIGH)


def test_a_resync_ends_though_the_list_changes_every_day(bench, later):
    """Each day's changes are worked off after that day's push: a resync that waits for a day on
    which nothing is worked off never takes out whom a failed removal left on the list."""
    on(bench, {"high": {}})
    bench.member(high=range(3))
    synced(bench)
    stranger = sha256("stranger@acme.example")
    bench.world.lists["aud-high"] = {**bench.world.lists["aud-high"], stranger: "x"}
    resync(replace(bench.hub(), now=NOW + timedelta(days=1)), HIGH, "ops")
    for day in range(1, 4):
        bench.member(high=range(3 + day))
        hub = replace(bench.hub(), now=NOW + timedelta(days=day, hours=1))
        synced(bench, hub)
        follow(hub)
    assert bench.world.people("aud-high") == sent(*range(6))
    assert not bench.ledger.resyncs.under_way(HIGH)


def test_an_abandoned_list_under_resync_is_cleared_of_whoever_was_sent(bench):
    """A list that no segment goes to any more, and that nobody is believed to be on, may hold
    people all the same: asked to be sent whole, it is emptied."""
    on(bench, {"high": {}})
    bench.member(high=range(3))
    synced(bench)
    with bench.ledger.transaction():
        bench.ledger.delivery._db.run("DELETE FROM believed WHERE target=?", (HIGH,))
    bench.segments = {}
    resync(bench.hub(), HIGH, "ops")
    synced(bench)
    assert bench.world.people("aud-high") == set()
    assert not bench.ledger.resyncs.under_way(HIGH)


def test_a_deleted_list_is_made_anew_while_an_answer_is_open(bench, lists, monkeypatch):
    """Settling asks the list that is gone, which stops: the way out must not go through it. What
    the platform was working on for the old list is asked for no more."""
    lists(processes_later=True)
    on(bench, {"high": {}})
    bench.member(high=range(3))
    synced(bench)
    bench.member(high=range(4))
    bench.world.fail("no_apply", times=2)
    synced(bench)
    assert bench.ledger.delivery.unsettled(HIGH)
    bench.ledger.jobs.add(HIGH, {"old": 3}, NOW)
    bench.world.fail("stop", times=1)
    resync(bench.hub(), HIGH, "ops", anew=True)
    assert not bench.ledger.targets.get(HIGH).remote
    assert not bench.ledger.jobs.running(HIGH)


def test_who_was_refused_is_nowhere_and_can_be_forgotten(bench):
    """Else an erasure waits for ever for the removal of somebody whom the platform never took."""
    on(bench, {"high": {}})
    bench.member(high=range(3))
    bench.world.fail("reject", member="1", times=1)
    synced(bench)
    assert bench.world.people("aud-high") == sent(0, 2)
    erasing: Erasing = bench.ledger.erasing
    assert erasing.standing({(HIGH, "1"), (HIGH, "2")}) == {(HIGH, "2")}
    removal = places.remove(bench.hub(), SimpleNamespace(owns=[1], records=[]))
    assert not removal.problems, "and no removal is claimed of whom nobody took"
    assert ("never taken", HIGH) in {(o.outcome, o.target) for o in removal.outcomes}
