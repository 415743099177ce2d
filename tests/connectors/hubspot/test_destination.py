"""The HubSpot destination against its fake, over HTTP."""

from __future__ import annotations

import logging

import pytest

from audiencehub.errors import BatchRefused, Incomplete, OutcomeUnknown, Stop, Wait
from audiencehub.model import TagOption, TagValue, Target

from .conftest import ACCOUNT_TAGS, CONTACT_TAGS, OPTIONS, company, tag

VERSIONS = ["v3", "2026-03", "2026-09"]


@pytest.fixture
def ready(portal):
    """Ten contacts, both properties made."""
    portal.contacts(10)
    portal.destination().ensure(CONTACT_TAGS, OPTIONS)
    return portal


def held(portal, id_):
    return portal.sandbox.records.table("contacts")[id_]["properties"].get("audiencehub_segments")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("target", [CONTACT_TAGS, ACCOUNT_TAGS], ids=lambda t: t.place)
def test_tags_and_reason_arrive_and_read_back_as_written(open_portal, version, target):
    """Sales reads these two properties; unicode and line breaks included."""
    portal = open_portal(company())
    destination = portal.destination(version=version)
    kind = "contacts" if target.place == "contact" else "companies"
    id_ = next(iter(portal.sandbox.records.table(kind)))
    reason = "vip: 3 orders since 2026‑10‑01 · Zoë\nrule 4"

    remembered = destination.ensure(target, OPTIONS)
    (receipt,) = destination.apply(target, [tag(id_, "vip", "churn_risk", reason=reason)])

    assert remembered["object"] == kind
    assert receipt.verdict == "confirmed" and id_ in receipt.proof and "Zoë" not in receipt.proof
    assert destination.read(target, [id_]) == {id_: TagValue(("churn_risk", "vip"), reason)}


def test_ensure_keeps_options_that_are_there_and_is_idempotent(portal):
    """HubSpot replaces the whole list: an option left out would refuse every later batch."""
    destination = portal.destination()
    destination.ensure(CONTACT_TAGS, OPTIONS)
    destination.ensure(CONTACT_TAGS, [TagOption("new_one", "VIP")])
    before = portal.sandbox.records.properties("contacts")["audiencehub_segments"]
    destination.ensure(CONTACT_TAGS, [*OPTIONS, TagOption("new_one", "VIP")])
    after = portal.sandbox.records.properties("contacts")["audiencehub_segments"]

    assert [o["value"] for o in after["options"]] == ["vip", "churn_risk", "new_one"]
    assert len({o["label"] for o in after["options"]}) == 3
    assert before == after
    reason = portal.sandbox.records.properties("contacts")["audiencehub_reason"]
    assert reason["fieldType"] == "textarea"


def test_a_property_of_another_type_stops(portal):
    """Writing into somebody's own property would destroy their data."""
    known = portal.sandbox.records.properties("contacts")
    known["audiencehub_segments"] = {**known["city"], "name": "audiencehub_segments"}

    with pytest.raises(Stop, match="string/text"):
        portal.destination().ensure(CONTACT_TAGS, OPTIONS)


def test_a_key_that_may_not_make_properties_stops_with_an_instruction(open_portal):
    """The usual missing scope of a new Service Key."""
    portal = open_portal(missing_scopes=["crm.schemas.contacts.write"])

    with pytest.raises(Stop) as caught:
        portal.destination().ensure(CONTACT_TAGS, OPTIONS)

    assert "crm.schemas" in caught.value.hint


def test_an_empty_set_clears_and_no_reason_leaves_the_old_one(ready):
    """Leavers must lose their tags; a mere change of figures must not touch the text."""
    destination = ready.destination()
    destination.apply(CONTACT_TAGS, [tag("1", "vip", reason="because")])
    destination.apply(CONTACT_TAGS, [tag("1")])

    assert destination.read(CONTACT_TAGS, ["1"]) == {"1": TagValue((), "because")}
    assert held(ready, "1") is None


@pytest.mark.fault(5)
def test_applying_twice_is_applying_once(ready):
    """A repeated delivery must not change the record again."""
    destination = ready.destination()
    change = tag("2", "vip", reason="r")
    receipts = [destination.apply(CONTACT_TAGS, [change])[0].verdict for _ in range(3)]

    assert receipts == ["confirmed"] * 3 and held(ready, "2") == "vip"
    assert [w["member"] for w in ready.writes()] == ["2"] * 3


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.fault(4)
def test_a_207_gives_each_row_its_own_verdict_in_order(open_portal, shuffled):
    """A record that is gone must not hide its neighbours, nor hide behind them."""
    portal = open_portal(shuffle_batches=shuffled)
    portal.contacts(4)
    destination = portal.destination()
    destination.ensure(CONTACT_TAGS, OPTIONS)

    receipts = destination.apply(
        CONTACT_TAGS, [tag(m, "vip") for m in ("3", "900", "1", "901", "4")]
    )

    assert [r.member for r in receipts] == ["3", "900", "1", "901", "4"]
    assert [r.verdict for r in receipts] == [
        "confirmed",
        "rejected",
        "confirmed",
        "rejected",
        "confirmed",
    ]
    assert receipts[1].reason.startswith("OBJECT_NOT_FOUND")


@pytest.mark.parametrize(
    "lie",
    [
        {"results": []},
        {"results": [{"id": "2", "properties": {"audiencehub_segments": "vip"}}]},
        {"results": [{"id": "77"}, {"id": "78"}]},
        {"numErrors": 2},
        {"errors": [{"category": "OBJECT_NOT_FOUND", "context": {"ids": ["1"]}}], "numErrors": 1},
        {"results": [{"id": "1", "properties": {"audiencehub_segments": "churn_risk"}}]},
    ],
    ids=str,
)
@pytest.mark.fault(4)
def test_a_row_that_the_reply_does_not_prove_is_unknown(ready, lie):
    """Two hundred alone proves nothing; the row is read back before it counts."""
    ready.fault(path="batch/update", set_json=lie)

    first, _ = ready.destination().apply(CONTACT_TAGS, [tag("1", "vip"), tag("2", "vip")])

    assert first.verdict == "unknown" and first.proof is None


@pytest.mark.parametrize(
    "changes, code",
    [
        ([tag("1", "vip"), tag("1", "vip")], "DUPLICATE_IDS"),
        ([tag("1", "vip"), tag("2", "never_made")], "INVALID_OPTION"),
    ],
    ids=["duplicate", "option"],
)
def test_a_batch_refused_as_a_whole_applies_nothing(ready, changes, code):
    """The push step bisects only when nothing of the batch was applied."""
    with pytest.raises(BatchRefused, match=code):
        ready.destination().apply(CONTACT_TAGS, changes)

    assert ready.writes() == [] and held(ready, "1") is None


def test_a_missing_property_refuses_the_batch(portal):
    """Someone deleted the property between plan and push."""
    portal.contacts(2)

    with pytest.raises(BatchRefused, match="PROPERTY_DOESNT_EXIST"):
        portal.destination().apply(CONTACT_TAGS, [tag("1", "vip")])


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 502, "after_apply": True},
        {"hang_up": True, "after_apply": False},
        {"truncate": 60},
        {"content_type": "text/html"},
        {"status": 500},
        {"set_json": {"status": "PENDING"}},
    ],
    ids=str,
)
@pytest.mark.fault(2)
def test_a_lost_answer_is_an_unknown_outcome_and_never_repeated(ready, fault):
    """Neither success nor failure may be assumed, and the write may not be sent twice."""
    ready.fault(path="batch/update", **fault)

    with pytest.raises(OutcomeUnknown):
        ready.destination().apply(CONTACT_TAGS, [tag("1", "vip")])

    assert len(ready.writes()) <= 1


@pytest.mark.fault(3)
def test_a_throttled_write_is_sent_again_after_the_window(ready):
    """429 proves that nothing was applied, so the batch goes out again, once."""
    body = {"errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING"}
    ready.fault(path="batch/update", status=429, body=body, times=3, headers={"Retry-After": "4"})

    (receipt,) = ready.destination().apply(CONTACT_TAGS, [tag("1", "vip")])

    assert receipt.verdict == "confirmed" and len(ready.writes()) == 1
    assert sum(ready.patience.slept) == pytest.approx(12, abs=0.5)


def test_the_daily_limit_waits_for_midnight_and_applies_nothing(ready):
    """The intents stay open for the next run."""
    ready.fault(path="/crm/", status=429, body={"policyName": "DAILY"})

    with pytest.raises(Wait) as caught:
        ready.destination(portal_timezone="UTC").apply(CONTACT_TAGS, [tag("1", "vip")])

    assert caught.value.seconds == pytest.approx(15 * 3600, abs=1) and ready.writes() == []


def test_reading_back_leaves_out_records_that_are_gone(ready):
    """An archived contact must not look like one without tags."""
    destination = ready.destination()
    destination.apply(CONTACT_TAGS, [tag("3", "vip")])
    ready.sandbox.records.archive("contacts", "4")

    assert destination.read(CONTACT_TAGS, ["3", "4", "999"]) == {"3": TagValue(("vip",), "")}


def test_reading_back_a_cut_reply_raises(ready):
    """A record that the reply forgets is not a record that is gone."""
    ready.fault(path="batch/read", set_json={"results": []})

    with pytest.raises(Incomplete):
        ready.destination().read(CONTACT_TAGS, ["1"])


def test_a_loser_of_a_merge_is_not_taken_for_its_survivor(open_portal):
    """The reply to a loser's id may carry the survivor: its row proves nothing for the loser."""
    portal = open_portal(merged_ids="winner")
    portal.contacts(2)
    destination = portal.destination()
    destination.ensure(CONTACT_TAGS, OPTIONS)
    portal.sandbox.records.merge("contacts", "1", "2")

    (receipt,) = destination.apply(CONTACT_TAGS, [tag("2", "vip")])

    assert receipt.verdict == "unknown"
    assert destination.read(CONTACT_TAGS, ["2"]) == {}


def test_quota_comes_from_the_rate_headers_or_the_usage_page(open_portal):
    """The plan shows what it costs of what is left."""
    portal, oauth = open_portal(daily_limit=500), open_portal(oauth=True)
    portal.contacts(1)
    destination = portal.destination()
    destination.ensure(CONTACT_TAGS, OPTIONS)

    told, asked = destination.quota(), oauth.destination().quota()

    assert told.limit == 500 and 480 <= told.remaining < 500
    assert asked.limit == 625_000 and asked.remaining is not None and asked.resets
    assert destination.calls(CONTACT_TAGS, 250) == 3 and destination.calls(CONTACT_TAGS, 0) == 0


def test_a_place_that_hubspot_lacks_stops(portal):
    """Leads are Salesforce's."""
    with pytest.raises(Stop, match="lead"):
        portal.destination().ensure(Target("hubspot", "tag", "lead"), OPTIONS)


def test_nothing_personal_and_no_key_reaches_a_log(ready, caplog):
    """Logs are read by people who may not see the data."""
    caplog.set_level(logging.DEBUG)
    ready.token = "sandbox-very-secret-key"
    ready.fault(path="batch/update", status=400, body={"message": "p1@acme.example is odd"})

    with pytest.raises(BatchRefused) as caught:
        ready.destination().apply(CONTACT_TAGS, [tag("1", "vip", reason="ask p1@acme.example")])

    said = caplog.text + str(caught.value)
    assert "very-secret" not in said and "p1@acme" not in said
