"""Tags and reasons on records: one verdict per row, whatever goes wrong."""

from __future__ import annotations

import logging

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiencehub.errors import ConfigError, OutcomeUnknown, Stop, Wait
from audiencehub.model import Change, TagOption, TagValue, Target
from audiencehub.sandbox.clock import START, SandboxClock
from audiencehub.sandbox.company import Company
from audiencehub.sandbox.store import Store
from connectors.salesforce.options import SalesforceOptions
from connectors.salesforce.sandbox import SalesforceSandbox
from connectors.salesforce.verdicts import refused

PLACES = ("contact", "lead", "account")
CONTACT, LEAD, ACCOUNT = (Target("salesforce", "tag", one) for one in PLACES)
OPTIONS = [TagOption("vip", "VIP"), TagOption("in_market", "In market")]


def tag(member: str, *tags: str, reason: str | None = "because") -> Change:
    return Change(member, "set", TagValue(tuple(sorted(tags)), reason))


def faults(org, *entries):
    requests.post(f"{org.url}/__faults", json=list(entries), timeout=5).raise_for_status()


def writes(org):
    return requests.get(f"{org.url}/__writes", timeout=5).json()


@pytest.fixture
def tags(org):
    """A destination whose fields are ready; the write log begins after that."""
    made = org.tags()
    made.ensure(CONTACT, OPTIONS)
    requests.delete(f"{org.url}/__writes", timeout=5)
    return made


@pytest.fixture
def many(big):
    """400 contacts of the large org, enough for a bulk job."""
    big.sandbox.set(
        refuse=None, locks=None, lose_rows=None, stop_after=None, csv_type=None, hidden=[]
    )
    made = big.tags()
    made.ensure(CONTACT, OPTIONS)
    requests.delete(f"{big.url}/__writes", timeout=5)
    requests.delete(f"{big.url}/__faults", timeout=5)
    return made, [big.id("Contact", f"b{n:05d}") for n in range(400)]


@pytest.mark.parametrize(
    ("target", "entity", "key"),
    [(CONTACT, "Contact", "c1"), (LEAD, "Lead", "l1"), (ACCOUNT, "Account", "a1")],
)
def test_tags_and_reason_are_written_and_read_back(org, target, entity, key):
    """Sales would see no tag on one of the three objects."""
    destination, member = org.tags(), org.id(entity, key)
    remote = destination.ensure(target, OPTIONS)
    why = "Größe ≥ 200\nVIP"
    receipts = destination.apply(target, [tag(member, "vip", "in_market", reason=why)])

    assert remote["object"] == entity
    assert [one.verdict for one in receipts] == ["confirmed"]
    assert org.record(entity, key)["Audiencehub_Segments__c"] == "in_market;vip"
    assert destination.read(target, [member]) == {member: TagValue(("in_market", "vip"), why)}


def test_ensure_twice_changes_nothing(org):
    """Every run would make fields again, or fail because they exist."""
    destination = org.tags()
    first = destination.ensure(CONTACT, OPTIONS)
    made = len(org.sandbox.store.table("custom_fields"))

    assert destination.ensure(CONTACT, [*OPTIONS, TagOption("later", "Later")]) == first
    assert len(org.sandbox.store.table("custom_fields")) == made == 2


def test_fields_are_not_made_unasked(org):
    """The hub would change a customer's org without being told to."""
    with pytest.raises(Stop, match="Audiencehub_Segments__c"):
        org.tags(create_fields=False).ensure(CONTACT, OPTIONS)
    assert not org.sandbox.store.table("custom_fields")


def test_a_new_field_is_granted_to_the_integration_user(org):
    """A field made but not granted stays invisible, and every write is refused."""
    org.tags().ensure(CONTACT, OPTIONS)
    org.sandbox.store.table("PermissionSetAssignment").clear()

    with pytest.raises(Stop):
        org.tags(create_fields=False).ensure(CONTACT, OPTIONS)


def test_a_restricted_picklist_names_the_missing_value(org, tags):
    """Every row with a new segment would be refused, one by one."""
    table = org.sandbox.store.table("custom_fields")
    field = table["Contact.Audiencehub_Segments__c"]
    table["Contact.Audiencehub_Segments__c"] = {**field, "restricted": True}

    with pytest.raises(Stop, match="churn_risk"):
        tags.ensure(CONTACT, [*OPTIONS, TagOption("churn_risk", "Churn risk")])


@pytest.mark.fault(5)
def test_applying_twice_leaves_the_same(org, tags):
    """A repeated batch would add to what is there."""
    member = org.id("Contact", "c1")
    for _ in range(2):
        tags.apply(CONTACT, [tag(member, "vip")])

    assert tags.read(CONTACT, [member])[member].tags == ("vip",)


@pytest.mark.parametrize("bulk", [False, True])
def test_no_tags_clears_the_field_and_no_reason_leaves_it(org, big, bulk):
    """The last tag could never be taken away: an empty CSV cell means 'leave it'."""
    org = big if bulk else org
    destination = org.tags()
    destination.ensure(CONTACT, OPTIONS)
    members = (
        [org.id("Contact", f"b{n:05d}") for n in range(201)] if bulk else [org.id("Contact", "c1")]
    )
    destination.apply(CONTACT, [tag(one, "vip", reason="first") for one in members])
    destination.apply(CONTACT, [tag(one, reason=None) for one in members])

    assert set(destination.read(CONTACT, members).values()) == {TagValue((), "first")}


@pytest.mark.fault(4)
def test_each_row_of_a_collection_gets_its_own_verdict(org, tags):
    """A refused row would hide its neighbours, or hide behind them."""
    first, second, lost = (org.id("Contact", one) for one in ("c1", "c2", "c3"))
    org.sandbox.set(refuse={second: "FIELD_CUSTOM_VALIDATION_EXCEPTION"})
    receipts = tags.apply(CONTACT, [tag(one, "vip") for one in (lost, first, second)])

    assert [(one.member, one.verdict) for one in receipts] == [
        (lost, "rejected"),
        (first, "confirmed"),
        (second, "rejected"),
    ]
    assert [one.reason for one in receipts] == [
        "ENTITY_IS_DELETED",
        None,
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
    ]
    assert [one["member"] for one in writes(org)] == [first]


@pytest.mark.fault(6)
def test_a_locked_account_asks_for_another_try(org, tags):
    """A lock would be booked as a lasting refusal."""
    member = org.id("Contact", "c1")
    org.sandbox.set(locks={org.id("Account", "a1"): 1})
    verdicts = [tags.apply(CONTACT, [tag(member, "vip")])[0].verdict for _ in range(2)]

    assert verdicts == ["retry", "confirmed"]


def test_a_hidden_field_is_rejected_by_code_and_name(org, tags):
    """A missing permission would be retried for ever."""
    org.sandbox.set(hidden=["Contact.Audiencehub_Reason__c"])
    receipt = tags.apply(CONTACT, [tag(org.id("Contact", "c1"), "vip")])[0]

    assert receipt.verdict == "rejected"
    assert receipt.reason == "INVALID_FIELD_FOR_INSERT_UPDATE: Audiencehub_Reason__c"


def test_a_bulk_job_confirms_each_row_in_order(big, many):
    """Result files keep no order: verdicts would land on other people."""
    destination, members = many
    changes = [tag(one, "vip", f"s{n}") for n, one in enumerate(members)]
    receipts = destination.apply(CONTACT, changes)

    assert [one.member for one in receipts] == members
    assert {one.verdict for one in receipts} == {"confirmed"}
    assert all(one.proof and one.member in one.proof for one in receipts)
    assert destination.read(CONTACT, members)[members[7]].tags == ("s7", "vip")
    assert len(writes(big)) == 400


@pytest.mark.parametrize("kind", ["text/csv", "text/csv; charset=UTF-8"])
def test_reasons_survive_bulk_with_and_without_charset(big, many, kind):
    """Umlauts and line breaks in result files would break the matching of rows."""
    destination, members = many
    big.sandbox.set(csv_type=kind)
    text = 'Umsatz ≥ 1 Mio. €,\n"Käufer"; #1'
    receipts = destination.apply(CONTACT, [tag(one, "vip", reason=text) for one in members])

    assert {one.verdict for one in receipts} == {"confirmed"}
    assert {one.reason for one in destination.read(CONTACT, members).values()} == {text}


@pytest.mark.fault(4)
def test_failed_and_unprocessed_rows_of_a_job_are_told_apart(big, many):
    """JobComplete, or Failed, would be taken for the verdict of every row."""
    destination, members = many
    big.sandbox.set(
        refuse={members[3]: "INVALID_EMAIL_ADDRESS"}, stop_after=300, locks={members[5]: 1}
    )
    receipts = {
        one.member: one for one in destination.apply(CONTACT, [tag(one, "vip") for one in members])
    }

    assert receipts[members[3]].verdict == "rejected"
    assert receipts[members[5]].reason == "UNABLE_TO_LOCK_ROW"
    assert receipts[members[5]].verdict == "retry"
    assert [receipts[one].verdict for one in members[300:]] == ["retry"] * 100
    assert sum(one.verdict == "confirmed" for one in receipts.values()) == 298


@pytest.mark.fault(4)
def test_result_files_that_do_not_add_up_confirm_nothing(big, many):
    """A row that no file mentions would be believed written."""
    destination, members = many
    big.sandbox.set(lose_rows=[members[0]])
    receipts = destination.apply(CONTACT, [tag(one, "vip") for one in members])

    assert {one.verdict for one in receipts} == {"unknown"}
    assert len(receipts) == 400


@pytest.mark.fault(4)
def test_a_job_that_counts_otherwise_than_its_files_confirms_nothing(big, many):
    """The vendor's own count of failures would be ignored."""
    destination, members = many
    faults(
        big,
        {
            "path": "/jobs/ingest/75",
            "method": "GET",
            "times": 2,
            "set_json": {"numberRecordsFailed": 5},
        },
    )
    receipts = destination.apply(CONTACT, [tag(one, "vip") for one in members])

    assert {one.verdict for one in receipts} == {"unknown"}


def test_a_verdict_about_another_record_confirms_nothing(org, tags):
    """Verdicts in another order than the rows would be booked on the wrong people."""
    other = [{"id": org.id("Contact", "c2"), "success": True, "errors": []}]
    faults(org, {"path": "/composite/sobjects", "status": 200, "body": other})
    receipt = tags.apply(CONTACT, [tag(org.id("Contact", "c1"), "vip")])[0]

    assert receipt.verdict == "unknown"


def test_a_job_refused_for_its_field_stops(big, many):
    """Thousands of rows would be tried again although a person must act."""
    destination, members = many
    big.sandbox.set(hidden=["Contact.Audiencehub_Segments__c"])

    with pytest.raises(Stop, match="tag field"):
        destination.apply(CONTACT, [tag(one, "vip") for one in members])
    assert writes(big) == []


@pytest.mark.parametrize(
    "fault",
    [
        {"path": "/jobs/ingest/", "method": "PATCH", "status": 504, "after_apply": True},
        {"path": "/jobs/ingest/", "method": "PATCH", "hang_up": True, "after_apply": True},
        {"path": "successfulResults", "status": 404, "body": [{"errorCode": "NOT_FOUND"}]},
        {"path": "failedResults", "truncate": 4},
        {"path": "unprocessedrecords", "content_type": "text/html", "times": 9},
    ],
)
@pytest.mark.fault(2)
def test_a_job_whose_end_is_not_seen_is_unknown(big, many, fault):
    """A closed job may have been applied: neither success nor failure may be booked."""
    destination, members = many
    faults(big, fault)

    with pytest.raises(OutcomeUnknown):
        destination.apply(CONTACT, [tag(one, "vip") for one in members])


def test_nothing_is_applied_before_a_job_is_closed(big, many):
    """A refused upload would leave its outcome in doubt."""
    destination, members = many
    faults(
        big,
        {
            "path": "/batches",
            "status": 403,
            "body": [
                {"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}
            ],
        },
    )

    with pytest.raises(Wait):
        destination.apply(CONTACT, [tag(one, "vip") for one in members])
    assert writes(big) == []


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 504, "after_apply": True},
        {"hang_up": True, "after_apply": True},
        {"truncate": 9},
        {"cut": True},
        {"content_type": "text/html"},
    ],
)
@pytest.mark.fault(2)
def test_a_collection_without_a_readable_answer_is_unknown(org, tags, fault):
    """The write may have happened; it must be settled by reading back."""
    faults(org, {"path": "/composite/sobjects", **fault})
    member = org.id("Contact", "c1")

    with pytest.raises(OutcomeUnknown):
        tags.apply(CONTACT, [tag(member, "vip")])
    assert tags.read(CONTACT, [member])[member].tags == ("vip",)
    assert len(writes(org)) == 1


@pytest.mark.fault(8)
def test_a_session_that_dies_in_a_job_is_renewed(big, many):
    """A token's end between upload and results would lose every verdict."""
    destination, members = many
    big.sandbox.set(expire_after=3)
    receipts = destination.apply(CONTACT, [tag(one, "vip") for one in members])

    assert {one.verdict for one in receipts} == {"confirmed"}
    assert len(writes(big)) == 400


@pytest.mark.fault(8)
def test_a_session_that_cannot_be_renewed_stops(org):
    """A ready session id that has ended would be tried for ever."""
    org.sandbox.options["session_id"] = "another"

    with pytest.raises(Stop, match="expired"):
        org.tags(auth="session").check()


def test_a_wrong_secret_leaves_one_instruction(org, caplog):
    """A wrong password would end in a traceback, or be shown."""
    org.sandbox.options["consumer_secret"] = "something-else"
    caplog.set_level(logging.DEBUG)

    with pytest.raises(Stop, match="invalid_client") as caught:
        org.tags().check()
    assert "consumer_secret" in caught.value.hint
    assert "sandbox-consumer_secret" not in str(caught.value) + caplog.text


def test_nothing_personal_reaches_log_or_message(org, tags, caplog):
    """Names and addresses of customers would stand in log files."""
    caplog.set_level(logging.DEBUG)
    org.sandbox.set(hidden=["Contact.Email"])
    org.pull("lead")
    tags.apply(CONTACT, [tag(org.id("Contact", "c1"), "vip", reason="Jörg asked")])

    assert "mueller" not in caplog.text
    assert "Jörg" not in caplog.text


def test_deleted_and_unknown_records_are_absent_when_read(org, tags):
    """A record that is gone would be believed to hold no tags."""
    known, gone = org.id("Contact", "c1"), org.id("Contact", "c3")
    odd = ["003000000000000AAA", "no id' OR Id != '"]

    assert set(tags.read(CONTACT, [known, gone, *odd])) == {known}


def test_ids_of_15_characters_answer_under_their_own_name(org, tags):
    """A member given in the short form would look absent."""
    short = org.id("Contact", "c1")[:15]

    assert set(tags.read(CONTACT, [short])) == {short}


def test_the_way_out_depends_on_how_many_changes(org):
    """Bulk for a handful wastes calls, Collections for thousands even more."""
    destination = org.tags()

    assert destination.batch_size(CONTACT, 2000) == 200
    assert destination.batch_size(CONTACT, 2001) == 10_000
    assert destination.calls(CONTACT, 1) == 1
    assert destination.calls(CONTACT, 2000) == 10
    assert destination.calls(CONTACT, 25_000) == 30


def test_a_semicolon_in_a_tag_is_refused(org):
    """One segment would arrive as two."""
    with pytest.raises(ConfigError, match="semicolon"):
        org.tags().ensure(CONTACT, [TagOption("a;b", "A")])


def test_quota_follows_the_replies(org, tags):
    """A plan could not say what it costs of what is left."""
    before = tags.quota().remaining
    tags.check()

    assert tags.quota().remaining == before - 1


def test_a_closed_job_is_done_although_nobody_looks(big, many):
    """A hub killed after closing a job would find the org as if it had never asked."""
    destination, members = many
    faults(big, {"path": "/jobs/ingest/75", "method": "GET", "status": 404, "times": 9})
    with pytest.raises(OutcomeUnknown):
        destination.apply(CONTACT, [tag(one, "left_alone") for one in members])

    assert {one.tags for one in destination.read(CONTACT, members).values()} == {("left_alone",)}


def test_a_restarted_fake_still_holds_what_was_pushed(tmp_path):
    """The second day of the demo would start from an org without tags."""
    path = tmp_path / "org.sqlite"
    store = Store(path)
    first = SalesforceSandbox(store, SandboxClock(store))
    first.seed(Company("Acme Analytics", 0, START))
    made = first.records.create("Contact", {"LastName": "Ōyama"})
    first.store.close()
    again = Store(path)
    seen = SalesforceSandbox(again, SandboxClock(again)).store.table("Contact")

    assert seen[made]["LastName"] == "Ōyama"


@pytest.mark.parametrize(
    "wrong",
    [
        {"domian": "acme.my"},
        {"domain": "acme my"},
        {"api_version": "v62"},
        {"auth": "password"},
        {"segments_field": "x; DELETE"},
        {"fields": {"contact": {"not a field": "X__c"}}},
    ],
)
def test_wrong_options_are_refused(wrong):
    """A misspelt option would be ignored."""
    with pytest.raises(ValueError, match="validation error"):
        SalesforceOptions.model_validate(wrong)


@given(st.text(), st.lists(st.text(), max_size=3))
def test_no_reply_text_ever_becomes_a_confirmation(code, fields):
    """A strange error code would pass for success, or carry text of the vendor's."""
    receipt = refused("003", code, fields)

    assert receipt.verdict in ("rejected", "retry")
    assert receipt.reason.isascii()


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sets(st.sampled_from(["vip", "in_market", "churn", "größe"])),
    st.one_of(st.none(), st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1)),
)
def test_what_is_written_is_what_is_read(org, names, reason):
    """The plan would compare its desired state with something else than what stands there."""
    destination, member = org.tags(), org.id("Contact", "c1")
    destination.ensure(CONTACT, OPTIONS)
    before = destination.read(CONTACT, [member])[member].reason
    destination.apply(CONTACT, [tag(member, *names, reason=reason)])

    assert destination.read(CONTACT, [member])[member] == TagValue(
        tuple(sorted(names)), before if reason is None else reason
    )
