"""Campaigns: whose they are, who is a member, and what a verdict on a row says of a person."""

from __future__ import annotations

import pytest

from audiencehub.connector import Capabilities
from audiencehub.errors import OutcomeUnknown, Stop, Wait
from audiencehub.model import Change, Figures, Need, Target
from audiencehub.sandbox.faults import Fault
from connectors.salesforce import campaigns, members

TARGET = Target("salesforce", "list", "vip", label="Größte Kunden 100% 'EMEA'")


def made(org, target=TARGET, **options):
    remote = org.tags(**options).ensure(target, ())
    return Target(target.destination, "list", target.place, dict(remote), target.label)


def change(*people, op="add"):
    return [Change(f"p{n}", op, identifiers={"records": ids}) for n, ids in enumerate(people)]


def rows(org, target):
    return [
        one
        for one in org.sandbox.store.table("CampaignMember").values()
        if one["CampaignId"] == target.remote["campaign_id"] and not one["IsDeleted"]
    ]


def on(org, target):
    return sorted(one["ContactId"] or one["LeadId"] for one in rows(org, target))


def fault(org, **what):
    org.sandbox.faults.add(Fault(**what))


@pytest.fixture
def c1(org):
    return org.id("Contact", "c1")


@pytest.fixture
def c2(org):
    return org.id("Contact", "c2")


@pytest.fixture
def l1(org):
    return org.id("Lead", "l1")


def test_contacts_and_leads_come_and_go(org, c1, c2, l1):
    """Somebody who is contact and lead must be taken out as both."""
    target = made(org)
    receipts = org.tags().apply(target, change(f"{c1},{l1}", c2))
    assert [one.verdict for one in receipts] == ["confirmed"] * 2
    assert on(org, target) == sorted([c1, c2, l1])
    assert org.tags().figures(target) == Figures("ready", (3, 3))

    org.tags().apply(target, change(f"{c1},{l1}", op="remove"))
    assert on(org, target) == [c2]
    assert org.tags().figures(target).size == (1, 1)


def test_who_is_a_member_already_is_confirmed(org, c1):
    """Salesforce says DUPLICATE_VALUE; taken for a refusal, nobody there would stay believed."""
    target = made(org)
    for _ in range(2):
        (receipt,) = org.tags().apply(target, change(c1))
        assert receipt.verdict == "confirmed"
    assert "DUPLICATE_VALUE" in receipt.proof
    assert len(rows(org, target)) == 1


def test_who_left_and_comes_back_is_there_again(org, c1):
    """The deleted row in the recycle bin is not the new one."""
    target = made(org)
    for op in ("add", "remove", "add"):
        org.tags().apply(target, change(c1, op=op))
    assert on(org, target) == [c1]


def test_a_campaign_made_by_hand_is_never_taken_over(org, c1):
    """Marketing's own campaign of that name would be filled, and emptied."""
    own = org.sandbox.records.create("Campaign", {"Name": TARGET.label})
    target = made(org)
    org.tags().apply(target, change(c1))
    assert target.remote["campaign_id"] != own
    assert made(org).remote == target.remote, "and ours is found again"


def test_two_hubs_and_two_segments_have_campaigns_of_their_own(org):
    """Two hubs that share a campaign take each other's people out."""
    second = Target("salesforce", "list", "churn", label=TARGET.label)
    ids = {
        made(org, target, namespace=name).remote["campaign_id"]
        for target in (TARGET, second)
        for name in ("audiencehub", "emea")
    }
    assert len(ids) == 4


def test_a_long_label_leaves_room_for_the_mark(org):
    """A name of more than 80 characters is refused, and one without its mark is never found."""
    target = Target("salesforce", "list", "long", label="ß" * 120)
    known = made(org, target).remote["campaign_id"]
    name = org.sandbox.store.table("Campaign")[known]["Name"]
    assert len(name) <= 80 and name.endswith("]")
    assert made(org, target).remote["campaign_id"] == known


def test_a_deleted_campaign_is_not_made_again(org, c1):
    """Whoever deleted it meant it; and its deletion must not count as everybody's refusal."""
    target = made(org)
    org.sandbox.records.delete("Campaign", target.remote["campaign_id"])
    before = len(org.sandbox.store.table("Campaign"))
    for act in (
        lambda: org.tags().ensure(target, ()),
        lambda: org.tags().apply(target, change(c1)),
    ):
        with pytest.raises(Stop, match="does not exist") as caught:
            act()
        assert "recycle bin" in caught.value.hint
    assert org.tags().figures(target) == Figures("gone")
    assert len(org.sandbox.store.table("Campaign")) == before


def test_without_the_marketing_user_feature_the_hint_says_so(org):
    """The most common reason why an integration user makes no campaign."""
    org.sandbox.set(marketing_user=False)
    with pytest.raises(Stop, match="INSUFFICIENT_ACCESS") as caught:
        org.tags().ensure(TARGET, ())
    assert "Marketing User" in caught.value.hint


def test_a_deleted_contact_and_a_converted_lead_are_refused(org, c1, l1):
    """Neither can be a member; a person with another record that can is one, and believed to be,
    so that somebody will take them out again."""
    org.sandbox.store.table("Lead")[l1] |= {"IsConverted": True}
    gone = org.id("Lead", "l2")
    target = made(org)

    converted, deleted, both = org.tags().apply(target, change(l1, gone, f"{c1},{l1}"))

    assert converted.reason == "CANNOT_UPDATE_CONVERTED_LEAD"
    assert deleted.reason == "ENTITY_IS_DELETED"
    assert (converted.verdict, deleted.verdict, both.verdict) == (
        "rejected", "rejected", "confirmed",
    )  # fmt: skip
    assert on(org, target) == [c1]


def test_a_lead_that_was_converted_since_is_taken_out(org, c1, l1):
    """Its row then names the contact, too; looked for by one of them alone it would stay."""
    target = made(org)
    org.tags().apply(target, change(l1))
    (row,) = rows(org, target)
    org.sandbox.store.table("CampaignMember")[row["Id"]] = {**row, "ContactId": c1}
    (receipt,) = org.tags().apply(target, change(l1, op="remove"))
    assert receipt.verdict == "confirmed" and rows(org, target) == []


def test_a_locked_row_is_tried_again_and_half_a_person_is_in_doubt(org, c1, c2, l1):
    """A person of whom one row is there and the other locked is neither in nor out."""
    target = made(org)
    org.sandbox.set(locks={c2: 1, l1: 1})
    locked, half = org.tags().apply(target, change(c2, f"{c1},{l1}"))
    assert (locked.verdict, locked.reason) == ("retry", "UNABLE_TO_LOCK_ROW")
    assert (half.verdict, half.reason) == ("unknown", "PARTLY: UNABLE_TO_LOCK_ROW")
    again = org.tags().apply(target, change(c2, f"{c1},{l1}"))
    assert {one.verdict for one in again} == {"confirmed"}


def test_a_row_that_cannot_be_deleted_keeps_its_person_believed(org, c1, c2):
    """Confirmed, a member who is still there would be forgotten."""
    target = made(org)
    org.tags().apply(target, change(c1, c2))
    kept = next(one["Id"] for one in rows(org, target) if one["ContactId"] == c1)
    org.sandbox.set(refuse={kept: "DELETE_FAILED"})
    refused, done = org.tags().apply(target, change(c1, c2, op="remove"))
    assert (refused.verdict, refused.reason) == ("rejected", "DELETE_FAILED")
    assert done.verdict == "confirmed" and on(org, target) == [c1]


def test_a_row_deleted_by_somebody_else_meanwhile_is_removed(org, c1):
    """Between the look and the delete somebody may have been faster."""
    target = made(org)
    org.tags().apply(target, change(c1))
    fault(
        org,
        method="DELETE",
        path="/composite/sobjects",
        status=200,
        body=[{"success": False, "errors": [{"statusCode": "ENTITY_IS_DELETED", "fields": []}]}],
    )
    (receipt,) = org.tags().apply(target, change(c1, op="remove"))
    assert receipt.verdict == "confirmed"


def test_what_is_no_contact_or_lead_never_leaves(org, c1):
    """An account's id in the list of rows would be refused row by row, or worse, taken."""
    target = made(org)
    account = org.id("Account", "a1")
    changes = [*change(c1, account, "171591000199", ""), Change("p9", "set")]
    receipts = org.tags().apply(target, changes)
    assert [one.reason and one.reason.partition(":")[0] for one in receipts] == [
        None, "malformed", "malformed", "no_identifier", "wrong_op",
    ]  # fmt: skip


def test_each_call_has_two_hundred_rows_and_its_own_faults(big):
    """A person's two records stay together, and a lost answer costs its own call alone."""
    ids = [big.id("Contact", f"b{n:05d}") for n in range(301)]
    people = [f"{ids[0]},{ids[1]}", *ids[2:]]
    target = made(big)
    before = len(big.sandbox.requests)
    fault(big, method="POST", path="/composite/sobjects", skip=1, hang_up=True, after_apply=True)

    receipts = big.tags().apply(target, change(*people))

    posted = [one for one in big.sandbox.requests[before:] if "composite" in one["path"]]
    assert len(posted) == 2
    assert [one.verdict for one in receipts] == ["confirmed"] * 199 + ["unknown"] * 101
    assert len(rows(big, target)) == 301
    gone = big.tags().apply(target, change(*people, op="remove"))
    assert {one.verdict for one in gone} == {"confirmed"} and rows(big, target) == []


def test_a_look_that_fails_means_that_nothing_was_removed(org, c1):
    """The courier knows Wait, and would end the run at an answer that is cut off."""
    target = made(org)
    org.tags().apply(target, change(c1))
    fault(org, path="/query", times=9, status=200, body={"totalSize": 1, "records": []})
    with pytest.raises(Wait):
        org.tags().apply(target, change(c1, op="remove"))
    org.sandbox.faults.clear()
    assert on(org, target) == [c1]


@pytest.mark.parametrize(
    "reply",
    [[], [{"success": True, "id": "00v5e0000000001AAA"}] * 2, {"success": True}],
)
def test_another_number_of_verdicts_proves_nothing(org, c1, reply):
    """Nobody can say whose they are."""
    target = made(org)
    fault(org, method="POST", path="/composite/sobjects", status=200, body=reply)
    with pytest.raises(OutcomeUnknown):
        org.tags().apply(target, change(c1))


@pytest.mark.parametrize(
    "verdict",
    [{}, {"success": "yes"}, {"success": True}, "ok", {"success": False, "errors": ["x"]}],
)
def test_a_verdict_that_cannot_be_read_is_none(org, c1, verdict):
    """A row is believed only on an id."""
    target = made(org)
    fault(org, method="POST", path="/composite/sobjects", status=200, body=[verdict])
    (receipt,) = org.tags().apply(target, change(c1))
    assert receipt.verdict == "unknown"


def test_what_segments_wrote_is_not_read_as_what_people_did(org, c1):
    """Read back as events of marketing, a segment's own members would feed engagement rules, and
    through them the segment."""
    before = org.rows("campaign_member", org.pull("campaign_member"))
    target = made(org)
    org.tags().apply(target, change(c1))
    after = org.rows("campaign_member", org.pull("campaign_member"))
    assert after == before and len(rows(org, target)) == 1


def test_campaigns_ask_for_consent_to_email_marketing(org):
    """A campaign is mailed to; tags need no consent."""
    can: Capabilities = org.tags().can
    assert (can.need, can.identifiers) == (Need("marketing", "email"), ("records",))
    assert can.record_kinds == ("contact", "lead") and not can.mixed and can.counts
    assert (campaigns.ROWS, members.MOST_DELETED) == (200, 200)


def test_the_calls_of_a_campaign_are_foretold(org, c1, c2, l1):
    """A budget that is too low stops a push in the middle."""
    destination = org.tags()
    before = len(org.sandbox.requests)
    target = Target("salesforce", "list", "vip", dict(destination.ensure(TARGET, ())))
    assert len(org.sandbox.requests) - before <= destination.setting_up(TARGET)
    people = change(f"{c1},{l1}", c2)
    for op in ("add", "remove"):
        before = len(org.sandbox.requests)
        destination.apply(target, [Change(o.member, op, identifiers=o.identifiers) for o in people])
        assert len(org.sandbox.requests) - before <= destination.calls(target, 2)
    assert destination.calls(target, 401) == 9 and destination.reading(target, 400) == 0
