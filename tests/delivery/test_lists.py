"""Who is on a list besides those whom its rule names: exclusions, priorities, caps, renewal,
companies, records, what a platform tells later."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toybench import NOW, Bench, Segment, one, sent
from toys import ToyLists

from audiencehub.delivery.audience import Listing, desired_list
from audiencehub.delivery.desired import held_out
from audiencehub.delivery.places import places
from audiencehub.errors import ConfigError, OutcomeUnknown, Wait
from audiencehub.ledger import tag_text
from audiencehub.model import Figures, Need, Processed, Receipt
from audiencehub.privacy.rule import sha256
from audiencehub.rules.book import Activation, Experiment
from audiencehub.settings import DestinationEntry, SourceEntry
from audiencehub.settings.tables import Priority
from audiencehub.steps.adopt import resync
from audiencehub.steps.follow import follow
from audiencehub.steps.plan import plan
from audiencehub.steps.push import push

HIGH, LOW = "ads/list/high", "ads/list/low"


@pytest.fixture
def lists(monkeypatch):
    """The toy ad platform with further abilities; each test names its own."""
    import toys

    def able(**more):
        monkeypatch.setattr(toys.ToyLists, "can", replace(toys.ToyLists.can, **more))
        return toys.ToyLists

    return able


def on(bench, segments):
    """The bench with these segments, each a list at the ad platform."""
    bench.segments = {
        name: Segment(name, activate=(Activation("ads", "list", name, **more),))
        for name, more in segments.items()
    }
    return bench


def ranked(hub, *names):
    """The hub with these lists in order of priority."""
    said = {"acquisition": Priority(destinations=["ads"], segments=list(names))}
    return replace(hub, settings=hub.settings.model_copy(update={"priorities": said}))


def synced(bench, hub=None):
    """Plan and push every list; the plan."""
    hub = hub or bench.hub()
    planned = plan(hub)
    for target in dict.fromkeys(p.target for p in planned.plans):
        push(hub, target)
    return planned


def test_who_is_in_an_excluded_segment_is_never_on_the_list(bench):
    """Else customers see the advertisement that is to win them, and are paid for."""
    on(bench, {"high": {"exclude": ("customers",)}})
    bench.member(high=range(6), customers=[1, 3, 9])
    planned = synced(bench)
    assert bench.world.people("aud-high") == sent(0, 2, 4, 5)
    assert one(planned, HIGH).excluded["excluded_segment"] == 2
    bench.member(high=range(6), customers=[0, 3])
    synced(bench)
    assert bench.world.people("aud-high") == sent(1, 2, 4, 5)


def test_a_person_goes_to_the_highest_list_that_claims_them(bench):
    """Else two campaigns bid against each other for the same person."""
    on(bench, {"low": {}, "high": {}, "middle": {}})
    bench.member(high=[0, 1], middle=[1, 2, 3], low=[0, 2, 4])
    planned = synced(bench, ranked(bench.hub(), "high", "middle", "low"))
    held = {name: bench.world.people(f"aud-{name}") for name in bench.segments}
    assert held == {"high": sent(0, 1), "middle": sent(2, 3), "low": sent(4)}
    assert one(planned, LOW).excluded["higher_list"] == 2
    bench.member(high=[1], middle=[1, 2, 3], low=[0, 2, 4])
    synced(bench, ranked(bench.hub(), "high", "middle", "low"))
    assert bench.world.people("aud-low") == sent(0, 4), "freed above, taken below"


def test_whom_an_experiment_holds_out_no_lower_list_treats(bench):
    """Else the comparison of an experiment is made with people who were treated after all."""
    on(bench, {"high": {}, "low": {}})
    bench.segments["high"] = replace(bench.segments["high"], experiment=Experiment("test", 0.5))
    bench.member(high=range(12), low=range(12))
    synced(bench, ranked(bench.hub(), "high", "low"))
    assert 0 < len(bench.world.people("aud-high")) < 12
    assert bench.world.people("aud-low") == set()


def test_each_list_above_is_worked_out_once(bench):
    """Else a plan of a dozen ranked lists reads every segment thousands of times."""
    names = [f"rank{n:02}" for n in range(8)]
    on(bench, {name: {} for name in names})
    bench.member(**{name: [n, n + 1] for n, name in enumerate(names)})
    can, reads = ToyLists.can, []

    class Counting:
        def execute(self, sql, values=()):
            reads.append(sql)
            return bench.db.execute(sql, values)

    listing = Listing(Counting(), bench.ledger, can, {}, NOW)
    entry = DestinationEntry(connector="toy_ads", mode="sandbox")
    *above, last = places(SimpleNamespace(segments=bench.segments), "ads", entry, can, ())
    found = desired_list(last, listing, {}, above)
    assert set(found.identifiers) == {"8"} and found.excluded["higher_list"] == 1
    assert len(reads) <= 3 * len(names)


@settings(max_examples=10, deadline=None)
@given(
    high=st.sets(st.integers(0, 11)),
    low=st.sets(st.integers(0, 11)),
    apart=st.sets(st.integers(0, 11)),
    most=st.integers(1, 12),
)
def test_nobody_is_on_two_ranked_lists_and_everybody_is_on_one(
    tmp_path_factory, high, low, apart, most
):
    """The law of priorities with a cap and an exclusion: disjoint, and whoever has a place is on
    a list."""
    bench = Bench(tmp_path_factory.mktemp("ranked"))
    try:
        on(bench, {"high": {"most": most, "exclude": ("apart",)}, "low": {}})
        bench.member(high=high, low=low, apart=apart)
        synced(bench, ranked(bench.hub(), "high", "low"))
        above, below = bench.world.people("aud-high"), bench.world.people("aud-low")
        assert not above & below
        assert above <= sent(*(high - apart)) and len(above) == min(most, len(high - apart))
        assert below == sent(*low) - above
    finally:
        bench.close()


def test_a_cap_keeps_who_is_on_the_list(bench):
    """A list that is filled anew each day loses what the platform has learned of its members."""
    on(bench, {"high": {"most": 4}})
    bench.member(high=[5, 6, 7])
    synced(bench)
    bench.member(high=range(12))
    planned = synced(bench)
    assert bench.world.people("aud-high") == sent(0, 5, 6, 7)
    assert one(planned, HIGH).excluded["over_the_cap"] == 8
    bench.member(high=[0, 1, 2, 6])
    synced(bench)
    assert bench.world.people("aud-high") == sent(0, 1, 2, 6)


def test_a_membership_is_renewed_before_it_expires(bench, lists):
    """Else people silently fall off a list that the hub believes full."""
    lists(lifetime=timedelta(days=10))
    on(bench, {"high": {}})
    bench.member(high=range(3))
    synced(bench)
    quiet = one(plan(replace(bench.hub(), now=NOW + timedelta(days=7))), HIGH)
    assert quiet.writes == 0
    late = replace(bench.hub(), now=NOW + timedelta(days=9))
    due = one(plan(late), HIGH)
    assert (due.writes, due.adds, due.removes, due.verdict) == (3, 0, 0, "go")
    assert push(late, HIGH).confirmed == 3
    assert one(plan(replace(bench.hub(), now=NOW + timedelta(days=10))), HIGH).writes == 0


def test_a_list_of_companies_holds_companies(bench, lists):
    """Else a company list is filled with people, or a company is taken for the person of the same
    number, and its consent asked for, or erased with them."""
    lists(members="account", platform="linkedin", identifiers=("company_domain",))
    on(bench, {"high": {}})
    bench.segments["high"] = replace(bench.segments["high"], of="account")
    bench.db.executemany(
        "INSERT INTO account(account_id, domain) VALUES(?,?)",
        [[n, f"company{n}.example"] for n in range(3)] + [[3, None]],
    )
    bench.db.executemany(
        "INSERT INTO member VALUES('account',?,'high',?,'')",
        [[n, NOW.replace(tzinfo=None)] for n in range(4)],
    )
    bench.ledger.consent.suppress("account", [1], "asked", "them", NOW)
    planned = synced(bench)
    assert bench.world.people("aud-high") == {"company0.example", "company2.example"}
    assert one(planned, HIGH).excluded == {"suppressed": 1, "no_identifier": 1}
    assert set(bench.ledger.delivery.believed(HIGH)) == {"a0", "a2"}
    assert bench.ledger.erasing.members([0, 2]) == set(), "the persons 0 and 2 are others"
    bench.ledger.consent.suppress("account", [2], "asked", "them", NOW)
    synced(bench)
    assert bench.world.people("aud-high") == {"company0.example"}


def test_people_of_a_list_of_companies_are_their_companies(bench, lists):
    """A segment of contacts may go to a list of companies: those whose people are in it."""
    lists(members="account", platform="linkedin", identifiers=("company_domain",))
    on(bench, {"high": {}})
    bench.db.execute("INSERT INTO account(account_id, domain) VALUES(0,'acme.example')")
    bench.db.execute("UPDATE contact SET account_id=0 WHERE contact_id IN (1, 2)")
    bench.member(high=[1, 2, 3])
    synced(bench)
    assert bench.world.people("aud-high") == {"acme.example"}


def test_who_is_held_out_brings_no_company(bench, lists):
    """Else an experiment on people treats, through their companies, whom it is to leave alone."""
    lists(members="account", platform="linkedin", identifiers=("company_domain",))
    on(bench, {"high": {}})
    bench.segments["high"] = replace(bench.segments["high"], experiment=Experiment("test", 0.5))
    for n in range(12):
        bench.db.execute(
            "INSERT INTO account(account_id, domain) VALUES(?,?)", [n, f"c{n}.example"]
        )
        bench.db.execute("UPDATE contact SET account_id=? WHERE contact_id=?", [n, n])
    bench.member(high=range(12))
    synced(bench)
    treated = {
        f"c{n}.example" for n in range(12) if not held_out(bench.segments["high"], "contact", n)
    }
    assert bench.world.people("aud-high") == treated and 0 < len(treated) < 12


def test_colleagues_are_not_one_person(bench, lists):
    """A receiver may want the company beside the person: it names nobody by itself, and who leaves
    is not taken for the colleague who enters."""
    lists(platform="webhook_hashed", identifiers=("email", "company_domain"))
    on(bench, {"high": {}})
    bench.db.execute("INSERT INTO account(account_id, domain) VALUES(0,'acme.example')")
    bench.db.execute("UPDATE contact SET account_id=0 WHERE contact_id IN (1, 2, 3)")
    bench.db.execute("UPDATE contact SET email=NULL WHERE contact_id=3")
    bench.member(high=[1, 3])
    first = one(synced(bench), HIGH)
    assert (first.adds, first.excluded) == (1, {"no_identifier": 1})
    bench.member(high=[2])
    second = one(synced(bench), HIGH)
    assert (second.adds, second.removes, second.replaced) == (1, 1, 0)


def test_a_list_of_records_holds_each_persons_records(bench, lists):
    """A CRM's own list knows records: a person with two of them is in with both, or misses mail."""
    lists(identifiers=("records",), record_kinds=("contact",), need=Need("marketing", "email"))
    on(bench, {"high": {}})
    bench.db.execute("INSERT INTO record_map VALUES('ads','x9','contact','contact',1,NULL)")
    bench.db.execute("UPDATE record_map SET source='ads' WHERE id IN (1, 2)")
    bench.ledger.consent.record(
        [(n, "marketing", "email", "granted", "crm", NOW - timedelta(days=1), None) for n in (1, 3)]
    )
    bench.member(high=[1, 2, 3])
    hub = bench.hub()
    entries = {**hub.settings.sources, "ads": SourceEntry(connector="toy_ads")}
    hub = replace(hub, settings=hub.settings.model_copy(update={"sources": entries}))
    planned = synced(bench, hub)
    assert bench.world.people("aud-high") == {"r1,x9"}
    assert one(planned, HIGH).excluded == {"no_consent": 1, "no_identifier": 1}


def test_adds_and_removals_share_a_call_where_they_may(bench, lists):
    """A platform that takes both at once is asked half as often; none but consent goes first."""
    lists(mixed=True, batch_size=50)
    on(bench, {"high": {}})
    bench.member(high=range(4))
    synced(bench)
    bench.member(high=range(2, 8))
    hub = bench.hub()
    plan(hub)
    assert push(hub, HIGH).calls == 1
    assert bench.world.people("aud-high") == sent(*range(2, 8))


def test_what_a_platform_works_on_is_asked_for_later(bench, lists, monkeypatch):
    """Else a whole upload that failed an hour later is believed for ever."""
    toy = lists(processes_later=True, counts=True)
    told = {"state": "running"}
    plain = toy.apply
    monkeypatch.setattr(
        toy,
        "apply",
        lambda self, target, changes: [
            replace(receipt, job="job-1") for receipt in plain(self, target, changes)
        ],
    )
    monkeypatch.setattr(toy, "processed", lambda *_: Processed(**told))
    monkeypatch.setattr(toy, "figures", lambda *_: Figures("ready", (3, 3), (0.5, 0.6)))
    on(bench, {"high": {}})
    bench.member(high=range(3))
    synced(bench)
    at = bench.hub().now
    assert follow(replace(bench.hub(), now=at)).running == 1, "not asked before half an hour"
    later = follow(replace(bench.hub(), now=at + timedelta(hours=1)))
    assert (later.running, later.ended) == (1, {})
    told |= {"state": "partly", "rejected": {"NO_CONSENT": 2}, "rows": 3}
    ended = follow(replace(bench.hub(), now=at + timedelta(hours=3)))
    assert ended.ended == {HIGH: {"partly": 1}} and ended.rejected == {HIGH: {"NO_CONSENT": 2}}
    assert bench.ledger.figures.latest()[HIGH].figures.match == (0.5, 0.6)
    told["state"] = "failed"
    bench.member(high=range(4))
    synced(bench, replace(bench.hub(), now=at + timedelta(hours=4)))
    assert follow(replace(bench.hub(), now=at + timedelta(hours=9))).again == []


def test_a_job_that_failed_has_its_list_sent_whole(bench, lists, monkeypatch):
    """Nobody can say who of a failed upload is on the list: all of it is said again."""
    toy = lists(processes_later=True)
    plain = toy.apply
    count = iter(range(100))
    monkeypatch.setattr(
        toy,
        "apply",
        lambda self, target, changes: [
            Receipt(r.member, r.verdict, r.proof, r.reason, f"job-{n}")
            for n in [next(count)]
            for r in plain(self, target, changes)
        ],
    )
    monkeypatch.setattr(toy, "processed", lambda *_: Processed("failed"))
    on(bench, {"high": {}})
    bench.member(high=range(3))
    synced(bench)
    bench.world.lists["aud-high"] = {}
    found = follow(replace(bench.hub(), now=NOW + timedelta(days=1)))
    assert found.again == [HIGH]
    synced(bench, replace(bench.hub(), now=NOW + timedelta(days=1)))
    assert bench.world.people("aud-high") == sent(0, 1, 2)


@pytest.mark.parametrize("fault", [None, OutcomeUnknown, Wait])
def test_a_resync_takes_out_whom_the_ledger_never_knew(bench, lists, monkeypatch, fault):
    """Where a platform can replace a list, nobody stays on it whom an earlier tool put there."""
    toy = lists(replaces=True)
    faults = [fault] if fault else []

    def replaced(self, target, keep, since):
        if faults:
            raise faults.pop()("Busy.", hint="Wait")
        assert since <= NOW + timedelta(days=1)
        name = target.remote["id"]
        self.world.lists[name] = {v: c.member for c in keep for v in c.identifiers.values()}
        return "200"

    monkeypatch.setattr(toy, "replace", replaced)
    on(bench, {"high": {}})
    bench.member(high=range(3))
    synced(bench)
    stranger = sha256("stranger@acme.example")
    bench.world.lists["aud-high"] = {**bench.world.lists["aud-high"], stranger: "x"}
    bench.ledger.resyncs.ask(HIGH, "ops", NOW)
    for _ in range(2):
        try:
            synced(bench)
        except Wait:
            assert fault is Wait
    assert bench.world.people("aud-high") == sent(0, 1, 2)
    assert not bench.ledger.resyncs.under_way(HIGH)


def test_a_list_too_small_is_told_before_it_is_sent(bench, lists):
    """Else a campaign waits for weeks on a list that its platform will never use."""
    lists(minimum=300)
    on(bench, {"high": {}})
    bench.member(high=range(8))
    assert one(plan(bench.hub()), HIGH).advice == [
        "ads uses a list from 300 members on; this has 8"
    ]


def test_a_list_to_exclude_is_called_so(bench):
    """People who choose lists on a platform's page must see which are to keep others away."""
    on(bench, {"high": {"use": "exclude"}})
    bench.member(high=range(2))
    synced(bench)
    assert bench.ledger.targets.get(HIGH).label == "Exclude: high"


def test_forgetting_a_person_leaves_the_company_of_the_same_number(bench):
    """People and companies are numbered apart: an erasure that took the company's rows too would
    leave its tag where it is, with nobody knowing."""
    value = tag_text(["warm"])
    for target, member in (("crm/account/tags", "acc7"), ("crm/contact/tags", "con7")):
        bench.ledger.delivery.believe(target, member, "h", value, 7, "200", NOW)
    assert bench.ledger.erasing.members([7]) == {("crm/contact/tags", "con7")}


def test_a_list_that_somebody_deleted_is_made_anew_when_asked(bench):
    """Else its target stops for ever: the hub makes none again by itself, and remembers the old."""
    on(bench, {"high": {}})
    bench.member(high=range(3))
    synced(bench)
    del bench.world.lists["aud-high"]
    bench.ledger.targets.remember(bench.ledger.targets.get(HIGH), {"id": "aud-deleted"})

    resync(bench.hub(), HIGH, "ops", anew=True)
    assert not bench.ledger.targets.get(HIGH).remote
    synced(bench)

    assert bench.world.people("aud-high") == sent(0, 1, 2)
    with pytest.raises(ConfigError):
        resync(bench.hub(), "crm/contact/tags", "ops", anew=True)
