"""The TikTok destination against its fake."""

from dataclasses import replace
from datetime import timedelta

import pytest

from audiencehub.errors import BatchRefused, OutcomeUnknown, Stop, Wait
from audiencehub.model import Change, Figures

EMAILS = [f"person{n}@acme.example" for n in range(5)]
PHONE = "910a625c4ba147b544e6bd2f267e130ae14c591b6ba9c25cb8573322dedbebd0"
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def verdicts(receipts):
    return [receipt.verdict for receipt in receipts]


def audience_of(target):
    return target.remote["audience_id"]


def refused(code):
    return {"code": code, "message": "text of mary@acme.example", "request_id": "1", "data": {}}


def test_added_people_are_in_the_audience(destination, ready, fake, changes, mapped):
    """If this fails, the audience at TikTok is not the segment."""
    receipts = destination.apply(ready, changes([" Person0@Acme.example", *EMAILS[1:]]))
    assert verdicts(receipts) == ["confirmed"] * 5
    assert [r.member for r in receipts] == [f"person-{n}" for n in range(5)]
    assert fake.ids(audience_of(ready)) == mapped(EMAILS)


def test_removed_people_leave(destination, ready, fake, changes, mapped):
    """If this fails, somebody who withdrew consent goes on being advertised to."""
    destination.apply(ready, changes(EMAILS))
    assert set(verdicts(destination.apply(ready, changes(EMAILS[:2], "remove")))) == {"confirmed"}
    assert fake.ids(audience_of(ready)) == mapped(EMAILS[2:])


def test_a_missing_id_keeps_its_place(destination, ready, fake, changes, mapped):
    """If this fails, a person without e-mail puts a phone's hash among the addresses."""
    phone_only = Change("p", "add", identifiers={"phone": PHONE})
    both = changes(EMAILS[:1], phone=EMPTY.replace("e3", "f4", 1))
    people = [phone_only, *both, *changes(EMAILS[1:2])]
    assert verdicts(destination.apply(ready, people)) == ["confirmed"] * 3
    held = fake.ids(audience_of(ready))
    assert [one for one in held if one[0] == "EMAIL_SHA256"] == mapped(EMAILS[:2])
    assert ("PHONE_SHA256", PHONE) in held and len(held) == 4
    assert len([r for r in fake.requests() if "mapping" in r["path"]]) == 1


def test_a_full_batch_is_one_call_and_one_more_is_two(destination, ready, fake, changes):
    """If this fails, TikTok refuses calls, or a thousand people cost more than one."""
    before = len(fake.requests())
    many = changes([f"person{n}@acme.example" for n in range(1_001)])
    assert set(verdicts(destination.apply(ready, many[:1_000]))) == {"confirmed"}
    assert len(fake.requests()) - before == 1
    assert set(verdicts(destination.apply(ready, many))) == {"confirmed"}
    assert len(fake.requests()) - before == 3
    assert len(fake.ids(audience_of(ready))) == 1_001


def test_adds_and_removals_go_in_calls_of_their_own_in_order(
    destination, ready, fake, changes, mapped
):
    """If this fails, a removal is sent as an addition, or comes before what it takes back."""
    mixed = changes(EMAILS) + changes(EMAILS[:2], "remove") + changes(EMAILS[:1])
    assert set(verdicts(destination.apply(ready, mixed))) == {"confirmed"}
    assert fake.ids(audience_of(ready)) == mapped([EMAILS[0], *EMAILS[2:]])


@pytest.mark.parametrize(
    ("identifiers", "reason"),
    [
        ({"email": "mary@acme.example"}, "not_hashed"),
        ({"email": EMPTY}, "not_hashed"),
        ({"email": "AB" * 32}, "not_hashed"),
        ({"email": "ab" * 32, "phone": "+15555555555"}, "not_hashed"),
        ({}, "no_identifier"),
        ({"email": ""}, "no_identifier"),
        ({"first_name": "mary"}, "unknown_identifier"),
    ],
)
def test_nothing_readable_leaves(destination, ready, fake, identifiers, reason):
    """If this fails, a slip anywhere before sends a raw address to TikTok."""
    before = len(fake.requests())
    (receipt,) = destination.apply(ready, [Change("p1", "add", identifiers=identifiers)])
    assert receipt.verdict == "rejected"
    assert receipt.reason.startswith(reason) and "mary" not in receipt.reason
    assert len(fake.requests()) == before


def test_equal_rows_go_once_and_both_are_answered(destination, ready, fake, changes):
    """If this fails, people who share an address cost rows, or one gets no verdict."""
    twice = changes([EMAILS[0], EMAILS[1], EMAILS[0]])
    assert verdicts(destination.apply(ready, twice)) == ["confirmed"] * 3
    assert len(fake.sandbox.store.table("__writes")) == 2


@pytest.mark.parametrize(
    ("code", "expected", "hint"),
    [
        (40001, Stop, "Audience Management"),
        (40102, Stop, "Log in"),
        (40104, Stop, "Log in"),
        (40105, Stop, "Log in"),
        (40007, Stop, "namespace"),
        (40002, BatchRefused, "smaller"),
        (40999, Stop, "Look the code up"),
        (40100, Wait, ""),
        (40016, Wait, ""),
        (50000, OutcomeUnknown, ""),
        (50002, OutcomeUnknown, ""),
        (51305, OutcomeUnknown, ""),
        (20001, OutcomeUnknown, ""),
    ],
)
def test_a_code_behind_success_is_no_success(
    destination, ready, fake, changes, code, expected, hint
):
    """If this fails, HTTP 200 with a code is believed, and nobody is in the audience."""
    destination.apply(ready, changes(EMAILS[:1]))
    fake.fault(path="/segment/mapping/", status=200, body=refused(code), times=50)
    with pytest.raises(expected) as raised:
        destination.apply(ready, changes(EMAILS[1:]))
    assert hint in raised.value.hint
    assert "mary" not in str(raised.value)
    assert len(fake.ids(audience_of(ready))) == 1


@pytest.mark.fault(3)
def test_a_limit_behind_success_is_waited_for(fake_with, opened, target, changes, patience):
    """If this fails, one call too many in a second ends the push, or is sent again at once."""
    fake = fake_with(throttle_every=3)
    destination = opened(fake)
    ready = replace(target, remote=destination.ensure(target, []))
    for _ in range(3):
        assert set(verdicts(destination.apply(ready, changes(EMAILS)))) == {"confirmed"}
    assert max(patience.slept) >= 0.9
    assert len(fake.ids(audience_of(ready))) == len(EMAILS)


def test_a_refused_call_is_not_the_rows_fault_without_an_audience(
    destination, ready, fake, changes
):
    """If this fails, an audience that was deleted turns every person into a bad row."""
    body = {"advertiser_id": "7000000000000000001", "action": "delete"}
    fake.call("POST", "segment/audience/", json={**body, "delete_audience_id": audience_of(ready)})
    with pytest.raises(Stop, match="does not show") as raised:
        destination.apply(ready, changes(EMAILS))
    assert "namespace" in raised.value.hint


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 200, "body": "<html>all fine</html>"},
        {"status": 200, "body": []},
        {"status": 200, "body": {"message": "OK"}},
        {"status": 200, "body": {"code": "0"}},
        {"status": 200, "body": {"code": False}},
        {"status": 502, "body": "<html>bad gateway</html>"},
        {"hang_up": True},
        {"status": 200, "body": "", "after_apply": True},
        {"truncate": 10},
        {"cut": True},
        {"content_type": "text/html"},
    ],
)
@pytest.mark.fault(2)
def test_what_cannot_be_read_is_unknown(destination, ready, fake, changes, fault, mapped):
    """If this fails, a page of HTML, or an answer without a code, counts as success."""
    fake.fault(path="/segment/mapping/", **fault)
    with pytest.raises(OutcomeUnknown):
        destination.apply(ready, changes(EMAILS))
    assert set(verdicts(destination.apply(ready, changes(EMAILS)))) == {"confirmed"}
    assert fake.ids(audience_of(ready)) == mapped(EMAILS)


@pytest.mark.parametrize(
    ("code", "verdict"), [(40100, "retry"), (50000, "unknown"), (40002, "retry")]
)
@pytest.mark.fault(4)
def test_a_fault_after_a_first_call_keeps_its_receipts(
    destination, ready, fake, changes, code, verdict
):
    """If this fails, people whom TikTok took are forgotten because later ones failed."""
    mixed = changes(EMAILS[:3]) + changes(EMAILS[3:], "remove")
    fake.fault(path="/segment/mapping/", skip=1, times=9, status=200, body=refused(code))
    receipts = destination.apply(ready, mixed)
    assert verdicts(receipts) == ["confirmed"] * 3 + [verdict] * 2
    assert "mary" not in str(receipts)


def test_ensure_makes_one_audience(destination, target, fake, opened):
    """If this fails, every run makes another audience."""
    first = destination.ensure(target, [])
    assert destination.ensure(replace(target, remote=first), []) == first
    assert opened(fake).ensure(target, []) == first
    assert len(fake.sandbox.store.table("audience")) == 1


@pytest.mark.fault(1)
def test_an_audience_made_by_a_run_that_died_is_found(destination, target, fake):
    """If this fails, a crash after creation leaves an orphan and a second audience."""
    fake.fault(path="/segment/audience/", hang_up=True, after_apply=True)
    with pytest.raises(OutcomeUnknown):
        destination.ensure(target, [])
    for n in range(130):
        fake.audience(f"Other {n}")
    destination.ensure(replace(target, label="Renamed since"), [])
    assert len(fake.sandbox.store.table("audience")) == 131


@pytest.mark.parametrize("label", ["Buyers " * 20, "ß" * 200, "x" * 69, ""])
def test_a_long_name_keeps_its_mark(destination, target, fake, label):
    """If this fails, TikTok cuts our mark off, and each lost ledger makes another audience."""
    long = replace(target, label=label)
    first = destination.ensure(long, [])
    (stored,) = fake.sandbox.store.table("audience").values()
    assert stored["name"].endswith(first["mark"]) and len(stored["name"]) <= 70
    assert "  " not in stored["name"]
    assert destination.ensure(long, []) == first


def test_anothers_audience_is_left_alone(destination, target, fake, opened):
    """If this fails, the hub fills a list that a person made by hand, or that another hub keeps."""
    theirs = fake.audience("Recent buyers")["data"]["audience_id"]
    ours = destination.ensure(target, [])["audience_id"]
    other = opened(fake, namespace="staging").ensure(target, [])["audience_id"]
    assert len({theirs, ours, other}) == 3


@pytest.mark.fault(4)
def test_an_audience_that_is_shared_with_us_is_not_ours(destination, target, fake):
    """If this fails, the partner's hub and ours fill one audience."""
    mark = destination.ensure(target, [])["mark"]
    theirs = {"audience_id": "5", "name": f"Recent buyers {mark}", "is_creator": False}
    page = {"list": [theirs], "page_info": {"total_number": 1}}
    fake.fault(path="/list/", set_json={"data": page})
    assert destination.ensure(target, [])["audience_id"] != "5"


def test_four_hundred_audiences_are_said_before_the_next(destination, target, fake):
    """If this fails, the account is full and the hub reports a code that nobody knows."""
    table = fake.sandbox.store.table("audience")
    fake.audience()
    (one,) = table.values()
    table.put({str(n): {**one, "id": str(n)} for n in range(1, 400)})
    with pytest.raises(Stop, match="400 audiences") as raised:
        destination.ensure(target, [])
    assert "Delete" in raised.value.hint
    assert fake.audience()["code"] != 0


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"list": []},
        {"list": [], "page_info": {"total_number": 3}},
        {"list": ["x"], "page_info": {"total_number": 1}},
        {"list": [{"audience_id": "1"}] * 2, "page_info": {"total_number": 2}},
        {"list": [{"audience_id": "1"}], "page_info": {"total_number": 999}},
    ],
)
@pytest.mark.fault(4)
def test_a_list_that_cannot_be_read_makes_nothing(destination, target, fake, data):
    """If this fails, half a list of audiences makes a second one, or paging never ends."""
    fake.fault(path="/list/", set_json={"data": data}, times=50)
    with pytest.raises(Wait):
        destination.ensure(target, [])
    assert len(fake.sandbox.store.table("audience")) == 0
    assert len(fake.requests()) <= 2


def test_a_creation_that_names_no_audience_is_unknown(destination, target, fake):
    """If this fails, an audience without id is remembered, and nothing ever reaches it."""
    fake.fault(path="/segment/audience/", set_json={"data": {}})
    with pytest.raises(OutcomeUnknown):
        destination.ensure(target, [])
    destination.ensure(target, [])
    assert len(fake.sandbox.store.table("audience")) == 1


def test_figures_follow_the_audiences_life(fake_with, opened, target, changes):
    """If this fails, the hub calls an audience deleted that TikTok does not show yet."""
    fake = fake_with(visible_hours=2)
    destination = opened(fake)
    ready = replace(target, remote=destination.ensure(target, []))
    assert destination.figures(ready) == Figures("building", detail="not shown yet")
    for n in range(2):
        people = changes([f"person{n}{i}@acme.example" for i in range(1_000)])
        destination.apply(ready, people)
        destination.apply(ready, people)
    fake.later(hours=3)
    assert destination.figures(ready) == Figures("building", (0, 0), detail="not valid yet")
    fake.later(hours=24)
    found = destination.figures(ready)
    table = fake.sandbox.store.table(f"member:{audience_of(ready)}")
    known = sum(one["found"] for one in table.values())
    assert (found.state, found.size) == ("ready", (known, known))
    gone = changes([f"person1{i}@acme.example" for i in range(1_000)], "remove")
    destination.apply(ready, gone)
    assert destination.figures(ready).state == "too_small"
    later = fake.sandbox.clock.now() + timedelta(days=320)
    fake.later(days=320)
    assert opened(fake, now=later).figures(ready).detail == "about to expire"


def test_an_expired_audience_stops_with_a_way_out(
    destination, ready, fake, opened, changes, mapped
):
    """If this fails, people are written to an audience that no ad group can use any more."""
    destination.apply(ready, changes(EMAILS[:1]))
    fake.later(days=366)
    now = fake.sandbox.clock.now()
    late = opened(fake, now=now)
    assert late.figures(ready).state == "gone"
    with pytest.raises(Stop, match="expired") as raised:
        late.ensure(ready, [])
    assert "namespace" in raised.value.hint and "--resync" in raised.value.hint
    other = opened(fake, now=now, namespace="anew")
    anew = replace(ready, remote=other.ensure(ready, []))
    assert audience_of(anew) != audience_of(ready)
    other.apply(anew, changes(EMAILS))
    assert fake.ids(audience_of(anew)) == mapped(EMAILS)


@pytest.mark.fault(4)
def test_an_audience_in_error_is_blocked_and_not_quoted(fake_with, opened, target):
    """If this fails, TikTok's text about uploaded data gets into our history."""
    fake = fake_with(error_msg="row 3: mary@acme.example")
    destination = opened(fake)
    ready = replace(target, remote=destination.ensure(target, []))
    found = destination.figures(ready)
    assert found.state == "blocked" and "mary" not in str(found)
    fake.fault(path="/get/", status=200, body=refused(40007))
    assert destination.figures(ready) == Figures("gone")


def test_check_proves_access(destination, fake, fake_with, opened):
    """If this fails, doctor calls a wrong token, or another's account, healthy."""
    assert "7000000000000000001" in destination.check()
    for token in ("wrong", "sandbox-expired"):
        with pytest.raises(Stop, match="token") as raised:
            opened(fake, token=token).check()
        assert token not in str(raised.value)
    with pytest.raises(Stop, match="permission"):
        opened(fake_with(advertisers=["42"])).check()


def test_no_secret_and_no_identifier_gets_into_a_log(fake, ready, opened, changes, caplog):
    """If this fails, logs hold what identifies people, or the key to them."""
    caplog.set_level("DEBUG")
    opened(fake).apply(ready, changes(EMAILS))
    own = "\n".join(r.getMessage() for r in caplog.records if r.name.startswith("audiencehub"))
    assert own and "sandbox-token" not in own
    assert not any(c.identifiers["email"] in caplog.text for c in changes(EMAILS))
    assert "sandbox-token" not in str(fake.requests())
