"""The Google destination against its fake."""

import json
from dataclasses import replace

import pytest

from audiencehub.errors import BatchRefused, OutcomeUnknown, Stop, Wait
from audiencehub.model import Change
from connectors.google_ads.members import ADDRESS

ACCOUNT = "1234567890"
LISTS = f"accountTypes/GOOGLE_ADS/accounts/{ACCOUNT}/userLists"
EMAILS = [f"person{n}@acme.example" for n in range(5)]


def verdicts(receipts):
    return [receipt.verdict for receipt in receipts]


def error(code, status, reason, *violations, **metadata):
    details = [
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": reason,
            "domain": "datamanager.googleapis.com",
            "metadata": metadata,
        }
    ]
    if violations:
        listed = [
            {"field": f, "reason": r, "description": "mary@acme.example"} for f, r in violations
        ]
        details.append(
            {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": listed}
        )
    said = {"code": code, "message": "text of mary@acme.example", "status": status}
    return {"status": code, "body": {"error": {**said, "details": details}}}


@pytest.fixture
def held(fake, ready):
    """The hashed addresses in the list, asked of the fake."""
    return lambda: sorted(
        one.partition(":")[2] for ids in fake.members(ready.remote["user_list_id"]) for one in ids
    )


def test_added_people_are_in_the_list(destination, ready, changes, held, sha):
    """If this fails, the list at Google is not the segment."""
    receipts = destination.apply(ready, changes([" Person0@Acme.example", *EMAILS[1:]]))
    assert verdicts(receipts) == ["confirmed"] * 5
    assert [r.member for r in receipts] == [f"person-{n}" for n in range(5)]
    assert held() == sorted(map(sha, EMAILS))
    assert {r.job for r in receipts} == {receipts[0].job} and receipts[0].job
    assert receipts[0].job in receipts[0].proof


def test_removed_people_leave(destination, ready, changes, held, sha):
    """If this fails, somebody who withdrew consent goes on being advertised to."""
    destination.apply(ready, changes(EMAILS))
    receipts = destination.apply(ready, changes(EMAILS[:2], "remove"))
    assert verdicts(receipts) == ["confirmed"] * 2 and receipts[0].job
    assert held() == sorted(map(sha, EMAILS[2:]))


def test_all_identifiers_of_a_person_are_one_member(destination, ready, fake, sha):
    """If this fails, one person counts as three, and a removal leaves two of them."""
    whole = {
        "email": sha("mary@acme.example"),
        "phone": sha("+16505551212"),
        "first_name": sha("mary"),
        "last_name": sha("king"),
        "zip": "94045",
        "country": "US",
    }
    change = Change("p", "add", identifiers=whole)
    assert verdicts(destination.apply(ready, [change])) == ["confirmed"]
    ((address, email, phone),) = fake.members(ready.remote["user_list_id"])
    assert email == f"email_address:{whole['email']}"
    assert phone == f"phone_number:{whole['phone']}"
    assert address == f"address:{whole['first_name']}|{whole['last_name']}|US|94045"
    destination.apply(ready, [replace(change, op="remove")])
    assert fake.members(ready.remote["user_list_id"]) == []


@pytest.mark.parametrize("missing", ADDRESS)
def test_an_address_goes_whole_or_not_at_all(destination, ready, fake, sha, missing):
    """If this fails, one person without a postal code makes Google refuse ten thousand."""
    parts = {"first_name": sha("m"), "last_name": sha("k"), "zip": "94045", "country": "US"}
    del parts[missing]
    with_email = Change("p", "add", identifiers={"email": sha("m@acme.example"), **parts})
    without = Change("q", "add", identifiers=parts)
    receipts = destination.apply(ready, [with_email, without])
    assert verdicts(receipts) == ["confirmed", "rejected"]
    assert receipts[1].reason.startswith("no_identifier")
    assert len(fake.members(ready.remote["user_list_id"])[0]) == 1


def test_consent_and_terms_are_said_with_adds_only(destination, ready, changes, fake, monkeypatch):
    """If this fails, Google drops EU people in silence, or a removal is refused for claiming."""
    bodies = []
    kept = fake.sandbox._done

    def seen(verb, body, *rest):
        bodies.append((verb, body))
        return kept(verb, body, *rest)

    monkeypatch.setattr(fake.sandbox, "_done", seen)
    destination.apply(ready, changes(EMAILS))
    destination.apply(ready, changes(EMAILS, "remove"))
    (first, added), (second, removed) = bodies
    assert (first, second) == ("ingest", "remove")
    assert (added.consent.ad_user_data, added.consent.ad_personalization) == (1, 1)
    assert added.terms_of_service.customer_match_terms_of_service_status == 1
    assert "consent" not in type(removed).DESCRIPTOR.fields_by_name
    assert added.encoding == removed.encoding == 1


def test_a_full_batch_is_one_call(destination, ready, fake, changes):
    """If this fails, ten thousand people cost more than one call of the quota."""
    assert destination.can.batch_size == 10_000
    before = len(fake.asked())
    receipts = destination.apply(ready, changes([f"person{n}@acme.example" for n in range(10_000)]))
    assert set(verdicts(receipts)) == {"confirmed"}
    assert len(fake.asked()) - before == 1


def test_adds_and_removals_together(destination, ready, changes, held, sha):
    """If this fails, a batch of both kinds loses one of them, or orders its receipts anew."""
    destination.apply(ready, changes(EMAILS[:2]))
    mixed = [*changes(EMAILS[:1], "remove"), *changes(EMAILS[2:])]
    assert [r.member for r in destination.apply(ready, mixed)] == [c.member for c in mixed]
    assert held() == sorted(map(sha, EMAILS[1:]))


def test_equal_people_go_once_and_both_are_answered(destination, ready, fake, changes):
    """If this fails, two people with one address are counted twice."""
    twice = changes([EMAILS[0], EMAILS[0]])
    assert verdicts(destination.apply(ready, twice)) == ["confirmed"] * 2
    assert len(fake.writes()) == 1


def test_nothing_readable_leaves(destination, ready, fake, sha):
    """If this fails, a slip anywhere before sends a raw address to Google."""
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    bad = [
        {"email": "mary@acme.example"},
        {"email": empty},
        {"email": sha("x").upper()},
        {"email": sha("x"), "phone": "+16505551212"},
        {"email": sha("x"), "country": "us"},
        {"email": sha("x"), "zip": sha("94045")},
        {"email": sha("x"), "external_id": "C-1"},
        {},
    ]
    before = len(fake.asked())
    receipts = destination.apply(
        ready, [Change(f"p{n}", "add", identifiers=one) for n, one in enumerate(bad)]
    )
    assert set(verdicts(receipts)) == {"rejected"}
    assert "mary" not in str(receipts) and sha("x") not in str(receipts)
    assert len(fake.asked()) == before


@pytest.mark.fault(5)
def test_applying_twice_is_applying_once(destination, ready, fake, changes, held, sha):
    """If this fails, a crash between call and ledger leaves the list wrong."""
    for _ in range(3):
        assert set(verdicts(destination.apply(ready, changes(EMAILS)))) == {"confirmed"}
    assert held() == sorted(map(sha, EMAILS))
    assert sum(write["changed"] for write in fake.writes()) == len(EMAILS)


@pytest.mark.fault(4)
def test_rows_that_google_names_are_rejected_alone(destination, ready, fake, changes, held, sha):
    """If this fails, one bad row takes its batch down, or is taken for sent."""
    named = error(
        400,
        "INVALID_ARGUMENT",
        "INVALID_ARGUMENT",
        ("audience_members[3].composite_data.user_data", "INVALID_AUDIENCE_MEMBER"),
        ("audienceMembers[1]", "INVALID_FORMAT"),
    )
    fake.fault(path="audienceMembers:ingest", **named)
    receipts = destination.apply(ready, changes(EMAILS))
    assert verdicts(receipts) == ["confirmed", "rejected", "confirmed", "rejected", "confirmed"]
    assert [receipts[n].reason for n in (1, 3)] == ["invalid_format", "invalid_audience_member"]
    assert held() == sorted(sha(EMAILS[n]) for n in (0, 2, 4))


@pytest.mark.fault(4)
def test_rows_named_again_and_again_are_the_batchs_fault(destination, ready, fake, changes):
    """If this fails, a reply that names a row for ever costs the whole quota."""
    named = error(400, "INVALID_ARGUMENT", "X", ("audience_members[0]", "INVALID_FORMAT"))
    fake.fault(path="audienceMembers:ingest", times=1000, **named)
    before = len(fake.asked())
    with pytest.raises(BatchRefused):
        destination.apply(ready, changes([f"person{n}@acme.example" for n in range(50)]))
    assert len(fake.asked()) - before == 6


@pytest.mark.parametrize(
    "violation",
    [
        ("audience_members[5]", "INVALID_FORMAT"),
        ("audience_members", "SOMETHING_NEW"),
        ("", "INVALID_FORMAT"),
    ],
)
def test_a_refusal_that_names_no_row_of_ours(destination, ready, fake, changes, violation):
    """If this fails, a row that Google chokes on blocks the list for ever, or a good one pays."""
    fake.fault(
        path="audienceMembers:ingest",
        **error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", violation),
    )
    with pytest.raises(BatchRefused) as raised:
        destination.apply(ready, changes(EMAILS))
    assert "mary" not in str(raised.value)


@pytest.mark.parametrize(
    ("code", "status", "reason", "violation", "hint"),
    [
        (403, "PERMISSION_DENIED", "PERMISSION_DENIED", (), "login_account_id"),
        (
            400,
            "INVALID_ARGUMENT",
            "INVALID_ARGUMENT",
            (("audience_members[0]", "INVALID_USER_LIST_TYPE"),),
            "owner",
        ),
        (
            400,
            "INVALID_ARGUMENT",
            "INVALID_ARGUMENT",
            (("terms_of_service", "TERMS_AND_CONDITIONS_NOT_SIGNED"),),
            "Accept",
        ),
        (
            400,
            "INVALID_ARGUMENT",
            "INVALID_ARGUMENT",
            (("destinations[0].product_destination_id", "INVALID_USER_LIST_ID"),),
            "--anew",
        ),
        (
            400,
            "INVALID_ARGUMENT",
            "INVALID_ARGUMENT",
            (("destinations[0]", "INVALID_DESTINATION"),),
            "account_id",
        ),
        (403, "PERMISSION_DENIED", "NOT_ALLOWLISTED", (), "Policy manager"),
    ],
)
def test_what_only_a_person_can_mend_stops(
    destination, ready, fake, changes, code, status, reason, violation, hint
):
    """If this fails, a missing right is retried for ever, or blamed on a member."""
    fake.fault(path="audienceMembers:ingest", **error(code, status, reason, *violation))
    with pytest.raises(Stop) as raised:
        destination.apply(ready, changes(EMAILS))
    assert hint in raised.value.hint
    assert "mary" not in str(raised.value) and "text of" not in str(raised.value)


def test_warnings_cost_no_member_and_are_told(destination, ready, fake, changes):
    """If this fails, a field that Google drops is never noticed, or taken for a refusal."""
    warning = {"field": "audience_members[0].x", "reason": 6, "description": "mary@acme.example"}
    fake.fault(path="audienceMembers:ingest", set_json={"fieldWarnings": [warning]})
    receipts = destination.apply(ready, changes(EMAILS))
    assert set(verdicts(receipts)) == {"confirmed"}
    assert receipts[0].proof.endswith("1 warnings") and "mary" not in receipts[0].proof


@pytest.mark.fault(3)
def test_a_full_minute_is_waited_for(destination, ready, fake, changes, patience):
    """If this fails, the hub hammers a project whose minute is full, or gives up a whole push."""
    quota = {"quota_limit": "IngestionMutateRequestsPerMinutePerProject"}
    fake.fault(
        path="audienceMembers:ingest",
        **error(429, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED", **quota),
    )
    assert set(verdicts(destination.apply(ready, changes(EMAILS)))) == {"confirmed"}
    assert 60 <= max(patience.slept) <= 75


@pytest.mark.fault(3)
def test_a_full_day_is_not_waited_for(destination, ready, fake, changes):
    """If this fails, a push sleeps until midnight with the lease of its target in hand."""
    quota = {"quota_limit": "IngestionMutateRequestsPerDayPerProject"}
    fake.fault(
        path="audienceMembers:ingest",
        times=9,
        **error(429, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED", **quota),
    )
    before = len(fake.asked())
    with pytest.raises(Wait) as raised:
        destination.apply(ready, changes(EMAILS))
    assert raised.value.seconds == 3600
    assert len(fake.asked()) - before == 1
    with pytest.raises(Wait):
        destination.apply(ready, changes(EMAILS))
    assert len(fake.asked()) - before == 1, "nothing more is sent in that hour"


@pytest.mark.fault(3)
def test_accounts_of_one_project_share_its_minute(fake, opened, ready, changes, patience):
    """If this fails, two accounts together send twice what Google allows their project."""
    login = {
        "client_id": "p",
        "client_secret": {"env": "S"},
        "refresh_token": {"env": "R"},
    }
    one, other = opened(fake, **login), opened(fake, account_id="5556667777", **login)
    here = one._connection._limiter("send")
    assert here is other._connection._limiter("send")
    assert here is not one._connection._limiter("ask")
    assert here is not opened(fake, **{**login, "client_id": "q"})._connection._limiter("send")
    patience.slept.clear()
    for _ in range(150):
        one.apply(ready, changes(EMAILS[:1]))
        one.apply(ready, changes(EMAILS[:1], "remove"))
    assert 0 < sum(patience.slept) <= 60
    assert {r["path"].rpartition(":")[2] for r in fake.sandbox.requests} >= {"ingest", "remove"}


def test_a_conflict_is_tried_again(destination, ready, fake, changes):
    """If this fails, two requests that met at Google fail a push."""
    fake.fault(path="audienceMembers:ingest", times=2, **error(409, "ABORTED", "ABORTED"))
    assert set(verdicts(destination.apply(ready, changes(EMAILS)))) == {"confirmed"}


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 200, "body": "<html>all fine</html>"},
        {"status": 200, "body": {"foo": 1}},
        {"status": 200, "body": []},
        {"status": 200, "body": {"requestId": ""}},
        {"status": 200, "body": {"requestId": "with blanks in it"}},
        {"status": 200, "body": {"requestId": 5}},
        {"status": 302, "body": "", "headers": {"Location": "/elsewhere"}},
        {"status": 502, "body": "<html>bad gateway</html>"},
        {"status": 400, "body": "<html>bad</html>"},
        {"status": 404, "body": {"error": "no"}},
        {"status": 409, "body": "x"},
        error(503, "UNAVAILABLE", "UNAVAILABLE"),
        error(500, "INTERNAL", "INTERNAL_ERROR"),
        error(504, "DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED"),
        {"hang_up": True},
        {"status": 200, "body": "", "after_apply": True},
        {"truncate": 10},
        {"cut": True},
    ],
)
@pytest.mark.fault(2)
def test_what_cannot_be_read_is_unknown(destination, ready, fake, changes, held, sha, fault):
    """If this fails, a page of HTML counts as success."""
    fake.fault(path="audienceMembers:ingest", **fault)
    with pytest.raises(OutcomeUnknown) as raised:
        destination.apply(ready, changes(EMAILS))
    assert "mary" not in str(raised.value)
    assert set(verdicts(destination.apply(ready, changes(EMAILS)))) == {"confirmed"}
    assert held() == sorted(map(sha, EMAILS))


def test_a_fault_after_a_first_request_keeps_its_receipts(destination, ready, fake, changes):
    """If this fails, rows that Google took are forgotten because later ones failed."""
    mixed = [*changes(EMAILS[:2]), *changes(EMAILS[2:], "remove")]
    fake.fault(path="audienceMembers:ingest", status=503, body={})
    receipts = destination.apply(ready, mixed)
    assert verdicts(receipts) == ["unknown"] * 2 + ["confirmed"] * 3


def test_a_token_that_ran_out_is_renewed_once(destination, ready, fake, changes):
    """If this fails, a push that lasts longer than an hour stops in the middle."""
    fake.later(hours=2)
    before = len(fake.asked())
    assert set(verdicts(destination.apply(ready, changes(EMAILS)))) == {"confirmed"}
    assert [path.rpartition("/")[2] for path in fake.asked()[before:]] == [
        "audienceMembers:ingest",
        "token",
        "audienceMembers:ingest",
    ]


def test_a_refused_login_stops_with_an_instruction(fake, opened, ready, changes):
    """If this fails, a revoked login looks like an outage, and nobody is told."""
    fake.fault(path="audienceMembers", times=9, **error(401, "UNAUTHENTICATED", "X"))
    with pytest.raises(Stop, match="login is refused") as raised:
        opened(fake).apply(ready, changes(EMAILS))
    assert "refresh_token" in raised.value.hint
    with pytest.raises(Stop) as raised:
        opened(fake, wrong=True).check()
    assert "wrong" not in str(raised.value)


def test_neither_log_nor_address_holds_a_person(fake, ready, opened, changes, caplog):
    """If this fails, hashes or tokens stand in log files and proxies."""
    caplog.set_level("DEBUG")
    opened(fake).apply(ready, changes(EMAILS))
    opened(fake).check()
    said = " ".join(json.dumps(vars(one), default=str) for one in caplog.records)
    assert "sandbox-access" not in said + str(fake.sandbox.requests)
    assert not any(c.identifiers["email"] in said for c in changes(EMAILS))


def test_the_library_is_not_paid_for_before_it_is_used():
    """If this fails, every command pays a fifth of a second for a library it does not use."""
    import subprocess
    import sys

    code = (
        "import sys, connectors.google_ads.destination as d, connectors.google_ads.sandbox;"
        "print([m for m in sys.modules if m.startswith(('google.', 'grpc', 'proto'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
