"""The Mailchimp destination against its fake."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from audiencehub.errors import BatchRefused, OutcomeUnknown, Stop, Wait
from audiencehub.http import redact
from audiencehub.model import Change, Figures

EMAILS = [f"person{n}@acme.example" for n in range(5)]
STATES = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional", "archived")
CREATE = pytest.mark.parametrize("create", ["never", "transactional"])


def verdicts(receipts):
    return [receipt.verdict for receipt in receipts]


def tag_of(ready):
    return ready.remote["tag_id"]


@CREATE
@pytest.mark.parametrize("already", ["silent", "listed", "error"])
def test_adding_is_never_subscribing(fake_with, opened, make_ready, target, changes, create,
                                     already):  # fmt: skip
    """If this fails, somebody who has unsubscribed, bounced, was archived or never signed up is
    mailed because a segment of ours names them."""
    fake = fake_with(already=already)
    for state in STATES:
        fake.knows(f"{state}@acme.example", status=state)
    before = fake.consent()
    destination = opened(fake, create=create, names=True)
    ready = make_ready(destination, target)
    people = [*before, "new@acme.example"]
    for op in ("add", "add", "remove", "remove", "add"):
        destination.apply(ready, changes(people, op, first_name="Mary", last_name="Weiß"))
    after = fake.consent()
    made = after.pop("new@acme.example", None)
    assert after == before, "adding or removing changed somebody's status"
    assert made == (None if create == "never" else "transactional")
    tagged = set(fake.members(tag_of(ready)))
    assert tagged == {*before, *(["new@acme.example"] if made else [])} - {"archived@acme.example"}


def test_the_fake_subscribes_who_asks_for_it(fake, hashed):
    """If this fails, the fake could not show that adding subscribes, and the test above is void."""
    for state in STATES:
        fake.knows(f"{state}@acme.example", status=state)
    rows = [{"email_address": f"{one}@acme.example", "status": "subscribed"} for one in STATES]
    body = {"members": [*rows, {"email_address": "new@acme.example", "status": "subscribed"}],
            "update_existing": True}  # fmt: skip
    assert fake.call("POST", "lists/a1b2c3d4e5", json=body).json()["total_updated"] == 5
    assert set(fake.consent().values()) == {"subscribed"}
    fake.knows("away@acme.example", status="unsubscribed")
    put = fake.call(
        "PUT",
        f"lists/a1b2c3d4e5/members/{hashed('away@acme.example')}",
        json={"email_address": "away@acme.example", "status": "subscribed"},
    )
    assert (put.status_code, put.json()["title"]) == (400, "Member In Compliance State")


@pytest.mark.parametrize("already", ["silent", "listed", "error"])
@pytest.mark.parametrize("count", [5, 60], ids=["few", "many"])
def test_who_is_so_already_is_confirmed(fake_with, opened, make_ready, target, changes, already,
                                        count):  # fmt: skip
    """If this fails, a repeated push rejects people whose tag Mailchimp does not mention again."""
    fake = fake_with(already=already)
    people = [f"p{n}@acme.example" for n in range(count)]
    fake.knows(*people)
    destination = opened(fake)
    ready = make_ready(destination, target)
    for op in ("add", "add", "remove", "remove"):
        assert set(verdicts(destination.apply(ready, changes(people, op)))) == {"confirmed"}
        assert fake.members(tag_of(ready)) == (sorted(people) if op == "add" else [])


def test_strangers_are_told_and_not_made(destination, ready, fake, changes):
    """If this fails, people who never signed up become contacts, or are believed to be tagged."""
    fake.knows(*EMAILS[:2], EMAILS[3])
    fake.knows(EMAILS[4], status="archived")
    done = destination.apply(ready, changes(EMAILS))
    assert verdicts(done) == ["confirmed", "confirmed", "rejected", "confirmed", "rejected"]
    assert [one.reason.partition(":")[0] for one in done if one.reason] == [
        "not_in_audience",
        "archived",
    ]
    assert EMAILS[2] not in fake.consent()


def test_many_strangers_cost_pages_and_not_a_look_each(destination, ready, fake, changes):
    """If this fails, a segment of people who are no contacts costs a call for each of them."""
    people = [f"p{n}@acme.example" for n in range(400)]
    fake.knows(*people[:100])
    before = len(fake.requests())
    done = destination.apply(ready, changes(people))
    assert verdicts(done) == ["confirmed"] * 100 + ["rejected"] * 300
    assert len(fake.requests()) - before == 2


def test_strangers_become_contacts_without_marketing(fake, opened, make_ready, target, changes):
    """If this fails, `create = "transactional"` makes subscribers, or loses people."""
    fake.knows(EMAILS[0], status="unsubscribed")
    destination = opened(fake, create="transactional", names=True)
    ready = make_ready(destination, target)
    people = changes(EMAILS, first_name="Mary", last_name="Weiß")
    assert verdicts(destination.apply(ready, people)) == ["confirmed"] * 5
    assert fake.members(tag_of(ready)) == EMAILS
    assert fake.consent()[EMAILS[0]] == "unsubscribed"
    assert {fake.consent()[one] for one in EMAILS[1:]} == {"transactional"}
    table = fake.sandbox.store.table("contact:a1b2c3d4e5")
    named = [one["merge_fields"].get("FNAME") for one in table.values()]
    assert named == [None, *["Mary"] * 4], "names are for contacts that are made"


def test_who_was_deleted_for_good_stays_away(fake, opened, make_ready, target, changes, hashed):
    """If this fails, an erased person comes back, or takes the batch down."""
    fake.sandbox.store.table("forgotten")[hashed(EMAILS[1])] = {}
    destination = opened(fake, create="transactional")
    ready = make_ready(destination, target)
    done = destination.apply(ready, changes(EMAILS[:3]))
    assert verdicts(done) == ["confirmed", "rejected", "confirmed"]
    assert done[1].reason.startswith("not_created")
    assert EMAILS[1] not in fake.consent()


def test_who_was_seen_with_the_tag_is_not_in_doubt_for_a_stranger(
    fake, opened, make_ready, target, changes
):
    """If this fails, one contact that could not be made has a whole batch sent again."""
    fake.knows(EMAILS[0])
    destination = opened(fake, create="transactional")
    ready = make_ready(destination, target)
    destination.apply(ready, changes(EMAILS[:1]))
    fake.fault(method="POST", path="skip_merge_validation", hang_up=True)
    receipts = destination.apply(ready, changes(EMAILS[:2]))
    assert verdicts(receipts) == ["confirmed", "unknown"]


def test_who_becomes_a_contact_meanwhile_keeps_their_status(fake, opened, make_ready, target,
                                                            changes, hashed):  # fmt: skip
    """If this fails, who unsubscribes while we look for them is given another status by us."""
    fake.knows(EMAILS[0], status="unsubscribed")
    destination = opened(fake, create="transactional")
    ready = make_ready(destination, target)
    empty = {"members_added": [], "errors": []}
    fake.fault(method="POST", path="/segments/", status=200, body=empty)
    fake.fault(method="GET", path=f"/members/{hashed(EMAILS[0])}", status=404, body={})
    done = destination.apply(ready, changes(EMAILS[:1]))
    assert verdicts(done) == ["rejected"] and fake.consent() == {EMAILS[0]: "unsubscribed"}


def test_adds_and_removals_share_a_call(destination, ready, fake, changes):
    """If this fails, a day's changes cost twice the calls."""
    fake.knows(*EMAILS)
    destination.apply(ready, changes(EMAILS[:2]))
    before = len(fake.requests())
    mixed = changes(EMAILS[2:]) + changes(EMAILS[:2], "remove")
    assert set(verdicts(destination.apply(ready, mixed))) == {"confirmed"}
    assert len(fake.requests()) - before == 1
    assert fake.members(tag_of(ready)) == EMAILS[2:]


def test_an_address_that_one_leaves_and_another_keeps_stays(destination, ready, fake, changes):
    """If this fails, of two people with one address the one who stays loses the tag."""
    fake.knows(*EMAILS)
    destination.apply(ready, changes(EMAILS[:1]))
    mixed = [*changes(EMAILS[:1]), *changes(EMAILS[:1], "remove")]
    assert set(verdicts(destination.apply(ready, mixed))) == {"confirmed"}
    assert fake.members(tag_of(ready)) == EMAILS[:1]


def test_more_than_a_full_batch_is_split(destination, ready, fake, changes):
    """If this fails, 501 addresses go out at once and Mailchimp refuses them all."""
    people = [f"p{n}@acme.example" for n in range(1_001)]
    fake.knows(*people)
    assert set(verdicts(destination.apply(ready, changes(people)))) == {"confirmed"}
    posts = [one for one in fake.requests() if one["method"] == "POST"]
    assert len(posts) == 1 + 3, "the tag, and three batches"
    assert destination.batch_size(ready, 10_000) == 500


@pytest.mark.parametrize(
    ("identifiers", "reason"),
    [
        ({}, "no_identifier"),
        ({"email": " "}, "no_identifier"),
        ({"email": "mary at acme"}, "malformed"),
        ({"email": f"{'x' * 250}@acme.example"}, "malformed"),
    ],
)
def test_what_is_no_address_never_leaves(destination, ready, fake, identifiers, reason):
    """If this fails, garbage goes out, and one bad row may cost its batch."""
    before = len(fake.requests())
    for op in ("add", "remove"):
        done = destination.apply(ready, [Change("p1", op, identifiers=identifiers)])
        assert verdicts(done) == ["rejected"] and done[0].reason.startswith(reason)
        assert "mary" not in done[0].reason
    assert len(fake.requests()) == before


def test_addresses_stand_in_bodies_only(destination, ready, fake, changes, hashed):
    """If this fails, people's addresses stand in access logs on the way."""
    fake.knows(*EMAILS[:3])
    destination.apply(ready, changes(EMAILS))
    destination.apply(ready, changes(EMAILS, "remove"))
    said = json.dumps(fake.requests())
    assert "person" not in said
    assert hashed(EMAILS[4]) in said, "a contact is looked at by its digest, where it has to be"


def test_no_log_holds_an_address_or_its_digest(destination, ready, fake, changes, hashed, caplog):
    """If this fails, our own logs and errors tell who was looked up."""
    caplog.set_level("DEBUG")
    problem = {"title": "Odd Thing", "detail": "person4@acme.example is odd"}
    fake.fault(method="GET", path=f"/members/{hashed(EMAILS[4])}", status=422, body=problem)
    done = destination.apply(ready, changes(EMAILS))
    ours = [redact(r.getMessage()) for r in caplog.records if not r.name.startswith("uvicorn")]
    said = "\n".join(ours) + str(done)
    assert not [one for one in EMAILS if one in said or hashed(one) in said]
    assert "/members/[digest]" in said
    direct = [r.getMessage() for r in caplog.records if r.name.startswith("audiencehub")]
    assert not [one for one in EMAILS if hashed(one) in "\n".join(direct)]


def test_a_look_that_fails_leaves_its_rows_in_doubt_alone(
    destination, ready, fake, changes, hashed
):
    """If this fails, tagged people are told as not applied, or strangers as tagged."""
    fake.knows(*EMAILS[:3])
    fake.fault(method="GET", path=f"/members/{hashed(EMAILS[4])}", status=200, body=[])
    done = destination.apply(ready, changes(EMAILS))
    assert verdicts(done) == ["confirmed"] * 3 + ["unknown"] * 2
    assert verdicts(destination.apply(ready, changes(EMAILS)))[3:] == ["rejected"] * 2


def test_a_contact_with_very_many_tags_is_read_to_the_end(fake, opened, make_ready, target,
                                                          changes):  # fmt: skip
    """If this fails, a contact with more than fifty tags is told as not tagged for ever."""
    fake.knows(EMAILS[0])
    for n in range(60):
        body = {"name": f"Other {n}", "static_segment": [EMAILS[0]]}
        fake.call("POST", "lists/a1b2c3d4e5/segments", json=body)
    destination = opened(fake)
    ready = make_ready(destination, target)
    for _ in range(2):
        assert verdicts(destination.apply(ready, changes(EMAILS[:1]))) == ["confirmed"]


@pytest.mark.parametrize(
    "lie",
    [
        {"members_added": None},
        {"errors": None},
        {"members_added": "none"},
        {"members_added": [{"email_address": "else@acme.example"}]},
    ],
)
def test_an_answer_about_others_proves_nothing(destination, ready, fake, changes, lie):
    """If this fails, rows that Mailchimp never named are believed to be tagged."""
    fake.knows(*EMAILS)
    fake.fault(method="POST", path="/segments/", set_json=lie)
    with pytest.raises(OutcomeUnknown):
        destination.apply(ready, changes(EMAILS))
    assert set(verdicts(destination.apply(ready, changes(EMAILS)))) == {"confirmed"}


@pytest.mark.parametrize(
    ("status", "title", "expected", "hint"),
    [
        (400, "Invalid Resource", BatchRefused, "smaller"),
        (401, "API Key Invalid", Stop, "Renew"),
        (403, "Wrong Datacenter", Stop, "-us6"),
        (403, "User Disabled", Stop, "active user"),
        (403, "Compliance Related", Stop, "notice"),
        (404, "Resource Not Found", Stop, "--anew"),
        (409, "Conflict", Wait, "later"),
        (405, "Method Not Allowed", Stop, "glossary"),
        (400, "person0@acme.example is odd", BatchRefused, "smaller"),
    ],
)
def test_what_each_refusal_means(destination, ready, fake, changes, status, title, expected, hint):
    """If this fails, a person waits for what no time cures, or is called for what time does."""
    body = {"title": title, "status": status, "detail": "person0@acme.example"}
    fake.fault(method="POST", path="/segments/", times=9, status=status, body=body,
               content_type="application/problem+json")  # fmt: skip
    with pytest.raises(expected, match=hint) as found:
        destination.apply(ready, changes(EMAILS))
    assert "person0" not in str(found.value)


def test_a_403_that_is_no_json_is_a_limit(destination, ready, fake, changes, patience):
    """If this fails, very many calls make Mailchimp's front server look like a lost permission."""
    fake.knows(*EMAILS)
    fake.fault(method="POST", path="/segments/", times=2, status=403, body="<html>403</html>")
    assert set(verdicts(destination.apply(ready, changes(EMAILS)))) == {"confirmed"}
    assert len(patience.slept) >= 2


def test_a_429_without_a_header_is_waited_for(destination, ready, fake, changes, patience):
    """If this fails, too many connections end the push."""
    fake.knows(*EMAILS)
    body = {"title": "Too Many Requests", "status": 429}
    fake.fault(method="POST", path="/segments/", times=2, status=429, body=body)
    assert set(verdicts(destination.apply(ready, changes(EMAILS)))) == {"confirmed"}
    assert len(patience.slept) >= 2


def test_never_more_than_ten_calls_at_once(fake, opened, make_ready, target, changes):
    """If this fails, many lists pushed together run into Mailchimp's ten connections."""
    fake.knows(*EMAILS)
    ready = make_ready(opened(fake), target)
    fake.fault(method="POST", path="/segments/", times=40, delay=0.02)

    def push(number):
        return opened(fake).apply(ready, changes(EMAILS[: 1 + number % 5]))

    with ThreadPoolExecutor(20) as pool:
        done = [one for found in pool.map(push, range(40)) for one in found]
    assert set(verdicts(done)) == {"confirmed"}
    assert 2 <= fake.door("crowd") <= 8


def test_the_data_centre_is_in_the_key(opened):
    """If this fails, every company outside one data centre is refused, or a key names any host."""
    api = opened(None, api_key="0123456789abcdef-us6")._api
    assert api._base == "https://us6.api.mailchimp.com"
    for key in ("0123456789abcdef", "0123-evil.example/", "0123-us6.evil", "0123-"):
        with pytest.raises(Stop, match="data centre") as found:
            opened(None, api_key=key).check()
        assert key not in str(found.value)


def test_once_one_call_is_through_faults_become_receipts(destination, ready, fake, changes):
    """If this fails, people who were tagged are told as not applied."""
    people = [f"p{n}@acme.example" for n in range(700)]
    fake.knows(*people)
    fake.fault(method="POST", path="/segments/", skip=1, times=9, status=429,
               headers={"Retry-After": "86400"}, body={})  # fmt: skip
    assert verdicts(destination.apply(ready, changes(people))) == (
        ["confirmed"] * 500 + ["retry"] * 200
    )


def test_ensure_makes_one_tag(destination, target, fake, opened):
    """If this fails, every run makes another tag, or finds its own no more among many."""
    first = destination.ensure(target, [])
    assert destination.ensure(replace(target, remote=first), []) == first
    table = fake.sandbox.store.table("tag:a1b2c3d4e5")
    table.put({str(n): {"name": f"Other {n}"} for n in range(1, 1_500)})
    assert opened(fake).ensure(target, []) == first
    assert [one["name"] for one in table.values()].count("Recent buyers [audiencehub:buyers]") == 1


def test_a_long_label_is_cut_and_its_mark_is_not(destination, target, fake):
    """If this fails, a segment with a long label has no tag, or a new one each run."""
    long = replace(target, label="Größte Käufer " * 20)
    first = destination.ensure(long, [])
    assert destination.ensure(long, []) == first
    (tag,) = fake.sandbox.store.table("tag:a1b2c3d4e5").values()
    assert len(tag["name"]) <= 100 and tag["name"].endswith(" [audiencehub:buyers]")


@pytest.mark.fault(1)
def test_a_tag_made_by_a_run_that_died_is_found(destination, target, fake):
    """If this fails, a crash after creation ends all later runs: the name is taken."""
    fake.fault(path="/segments", method="POST", status=502, body="", after_apply=True)
    with pytest.raises(OutcomeUnknown):
        destination.ensure(target, [])
    assert destination.ensure(target, [])["tag_id"]
    assert len(fake.sandbox.store.table("tag:a1b2c3d4e5")) == 1


def test_anothers_tag_of_the_same_label_is_left_alone(destination, target, fake, opened):
    """If this fails, the hub fills or empties a tag that a person made by hand."""
    body = {"name": "Recent buyers", "static_segment": []}
    theirs = fake.call("POST", "lists/a1b2c3d4e5/segments", json=body).json()["id"]
    ours = destination.ensure(target, [])["tag_id"]
    other = opened(fake, namespace="staging").ensure(target, [])["tag_id"]
    assert len({str(theirs), ours, other}) == 3


def test_a_deleted_tag_is_not_made_again(destination, ready, fake, changes):
    """If this fails, a tag that a person deleted comes back by itself."""
    fake.call("DELETE", f"lists/a1b2c3d4e5/segments/{tag_of(ready)}")
    with pytest.raises(Stop, match="does not exist"):
        destination.ensure(ready, [])
    with pytest.raises(Stop, match="does not exist"):
        destination.apply(ready, changes(EMAILS))
    assert destination.figures(ready) == Figures("gone")


def test_figures_count_the_tag(destination, ready, fake, changes):
    """If this fails, the size that reports show is not the platform's."""
    fake.knows(*EMAILS)
    destination.apply(ready, changes(EMAILS))
    assert destination.figures(ready) == Figures("ready", (5, 5))


def test_check_proves_access(fake, opened, target):
    """If this fails, doctor calls a wrong key or a mistyped audience healthy."""
    fake.knows(*EMAILS)
    assert opened(fake).check() == "audience a1b2c3d4e5, 5 subscribed"
    with pytest.raises(Stop) as found:
        opened(fake, api_key="sandbox-other").check()
    assert "sandbox-other" not in str(found.value)
    strange = opened(fake, audience_id="ffffffffff")
    with pytest.raises(Stop, match="audience_id"):
        strange.check()
    with pytest.raises(Stop, match="audience_id"):
        strange.ensure(target, [])


def test_names_are_asked_for_only_where_contacts_are_made(fake, opened):
    """If this fails, names leave the ledger without need."""
    for options, expected in (
        ({}, ("email",)),
        ({"names": True}, ("email",)),
        ({"names": True, "create": "transactional"}, ("email", "first_name", "last_name")),
    ):
        assert opened(fake, **options).can.identifiers == expected
