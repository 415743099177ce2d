"""The Microsoft Advertising destination against its fake."""

from dataclasses import replace
from datetime import timedelta

import pytest

from audiencehub.errors import OutcomeUnknown, Stop, Wait
from audiencehub.model import Change

EMAILS = [f"person{n}@acme.example" for n in range(5)]
APPLY = "/CustomerListUserData/Apply"


def verdicts(receipts):
    return [receipt.verdict for receipt in receipts]


def fault(code, kind="OperationErrors"):
    return {kind: [{"Code": code, "ErrorCode": "x", "Message": "text"}], "TrackingId": "t"}


def test_added_and_removed_people(destination, ready, fake, changes, emails):
    """If this fails, the list at Microsoft is not the segment."""
    added = destination.apply(ready, changes([" Person0@Acme.example", *EMAILS[1:]]))
    assert verdicts(added) == ["confirmed"] * 5
    assert fake.items(ready.remote["audience_id"]) == emails(EMAILS)
    gone = destination.apply(ready, changes(EMAILS[:2], "remove"))
    assert verdicts(gone) == ["confirmed"] * 2
    assert fake.items(ready.remote["audience_id"]) == emails(EMAILS[2:])


def test_a_call_carries_one_kind_and_a_thousand_items(destination, ready, fake, changes):
    """If this fails, Microsoft refuses calls of two kinds, or of more than it takes."""
    people = [
        replace(one, identifiers={**one.identifiers, "external_id": f"C-{number}"})
        for number, one in enumerate(changes([f"p{n}@acme.example" for n in range(1001)]))
    ]
    assert set(verdicts(destination.apply(ready, people))) == {"confirmed"}
    items = fake.items(ready.remote["audience_id"])
    assert [kind for kind, _ in items].count("CRM") == 1001
    assert len(items) == 2002
    assert len(fake.requests(APPLY)) == 4
    assert destination.calls(ready, 1000) == 2


def test_the_bodies_are_those_that_the_reference_shows(destination, ready, fake, changes):
    """If this fails, the fake and the destination agree on an API that Microsoft does not have."""
    fake.fault(path=APPLY, body_has='"CustomerListItemSubType": "Email"', status=418)
    fake.fault(path=APPLY, body_has='"ActionType": "Remove"', status=418)
    with pytest.raises(Stop):
        destination.apply(ready, changes(EMAILS[:1]))
    with pytest.raises(Stop):
        destination.apply(ready, changes(EMAILS[:1], "remove"))


def test_adds_and_removals_go_in_one_batch(destination, ready, fake, changes, emails):
    """If this fails, a list that says `mixed` adds whom it should have removed."""
    destination.apply(ready, changes(EMAILS[:2]))
    gone = [replace(one, member="x" + one.member) for one in changes(EMAILS[:2], "remove")]
    mixed = [*changes(EMAILS[2:]), *gone]
    assert set(verdicts(destination.apply(ready, mixed))) == {"confirmed"}
    assert fake.items(ready.remote["audience_id"]) == emails(EMAILS[2:])


def test_an_item_that_one_leaves_and_another_enters_with_stays(destination, ready, fake, changes):
    """If this fails, two people of one address are both taken out when one of them leaves."""
    destination.apply(ready, changes(EMAILS[:1]))
    leaves, enters = changes(EMAILS[:1], "remove"), changes(EMAILS[:1])
    assert verdicts(destination.apply(ready, [*enters, *leaves])) == ["confirmed"] * 2
    assert len(fake.items(ready.remote["audience_id"])) == 1


def test_equal_items_go_once_and_both_are_answered(destination, ready, fake, changes):
    """If this fails, an index in the answer is that of another person."""
    assert verdicts(destination.apply(ready, changes([EMAILS[0]] * 2))) == ["confirmed"] * 2
    assert len(fake.writes()) == 1


def test_nothing_readable_leaves(destination, ready, fake):
    """If this fails, a slip anywhere before sends a raw address to Microsoft."""
    people = [
        Change("p1", "add", identifiers={"email": "mary@acme.example"}),
        Change("p2", "add", identifiers={}),
        Change("p3", "add", identifiers={"email": "ab" * 32, "first_name": "Mary"}),
        Change("p4", "set", identifiers={"email": "ab" * 32}),
        Change("p5", "add", identifiers={"email": ""}),
        Change(
            "p6",
            "add",
            identifiers={
                "email": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
            },
        ),
    ]
    before = len(fake.requests(APPLY))
    receipts = destination.apply(ready, people)
    assert verdicts(receipts) == ["rejected"] * 6
    assert [one.reason.partition(":")[0] for one in receipts] == [
        "not_hashed",
        "no_identifier",
        "unknown_identifier",
        "wrong_op",
        "no_identifier",
        "not_hashed",
    ]
    assert "mary" not in str(receipts).lower()
    assert len(fake.requests(APPLY)) == before


@pytest.mark.fault(4)
def test_refused_items_are_told_by_index(destination, ready, fake, changes):
    """If this fails, the wrong person is called refused, or one bad item takes all down."""
    people = changes(EMAILS)
    error = {"Code": 8004, "ErrorCode": "EmailMustBeHashed", "Index": 3, "Message": "text"}
    fake.fault(path=APPLY, set_json={"PartialErrors": [error]})
    receipts = destination.apply(ready, people)
    assert verdicts(receipts) == ["confirmed"] * 3 + ["rejected", "confirmed"]
    assert "8004" in receipts[3].reason


def test_an_own_id_that_is_too_long_costs_itself_alone(destination, ready, fake, changes):
    """If this fails, somebody whose address was taken is never removed by it."""
    both = changes(EMAILS[:1], external_id="C" * 101)
    alone = Change("long", "add", identifiers={"external_id": "D" * 101})
    receipts = destination.apply(ready, [*both, alone])
    assert verdicts(receipts) == ["confirmed", "rejected"]
    assert "8005" in receipts[0].reason and "8005" in receipts[1].reason
    assert [kind for kind, _ in fake.items(ready.remote["audience_id"])] == ["Email"]


@pytest.mark.fault(4)
@pytest.mark.parametrize("shape", ["fault", "no index"])
def test_a_batch_refused_whole_is_halved(destination, ready, fake, changes, shape):
    """If this fails, an item that Microsoft refuses without an index blocks the list for ever."""
    people = changes(EMAILS)
    needle = people[2].identifiers["email"]
    how = (
        {"status": 400, "body": fault(8004)}
        if shape == "fault"
        else {"set_json": {"PartialErrors": [{"Code": 8004, "Index": None}]}}
    )
    fake.fault(path=APPLY, body_has=needle, times=20, **how)
    assert verdicts(destination.apply(ready, people)) == [
        "confirmed",
        "confirmed",
        "rejected",
        "confirmed",
        "confirmed",
    ]


@pytest.mark.fault(2)
def test_an_unsettled_item_leaves_its_person_unknown(destination, ready, fake, changes):
    """If this fails, somebody who is in by one item is taken for out, and stays for ever."""
    people = changes(EMAILS[:2], external_id="C-1")
    fake.fault(path=APPLY, skip=1, status=400, body=fault(8000))
    assert verdicts(destination.apply(ready, people)) == ["unknown"] * 2
    fake.fault(path=APPLY, skip=1, status=502, body="<html>bad</html>")
    assert verdicts(destination.apply(ready, people)) == ["unknown"] * 2
    assert verdicts(destination.apply(ready, people)) == ["confirmed"] * 2


def test_a_fault_after_a_first_call_keeps_its_receipts(destination, ready, fake, changes):
    """If this fails, rows that Microsoft took are forgotten because later ones failed."""
    others = [Change(f"c{n}", "add", identifiers={"external_id": f"C-{n}"}) for n in range(2)]
    fake.fault(path=APPLY, skip=1, status=400, body=fault(106))
    receipts = destination.apply(ready, [*changes(EMAILS), *others])
    assert verdicts(receipts) == ["confirmed"] * 5 + ["retry"] * 2


@pytest.mark.parametrize(
    "broken",
    [
        {"status": 200, "body": "<html>all fine</html>"},
        {"status": 200, "body": {"foo": 1}},
        {"status": 200, "body": []},
        {"status": 502, "body": "<html>bad gateway</html>"},
        {"status": 500, "body": "<html>oops</html>"},
        {"status": 500, "body": fault(0, "Errors")},
        {"status": 200, "body": fault(0, "Errors")},
        {"set_json": {"PartialErrors": "none"}},
        {"set_json": {"PartialErrors": [{"Code": 0, "Index": None}]}},
        {"hang_up": True},
        {"status": 504, "body": "", "after_apply": True},
        {"truncate": 10},
        {"content_type": "text/html"},
    ],
)
@pytest.mark.fault(2)
def test_what_cannot_be_read_is_unknown(destination, ready, fake, changes, broken, emails):
    """If this fails, a page of HTML counts as success."""
    fake.fault(path=APPLY, **broken)
    with pytest.raises(OutcomeUnknown):
        destination.apply(ready, changes(EMAILS))
    assert set(verdicts(destination.apply(ready, changes(EMAILS)))) == {"confirmed"}
    assert fake.items(ready.remote["audience_id"]) == emails(EMAILS)


@pytest.mark.parametrize(
    ("status", "code", "kind", "hint"),
    [
        (401, 105, "Errors", "Log in"),
        (400, 106, "Errors", "role"),
        (400, 8000, "OperationErrors", "--anew"),
        (400, 8003, "OperationErrors", "Accept"),
        (400, 8002, "OperationErrors", "unverified"),
        (400, 8001, "BatchErrors", "Report"),
        (400, 4242, "OperationErrors", "Look"),
    ],
)
def test_error_map(destination, ready, fake, changes, status, code, kind, hint):
    """If this fails, a fault that a person must mend is retried for ever."""
    # Twice: a 401 is tried again with a new token.
    fake.fault(path=APPLY, times=2, status=status, body=fault(code, kind))
    with pytest.raises(Stop) as raised:
        destination.apply(ready, changes(EMAILS))
    assert hint in raised.value.hint
    assert "text" not in str(raised.value)
    assert fake.items(ready.remote["audience_id"]) == []


@pytest.mark.parametrize("code", [8000, 8003])
def test_a_list_that_is_gone_refuses_every_item(destination, ready, fake, changes, code):
    """If this fails, a list that was deleted makes everyone's items look invalid."""
    each = [{"Code": code, "Index": index} for index in range(5)]
    fake.fault(path=APPLY, set_json={"PartialErrors": each})
    with pytest.raises(Stop):
        destination.apply(ready, changes(EMAILS))


@pytest.mark.fault(3)
def test_a_limit_rests_for_a_minute(destination, ready, fake, changes, patience):
    """If this fails, the hub hammers an account that asked for rest."""
    fake.fault(path=APPLY, times=2, status=400, body=fault(117, "Errors"))
    assert set(verdicts(destination.apply(ready, changes(EMAILS)))) == {"confirmed"}
    assert sum(patience.slept) >= 120
    fake.fault(path=APPLY, times=99, status=400, body=fault(117, "Errors"))
    with pytest.raises(Wait) as raised:
        destination.apply(ready, changes(EMAILS))
    assert raised.value.seconds == 60


def test_the_terms(fake_with, opened, target, changes):
    """If this fails, terms that nobody accepted end in endless retries."""
    unsigned = opened(fake_with(terms="unsigned"))
    with pytest.raises(Stop, match="terms"):
        unsigned.ensure(target, [])
    fake = fake_with(terms="uploads")
    silent, accepting = opened(fake), opened(fake, accept_terms=True)
    ready = replace(target, remote=silent.ensure(target, []))
    with pytest.raises(Stop, match="terms") as raised:
        silent.apply(ready, changes(EMAILS))
    assert "accept_terms" in raised.value.hint
    assert set(verdicts(accepting.apply(ready, changes(EMAILS)))) == {"confirmed"}


def test_ensure_makes_one_list(destination, target, fake, opened):
    """If this fails, every run makes another list."""
    first = destination.ensure(target, [])
    assert destination.ensure(replace(target, remote=first), []) == first
    assert opened(fake).ensure(target, []) == first
    found = fake.call("POST", "Audiences/QueryByIds", {"Type": "CustomerList"}).json()
    assert [one["Name"] for one in found["Audiences"]] == ["Recent buyers"]


@pytest.mark.fault(1)
@pytest.mark.parametrize("broken", [{"status": 502, "body": ""}, {"set_json": {"AudienceIds": []}}])
def test_a_list_made_by_a_run_that_died_is_found(destination, target, fake, broken):
    """If this fails, a crash after creation leaves an orphan and a second list."""
    fake.fault(path="v13/Audiences", method="POST", skip=1, after_apply=True, **broken)
    with pytest.raises(OutcomeUnknown):
        destination.ensure(target, [])
    found = destination.ensure(target, [])
    assert found["audience_id"] == "817341000"


def test_a_name_that_is_taken(destination, target, fake, opened):
    """If this fails, the hub fills a list that a person made, or cannot make its own."""
    theirs = fake.audience("recent BUYERS")
    ours = destination.ensure(target, [])["audience_id"]
    assert ours != theirs
    found = fake.call(
        "POST", "Audiences/QueryByIds", {"AudienceIds": [ours], "Type": "CustomerList"}
    ).json()["Audiences"][0]
    assert found["Name"].startswith("Recent buyers (") and len(found["Name"]) <= 128
    other = opened(fake, namespace="staging").ensure(target, [])["audience_id"]
    assert len({ours, theirs, other}) == 3
    fake.fault(
        path="v13/Audiences",
        times=9,
        set_json={"AudienceIds": [None], "PartialErrors": [{"Code": 4848, "Index": 0}]},
    )
    with pytest.raises(Stop, match="name"):
        opened(fake, namespace="third").ensure(target, [])


def test_a_deleted_list_is_not_made_again(destination, ready, fake, changes):
    """If this fails, a list that a person deleted comes back by itself."""
    fake.call("DELETE", "Audiences", {"AudienceIds": [ready.remote["audience_id"]]})
    for act in (
        lambda: destination.ensure(ready, []),
        lambda: destination.apply(ready, changes(EMAILS)),
    ):
        with pytest.raises(Stop, match="does not exist"):
            act()
    assert destination.figures(ready).state == "gone"


def test_the_duration_is_set_and_renewed(fake, opened, target, changes, emails):
    """If this fails, members drop out while the hub believes them in."""
    plain, days = opened(fake), opened(fake, membership_days=30)
    assert (plain.can.lifetime, days.can.lifetime) == (None, timedelta(days=30))
    ready = replace(target, remote=plain.ensure(target, []))
    assert days.ensure(ready, []) == ready.remote
    days.apply(ready, changes(EMAILS))
    fake.later(days=20)
    days.apply(ready, changes(EMAILS[:2]))
    fake.later(days=20)
    assert fake.items(ready.remote["audience_id"]) == emails(EMAILS[:2])


def test_figures(fake, opened, target, changes):
    """If this fails, a list that is being matched is called empty, or a small one usable."""
    destination = opened(fake)
    ready = replace(target, remote=destination.ensure(target, []))
    people = changes([f"p{n}@acme.example" for n in range(1000)])
    destination.apply(ready, people[:400])
    assert destination.figures(ready).state == "building"
    fake.later(hours=49)
    small = destination.figures(ready)
    assert (small.state, small.size) == ("too_small", (240, 432))
    destination.apply(ready, people)
    found = destination.figures(ready)
    assert (found.state, found.size) == ("ready", (600, 1080))
    assert "SearchSize 600" in found.detail


@pytest.mark.parametrize("clears", ["kind", "all"])
def test_replacing_leaves_exactly_these(fake_with, opened, target, changes, clears):
    """If this fails, strangers stay in a list, or members are lost, under one of the two ways in
    which Microsoft may mean Replace."""
    fake = fake_with(replace_clears=clears)
    destination = opened(fake)
    ready = replace(target, remote=destination.ensure(target, []))
    audience = ready.remote["audience_id"]
    fake.upload(audience, ["ab" * 32])
    fake.upload(audience, ["stranger"], "CRM")
    people = [
        replace(one, identifiers={**one.identifiers, "external_id": f"C-{number}"})
        for number, one in enumerate(changes([f"p{n}@acme.example" for n in range(1500)]))
    ]
    wanted = {("Email", one.identifiers["email"]) for one in people}
    wanted |= {("CRM", one.identifiers["external_id"]) for one in people}
    for _ in range(2):
        assert "calls" in destination.replace(ready, people, destination.context.now)
        assert set(fake.items(audience)) == wanted
    destination.replace(ready, people[:1], destination.context.now)
    assert len(fake.items(audience)) == 2
    destination.replace(ready, changes(EMAILS), destination.context.now)
    assert {kind for kind, _ in fake.items(audience)} == {"Email"}
    destination.replace(ready, [], destination.context.now)
    assert fake.items(audience) == []


@pytest.mark.fault(1)
def test_a_replacement_that_breaks_off_is_done_again(destination, ready, fake, changes, emails):
    """If this fails, a list that was cut short by a crash is believed whole."""
    fake.fault(path=APPLY, status=400, body=fault(106))
    with pytest.raises(Stop):
        destination.replace(ready, changes(EMAILS), destination.context.now)
    fake.fault(path=APPLY, skip=1, status=400, body=fault(106))
    with pytest.raises(OutcomeUnknown, match="in part"):
        destination.replace(ready, changes(EMAILS), destination.context.now)
    destination.replace(ready, changes(EMAILS), destination.context.now)
    assert fake.items(ready.remote["audience_id"]) == emails(EMAILS)


def test_phones_only_where_the_setting_asks_for_them(fake, opened, target, changes):
    """If this fails, phones go out in a form that no official text backs."""
    assert "phone" not in opened(fake).can.identifiers
    willing = opened(fake, unverified_identifiers=True)
    assert "phone" in willing.can.identifiers
    ready = replace(target, remote=willing.ensure(target, []))
    willing.apply(ready, changes(EMAILS[:1], phone="cd" * 32))
    assert {kind for kind, _ in fake.items(ready.remote["audience_id"])} == {"Email", "Phone"}


def test_check_proves_access(destination, fake, fake_with, opened):
    """If this fails, doctor calls a wrong login, token or account healthy."""
    assert "account 1001" in destination.check()
    for name in ("refresh_token", "developer_token"):
        with pytest.raises(Stop) as raised:
            opened(fake, secrets={name: "wrong-5e1f"}).check()
        assert "wrong-5e1f" not in str(raised.value)
    with pytest.raises(Stop, match="no access"):
        opened(fake_with(accounts=["7"])).check()
    with pytest.raises(Stop):
        opened(fake, secrets={"developer_token": "two\nlines"}).check()


@pytest.mark.parametrize(("code", "status"), [(106, 400), (8003, 400)])
def test_after_a_refusal_no_further_call_is_made(fake, opened, target, changes, code, status):
    """If this fails, an account without access is called on and on, or rows get no verdict."""
    destination = opened(fake, unverified_identifiers=True)
    ready = replace(target, remote=destination.ensure(target, []))
    people = changes(EMAILS[:2], external_id="C-1", phone="cd" * 32)
    alone = Change("p", "add", identifiers={"phone": "ef" * 32})
    fake.fault(path=APPLY, skip=1, times=9, status=status, body=fault(code))
    assert verdicts(destination.apply(ready, [*people, alone])) == ["unknown"] * 2 + ["retry"]
    assert len(fake.requests(APPLY)) == 2


@pytest.mark.parametrize("many", [0, 5, 1200])
def test_the_calls_of_a_replacement_are_bounded(destination, ready, fake, changes, many):
    """If this fails, a plan promises fewer calls than its push makes."""
    people = changes([f"p{n}@acme.example" for n in range(many)])
    before = len(fake.requests("CampaignManagement"))
    destination.replace(ready, people, destination.context.now)
    made = len(fake.requests("CampaignManagement")) - before
    assert made <= destination.replacing(ready, many)
