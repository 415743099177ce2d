"""Google's user lists: made once, found again, kept in shape, replaced, measured."""

from dataclasses import replace
from datetime import timedelta

import pytest

from audiencehub.errors import OutcomeUnknown, Stop, Wait
from audiencehub.model import Figures, Processed

ACCOUNT = "1234567890"
LISTS = f"accountTypes/GOOGLE_ADS/accounts/{ACCOUNT}/userLists"
EMAILS = [f"person{n}@acme.example" for n in range(200)]


def listed(fake, **headers):
    page = fake.call("GET", LISTS, params={"pageSize": 1000}, headers=headers).json()
    return page.get("userLists", [])


def test_ensure_makes_one_list(destination, target, fake, opened):
    """If this fails, every run makes another list."""
    first = destination.ensure(target, [])
    assert destination.ensure(replace(target, remote=first), []) == first
    assert opened(fake).ensure(target, []) == first
    (made,) = listed(fake)
    assert made["displayName"] == "Recent buyers"
    assert made["membershipDuration"] == f"{540 * 86400}s"
    assert made["ingestedUserListInfo"]["uploadKeyTypes"] == ["CONTACT_ID"]
    assert made["ingestedUserListInfo"]["contactIdInfo"]["dataSourceType"].endswith("FIRST_PARTY")


@pytest.mark.fault(1)
def test_a_list_made_by_a_run_that_died_is_found(destination, target, fake):
    """If this fails, a crash after creation leaves an orphan and a second list."""
    for n in range(60):
        fake.list(f"Other {n}")
    fake.fault(path="/userLists", method="POST", status=502, body="", after_apply=True)
    with pytest.raises(OutcomeUnknown):
        destination.ensure(target, [])
    found = destination.ensure(target, [])["user_list_id"]
    assert [one["displayName"] for one in listed(fake) if one["id"] == found] == ["Recent buyers"]
    assert len(listed(fake)) == 61


def test_every_page_is_looked_through(destination, target, fake, monkeypatch):
    """If this fails, our list is made a second time in an account of more than one page."""
    from connectors.google_ads import lists

    made = destination.ensure(target, [])
    for n in range(5):
        fake.list(f"Other {n}")
    monkeypatch.setattr(lists, "PAGE", 1)
    assert destination.ensure(target, []) == made
    fake.fault(path="/userLists", times=99, set_json={"nextPageToken": "1"})
    with pytest.raises(Wait, match="does not end"):
        destination.ensure(replace(target, place="another"), [])


def test_anothers_list_of_the_same_name_is_left_alone(destination, target, fake, opened):
    """If this fails, the hub fills a list that a person made by hand, or cannot make its own."""
    theirs = fake.list("Recent buyers")
    ours = destination.ensure(target, [])["user_list_id"]
    other = opened(fake, namespace="staging").ensure(target, [])["user_list_id"]
    assert len({theirs, ours, other}) == 3
    assert destination.ensure(target, [])["user_list_id"] == ours
    names = [one["displayName"] for one in listed(fake)]
    assert len(set(names)) == 3 and all(one.startswith("Recent buyers") for one in names)


def test_a_deleted_list_is_not_made_again(destination, ready, fake, changes):
    """If this fails, a list that a person deleted comes back by itself."""
    fake.call("DELETE", f"{LISTS}/{ready.remote['user_list_id']}")
    with pytest.raises(Stop, match="does not exist"):
        destination.ensure(ready, [])
    with pytest.raises(Stop, match="does not exist"):
        destination.apply(ready, changes(EMAILS[:2]))
    assert destination.figures(ready) == Figures("gone")


def test_a_list_that_takes_nobody_stops(destination, ready, fake):
    """If this fails, people are sent for ever into a list that is closed or another's."""
    number = ready.remote["user_list_id"]
    table = fake.sandbox.store.table("user_list")
    table[number] = {**table[number], "status": 2, "closing_reason": 1}
    with pytest.raises(Stop, match="closed"):
        destination.ensure(ready, [])
    assert destination.figures(ready) == Figures("blocked", detail="unused for too long")
    table[number] = {**table[number], "status": 1, "read_only": True}
    with pytest.raises(Stop, match="read-only"):
        destination.ensure(ready, [])


def test_the_duration_follows_the_options(fake, opened, ready, changes):
    """If this fails, the hub adds people again later than Google lets go of them."""
    short = opened(fake, membership_days=30)
    assert short.can.lifetime == timedelta(days=30)
    assert opened(fake).can.lifetime == timedelta(days=540)
    assert short.ensure(ready, []) == ready.remote
    assert listed(fake)[0]["membershipDuration"] == f"{30 * 86400}s"
    for _ in range(2):
        short.apply(ready, changes(EMAILS[:2]))
        fake.later(days=29)
        assert len(fake.members(ready.remote["user_list_id"])) == 2, "added again, they stay"
    fake.later(days=1)
    assert fake.members(ready.remote["user_list_id"]) == []


def test_a_manager_account_is_named_everywhere(fake_with, opened, target, changes):
    """If this fails, agencies cannot use the hub: every call of theirs is refused."""
    fake = fake_with(manager="9998887777")
    with pytest.raises(Stop) as raised:
        opened(fake).check()
    assert "login_account_id" in raised.value.hint
    through = opened(fake, login_account_id="999-888-7777")
    assert "9998887777" in through.check()
    ready = replace(target, remote=through.ensure(target, []))
    job = through.apply(ready, changes(EMAILS[:3]))[0].job
    assert through.processed(ready, job).state == "running"
    assert through.figures(ready).state == "building"
    fake.later(minutes=31)
    through.replace(ready, [], fake.sandbox.clock.now())
    assert fake.members(ready.remote["user_list_id"]) == []


def test_terms_that_nobody_accepted_stop(fake_with, opened, target, changes):
    """If this fails, a missing signature is taken for a fault of every single person."""
    fake = fake_with(terms="unsigned")
    destination = opened(fake)
    ready = replace(target, remote=destination.ensure(target, []))
    with pytest.raises(Stop, match="terms"):
        destination.apply(ready, changes(EMAILS[:3]))


def test_what_became_of_a_request_is_told_later(destination, ready, fake, changes):
    """If this fails, nobody learns that Google dropped people, or how many it knows."""
    job = destination.apply(ready, changes(EMAILS))[0].job
    assert destination.processed(ready, job) == Processed("running")
    fake.later(minutes=31)
    done = destination.processed(ready, job)
    assert (done.state, done.rows, done.rejected) == ("done", 200, {})
    low, high = done.match
    assert 0.5 <= low < high <= 0.8
    table = fake.sandbox.store.table("request")
    table[job] = {**table[job], "errors": {"5": 3, "18": 2}}
    partly = destination.processed(ready, job)
    assert partly.state == "partly"
    assert partly.rejected == {"no_consent": 3, "invalid_format": 2}
    table[job] = {**table[job], "errors": {"4": 200}}
    assert destination.processed(ready, job).state == "failed"
    out = destination.apply(ready, changes(EMAILS[:3], "remove"))[0].job
    fake.later(minutes=31)
    assert destination.processed(ready, out) == Processed("done", rows=3)
    fake.later(days=51)
    assert destination.processed(ready, job) == Processed("gone")
    assert destination.processed(ready, "no-such-request") == Processed("gone")


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 200, "body": {}},
        {"status": 200, "body": "<html>"},
        {
            "status": 200,
            "body": {
                "requestStatusPerDestination": [
                    {"destination": {"productDestinationId": "1"}, "requestStatus": "SUCCESS"}
                ]
            },
        },
        {"status": 400, "body": "x"},
        {"status": 404, "body": {"error": "no"}},
        {"cut": True, "times": 9},
        {"truncate": 9},
        {"hang_up": True, "times": 9},
    ],
)
def test_a_status_that_says_nothing_is_asked_again(destination, ready, fake, changes, fault):
    """If this fails, half an answer closes a request whose outcome nobody has seen."""
    job = destination.apply(ready, changes(EMAILS[:2]))[0].job
    fake.fault(path="requestStatus", **fault)
    with pytest.raises(Wait):
        destination.processed(ready, job)


@pytest.mark.parametrize(
    "fault",
    [
        {"cut": True},
        {"status": 200, "body": "<html>"},
        {"status": 200, "body": {"access_token": "two words"}},
        {"hang_up": True},
    ],
)
def test_a_login_that_nobody_can_read_is_waited_for(fake, opened, target, ready, changes, fault):
    """If this fails, an outage of the login ends a push as a fault of the program."""
    for act, arguments in (
        ("check", ()),
        ("ensure", (target, [])),
        ("apply", (ready, changes(EMAILS[:2]))),
    ):
        fake.sandbox.faults.clear()
        fake.fault(path="/token", times=9, **fault)
        with pytest.raises(Wait):
            getattr(opened(fake), act)(*arguments)


def test_the_size_is_told_by_networks(destination, ready, fake, changes, opened, target):
    """If this fails, a list that is too small to be used looks as good as any."""
    assert destination.figures(ready) == Figures("building")
    destination.apply(ready, changes(EMAILS))
    assert destination.figures(ready).state == "building"
    fake.later(minutes=31)
    found = destination.figures(ready)
    assert found.state == "ready" and 100 <= found.size[1] < 200 and found.size[0] < found.size[1]
    assert 0.5 < found.match[0] == found.match[1] < 0.75
    destination.apply(ready, changes(EMAILS[:150], "remove"))
    assert destination.figures(ready).state == "too_small"


def test_replacing_spares_whoever_was_said_again(destination, ready, fake, changes, sha):
    """If this fails, a resync keeps people at Google whom the segment has lost, or empties it."""
    destination.apply(ready, changes(EMAILS[:10]))
    fake.later(minutes=31)
    since = fake.sandbox.clock.now()
    keep = changes(EMAILS[5:12])
    destination.apply(ready, keep)
    with pytest.raises(Wait, match="still works"):
        destination.replace(ready, keep, since)
    assert len(fake.members(ready.remote["user_list_id"])) == 12
    fake.later(minutes=31)
    for _ in range(2):
        assert destination.replace(ready, keep, since).startswith("200 request ")
        kept = {ids[0].partition(":")[2] for ids in fake.members(ready.remote["user_list_id"])}
        assert kept == {sha(one) for one in EMAILS[5:12]}


def test_a_replacement_without_an_answer_is_unknown(destination, ready, fake, changes):
    """If this fails, a replacement that nobody has seen counts as done."""
    fake.fault(path="removeAll", hang_up=True)
    with pytest.raises(OutcomeUnknown):
        destination.replace(ready, [], fake.sandbox.clock.now())


def test_the_line_of_the_ledger_survives_what_ensure_does(destination, ready, fake, opened):
    """If this fails, a ledger that was lost is not noticed, and its members stay for ever."""
    destination.remember(ready, "0123456789ab:7")
    assert opened(fake, membership_days=30).ensure(ready, []) == ready.remote
    assert destination.recall(replace(ready, remote={})) == "0123456789ab:7"
    assert destination.ensure(replace(ready, remote={}), []) == ready.remote
