"""The LinkedIn destination against its fake: people."""

from dataclasses import replace

import pytest

from audiencehub.errors import BatchRefused, OutcomeUnknown, Stop, Wait
from audiencehub.model import Change, Figures

EMAILS = [f"person{n}@acme.example" for n in range(5)]
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def verdicts(receipts):
    return [receipt.verdict for receipt in receipts]


def segment_of(target):
    return target.remote["segment_id"]


def test_added_people_are_in_the_segment(destination, ready, fake, changes, hashes):
    """If this fails, the audience at LinkedIn is not the segment."""
    receipts = destination.apply(ready, changes([" Person0@Acme.example", *EMAILS[1:]]))
    assert verdicts(receipts) == ["confirmed"] * 5
    assert [r.member for r in receipts] == [f"person-{n}" for n in range(5)]
    assert fake.emails(segment_of(ready)) == hashes(EMAILS)


def test_adds_and_removals_share_a_call(destination, ready, fake, changes, hashes):
    """If this fails, every push costs twice the calls that LinkedIn asks for."""
    destination.apply(ready, changes(EMAILS[:3]))
    before = len(fake.requests())
    mixed = changes(EMAILS[:2], "remove") + changes(EMAILS[3:])
    assert set(verdicts(destination.apply(ready, mixed))) == {"confirmed"}
    assert len(fake.requests()) - before == 1
    assert fake.emails(segment_of(ready)) == hashes(EMAILS[2:])


@pytest.mark.parametrize(
    ("ops", "there"), [(("add", "remove"), 0), (("remove", "add"), 1), (("add", "add"), 1)]
)
def test_the_last_word_on_a_member_counts(destination, ready, fake, changes, ops, there):
    """If this fails, whoever was added and withdrew in one batch stays, as LinkedIn may please."""
    batch = [change for op in ops for change in changes(EMAILS[:1], op)]
    before = len(fake.requests())
    assert set(verdicts(destination.apply(ready, batch))) == {"confirmed"}
    assert len(fake.members(segment_of(ready))) == there
    assert len(fake.requests()) - before == len(set(ops)), "never two actions in one call"


def test_a_full_batch_is_one_call_and_one_more_is_two(destination, ready, fake, changes):
    """If this fails, LinkedIn refuses calls, or five thousand people cost more than one."""
    before = len(fake.requests())
    many = changes([f"person{n}@acme.example" for n in range(5_001)])
    assert set(verdicts(destination.apply(ready, many[:5_000]))) == {"confirmed"}
    assert len(fake.requests()) - before == 1
    assert set(verdicts(destination.apply(ready, many))) == {"confirmed"}
    assert len(fake.requests()) - before == 3
    assert len(fake.members(segment_of(ready))) == 5_001


def test_names_go_only_beside_an_address(destination, ready, fake, changes):
    """If this fails, LinkedIn gets names of people without the hash that finds them."""
    named = {"first_name": "Mary", "last_name": "Sample", "country": "US"}
    whole = changes(EMAILS[:1], **named)
    bare = [Change("nobody", "add", identifiers=named)]
    assert verdicts(destination.apply(ready, whole + bare)) == ["confirmed", "rejected"]
    (row,) = fake.members(segment_of(ready))
    assert (row["firstName"], row["lastName"], row["country"]) == ("Mary", "Sample", "US")


def test_an_address_in_a_name_does_not_leave(destination, ready, fake, changes):
    """If this fails, a CRM that holds the address as the name tells LinkedIn what was hashed."""
    assert verdicts(destination.apply(ready, changes(EMAILS[:1], last_name="mary@acme.example")))
    assert "@" not in str(fake.members(segment_of(ready)))


@pytest.mark.parametrize(
    ("identifiers", "reason"),
    [
        ({"email": "mary@acme.example"}, "not_hashed"),
        ({"email": EMPTY}, "not_hashed"),
        ({"email": "AB" * 32}, "not_hashed"),
        ({}, "no_identifier"),
        ({"device_id": "mary@acme.example"}, "no_identifier"),
        ({"phone": "ab" * 32}, "unknown_identifier"),
        ({"company_domain": "acme.example"}, "unknown_identifier"),
    ],
)
def test_nothing_readable_leaves(destination, ready, fake, identifiers, reason):
    """If this fails, a slip anywhere before sends a raw address to LinkedIn."""
    before = len(fake.requests())
    (receipt,) = destination.apply(ready, [Change("p1", "add", identifiers=identifiers)])
    assert receipt.verdict == "rejected"
    assert receipt.reason.startswith(reason) and "mary" not in receipt.reason
    assert len(fake.requests()) == before


def test_equal_elements_go_once_and_both_are_answered(destination, ready, fake, changes):
    """If this fails, people who share an address make the answers shift against the rows."""
    twice = changes([EMAILS[0], EMAILS[1], EMAILS[0]])
    assert verdicts(destination.apply(ready, twice)) == ["confirmed"] * 3
    assert len(fake.sandbox.store.table("__writes")) == 2


def elements(*statuses):
    return [
        {"status": s} if s < 300 else {"status": s, "error": {"status": s, "message": "no a@b.c"}}
        for s in statuses
    ]


@pytest.mark.fault(4)
def test_success_of_the_call_is_no_success_of_its_elements(destination, ready, fake, changes):
    """If this fails, people whom LinkedIn refused are believed to be in the audience."""
    fake.fault(path="/users", set_json={"elements": elements(201, 400, 429, 503, 404)})
    receipts = destination.apply(ready, changes(EMAILS))
    assert verdicts(receipts) == ["confirmed", "rejected", "retry", "unknown", "retry"]
    assert [r.reason for r in receipts][1:3] == ["refused_400", "status_429"]
    assert "a@b.c" not in str(receipts)


@pytest.mark.parametrize(
    "reply", [[], elements(201), elements(*[201] * 6), None, {}, "all fine", [{}] * 4]
)
@pytest.mark.fault(4)
def test_answers_that_do_not_fit_prove_nothing(destination, ready, fake, changes, hashes, reply):
    """If this fails, an empty list of answers counts as success."""
    fake.fault(path="/users", set_json={"elements": reply})
    with pytest.raises(OutcomeUnknown):
        destination.apply(ready, changes(EMAILS))
    assert set(verdicts(destination.apply(ready, changes(EMAILS)))) == {"confirmed"}
    assert fake.emails(segment_of(ready)) == hashes(EMAILS)


@pytest.mark.parametrize("answer", [{}, {"status": "201"}, {"status": True}, None, "ok"])
@pytest.mark.fault(4)
def test_an_element_without_status_is_unknown(destination, ready, fake, changes, answer):
    """If this fails, silence about a person is taken for a yes."""
    fake.fault(path="/users", set_json={"elements": [*elements(*[201] * 4), answer]})
    assert verdicts(destination.apply(ready, changes(EMAILS))) == ["confirmed"] * 4 + ["unknown"]


@pytest.mark.fault(3)
def test_a_limit_may_strike_single_elements(fake_with, opened, target, changes):
    """If this fails, people whom a limit left out are lost, or the whole call is sent again."""
    fake = fake_with(elements_per_minute=2)
    destination = opened(fake)
    ready = replace(target, remote=destination.ensure(target, []))
    assert verdicts(destination.apply(ready, changes(EMAILS))) == ["confirmed"] * 2 + ["retry"] * 3
    with pytest.raises(Wait):
        destination.apply(ready, changes(EMAILS))
    fake.later(minutes=1)
    assert verdicts(destination.apply(ready, changes(EMAILS[2:4]))) == ["confirmed"] * 2


@pytest.mark.fault(3)
def test_the_call_limit_is_a_wait(fake_with, opened, target, changes):
    """If this fails, LinkedIn's limit of the minute looks like a fault of the rows."""
    fake = fake_with(calls_per_minute=1)
    destination = opened(fake)
    ready = replace(target, remote=destination.ensure(target, []))
    assert set(verdicts(destination.apply(ready, changes(EMAILS)))) == {"confirmed"}
    with pytest.raises(Wait):
        destination.apply(ready, changes(EMAILS))


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 200, "body": "<html>all fine</html>"},
        {"status": 200, "body": []},
        {"status": 502, "body": "<html>bad gateway</html>"},
        {"status": 500, "body": {"status": 500}},
        {"hang_up": True},
        {"status": 200, "body": "", "after_apply": True},
        {"truncate": 10},
        {"cut": True},
        {"content_type": "text/html"},
    ],
)
@pytest.mark.fault(2)
def test_what_cannot_be_read_is_unknown(destination, ready, fake, changes, fault, hashes):
    """If this fails, a page of HTML counts as success."""
    fake.fault(path="/users", **fault)
    with pytest.raises(OutcomeUnknown):
        destination.apply(ready, changes(EMAILS))
    assert set(verdicts(destination.apply(ready, changes(EMAILS)))) == {"confirmed"}
    assert fake.emails(segment_of(ready)) == hashes(EMAILS)


@pytest.mark.parametrize(
    ("status", "code", "expected", "hint"),
    [
        (401, "EXPIRED_ACCESS_TOKEN", Stop, "Log in"),
        (403, "ACCESS_DENIED", Stop, "rw_dmp_segments"),
        (426, "NONEXISTENT_VERSION", Stop, "api_version"),
        (405, "METHOD_NOT_ALLOWED", Stop, "options"),
        (400, "INVALID_PARAMS", BatchRefused, "smaller"),
        (422, "FIELD_INVALID", BatchRefused, "smaller"),
        (413, "", BatchRefused, "smaller"),
        (409, "", Wait, ""),
        (423, "", Wait, ""),
        (429, "", Wait, ""),
    ],
)
def test_error_map(destination, ready, fake, changes, status, code, expected, hint):
    """If this fails, an expired login is retried for ever, or a limit stops the destination."""
    body = {"status": status, "code": code, "message": "text of mary@acme.example"}
    fake.fault(path="/users", status=status, body=body, times=50)
    with pytest.raises(expected) as raised:
        destination.apply(ready, changes(EMAILS))
    assert hint in raised.value.hint
    assert "mary" not in str(raised.value)
    assert fake.members(segment_of(ready)) == []


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.fault(5)
def test_a_refusal_of_all_elements_alike_is_no_rows_fault(
    destination, ready, fake, changes, status
):
    """If this fails, a role that was taken away turns every person into a bad row."""
    fake.fault(path="/users", set_json={"elements": elements(*[status] * 5)})
    with pytest.raises(Stop, match=str(status)):
        destination.apply(ready, changes(EMAILS))


def test_a_new_segment_is_unknown_at_first(fake_with, opened, target, changes, patience):
    """If this fails, the first push of every new audience fails with 404, or asks at once again."""
    fake = fake_with(alias_lag=2)
    destination = opened(fake)
    ready = replace(target, remote=destination.ensure(target, []))
    assert set(verdicts(destination.apply(ready, changes(EMAILS)))) == {"confirmed"}
    assert len([s for s in patience.slept if s >= 5]) == 2, "waits the 5 s that LinkedIn asks for"


def test_a_segment_that_stays_unknown_is_waited_for(fake_with, opened, target, changes):
    """If this fails, a segment that takes two minutes to appear stops its list for good."""
    fake = fake_with(alias_lag=100)
    destination = opened(fake)
    ready = replace(target, remote=destination.ensure(target, []))
    with pytest.raises(Wait):
        destination.apply(ready, changes(EMAILS))


def test_ensure_makes_one_segment(destination, target, fake, opened):
    """If this fails, every run makes another audience."""
    first = destination.ensure(target, [])
    assert destination.ensure(replace(target, remote=first), []) == first
    assert opened(fake).ensure(target, []) == first
    assert len(fake.sandbox.store.table("segment")) == 1


@pytest.mark.fault(1)
def test_a_segment_made_by_a_run_that_died_is_found(destination, target, fake):
    """If this fails, a crash after creation leaves an orphan and a second audience."""
    fake.fault(path="/dmpSegments", method="POST", status=502, body="", after_apply=True)
    with pytest.raises(OutcomeUnknown):
        destination.ensure(target, [])
    destination.ensure(target, [])
    assert len(fake.sandbox.store.table("segment")) == 1


def test_a_creation_that_names_no_id_is_unknown(destination, target, fake):
    """If this fails, a segment without id is remembered, and nothing ever reaches it."""
    fake.fault(path="/dmpSegments", method="POST", status=201, body=None)
    with pytest.raises(OutcomeUnknown):
        destination.ensure(target, [])


def test_the_old_header_names_the_id_as_well(destination, target, fake):
    """If this fails, versions that still answer x-linkedin-id make a segment each run."""
    fake.fault(
        path="/dmpSegments", method="POST", status=201, body=None, headers={"x-linkedin-id": "7"}
    )
    assert destination.ensure(target, [])["segment_id"] == "7"


def test_people_and_companies_may_share_a_mark(destination, target, fake, opened):
    """If this fails, people are sent to the companies' segment, which refuses them all."""
    companies = opened(fake, members="companies")
    first = companies.ensure(target, [])["segment_id"]
    assert destination.ensure(target, [])["segment_id"] != first
    assert companies.ensure(target, [])["segment_id"] == first


def test_paging_finds_the_mark_among_many(destination, target, fake):
    """If this fails, an account with many segments gets another one each run."""
    source = destination.ensure(target, [])["source_id"]
    table = fake.sandbox.store.table("segment")
    (own,) = table.values()
    table.put({str(n): {**own, "id": n, "type": "COMPANY"} for n in range(1, 131)})
    assert destination.ensure(target, [])["segment_id"] == str(own["id"])
    assert len({one["sourceSegmentId"] for one in table.values()} - {source}) == 0


@pytest.mark.parametrize(
    "page", [{"elements": None}, {"elements": ["x"]}, {"elements": [{}] * 100}]
)
@pytest.mark.fault(4)
def test_a_list_that_cannot_be_read_makes_nothing(destination, target, fake, page):
    """If this fails, half an answer about segments makes a second one."""
    fake.fault(path="q=account", method="GET", set_json=page)
    with pytest.raises(Wait):
        destination.ensure(target, [])
    assert len(fake.sandbox.store.table("segment")) == 0


def test_a_list_that_goes_in_a_circle_ends(destination, target, fake):
    """If this fails, a page that comes again keeps the push busy for ever."""
    body = {"elements": [{"id": n} for n in range(100)], "paging": {"total": 1000}}
    fake.fault(path="q=account", method="GET", status=200, body=body, times=50)
    with pytest.raises(Wait):
        destination.ensure(target, [])
    assert len(fake.requests()) == 2


def test_a_deleted_segment_is_not_made_again(destination, ready, fake, changes):
    """If this fails, an audience that a person deleted comes back, empty and believed full."""
    fake.call("DELETE", f"dmpSegments/{segment_of(ready)}")
    for act in (
        lambda: destination.ensure(ready, []),
        lambda: destination.apply(ready, changes(EMAILS)),
    ):
        with pytest.raises(Stop, match="any more") as raised:
            act()
        assert "namespace" in raised.value.hint
    assert destination.figures(ready) == Figures("gone")


def test_an_expired_segment_stops_with_a_way_out(destination, ready, fake, opened, changes, hashes):
    """If this fails, people are written to an audience that no campaign can use any more."""
    destination.apply(ready, changes(EMAILS[:1]))
    fake.later(days=90)
    assert destination.figures(ready).state == "gone"
    with pytest.raises(Stop, match="90 days") as raised:
        destination.ensure(ready, [])
    assert "namespace" in raised.value.hint and "--resync" in raised.value.hint
    other = opened(fake, namespace="anew")
    anew = replace(ready, remote=other.ensure(ready, []))
    assert segment_of(anew) != segment_of(ready)
    other.apply(anew, changes(EMAILS))
    assert fake.emails(segment_of(anew)) == hashes(EMAILS)


def test_a_segment_that_failed_stops(fake_with, opened, target):
    """If this fails, a push goes on for months into an audience that LinkedIn could not build."""
    fake = fake_with(build="fails")
    destination = opened(fake)
    remote = destination.ensure(target, [])
    ready = replace(target, remote=remote)
    with pytest.raises(Stop, match="FAILED"):
        destination.ensure(ready, [])
    assert destination.figures(ready).state == "blocked"


def test_an_archived_segment_is_used_on(destination, ready, fake, changes):
    """If this fails, an audience that campaigns may still target is given up after 30 days."""
    destination.apply(ready, changes(EMAILS))
    fake.later(days=31)
    assert destination.ensure(ready, []) == ready.remote
    figures = destination.figures(ready)
    assert (figures.state, figures.detail) == ("too_small", "ARCHIVED")


def test_figures_follow_the_segments_life(destination, ready, fake, changes):
    """If this fails, the hub tells sizes and match rates that LinkedIn never told."""
    assert destination.figures(ready) == Figures("building", detail="BUILDING")
    people = changes([f"person{n}@acme.example" for n in range(1_000)])
    for _ in range(2):
        destination.apply(ready, people)
    fake.later(hours=49)
    figures = destination.figures(ready)
    matched = sum(
        row["matched"] for row in fake.sandbox.store.table(f"member:{segment_of(ready)}").values()
    )
    assert (figures.state, figures.size) == ("ready", (matched, matched)), "each person once"
    assert figures.match == pytest.approx((matched / 1_000,) * 2)
    fake.later(days=8)
    assert destination.figures(ready).match is None, "matches are those of the last seven days"
    assert destination.figures(ready).size == (matched, matched)


@pytest.mark.fault(4)
def test_counts_that_are_none_are_not_told(destination, ready, fake):
    """If this fails, a count of True or a share above one enters the history."""
    place = {"destination": "LINKEDIN", "status": "READY", "audienceSize": True}
    fake.fault(
        method="GET",
        path=f"dmpSegments/{segment_of(ready)}",
        set_json={"destinations": [{**place, "matchedCount": 9, "inputCount": 3}]},
    )
    assert destination.figures(ready) == Figures("ready", match=(1.0, 1.0), detail="READY")


def test_check_proves_access(destination, fake, opened):
    """If this fails, doctor calls a wrong token healthy."""
    assert "512345678" in destination.check()
    for token in ("wrong", "sandbox-expired"):
        with pytest.raises(Stop, match="token") as raised:
            opened(fake, token=token).check()
        assert token not in str(raised.value)
    fake.fault(path="q=account", status=404, body={})
    with pytest.raises(Stop):
        destination.check()


def test_a_version_that_was_sunset_says_what_to_do(fake_with, opened):
    """If this fails, the yearly end of a version looks like an outage."""
    for version in ("202505", "202612"):
        with pytest.raises(Stop) as raised:
            opened(fake_with(), api_version=version).check()
        assert "api_version" in raised.value.hint


def test_a_refresh_token_fetches_access_tokens(fake, opened, target):
    """If this fails, the connection dies every 60 days."""
    references = {
        "client_id": "77acme",
        "client_secret": {"env": "LINKEDIN_CLIENT_SECRET"},
        "refresh_token": {"env": "LINKEDIN_REFRESH_TOKEN"},
    }
    destination = opened(fake, token="unused", **references)
    assert destination.check()
    assert destination.setting_up(target) == 3
    assert next(one["path"] for one in fake.requests()) == "/oauth/v2/accessToken"


def test_no_secret_and_no_identifier_gets_into_a_log(fake, ready, opened, changes, caplog):
    """If this fails, logs hold what identifies people, or the key to them."""
    caplog.set_level("DEBUG")
    opened(fake).apply(ready, changes(EMAILS, first_name="Zebedee"))
    own = "\n".join(r.getMessage() for r in caplog.records if r.name.startswith("audiencehub"))
    assert own and "sandbox-token" not in own and "Zebedee" not in own
    assert not any(c.identifiers["email"] in caplog.text for c in changes(EMAILS))


def test_calls_are_told_before_they_are_made(destination, ready, fake, changes, target):
    """If this fails, a plan promises fewer calls than the push makes."""
    assert (destination.setting_up(target), destination.setting_up(ready)) == (2, 1)
    batch = changes(EMAILS) + changes(EMAILS, "remove")
    before = len(fake.requests())
    destination.apply(ready, batch)
    assert len(fake.requests()) - before <= destination.calls(ready, len(batch)) == 2
