"""Static lists: whose they are, who is on them, and what HubSpot's replies prove."""

from __future__ import annotations

import hubspot
import pytest
from hubspot.crm.lists import ListCreateRequest, ListSearchRequest

from audiencehub.connector import Capabilities
from audiencehub.errors import BatchRefused, OutcomeUnknown, Stop
from audiencehub.model import Change, Figures, Need, Target
from connectors.hubspot import lists

TARGET = Target("hubspot", "list", "vip", label="Größte Kunden / EMEA")
VERSIONS = ["v3", "2026-03", "2026-09"]


def made(destination, target=TARGET):
    return Target(
        target.destination,
        "list",
        target.place,
        dict(destination.ensure(target, ())),
        target.label,
    )


def add(*people, op="add"):
    return [Change(f"p{n}", op, identifiers={"records": ids}) for n, ids in enumerate(people)]


def on(portal, target):
    return sorted(portal.sandbox.store.table(f"members:{target.remote['list_id']}"), key=int)


@pytest.mark.parametrize("version", VERSIONS)
def test_people_come_and_go_by_every_path_family(portal, version):
    """HubSpot ends the numbered paths; a list kept by them would stand still."""
    portal.contacts(4)
    destination = portal.destination(version=version)
    target = made(destination)

    receipts = destination.apply(target, add("1,2", "3"))
    destination.apply(target, add("3", op="remove"))

    assert [one.verdict for one in receipts] == ["confirmed"] * 2
    assert on(portal, target) == ["1", "2"]
    assert destination.figures(target) == Figures("ready", (2, 2))


def test_a_list_made_by_hand_is_never_taken_over(portal):
    """Whoever has a list of that name would find people on it, and theirs gone."""
    portal.contacts(2)
    client = hubspot.HubSpot(access_token="sandbox-token", host=portal.url, base_url=portal.url)
    own = client.crm.lists.lists_api.create(
        ListCreateRequest(name=TARGET.label, object_type_id="0-1", processing_type="MANUAL")
    ).list

    target = made(portal.destination())
    portal.destination().apply(target, add("1"))

    assert target.remote["list_id"] != own.list_id
    found = client.crm.lists.lists_api.do_search(
        ListSearchRequest(
            query="größte", offset=0, count=10, list_ids=[], additional_properties=[],
            processing_types=[],
        )
    ).lists  # fmt: skip
    assert found[0].name == TARGET.label
    assert found[1].name.startswith(TARGET.label + " [ah:")
    assert found[0].additional_properties["hs_list_size"] == "0"


def test_a_list_that_the_search_does_not_know_yet_is_found_by_its_name(open_portal):
    """A run that dies after making the list must not leave one more behind each time."""
    portal = open_portal(blind_list_search=True)
    first, again = made(portal.destination()), made(portal.destination())

    assert first.remote == again.remote
    assert len(portal.sandbox.store.table("lists")) == 1


def test_a_list_is_found_under_another_label(portal):
    """A segment that was given a new label after the ledger was lost would have two lists."""
    first = made(portal.destination())
    other = Target("hubspot", "list", "vip", label="Something else")
    assert made(portal.destination(), other).remote == first.remote


def test_two_hubs_and_two_segments_have_lists_of_their_own(portal):
    """Two hubs that share a list take each other's people out."""
    one, other = portal.destination(), portal.destination(namespace="emea")
    second = Target("hubspot", "list", "churn", label=TARGET.label)
    ids = {made(d, t).remote["list_id"] for d in (one, other) for t in (TARGET, second)}
    assert len(ids) == 4


def test_a_list_deleted_by_hand_is_not_made_again(portal):
    """Somebody deleted it on purpose; a new one each hour would undo that."""
    portal.contacts(1)
    destination = portal.destination()
    target = made(destination)
    del portal.sandbox.store.table("lists")[target.remote["list_id"]]

    for act in (
        lambda: destination.ensure(target, ()),
        lambda: destination.apply(target, add("1")),
    ):
        with pytest.raises(Stop, match="does not exist") as caught:
            act()
        assert "Restore" in caught.value.hint
    assert destination.figures(target) == Figures("gone")
    assert not portal.sandbox.store.table("lists")


def test_somebody_is_there_with_the_records_that_are_left(portal):
    """A person refused for one deleted record of two would be on the list and not believed to be:
    nobody would take them out when they leave."""
    portal.contacts(2)
    destination = portal.destination()
    target = made(destination)

    both, gone = destination.apply(target, add("1,77", "88,99"))

    assert (both.verdict, gone.verdict) == ("confirmed", "rejected")
    assert gone.reason.startswith("OBJECT_NOT_FOUND")
    assert on(portal, target) == ["1"]
    (removed,) = destination.apply(target, add("1,77", op="remove"))
    assert removed.verdict == "confirmed" and on(portal, target) == []


def test_a_record_that_is_gone_is_removed_already(portal):
    """A removal that is refused because there is nobody would be tried for ever."""
    target = made(portal.destination())
    (receipt,) = portal.destination().apply(target, add("77", op="remove"))
    assert receipt.verdict == "confirmed"


def test_a_deleted_contact_counts_no_more(portal):
    """The size that is shown would never come down."""
    portal.contacts(2)
    destination = portal.destination()
    target = made(destination)
    destination.apply(target, add("1", "2"))
    portal.sandbox.records.archive("contacts", "2")
    assert destination.figures(target).size == (1, 1)


def test_what_is_no_record_never_leaves(portal):
    """A value in the address or body that HubSpot cannot read costs the whole batch."""
    portal.contacts(1)
    destination = portal.destination()
    target = made(destination)
    changes = [*add("1", "00Q5e00001AAAA", ""), Change("p9", "set")]

    receipts = destination.apply(target, changes)

    assert [one.verdict for one in receipts] == ["confirmed", *["rejected"] * 3]
    assert [one.reason.partition(":")[0] for one in receipts[1:]] == [
        "malformed", "no_identifier", "wrong_op",
    ]  # fmt: skip


def test_many_records_go_in_several_calls_and_each_fault_costs_its_own(portal, monkeypatch):
    """The second call's lost answer must not unsay the first, nor be taken for success."""
    monkeypatch.setattr(lists, "MOST_IDS", 3)
    portal.contacts(6)
    destination = portal.destination()
    target = made(destination)
    portal.fault(path="/memberships/add", skip=1, hang_up=True, after_apply=True)

    receipts = destination.apply(target, add("1,2", "3", "4,5", "6"))

    assert [one.verdict for one in receipts] == ["confirmed"] * 2 + ["unknown"] * 2
    assert on(portal, target) == list("123456")


@pytest.mark.parametrize(
    "reply",
    [
        {"recordsIdsAdded": ["1", "12345"], "recordIdsMissing": []},
        {"recordsIdsAdded": "all"},
        {"status": "ok"},
        ["1"],
    ],
)
def test_a_reply_about_something_else_proves_nothing(portal, reply):
    """Verdicts of another request, or none, would be believed of these people."""
    portal.contacts(1)
    destination = portal.destination()
    target = made(destination)
    portal.fault(path="/memberships/add", status=200, body=reply)
    with pytest.raises(OutcomeUnknown):
        destination.apply(target, add("1"))


def test_a_refused_call_is_tried_in_smaller_ones(portal):
    """One row that HubSpot chokes on must not keep thousands from the list."""
    portal.contacts(1)
    destination = portal.destination()
    target = made(destination)
    portal.fault(path="/memberships/add", status=400, body={"category": "VALIDATION_ERROR"})
    with pytest.raises(BatchRefused, match="VALIDATION_ERROR"):
        destination.apply(target, add("1"))


def test_a_key_that_may_not_write_lists_stops(open_portal):
    """Keys made for tags alone lack the two scopes of lists."""
    portal = open_portal(missing_scopes=["crm.lists.write"])
    with pytest.raises(Stop, match="permission"):
        portal.destination().ensure(TARGET, ())


def test_an_account_that_makes_no_more_lists_says_so(portal):
    """A plan's limit of static lists looks like any refusal; the hint tells where to look."""
    portal.fault(method="POST", path="/lists/2026-03", skip=1, status=400, body={})
    with pytest.raises(Stop, match="makes no list") as caught:
        portal.destination().ensure(TARGET, ())
    assert "Usage" in caught.value.hint


def test_lists_ask_for_consent_to_email_marketing(portal):
    """Static lists are what HubSpot sends marketing mail to; tags need no consent."""
    can: Capabilities = portal.destination().can
    assert (can.need, can.identifiers) == (Need("marketing", "email"), ("records",))
    assert can.record_kinds == ("contact",) and not can.mixed and can.counts


def test_the_calls_of_a_list_are_foretold(portal):
    """A budget that counts a hundred people a call would hold every larger list."""
    portal.contacts(3)
    destination = portal.destination()
    portal.sandbox.requests.clear()
    target = made(destination)
    assert len(portal.sandbox.requests) <= destination.setting_up(TARGET)
    assert destination.calls(target, 12_000) == 3
    portal.sandbox.requests.clear()
    destination.apply(target, add("1", "2", "3"))
    assert len(portal.sandbox.requests) == destination.calls(target, 3)
