"""The Meta destination against its fake."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from audiencehub.errors import OutcomeUnknown, Stop, Wait
from audiencehub.model import Change

EMAILS = [f"person{n}@acme.example" for n in range(5)]


def by_text(rows):
    return sorted(rows, key=str)


def verdicts(receipts):
    return [receipt.verdict for receipt in receipts]


def error(code, subcode=None, **more):
    return {
        "error": {
            "message": "(#x) text",
            "type": "OAuthException",
            "code": code,
            **({"error_subcode": subcode} if subcode else {}),
            **more,
        }
    }


def test_added_people_are_in_the_audience(destination, ready, fake, changes, hashed_rows):
    """If this fails, the list at Meta is not the segment."""
    receipts = destination.apply(ready, changes([" Person0@Acme.example", *EMAILS[1:]]))
    assert verdicts(receipts) == ["confirmed"] * 5
    assert [r.member for r in receipts] == [f"person-{n}" for n in range(5)]
    assert by_text(fake.members(ready.remote["audience_id"])) == hashed_rows(EMAILS)


def test_removed_people_leave(destination, ready, fake, changes, hashed_rows):
    """If this fails, somebody who withdrew consent goes on being advertised to."""
    destination.apply(ready, changes(EMAILS))
    receipts = destination.apply(ready, changes(EMAILS[:2], "remove"))
    assert verdicts(receipts) == ["confirmed"] * 2
    assert by_text(fake.members(ready.remote["audience_id"])) == hashed_rows(EMAILS[2:])


def test_payloads_never_travel_in_the_address(destination, ready, fake, changes):
    """If this fails, removing a few hundred people fails with 414, and hashes reach access logs."""
    many = changes([f"person{n}@acme.example" for n in range(2_000)])
    destination.apply(ready, many)
    receipts = destination.apply(ready, [replace(c, op="remove") for c in many])
    assert set(verdicts(receipts)) == {"confirmed"}
    assert fake.members(ready.remote["audience_id"]) == []
    seen = [(r["method"], r["path"].rpartition("/")[2]) for r in fake.requests()[-2:]]
    assert seen == [("POST", "users"), ("DELETE", "users")]


def test_a_full_batch_is_one_call(destination, ready, fake, changes):
    """If this fails, ten thousand people cost more than one call, or Meta refuses the upload."""
    before = len(fake.requests())
    receipts = destination.apply(ready, changes([f"person{n}@acme.example" for n in range(10_000)]))
    assert set(verdicts(receipts)) == {"confirmed"}
    assert len(fake.requests()) - before == 1


def test_more_than_a_full_batch_is_split(destination, ready, fake, changes):
    """If this fails, 10,001 rows go out at once and Meta answers an unknown error."""
    receipts = destination.apply(ready, changes([f"person{n}@acme.example" for n in range(10_001)]))
    assert set(verdicts(receipts)) == {"confirmed"}
    assert len(fake.members(ready.remote["audience_id"])) == 10_001


def test_several_columns_with_blanks(destination, ready, fake, changes):
    """If this fails, a person without a phone shifts the columns, or is refused."""
    first, second = changes(EMAILS[:2])
    phone = "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176"
    first = replace(first, identifiers={**first.identifiers, "phone": phone})
    assert verdicts(destination.apply(ready, [first, second])) == ["confirmed"] * 2
    rows = fake.members(ready.remote["audience_id"])
    assert {"EMAIL": first.identifiers["email"], "PHONE": phone} in rows
    assert {"EMAIL": second.identifiers["email"]} in rows


def test_rows_without_own_id_go_apart(destination, ready, fake, changes):
    """If this fails, one person with an own id makes Meta refuse all those without."""
    with_id = changes(EMAILS[:1], external_id="C-1")
    without = [replace(c, member="x" + c.member) for c in changes(EMAILS[1:])]
    assert set(verdicts(destination.apply(ready, with_id + without))) == {"confirmed"}
    assert len(fake.members(ready.remote["audience_id"])) == 5


def test_birth_dates_fill_three_columns(destination, ready, fake, changes):
    """If this fails, three hashes arrive in one column."""
    parts = [c.identifiers["email"] for c in changes(["1990", "05", "07"])]
    change = changes(EMAILS[:1], birth_date=",".join(parts))
    assert verdicts(destination.apply(ready, change)) == ["confirmed"]
    row = fake.members(ready.remote["audience_id"])[0]
    assert [row["DOBY"], row["DOBM"], row["DOBD"]] == parts


def test_equal_rows_go_once_and_both_are_answered(destination, ready, fake, changes):
    """If this fails, two people with one address make the counts disagree for ever."""
    twice = changes([EMAILS[0], EMAILS[0]])
    assert verdicts(destination.apply(ready, twice)) == ["confirmed"] * 2
    assert len(fake.writes()) == 1


def test_nothing_readable_leaves(destination, ready, fake):
    """If this fails, a slip anywhere before sends a raw address to Meta."""
    raw = Change("p1", "add", identifiers={"email": "mary@acme.example"})
    none = Change("p2", "add", identifiers={})
    shared = Change(
        "p3",
        "add",
        identifiers={"email": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    )
    before = len(fake.requests())
    receipts = destination.apply(ready, [raw, none, shared])
    assert verdicts(receipts) == ["rejected"] * 3
    assert "mary" not in str(receipts)
    assert len(fake.requests()) == before


@pytest.mark.fault(5)
def test_applying_twice_is_applying_once(destination, ready, fake, changes, hashed_rows):
    """If this fails, a crash between call and ledger leaves the list wrong."""
    for _ in range(3):
        assert set(verdicts(destination.apply(ready, changes(EMAILS)))) == {"confirmed"}
    assert by_text(fake.members(ready.remote["audience_id"])) == hashed_rows(EMAILS)
    assert sum(write["changed"] for write in fake.writes()) == len(EMAILS)


def test_a_new_process_at_the_same_instant_still_confirms(
    fake, ready, opened, changes, hashed_rows
):
    """If this fails, a killed run that starts again never gets its adds confirmed."""
    fake.fault(path="/users", status=504, body="<html>gateway</html>", after_apply=True)
    with pytest.raises(OutcomeUnknown):
        opened(fake).apply(ready, changes(EMAILS))
    later = opened(fake, now=fake.sandbox.clock.now())
    assert set(verdicts(later.apply(ready, changes(EMAILS)))) == {"confirmed"}
    assert by_text(fake.members(ready.remote["audience_id"])) == hashed_rows(EMAILS)


@pytest.mark.fault(4)
def test_a_row_that_meta_names_is_rejected_alone(destination, ready, fake, changes):
    """If this fails, one bad row takes its whole batch down, or is taken for sent."""
    rows = changes(EMAILS)
    bad = [rows[3].identifiers["email"]]
    fake.fault(
        path="/users",
        set_json={
            "num_invalid_entries": 1,
            "invalid_entry_samples": {json.dumps(bad): "invalid hash"},
        },
    )
    receipts = destination.apply(ready, rows)
    assert verdicts(receipts) == ["confirmed"] * 3 + ["rejected", "confirmed"]
    assert receipts[3].reason == "invalid_entry: invalid hash"


@pytest.mark.parametrize("samples", [{}, [], {"not json": "why"}, None])
@pytest.mark.fault(4)
def test_a_row_that_meta_does_not_name_is_found(destination, ready, fake, changes, samples):
    """If this fails, an unnamed bad row is confirmed, or the good ones with it are not."""
    rows = changes(EMAILS)
    needle = rows[3].identifiers["email"]
    fake.fault(
        path="/users",
        body_has=needle,
        times=20,
        set_json={
            "num_invalid_entries": 1,
            "invalid_entry_samples": samples,
        },
    )
    receipts = destination.apply(ready, rows)
    assert verdicts(receipts) == ["confirmed"] * 3 + ["rejected", "confirmed"]


def test_a_device_id_that_meta_refuses(destination, ready, changes):
    """If this fails, Meta's own verdict on a row is not what the ledger gets."""
    hash_in_madid = changes(EMAILS[:2], device_id="ab" * 32)[:1] + changes(EMAILS[:2])[1:]
    assert verdicts(destination.apply(ready, hash_in_madid)) == ["rejected", "confirmed"]


def test_a_vendor_reason_never_carries_data(destination, ready, fake, changes):
    """If this fails, Meta quoting a value puts it into our ledger and logs."""
    rows = changes(EMAILS[:1])
    fake.fault(
        path="/users",
        set_json={
            "num_invalid_entries": 1,
            "invalid_entry_samples": {
                json.dumps([rows[0].identifiers["email"]]): "bad value mary@acme.example 0123",
            },
        },
    )
    assert destination.apply(ready, rows)[0].reason == "invalid_entry"


@pytest.mark.parametrize(
    "lie",
    [
        {"num_received": 4},
        {"num_received": 10},
        {"num_received": None},
        {"num_received": "5"},
        {"num_invalid_entries": -1},
        {"num_invalid_entries": 9},
        {"num_invalid_entries": "0"},
        {"audience_id": "1"},
        {"session_id": "1"},
    ],
)
@pytest.mark.fault(4)
def test_counts_that_do_not_fit_prove_nothing(destination, ready, fake, changes, lie):
    """If this fails, rows that Meta never counted are believed to be in the list."""
    fake.fault(path="/users", set_json=lie)
    with pytest.raises(OutcomeUnknown):
        destination.apply(ready, changes(EMAILS))
    assert set(verdicts(destination.apply(ready, changes(EMAILS)))) == {"confirmed"}


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 200, "body": "<html>all fine</html>"},
        {"status": 200, "body": {"foo": 1}},
        {"status": 200, "body": []},
        {"status": 502, "body": "<html>bad gateway</html>"},
        {"status": 400, "body": "<html>bad</html>"},
        {"status": 200, "body": error(1)},
        {"status": 400, "body": error(2)},
        {"status": 500, "body": error(1, 99)},
        {"status": 400, "body": error(4242, is_transient=True)},
        {"hang_up": True},
        {"status": 200, "body": "", "after_apply": True},
        {"truncate": 10},
        {"cut": True},
        {"content_type": "text/html"},
    ],
)
@pytest.mark.fault(2)
def test_what_cannot_be_read_is_unknown(destination, ready, fake, changes, fault, hashed_rows):
    """If this fails, a page of HTML counts as success, as it does for Meta's own SDK."""
    fake.fault(path="/users", **fault)
    with pytest.raises(OutcomeUnknown):
        destination.apply(ready, changes(EMAILS))
    assert set(verdicts(destination.apply(ready, changes(EMAILS)))) == {"confirmed"}
    assert by_text(fake.members(ready.remote["audience_id"])) == hashed_rows(EMAILS)


@pytest.mark.parametrize(
    ("status", "code", "subcode", "expected", "hint"),
    [
        (400, 190, 463, Stop, "Log in"),
        (401, 190, None, Stop, "Log in"),
        (400, 102, None, Stop, "Log in"),
        (403, 200, None, Stop, "ads_management"),
        (403, 294, None, Stop, "ads_management"),
        (403, 200, 1870090, Stop, "Accept"),
        (400, 2655, None, Stop, "Accept"),
        (403, 200, 1870050, Stop, "Link"),
        (400, 100, 1713230, Stop, "Rename"),
        (400, 100, 1487366, Stop, "--anew"),
        (400, 105, None, Stop, "Look"),
        (400, 80003, None, Wait, ""),
        (400, 17, 2446079, Wait, ""),
        (403, 4, 1504022, Wait, ""),
        (400, 613, 1487742, Wait, ""),
        (400, 368, None, Wait, ""),
        (400, 2650, 1870145, Wait, ""),
    ],
)
def test_error_map(destination, ready, fake, changes, status, code, subcode, expected, hint):
    """If this fails, an expired login is retried for ever, or a limit stops the destination."""
    fake.fault(path="/users", status=status, body=error(code, subcode))
    with pytest.raises(expected) as raised:
        destination.apply(ready, changes(EMAILS))
    assert hint in raised.value.hint
    assert "text" not in str(raised.value)
    assert fake.members(ready.remote["audience_id"]) == []


@pytest.mark.fault(3)
def test_a_throttle_says_for_how_long(fake_with, opened, target, changes):
    """If this fails, the hub hammers an ad account that asked for rest."""
    fake = fake_with(calls_per_hour=3)
    destination = opened(fake)
    remote = destination.ensure(target, [])
    with pytest.raises(Wait) as raised:
        destination.apply(replace(target, remote=remote), changes(EMAILS))
    assert raised.value.seconds == 3600
    assert destination.quota().remaining == 0


def test_a_refused_shape_is_the_batchs_fault(destination, ready, fake, changes):
    """If this fails, one row that Meta chokes on blocks the list for ever."""
    from audiencehub.errors import BatchRefused

    fake.fault(path="/users", status=400, body=error(100))
    with pytest.raises(BatchRefused):
        destination.apply(ready, changes(EMAILS))


def test_a_fault_after_a_first_upload_keeps_its_receipts(destination, ready, fake, changes):
    """If this fails, rows that Meta confirmed are forgotten because later ones failed."""
    mixed = changes(EMAILS[:2]) + changes(EMAILS[2:], external_id="C-1")
    fake.fault(path="/users", skip=1, status=400, body=error(80003))
    assert verdicts(destination.apply(ready, mixed)) == ["confirmed"] * 2 + ["retry"] * 3


def test_a_new_audience_may_be_unknown_at_first(fake_with, opened, target, changes):
    """If this fails, the first push of a new list fails with #803."""
    fake = fake_with(alias_lag=2)
    destination = opened(fake)
    remote = destination.ensure(target, [])
    done = destination.apply(replace(target, remote=remote), changes(EMAILS))
    assert set(verdicts(done)) == {"confirmed"}


def test_ensure_makes_one_audience(destination, target, fake, opened):
    """If this fails, every run makes another audience."""
    first = destination.ensure(target, [])
    assert destination.ensure(replace(target, remote=first), []) == first
    assert opened(fake).ensure(target, []) == first
    listed = fake.graph("GET", "act_100200300/customaudiences?fields=name,description").json()
    assert [one["name"] for one in listed["data"]] == ["Recent buyers"]
    assert len(listed["data"][0]["description"]) <= 100


@pytest.mark.fault(1)
def test_an_audience_made_by_a_run_that_died_is_found(destination, target, fake):
    """If this fails, a crash after creation leaves an orphan and a second audience."""
    fake.fault(path="/customaudiences", method="POST", status=502, body="", after_apply=True)
    with pytest.raises(OutcomeUnknown):
        destination.ensure(target, [])
    for n in range(130):
        fake.audience(f"Other {n}")
    found = destination.ensure(target, [])
    described = fake.graph("GET", f"{found['audience_id']}?fields=name").json()
    assert described["name"] == "Recent buyers"


def test_anothers_audience_of_the_same_name_is_left_alone(destination, target, fake, opened):
    """If this fails, the hub empties or fills a list that a person made by hand."""
    theirs = fake.audience("Recent buyers")
    ours = destination.ensure(target, [])["audience_id"]
    other = opened(fake, namespace="staging").ensure(target, [])["audience_id"]
    assert len({theirs, ours, other}) == 3


def test_a_deleted_audience_is_not_made_again(destination, ready, fake, changes):
    """If this fails, a list that a person deleted comes back by itself."""
    fake.graph("DELETE", ready.remote["audience_id"])
    with pytest.raises(Stop, match="does not exist"):
        destination.ensure(ready, [])
    with pytest.raises(Stop, match="does not exist"):
        destination.apply(ready, changes(EMAILS))


def test_flagged_and_forbidden_audiences_stop(fake, fake_with, opened, target):
    """If this fails, a missing signature or a flagged name ends in endless retries."""
    with pytest.raises(Stop, match="flagged"):
        opened(fake).ensure(replace(target, label="Diabetics in Ohio"), [])
    unsigned = opened(fake_with(terms="unsigned"))
    with pytest.raises(Stop, match="terms"):
        unsigned.ensure(target, [])
    with pytest.raises(Stop, match="terms"):
        unsigned.check()
    with pytest.raises(Stop, match="business"):
        opened(fake_with(linked=False)).ensure(target, [])


def test_check_proves_access(destination, fake, opened):
    """If this fails, doctor calls a wrong token healthy."""
    assert "act_100200300" in destination.check()
    for token in ("wrong", "sandbox-expired", "sandbox-revoked"):
        with pytest.raises(Stop, match="token") as raised:
            opened(fake, token=token).check()
        assert token not in str(raised.value)


def test_the_app_secret_is_proven(fake, opened, target, changes):
    """If this fails, apps that require appsecret_proof refuse every call."""
    reference = {"env": "META_APP_SECRET"}
    assert opened(fake, app_secret=reference).check()
    remote = opened(fake, app_secret=reference).ensure(target, [])
    done = opened(fake, app_secret=reference).apply(replace(target, remote=remote), changes(EMAILS))
    assert set(verdicts(done)) == {"confirmed"}


def test_sessions_differ_by_attempt_and_run(fake, ready, opened, changes):
    """If this fails, a repeated upload adds to its old count and is never confirmed."""
    first, second = opened(fake), opened(fake, now=fake.sandbox.clock.now() + timedelta(hours=1))
    for destination in (first, first, second):
        assert set(verdicts(destination.apply(ready, changes(EMAILS)))) == {"confirmed"}
    assert len(fake.sandbox.store.table("session")) == 3


def test_the_token_never_travels_in_the_address(fake, ready, opened, changes, caplog):
    """If this fails, the access token stands in proxy logs, or in ours."""
    caplog.set_level("DEBUG")
    opened(fake).apply(ready, changes(EMAILS))
    opened(fake).check()
    assert "sandbox-token" not in caplog.text + str(fake.requests())
    assert not any(c.identifiers["email"] in caplog.text for c in changes(EMAILS))
