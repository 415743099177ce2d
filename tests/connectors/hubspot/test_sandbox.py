"""The fake itself: it must be at least as strict as HubSpot, or tests on it prove nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import requests

from audiencehub.sandbox.clock import START, SandboxClock
from audiencehub.sandbox.company import generate, tomorrow
from audiencehub.sandbox.company.records import ConsentEntry
from audiencehub.sandbox.store import Store
from connectors.hubspot.sandbox import HubSpotSandbox
from connectors.hubspot.sandbox.seed import record_id

from .conftest import CONTACT_TAGS, OPTIONS, company, ids, pull, rows, tag

AUTH = {"Authorization": "Bearer sandbox-token"}


def call(portal, method, path, body=None, **more):
    return requests.request(method, portal.url + path, json=body, headers=AUTH, timeout=10, **more)


def test_both_spellings_answer_alike(open_portal):
    """A fake that knows one spelling only would let a wrong path table pass."""
    portal = open_portal(company())
    numbered = call(portal, "GET", "/crm/v3/objects/contacts?properties=email,city")

    for version in ("2026-03", "2026-09"):
        dated = call(portal, "GET", f"/crm/objects/{version}/0-1?properties=email&properties=city")
        assert dated.json() == numbered.json() and dated.status_code == 200
    assert call(portal, "GET", "/crm/objects/2025-01/contacts").status_code == 404


@pytest.mark.parametrize(
    "token, status, category",
    [
        ("wrong", 401, "INVALID_AUTHENTICATION"),
        ("sandbox-token", 403, "MISSING_SCOPES"),
    ],
)
def test_bad_keys_and_missing_scopes_have_bodies(open_portal, token, status, category):
    """`doctor` tells the two apart by these bodies."""
    portal = open_portal(missing_scopes=["crm.objects.contacts.read"])

    reply = requests.get(
        f"{portal.url}/crm/v3/objects/contacts",
        headers={"Authorization": f"Bearer {token}"},
        timeout=5,
    )

    assert (reply.status_code, reply.json()["category"]) == (status, category)


def test_a_long_address_is_414(portal):
    """What drives long property lists through POST."""
    assert (
        call(
            portal, "GET", "/crm/v3/objects/contacts", params={"properties": "x" * 9000}
        ).status_code
        == 414
    )


def test_rate_headers_count_down_and_both_policies_refuse(open_portal):
    """The limits must bite, or the client's obedience is never tried."""
    burst, daily = open_portal(burst_limit=2), open_portal(daily_limit=2)

    replies = [call(burst, "GET", "/crm/v3/objects/contacts") for _ in range(3)]
    last = [call(daily, "GET", "/crm/v3/objects/contacts") for _ in range(3)][-1]
    search = call(daily, "POST", "/crm/v3/objects/deals/search", {})

    assert [r.headers["X-HubSpot-RateLimit-Remaining"] for r in replies[:2]] == ["1", "0"]
    assert replies[2].status_code == 429 and 1 <= int(replies[2].headers["Retry-After"]) <= 11
    assert replies[2].json()["policyName"] == "TEN_SECONDLY_ROLLING"
    assert last.json()["policyName"] == search.json()["policyName"] == "DAILY"
    burst.sandbox.monotonic = lambda: 1e12
    assert call(burst, "GET", "/crm/v3/objects/contacts").status_code == 200


@pytest.mark.parametrize(
    "body, status",
    [
        ({"limit": 201}, 400),
        ({"limit": 200, "after": "9900"}, 400),
        ({"filterGroups": [{"filters": []}] * 6}, 400),
        (
            {
                "filterGroups": [
                    {
                        "filters": [
                            {"propertyName": "lastmodifieddate", "operator": "GTE", "value": "0"}
                        ]
                    }
                ]
            },
            500,
        ),
        (
            {
                "filterGroups": [
                    {"filters": [{"propertyName": "no_such", "operator": "EQ", "value": "0"}]}
                ]
            },
            400,
        ),
        ({"limit": 200, "after": "9800"}, 200),
    ],
    ids=["limit", "wall", "groups", "epoch", "property", "edge"],
)
def test_search_refuses_what_hubspot_refuses(portal, body, status):
    """The walls of search are what the windows exist for."""
    assert call(portal, "POST", "/crm/v3/objects/contacts/search", body).status_code == status


def test_search_speaks_all_operators(portal):
    """Each operator against one page of known values."""
    for number, city in enumerate(["Oslo", "Lyon", None], 1):
        portal.contacts(1, first=number, city=city)

    def found(operator, **value):
        one = {"propertyName": "city", "operator": operator, **value}
        body = {"filterGroups": [{"filters": [one]}], "sorts": ["-hs_object_id"]}
        reply = call(portal, "POST", "/crm/v3/objects/contacts/search", body)
        return [row["id"] for row in reply.json()["results"]]

    assert found("EQ", value="oslo") == ["1"] and found("NEQ", value="oslo") == ["2"]
    assert found("IN", values=["Oslo", "Lyon"]) == ["2", "1"]
    assert found("HAS_PROPERTY") == ["2", "1"] and found("NOT_HAS_PROPERTY") == ["3"]
    assert found("CONTAINS_TOKEN", value="*yo*") == ["2"]
    assert found("BETWEEN", value="m", highValue="z") == ["1"]


def test_batches_create_upsert_and_archive(portal):
    """Other clients use these; the product never creates people."""
    path = "/crm/v3/objects/contacts/batch"
    one = {"properties": {"email": "a@b.example"}}
    made = call(portal, "POST", f"{path}/create", {"inputs": [one]})
    conflict = call(portal, "POST", f"{path}/create", {"inputs": [one]})
    trace = {**one, "objectWriteTraceId": "t"}
    traced = call(portal, "POST", f"{path}/create", {"inputs": [trace]})
    upsert = call(
        portal,
        "POST",
        f"{path}/upsert",
        {
            "inputs": [
                {"id": mail, "idProperty": "email", "properties": {"city": "Oslo"}}
                for mail in ("a@b.example", "c@d.example")
            ]
        },
    )
    id_ = made.json()["results"][0]["id"]
    gone = call(portal, "POST", f"{path}/archive", {"inputs": [{"id": id_}]})

    assert (made.status_code, conflict.status_code, traced.status_code) == (201, 409, 207)
    assert [row["new"] for row in upsert.json()["results"]] == [False, True]
    assert gone.status_code == 204
    assert call(portal, "GET", f"/crm/v3/objects/contacts/{id_}").status_code == 404
    archived = call(portal, "GET", "/crm/v3/objects/contacts?archived=true").json()["results"]
    assert [row["id"] for row in archived] == [id_] and archived[0]["archivedAt"]


def test_a_leading_semicolon_appends(portal):
    """Why the destination never sends one: it would keep tags that should leave."""
    portal.contacts(1)
    portal.destination().ensure(CONTACT_TAGS, OPTIONS)
    for value in ("vip", ";churn_risk"):
        call(
            portal,
            "PATCH",
            "/crm/v3/objects/contacts/1",
            {"properties": {"audiencehub_segments": value}},
        )

    held = portal.sandbox.records.table("contacts")["1"]["properties"]["audiencehub_segments"]
    assert held == "vip;churn_risk"


def test_lists_take_and_drop_members(portal):
    """Static lists are the cheap second way to show a segment."""
    portal.contacts(3)
    made = call(
        portal,
        "POST",
        "/crm/lists/2026-03",
        {"name": "Hub: VIP", "objectTypeId": "0-1", "processingType": "MANUAL"},
    ).json()["list"]
    where = f"/crm/v3/lists/{made['listId']}/memberships"

    added = call(portal, "PUT", f"{where}/add", ["1", "2", "99"]).json()
    changed = call(
        portal,
        "PUT",
        f"{where}/add-and-remove",
        {"recordIdsToAdd": ["3"], "recordIdsToRemove": ["1"]},
    ).json()

    assert added["recordsIdsAdded"] == ["1", "2"] and added["recordIdsMissing"] == ["99"]
    assert changed["recordIdsRemoved"] == ["1"]
    members = call(portal, "GET", where).json()["results"]
    assert [one["recordId"] for one in members] == ["2", "3"]


def test_what_was_written_survives_a_restart(tmp_path):
    """The demo's second day begins with the tags of the first."""
    store = Store(tmp_path / "hubspot.sqlite")
    first = HubSpotSandbox(store, SandboxClock(store))
    first.seed(company())
    record = first.records.table("contacts")[record_id("c000001")]
    first.records.change("contacts", record, {"city": "Genève"})
    store.close()

    again = HubSpotSandbox(Store(tmp_path / "hubspot.sqlite"), first.clock)

    assert again.records.table("contacts")[record["id"]]["properties"]["city"] == "Genève"


def test_two_records_never_share_an_id(open_portal):
    """A fake that merges two people by accident would hide what the product does to them."""
    before = company()
    twin = replace(before.contacts[0], key="x1")

    with pytest.raises(ValueError, match="same HubSpot id"):
        open_portal(replace(before, contacts=(*before.contacts, twin)))


def test_a_day_changes_what_differs_and_keeps_the_tags(open_portal):
    """A fake that rewrote everything, or its tags, would hide that only differences go out."""
    before = company()
    portal = open_portal(before)
    destination = portal.destination()
    destination.ensure(CONTACT_TAGS, OPTIONS)
    alfred, out = record_id("c000001"), record_id("c000002")
    destination.apply(CONTACT_TAGS, [tag(alfred, "vip")])
    source = portal.source()
    cursor = pull(source, "contact")[-1].cursor
    portal.sandbox.clock.set(START + timedelta(days=1), 1)

    people = tuple(
        replace(one, title="CEO", city=None)
        if one.key == "c000001"
        else replace(one, deleted=True)
        if one.key == "c000002"
        else one
        for one in before.contacts
    )
    said = ConsentEntry("alfred@kaese.example", "marketing", "email", "granted", START)
    after = replace(before, day=1, contacts=people, consents=(said,))
    portal.sandbox.advance(before, after)
    found = rows(source, "contact", pull(portal.source(), "contact", cursor))

    contact = {row.source_id: row for row in found if row.table == "contact"}
    assert contact[alfred].values["title"] == "CEO" and contact[out].deleted
    assert [r.values["status"] for r in found if r.table == "consent"] == ["granted"]
    assert destination.read(CONTACT_TAGS, [alfred])[alfred].tags == ("vip",)


def test_the_demo_company_arrives_whole_and_its_next_day_as_changes(open_portal):
    """Seed and day of the shipped company, read by the product: nothing lost, nothing extra."""
    before = generate(20261116, 400, 60)
    after = tomorrow(before, 20261116)
    portal = open_portal(before)
    source = portal.source()
    own = [c for c in before.contacts if c.crm == "hubspot" and not (c.deleted or c.merged_into)]
    pages = {name: pull(source, name) for name in ("contact", "account", "deal", "activity")}
    portal.sandbox.clock.set(after.now, 1)
    portal.sandbox.advance(before, after)
    second = pull(portal.source(), "contact", pages["contact"][-1].cursor)

    assert len(set(ids(pages["contact"]))) == len(own) > 50
    assert len(ids(pages["deal"])) == sum(d.crm == "hubspot" for d in before.deals)
    assert len(ids(pages["activity"])) == sum(a.crm == "hubspot" for a in before.activities)
    was = {c.key: c for c in before.contacts if c.crm == "hubspot"}
    touched = [c for c in after.contacts if c.crm == "hubspot" and was.get(c.key) != c]
    changed = {record_id(c.key) for c in touched if not (c.deleted or c.merged_into)}
    winners = {record_id(c.merged_into) for c in touched if c.merged_into}
    assert changed <= set(ids(second))
    assert set(ids(second)) - changed - winners <= set(ids(pages["contact"]))
    assert len(ids(second)) < len(own) / 2
