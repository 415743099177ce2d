"""Clients that we did not write, unmodified, against the fake."""

from __future__ import annotations

import hubspot
import pytest
from hubspot.crm.contacts import (
    BatchInputSimplePublicObjectBatchInput,
    PublicObjectSearchRequest,
    SimplePublicObjectBatchInput,
)
from hubspot.crm.contacts.exceptions import ApiException
from hubspot.crm.properties import OptionInput, PropertyCreate, PropertyGroupCreate
from hubspot_sdk import BadRequestError
from hubspot_sdk import HubSpot as DatedClient

from .conftest import CONTACT_TAGS, OPTIONS, company, tag

TAG_PROPERTY = {
    "name": "audiencehub_segments",
    "label": "Segments",
    "type": "enumeration",
    "options": [{"value": "vip", "label": "VIP", "hidden": False, "display_order": 0}],
}


def official(portal):
    return hubspot.HubSpot(access_token="sandbox-token", host=portal.url, base_url=portal.url)


def dated(portal):
    return DatedClient(access_token="sandbox-token", base_url=portal.url)


def make_property(client):
    client.crm.properties.groups_api.create(
        "contacts", PropertyGroupCreate(name="audiencehub", label="Audiencehub", display_order=-1)
    )
    return client.crm.properties.core_api.create(
        "contacts",
        PropertyCreate(
            group_name="audiencehub",
            field_type="checkbox",
            form_field=False,
            **{**TAG_PROPERTY, "options": [OptionInput(**o) for o in TAG_PROPERTY["options"]]},
        ),
    )


def test_the_official_client_pages_through_all_contacts(portal):
    """The vendor's own reader must see what our source sees."""
    portal.contacts(231)
    api = official(portal).crm.contacts.basic_api
    seen, after = [], None
    while True:
        page = api.get_page(limit=100, after=after, properties=["email", "city"])
        seen += page.results
        if page.paging is None:
            break
        after = page.paging.next.after

    assert [one.id for one in seen] == [str(n) for n in range(1, 232)]
    assert seen[0].properties["city"] is None and seen[0].created_at.tzinfo is not None


def test_the_official_client_searches_and_meets_the_wall(portal):
    """The fake's search must refuse what HubSpot's refuses, in a body the client can read."""
    portal.contacts(30)
    api = official(portal).crm.contacts.search_api
    request = PublicObjectSearchRequest(
        filter_groups=[
            {
                "filters": [
                    {
                        "propertyName": "lastmodifieddate",
                        "operator": "GTE",
                        "value": "1700000000000",
                    }
                ]
            }
        ],
        sorts=["lastmodifieddate"],
        properties=["email"],
        limit=20,
        after="0",
    )

    found = api.do_search(request)
    request.after = "9990"
    with pytest.raises(ApiException) as caught:
        api.do_search(request)

    assert found.total == 30 and len(found.results) == 20 and found.paging.next.after == "20"
    assert caught.value.status == 400


def test_the_official_client_makes_a_property_and_updates_a_batch_with_207(portal):
    """Property set-up and partial failure are the two shapes the product rests on."""
    portal.contacts(2)
    client = official(portal)

    made = make_property(client)
    reply = client.crm.contacts.batch_api.update(
        BatchInputSimplePublicObjectBatchInput(
            inputs=[
                SimplePublicObjectBatchInput(id=id_, properties={"audiencehub_segments": "vip"})
                for id_ in ("1", "2", "404404")
            ]
        )
    )

    assert made.options[0].value == "vip" and made.modification_metadata.archivable
    assert reply.num_errors == 1 and reply.errors[0].context["ids"] == ["404404"]
    assert [one.properties["audiencehub_segments"] for one in reply.results] == ["vip", "vip"]


def test_the_official_client_reads_an_unknown_option_as_one_400(portal):
    """One bad value refuses the whole batch."""
    portal.contacts(2)
    client = official(portal)
    make_property(client)

    with pytest.raises(ApiException) as caught:
        client.crm.contacts.batch_api.update(
            BatchInputSimplePublicObjectBatchInput(
                inputs=[
                    SimplePublicObjectBatchInput(
                        id="1", properties={"audiencehub_segments": "vip"}
                    ),
                    SimplePublicObjectBatchInput(
                        id="2", properties={"audiencehub_segments": "nope"}
                    ),
                ]
            )
        )

    assert caught.value.status == 400 and "INVALID_OPTION" in caught.value.body
    assert portal.writes() == []


def test_the_dated_client_reads_contacts_links_and_subscriptions(open_portal):
    """A client that we did not choose speaks the dated spelling with the same fake."""
    portal = open_portal(company())
    client = dated(portal)

    people = list(client.crm.objects.contacts.list(limit=1, properties=["email"]))
    links = client.crm.associations.batch.get(
        to_object_type="companies",
        from_object_type="contacts",
        inputs=[{"id": one.id} for one in people],
    )
    said = client.communication_preferences.statuses.batch.read(
        channel="EMAIL", inputs=["out@kaese.example"]
    )

    assert len(people) == 2
    assert {t.association_types[0].label for one in links.results for t in one.to} == {"Primary"}
    assert said.results[0].statuses[0].status == "UNSUBSCRIBED"


def test_the_dated_client_makes_the_property_and_writes_tags_that_we_read(portal):
    """What another client writes is what our destination reads back."""
    portal.contacts(3)
    client = dated(portal)
    client.crm.properties.groups.create(
        object_type="contacts", name="audiencehub", label="Audiencehub"
    )
    client.crm.properties.create(
        object_type="contacts", group_name="audiencehub", field_type="checkbox", **TAG_PROPERTY
    )
    reply = client.crm.objects.contacts.batch.update(
        inputs=[{"id": "1", "properties": {"audiencehub_segments": "vip"}}]
    )
    with pytest.raises(BadRequestError):
        client.crm.objects.contacts.batch.update(
            inputs=[{"id": one, "properties": {"audiencehub_segments": "vip"}} for one in "11"]
        )
    destination = portal.destination()
    destination.ensure(CONTACT_TAGS, OPTIONS)

    assert reply.results[0].id == "1"
    assert destination.read(CONTACT_TAGS, ["1"])["1"].tags == ("vip",)


def test_both_clients_see_the_tags_that_we_write(portal):
    """Sales sees tags through HubSpot's pages, which read the same properties."""
    portal.contacts(1)
    destination = portal.destination()
    destination.ensure(CONTACT_TAGS, OPTIONS)
    destination.apply(CONTACT_TAGS, [tag("1", "vip", reason="vip since 2026-11-16")])

    api = official(portal).crm.contacts.basic_api
    old = api.get_by_id("1", properties=["audiencehub_segments"])
    new = dated(portal).crm.objects.contacts.get("1", properties=["audiencehub_reason"])

    assert old.properties["audiencehub_segments"] == "vip"
    assert new.properties["audiencehub_reason"] == "vip since 2026-11-16"
