"""Replacements: the audience holds what one session brought, all of it or nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from audiencehub.errors import OutcomeUnknown, Stop, Wait
from audiencehub.model import Change
from connectors.meta_ads import whole

EMAILS = [f"person{n}@acme.example" for n in range(5)]
REPLACE = "/usersreplace"


def by_text(rows):
    return sorted(rows, key=str)


def refused(subcode):
    return {"error": {"message": "text", "code": 2650, "error_subcode": subcode}}


@pytest.fixture
def held(ready, fake):
    """What the audience holds."""
    return lambda: by_text(fake.members(ready.remote["audience_id"]))


@pytest.fixture
def done(destination, ready):
    """The replacement of one and the same resync."""
    return lambda keep: destination.replace(ready, keep, destination.context.now)


def test_strangers_go_and_members_stay(destination, ready, changes, hashed_rows, held, done):
    """If this fails, somebody whom the ledger never knew goes on being advertised to."""
    destination.apply(ready, changes([*EMAILS, "stranger@acme.example"]))
    proof = done(changes(EMAILS[1:]))
    assert held() == hashed_rows(EMAILS[1:])
    assert "session" in proof and "0 invalid" in proof
    assert not any(one.identifiers["email"] in proof for one in changes(EMAILS))
    assert "had finished" in done(changes(EMAILS[1:]))
    assert held() == hashed_rows(EMAILS[1:])


def test_a_later_resync_is_another_session(destination, ready, fake, changes, hashed_rows, held):
    """If this fails, the second resync is taken for the first, and strangers stay."""
    now = destination.context.now
    destination.replace(ready, changes(EMAILS), now)
    destination.apply(ready, changes(["stranger@acme.example"]))
    destination.replace(ready, changes(EMAILS), now + timedelta(days=1))
    assert held() == hashed_rows(EMAILS)


def test_many_people_take_several_batches_of_one_session(
    fake, ready, changes, held, done, monkeypatch
):
    """If this fails, an audience of more than a batch is cut to its last batch."""
    monkeypatch.setattr(whole, "MOST_ROWS", 400)
    before = len(fake.requests())
    done(changes([f"p{n}@acme.example" for n in range(1001)]))
    assert len(held()) == 1001
    paths = [one["path"] for one in fake.requests()[before:]]
    assert [path.endswith(REPLACE) for path in paths] == [False, True, True, True]


def test_rows_of_other_columns_are_added_after_it(ready, fake, changes, held, done):
    """If this fails, people without an own id are counted invalid, and leave the audience."""
    with_id = [
        replace(one, identifiers={**one.identifiers, "external_id": f"C-{n}"})
        for n, one in enumerate(changes(EMAILS[:2]))
    ]
    without = [replace(one, member="x" + one.member) for one in changes(EMAILS[2:])]
    done([*with_id, *without])
    assert sorted(len(row) for row in held()) == [1, 1, 1, 2, 2]


@pytest.mark.fault(1)
def test_what_is_added_after_it_is_added_in_the_end(
    fake_with, opened, target, changes, hashed_rows
):
    """If this fails, a resync never ends because Meta works on its session for a while."""
    fake = fake_with(replace_minutes=30)
    destination = opened(fake)
    ready = replace(target, remote=destination.ensure(target, []))
    keep = [*changes(EMAILS[:1], external_id="C-1"), *changes(EMAILS[1:])]
    now = destination.context.now
    with pytest.raises(OutcomeUnknown, match="but for 1 upload"):
        destination.replace(ready, keep, now)
    with pytest.raises(Wait, match="under way"):
        opened(fake).replace(ready, keep, now)
    clock = fake.sandbox.clock
    clock.set(clock.now() + timedelta(minutes=31))
    assert "had finished" in opened(fake).replace(ready, keep, now)
    assert len(fake.members(ready.remote["audience_id"])) == 5


def test_an_audience_may_be_emptied(destination, ready, changes, held, done):
    """If this fails, the last strangers cannot be taken out."""
    destination.apply(ready, changes(EMAILS))
    done([])
    assert held() == []


def test_people_without_identifiers_are_left_out(ready, changes, hashed_rows, held, done):
    """If this fails, one row without an identifier stops the replacement, or leaves readable."""
    broken = [
        Change("p", "add", identifiers={"email": "mary@acme.example"}),
        Change("q", "add", identifiers={}),
    ]
    done([*broken, *changes(EMAILS)])
    assert held() == hashed_rows(EMAILS)


@pytest.mark.fault(1)
def test_a_crash_in_the_middle(
    destination, ready, fake, opened, changes, hashed_rows, held, done, monkeypatch
):
    """If this fails, a session that broke off loses members, or blocks the audience for ever."""
    monkeypatch.setattr(whole, "MOST_ROWS", 1)
    destination.apply(ready, changes(EMAILS))
    fake.fault(path=REPLACE, skip=1, status=502, body="<html>gateway</html>")
    with pytest.raises(Wait):
        done(changes(EMAILS[:4]))
    assert held() == hashed_rows(EMAILS)
    for again in (
        lambda: done(changes(EMAILS[:4])),
        lambda: destination.apply(ready, changes(EMAILS[:1])),
    ):
        with pytest.raises(Wait):
            again()
    clock = fake.sandbox.clock
    clock.set(clock.now() + timedelta(minutes=91))
    assert opened(fake).figures(ready).state == "too_small"
    done(changes(EMAILS[:4]))
    assert held() == hashed_rows(EMAILS[:4])


@pytest.mark.fault(1)
@pytest.mark.parametrize("after", [True, False])
def test_a_lost_last_answer_is_unknown(
    ready, fake, changes, hashed_rows, held, done, after, destination
):
    """If this fails, a replacement that was made is thought not to be, or the other way round."""
    destination.apply(ready, changes(EMAILS))
    fake.fault(path=REPLACE, hang_up=True, after_apply=after)
    with pytest.raises(OutcomeUnknown):
        done(changes(EMAILS[:2]))
    done(changes(EMAILS[:2]))
    assert held() == hashed_rows(EMAILS[:2])


@pytest.mark.parametrize(
    ("subcode", "expected"),
    [
        (1870145, Wait),
        (1870158, Wait),
        (1870147, Wait),
        (1870148, Wait),
        (1870144, Stop),
    ],
)
def test_every_subcode(ready, fake, changes, held, done, subcode, expected):
    """If this fails, a replacement that cannot be is tried for ever, or a passing fault stops."""
    fake.fault(path=REPLACE, times=9, status=400, body=refused(subcode))
    with pytest.raises(expected):
        done(changes(EMAILS))
    assert held() == []


def test_a_session_that_is_over_is_begun_anew(ready, fake, changes, hashed_rows, held, done):
    """If this fails, a session's number that is used up blocks the resync."""
    fake.fault(path=REPLACE, times=2, status=400, body=refused(1870158))
    done(changes(EMAILS))
    assert held() == hashed_rows(EMAILS)


def test_too_many_people(fake_with, opened, target, changes):
    """If this fails, an audience that Meta cannot replace is tried for ever."""
    fake = fake_with(too_large=3)
    destination = opened(fake)
    ready = replace(target, remote=destination.ensure(target, []))
    destination.apply(ready, changes(EMAILS))
    with pytest.raises(Stop, match="too large"):
        destination.replace(ready, changes(EMAILS), destination.context.now)


@pytest.mark.parametrize(
    "lie", [{"num_received": 3}, {"num_received": None}, {"session_id": "1"}, {"foo": 1}]
)
@pytest.mark.fault(4)
def test_counts_that_do_not_fit_prove_nothing(ready, fake, changes, hashed_rows, held, done, lie):
    """If this fails, half a replacement counts as a whole one."""
    broken = {"status": 200, "body": lie} if "foo" in lie else {"set_json": lie}
    fake.fault(path=REPLACE, **broken)
    with pytest.raises(OutcomeUnknown):
        done(changes(EMAILS))
    done(changes(EMAILS))
    assert held() == hashed_rows(EMAILS)


def test_a_finished_session_after_a_failed_one_proves_nothing(
    ready, fake, changes, hashed_rows, held, done
):
    """If this fails, a replacement that came to nothing is taken for made."""
    table, audience = fake.sandbox.store.table("audience"), ready.remote["audience_id"]
    failed = {"code": 415, "description": "replace_error"}
    table[audience] = {**table[audience], "operation_status": failed}
    fake.fault(path=REPLACE, status=400, body=refused(1870159))
    done(changes(EMAILS))
    assert held() == hashed_rows(EMAILS)


def test_counts_may_be_of_the_whole_session(ready, fake, changes, done, monkeypatch):
    """If this fails, some invalid rows in the first batches make the last one unreadable."""
    monkeypatch.setattr(whole, "MOST_ROWS", 2)
    fake.fault(path=REPLACE, skip=2, set_json={"num_invalid_entries": 3})
    assert "5 rows, 3 invalid" in done(changes(EMAILS))
    fake.fault(path=REPLACE, skip=2, set_json={"num_invalid_entries": 6})
    with pytest.raises(OutcomeUnknown):
        done(changes([*EMAILS[1:], "new@acme.example"]))


@pytest.mark.parametrize("many", [0, 5])
def test_the_calls_of_a_replacement_are_bounded(destination, ready, fake, changes, done, many):
    """If this fails, a plan promises fewer calls than its push makes."""
    keep = changes(EMAILS[:many])
    mixed = [replace(one, identifiers={**one.identifiers, "external_id": "C"}) for one in keep[:2]]
    before = len(fake.requests())
    done([*mixed, *keep[2:]])
    assert len(fake.requests()) - before <= destination.replacing(ready, many)
