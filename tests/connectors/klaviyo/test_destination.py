"""The Klaviyo destination against its fake."""

import json
from dataclasses import replace

import pytest

from audiencehub.errors import BatchRefused, OutcomeUnknown, Stop, Wait
from audiencehub.http import MachineClock, redact
from audiencehub.model import Change, Figures, Processed
from connectors.klaviyo.sandbox import KlaviyoSandbox

EMAILS = [f"person{n}@acme.example" for n in range(5)]
IMPORTS = "profile-bulk-import-jobs"
STATES = {
    "subscribed@acme.example": ("SUBSCRIBED", None),
    "unsubscribed@acme.example": ("UNSUBSCRIBED", "UNSUBSCRIBE"),
    "bounced@acme.example": ("SUBSCRIBED", "HARD_BOUNCE"),
    "suppressed@acme.example": ("NEVER_SUBSCRIBED", "USER_SUPPRESSED"),
    "never@acme.example": ("NEVER_SUBSCRIBED", None),
}


def verdicts(receipts):
    return [receipt.verdict for receipt in receipts]


@pytest.mark.parametrize("create", [True, False], ids=["imports", "profiles"])
@pytest.mark.parametrize("names", [True, False], ids=["names", "no names"])
def test_adding_is_never_subscribing(fake, opened, make_ready, target, changes, create, names):
    """If this fails, somebody who has unsubscribed, bounced or never signed up is mailed because a
    segment of ours names them."""
    for email, (consent, reason) in STATES.items():
        fake.knows(email, consent, reason)
    before = fake.consent()
    destination = opened(fake, create_profiles=create, names=names)
    ready = make_ready(destination, target)
    people = [*STATES, "new@acme.example"]
    for op in ("add", "add", "remove", "remove", "add"):
        destination.apply(ready, changes(people, op, first_name="Mary", last_name="Weiß"))
    after = fake.consent()
    made = after.pop("new@acme.example", None)
    assert after == before, "adding or removing changed somebody's consent"
    assert made == ({"consent": "NEVER_SUBSCRIBED", "suppression": []} if create else None)
    assert set(STATES) <= set(fake.members(ready.remote["list_id"])), "… though all were added"
    assert not [one for one in fake.requests() if "subscription" in one["path"]]


def test_the_fake_subscribes_who_asks_for_it(fake):
    """If this fails, the fake could not show that adding subscribes, and the test above is void."""
    for email, (consent, reason) in STATES.items():
        fake.knows(email, consent, reason)
    rows = [{"type": "profile", "attributes": {"email": email}} for email in STATES]
    kind = "profile-subscription-bulk-create-job"
    body = {"data": {"type": kind, "attributes": {"profiles": {"data": rows}}}}
    assert fake.call("POST", f"{kind}s", json=body).status_code == 202
    after = fake.consent()
    assert {one["consent"] for one in after.values()} == {"SUBSCRIBED"}
    assert after["unsubscribed@acme.example"]["suppression"] == []
    assert after["bounced@acme.example"]["suppression"], "a bounce is lifted by nobody"


def test_removal_deletes_no_profile(destination, ready, fake, changes):
    """If this fails, leaving a segment erases a customer's history at Klaviyo."""
    destination.apply(ready, changes(EMAILS))
    assert verdicts(destination.apply(ready, changes(EMAILS[:2], "remove"))) == ["confirmed"] * 2
    assert fake.members(ready.remote["list_id"]) == EMAILS[2:]
    assert set(fake.consent()) == set(EMAILS)


def test_a_removal_makes_no_profile(destination, ready, fake, changes):
    """If this fails, taking an erased person off a list brings them back."""
    assert verdicts(destination.apply(ready, changes(EMAILS, "remove"))) == ["confirmed"] * 5
    assert fake.consent() == {}


def test_ten_thousand_people_are_one_import(destination, ready, fake, changes):
    """If this fails, a large list costs hundreds of calls, or Klaviyo refuses the import."""
    before = len(fake.requests())
    done = destination.apply(ready, changes([f"p{n}@acme.example" for n in range(10_000)]))
    assert set(verdicts(done)) == {"confirmed"}
    assert [one["method"] for one in fake.requests()[before:]] == ["POST", "GET"]
    assert len(fake.members(ready.remote["list_id"])) == 10_000


def test_an_import_stays_below_five_megabytes(destination, ready, fake, changes):
    """If this fails, long addresses and names make an import that Klaviyo refuses as too large."""
    long = [f"{'x' * 60}{n:04d}@{'y' * 60}.{'z' * 60}.{'w' * 50}.example" for n in range(10_000)]
    people = changes([email[:254] for email in long], first_name="M" * 200, last_name="W" * 200)
    done = replace_names(destination).apply(ready, people)
    assert set(verdicts(done)) == {"confirmed"}
    posts = [one for one in fake.requests() if one["method"] == "POST" and IMPORTS in one["path"]]
    assert len(posts) == 2


def replace_names(destination):
    destination.options = destination.options.model_copy(update={"names": True})
    return destination


def test_addresses_of_added_people_stay_out_of_the_address_line(destination, ready, fake, changes):
    """If this fails, the addresses of all who are added stand in access logs on the way."""
    destination.apply(ready, changes(EMAILS))
    assert "person" not in json.dumps(fake.requests())


def test_no_log_holds_an_address(destination, ready, fake, changes, caplog):
    """If this fails, our own logs hold people's addresses, of removals above all, whose lookup
    carries them in its query."""
    caplog.set_level("DEBUG")
    destination.apply(ready, changes(EMAILS))
    fake.fault(method="DELETE", path="relationships", status=400, body={"errors": []})
    with pytest.raises(BatchRefused) as found:
        destination.apply(ready, changes(EMAILS, "remove"))
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith("uvicorn")]
    said = [text for text in ours if "person0" in redact(text)]
    assert said == [] and "person" not in str(found.value)


def test_two_people_with_one_address_are_one_row(destination, ready, fake, changes):
    """If this fails, a shared address makes the counts of an import disagree for ever."""
    done = destination.apply(ready, changes(["Mary@acme.example", "mary@ACME.example "]))
    assert verdicts(done) == ["confirmed"] * 2
    assert fake.members(ready.remote["list_id"]) == ["mary@acme.example"]


@pytest.mark.parametrize(
    ("identifiers", "reason"),
    [
        ({}, "no_identifier"),
        ({"email": "  "}, "no_identifier"),
        ({"email": "mary at acme"}, "malformed"),
        ({"email": 'a"],x@acme.example'}, "malformed"),
        ({"email": f"{'x' * 250}@acme.example"}, "malformed"),
    ],
)
def test_what_is_no_address_never_leaves(destination, ready, fake, identifiers, reason):
    """If this fails, garbage, or a quote that ends the filter, goes out to Klaviyo."""
    before = len(fake.requests())
    for op in ("add", "remove"):
        done = destination.apply(ready, [Change("p1", op, identifiers=identifiers)])
        assert verdicts(done) == ["rejected"] and done[0].reason.startswith(reason)
        assert "mary" not in done[0].reason
    later = [one for one in fake.requests()[before:] if one["method"] != "GET"]
    assert later == []


@pytest.mark.parametrize("bad", [[0], [4], [1, 3], [0, 1, 2, 3, 4]])
def test_a_row_that_the_import_fails_is_rejected_alone(destination, ready, fake, changes, bad):
    """If this fails, one wrong address takes its import down, or is believed to be on the list."""
    rows = changes([f"p{n}@acme.{'e' if n in bad else 'example'}" for n in range(5)])
    done = destination.apply(ready, rows)
    assert [n for n, one in enumerate(done) if one.verdict == "rejected"] == bad
    assert all(one.reason == "invalid: Klaviyo refuses the row" for one in done if one.reason)
    good = [n for n in range(5) if n not in bad]
    assert fake.members(ready.remote["list_id"]) == [f"p{n}@acme.example" for n in good]


def test_rows_that_a_refusal_names_are_left_out(destination, ready, fake, changes):
    """If this fails, two wrong rows among thousands are found by halving, with dozens of calls."""
    pointer = "/data/attributes/profiles/data/{}/attributes/email"
    errors = [
        {"id": "e", "code": "invalid", "detail": f"{EMAILS[n]} is no address",
         "source": {"pointer": pointer.format(n)}}
        for n in (1, 3)
    ]  # fmt: skip
    fake.fault(method="POST", path=IMPORTS, status=400, body={"errors": errors})
    done = destination.apply(ready, changes(EMAILS))
    assert verdicts(done) == ["confirmed", "rejected", "confirmed", "rejected", "confirmed"]
    assert "person" not in str(done[1].reason)
    assert fake.members(ready.remote["list_id"]) == [EMAILS[0], EMAILS[2], EMAILS[4]]


def test_a_refusal_that_names_others_each_time_halves_the_batch(destination, ready, fake, changes):
    """If this fails, an import is sent again for ever."""
    errors = [{"code": "invalid", "source": {"pointer": "/data/attributes/profiles/data/0"}}]
    fake.fault(method="POST", path=IMPORTS, times=9, status=400, body={"errors": errors})
    with pytest.raises(BatchRefused):
        destination.apply(ready, changes(EMAILS))
    assert fake.members(ready.remote["list_id"]) == []


def test_failures_that_name_no_row_are_looked_up(destination, ready, fake, changes):
    """If this fails, a failed row whose place is not told is believed to be on the list."""
    fake.fault(path="import-errors", set_json={"data": []}, times=9)
    rows = changes([*EMAILS[:4], "wrong@acme.e"])
    done = destination.apply(ready, rows)
    assert verdicts(done) == ["confirmed"] * 4 + ["retry"]


def test_an_import_that_does_not_end_is_asked_for_later(fake_with, opened, make_ready, target,
                                                        changes):  # fmt: skip
    """If this fails, a slow import holds the push, or is told as done without proof."""
    fake = fake_with(job_lag=12)
    destination = opened(fake, wait_seconds=3)
    ready = make_ready(destination, target)
    done = destination.apply(ready, changes([*EMAILS[:4], "wrong@acme.e"]))
    jobs = {one.job for one in done}
    assert verdicts(done) == ["confirmed"] * 5 and len(jobs) == 1
    (job,) = jobs
    assert job and destination.processed(ready, job) == Processed("running")
    for _ in range(12):
        fake.call("GET", f"{IMPORTS}/{job}")
    assert destination.processed(ready, job) == Processed("partly", 5, {"invalid": 1})
    assert destination.processed(ready, "job-of-last-year") == Processed("gone")


def test_nobody_is_taken_off_while_an_import_goes_on(fake_with, opened, make_ready, target,
                                                     changes, patience):  # fmt: skip
    """If this fails, somebody who withdrew is taken off first and added by the import after."""
    fake = fake_with(job_lag=20)
    destination = opened(fake, wait_seconds=1)
    ready = make_ready(destination, target)
    destination.apply(ready, changes(EMAILS))
    with pytest.raises(Wait):
        destination.apply(ready, changes(EMAILS[:1], "remove"))
    patient = opened(fake, wait_seconds=120)
    assert verdicts(patient.apply(ready, changes(EMAILS[:1], "remove"))) == ["confirmed"]
    assert fake.members(ready.remote["list_id"]) == EMAILS[1:]


def test_an_import_into_another_list_holds_nothing_up(fake_with, opened, make_ready, target,
                                                      changes):  # fmt: skip
    """If this fails, one slow list stops the removals of all."""
    fake = fake_with(job_lag=10**6)
    destination = opened(fake, wait_seconds=0)
    ready = make_ready(destination, target)
    other = make_ready(destination, replace(target, place="others"))
    destination.apply(other, changes(EMAILS))
    assert verdicts(destination.apply(ready, changes(EMAILS, "remove"))) == ["confirmed"] * 5


def test_a_status_that_cannot_be_read_takes_nothing_back(destination, ready, fake, changes):
    """If this fails, an import that was taken is sent once more for a broken look at it."""
    fake.fault(method="GET", path=IMPORTS, times=99, status=200, body="<html>down</html>")
    done = destination.apply(ready, changes(EMAILS))
    assert verdicts(done) == ["confirmed"] * 5 and done[0].job


@pytest.mark.parametrize(
    "lie",
    [
        {"data": None},
        {"data": {"type": "profile-bulk-import-job", "id": "", "attributes": {"total_count": 5}}},
        {"data": {"type": "profile-bulk-import-job", "id": "j", "attributes": {"total_count": 4}}},
        {"data": {"type": "profile-bulk-import-job", "id": "j", "attributes": {}}},
    ],
)
def test_an_import_of_another_number_proves_nothing(destination, ready, fake, changes, lie):
    """If this fails, rows that Klaviyo never counted are believed to be on the list."""
    fake.fault(method="POST", path=IMPORTS, set_json=lie)
    with pytest.raises(OutcomeUnknown):
        destination.apply(ready, changes(EMAILS))
    assert set(verdicts(destination.apply(ready, changes(EMAILS)))) == {"confirmed"}


def test_without_new_profiles_strangers_are_told(fake, opened, make_ready, target, changes):
    """If this fails, `create_profiles = false` makes profiles all the same."""
    for email in EMAILS[:3]:
        fake.knows(email)
    destination = opened(fake, create_profiles=False)
    ready = make_ready(destination, target)
    done = destination.apply(ready, changes(EMAILS))
    assert verdicts(done) == ["confirmed"] * 3 + ["rejected"] * 2
    assert done[4].reason.startswith("no_profile")
    assert set(fake.consent()) == set(EMAILS[:3])


def test_lookups_of_thousands_page_and_stay_short(fake, opened, make_ready, target, changes):
    """If this fails, an address line grows beyond what front servers take."""
    destination = opened(fake)
    ready = make_ready(destination, target)
    people = [f"{'p' * 40}{n}@{'q' * 60}.example" for n in range(2_300)]
    destination.apply(ready, changes(people))
    before = len(fake.requests())
    assert set(verdicts(destination.apply(ready, changes(people, "remove")))) == {"confirmed"}
    asked = fake.requests()[before:]
    assert max(len(one.get("query") or "") for one in asked) < 8_000
    assert sum(one["method"] == "DELETE" for one in asked) == 3
    assert fake.members(ready.remote["list_id"]) == []
    assert len(asked) <= destination.calls(ready, len(people))


def test_a_profile_that_shows_another_address_is_found(destination, ready, fake, changes):
    """If this fails, somebody with two addresses at Klaviyo is told as removed and is not."""
    destination.apply(ready, changes(EMAILS))
    table = fake.sandbox.store.table("profile")
    key = next(k for k, one in table.items() if one["email"] == EMAILS[0])
    shown = {"type": "profile", "id": key, "attributes": {"email": "other@acme.example"}}
    path = f"lists/{ready.remote['list_id']}/profiles"
    fake.fault(path=path, method="GET", set_json={"data": [shown]})
    assert set(verdicts(destination.apply(ready, changes(EMAILS[:1], "remove")))) == {"confirmed"}
    assert fake.members(ready.remote["list_id"]) == EMAILS[1:]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, BatchRefused),
        (401, Stop),
        (403, Stop),
        (404, Stop),
        (409, Wait),
        (413, BatchRefused),
        (415, Stop),
        (422, BatchRefused),
    ],
)
def test_what_each_refusal_means(destination, ready, fake, changes, status, expected):
    """If this fails, a person waits for what no time cures, or is called for what time does."""
    body = {"errors": [{"id": "e", "code": "some_code", "detail": "person0@acme.example"}]}
    fake.fault(method="POST", path=IMPORTS, times=9, status=status, body=body)
    with pytest.raises(expected) as found:
        destination.apply(ready, changes(EMAILS))
    assert "person0" not in str(found.value)


def test_once_one_call_is_through_faults_become_receipts(fake, opened, make_ready, target,
                                                         changes):  # fmt: skip
    """If this fails, people who were taken off are told as not applied."""
    destination = opened(fake)
    ready = make_ready(destination, target)
    people = [f"p{n}@acme.example" for n in range(1_500)]
    destination.apply(ready, changes(people))
    fake.fault(method="DELETE", path="relationships", skip=1, times=9, status=429,
               headers={"Retry-After": "86400"}, body={})  # fmt: skip
    done = verdicts(destination.apply(ready, changes(people, "remove")))
    assert done == ["confirmed"] * 1_000 + ["retry"] * 500


def test_limits_are_kept_per_endpoint(fake, opened, make_ready, target, changes, monkeypatch):
    """If this fails, a long push runs into Klaviyo's limits, of a second or of a minute."""
    moments, count = {}, KlaviyoSandbox._count

    def counted(sandbox, endpoint):
        moments.setdefault(endpoint, []).append(MachineClock().monotonic())
        return count(sandbox, endpoint)

    monkeypatch.setattr(KlaviyoSandbox, "_count", counted)
    destination = opened(fake)
    ready = make_ready(destination, target)
    for _ in range(170):
        destination.apply(ready, changes(EMAILS[:1]))
    imports = moments["POST /api/profile-bulk-import-jobs"]
    assert len(imports) == 170
    for seconds, most in ((1.0, 10), (60.0, 150)):
        for at in imports:
            assert sum(at <= one < at + seconds for one in imports) <= most


def test_retry_after_of_a_throttled_endpoint(fake_with, opened, make_ready, target, changes,
                                             patience):  # fmt: skip
    """If this fails, a throttled account is asked again at once."""
    fake = fake_with()
    destination = opened(fake)
    ready = make_ready(destination, target)
    body = {"errors": [{"code": "throttled"}]}
    fake.fault(method="POST", path=IMPORTS, status=429, headers={"Retry-After": "30"}, body=body)
    assert set(verdicts(destination.apply(ready, changes(EMAILS)))) == {"confirmed"}
    assert max(patience.slept) >= 30


def test_ensure_makes_one_list(destination, target, fake, opened):
    """If this fails, every run makes another list, or a crash leaves an orphan."""
    first = destination.ensure(target, [])
    assert destination.ensure(replace(target, remote=first), []) == first
    for n in range(25):
        body = {"data": {"type": "list", "attributes": {"name": f"Other {n}"}}}
        fake.call("POST", "lists", json=body)
    assert opened(fake).ensure(target, []) == first
    names = [one["name"] for one in fake.sandbox.store.table("list").values()]
    assert names.count("Recent buyers [audiencehub:buyers]") == 1


@pytest.mark.fault(1)
def test_a_list_made_by_a_run_that_died_is_found(destination, target, fake):
    """If this fails, a crash after creation leaves an orphan and a second list."""
    fake.fault(path="/lists", method="POST", status=502, body="", after_apply=True)
    with pytest.raises(OutcomeUnknown):
        destination.ensure(target, [])
    assert destination.ensure(target, [])["list_id"]
    assert len(fake.sandbox.store.table("list")) == 1


def test_anothers_list_of_the_same_name_is_left_alone(destination, target, fake, opened):
    """If this fails, the hub fills or empties a list that a person made by hand."""
    body = {"data": {"type": "list", "attributes": {"name": "Recent buyers"}}}
    theirs = fake.call("POST", "lists", json=body).json()["data"]["id"]
    ours = destination.ensure(target, [])["list_id"]
    other = opened(fake, namespace="staging").ensure(target, [])["list_id"]
    assert len({theirs, ours, other}) == 3


def test_a_deleted_list_is_not_made_again(destination, ready, fake, changes):
    """If this fails, a list that a person deleted comes back by itself."""
    fake.call("DELETE", f"lists/{ready.remote['list_id']}")
    with pytest.raises(Stop, match="does not exist"):
        destination.ensure(ready, [])
    with pytest.raises(Stop, match="404"):
        destination.apply(ready, changes(EMAILS))
    assert destination.figures(ready) == Figures("gone")


def test_figures_count_the_list(destination, ready, changes):
    """If this fails, the size that reports show is not the platform's."""
    destination.apply(ready, changes(EMAILS))
    assert destination.figures(ready) == Figures("ready", (5, 5))


def test_names_are_sent_only_on_demand(fake, opened, make_ready, target, changes):
    """If this fails, names leave without need, or overwrite what Klaviyo knows."""
    for names, expected in ((False, None), (True, "Mary")):
        destination = opened(fake, names=names)
        ready = make_ready(destination, target)
        destination.apply(ready, changes(EMAILS[:1], first_name="Mary", last_name="Weiß"))
        (profile,) = fake.sandbox.store.table("profile").values()
        assert profile["first_name"] == expected
        assert ("first_name" in destination.can.identifiers) is names


def test_check_proves_access(fake, fake_with, opened, target):
    """If this fails, doctor calls a wrong key healthy."""
    assert opened(fake).check() == "account AcMe01, revision 2026-10-15, lists readable"
    with pytest.raises(Stop) as found:
        opened(fake, api_key="sandbox-other").check()
    assert "sandbox-other" not in str(found.value)
    reading = fake_with(scopes="read")
    with pytest.raises(Stop, match="403"):
        opened(reading).ensure(target, [])
