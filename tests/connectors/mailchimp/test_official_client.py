"""Mailchimp's own Python client, unmodified, against the fake."""

import mailchimp_marketing
import pytest
from mailchimp_marketing.api_client import ApiClientError

AUDIENCE = "a1b2c3d4e5"
EMAILS = [f"person{n}@acme.example" for n in range(4)]


@pytest.fixture
def client(fake):
    def start(key="sandbox-api_key"):
        made = mailchimp_marketing.Client({"api_key": key, "server": "us6"})
        # The one thing a client has no setting for: where the data centre is.
        made.api_client.host = f"{fake.url}/3.0"
        return made

    return start


def test_tags_through_the_client(client, fake, hashed):
    """If this fails, the fake speaks a Mailchimp of its own."""
    fake.knows(EMAILS[0], status="unsubscribed")
    fake.knows(*EMAILS[1:3])
    lists = client().lists
    tag = lists.create_segment(AUDIENCE, {"name": "VIP", "static_segment": []})
    assert (tag["type"], tag["member_count"]) == ("static", 0)
    done = lists.batch_segment_members({"members_to_add": EMAILS}, AUDIENCE, tag["id"])
    assert (done["total_added"], done["total_removed"], done["error_count"]) == (3, 0, 1)
    assert done["errors"][0]["email_addresses"] == [EMAILS[3]]
    held = lists.get_segment_members_list(AUDIENCE, tag["id"], include_unsubscribed=True)
    assert {one["email_address"] for one in held["members"]} == set(EMAILS[:3])
    assert lists.get_segment_members_list(AUDIENCE, tag["id"])["total_items"] == 2
    contact = lists.get_list_member(AUDIENCE, hashed(EMAILS[0]), fields=["status", "tags"])
    assert contact == {"status": "unsubscribed", "tags": [{"id": tag["id"], "name": "VIP"}]}
    off = {"tags": [{"name": "VIP", "status": "inactive"}]}
    lists.update_list_member_tags(AUDIENCE, hashed(EMAILS[0]), off)
    assert lists.get_list_member_tags(AUDIENCE, hashed(EMAILS[0]))["total_items"] == 0
    assert fake.members(tag["id"]) == EMAILS[1:3]
    named = lists.list_segments(AUDIENCE, type="static", count=100)["segments"]
    assert [one["name"] for one in named] == ["VIP"]
    lists.delete_segment(AUDIENCE, str(tag["id"]))
    assert lists.list_segments(AUDIENCE)["total_items"] == 0
    assert len(fake.consent()) == 3


def test_contacts_through_the_client(client, fake, hashed):
    """If this fails, contacts, or what keeps their status, are not Mailchimp's."""
    lists = client().lists
    rows = [{"email_address": one, "status": "transactional"} for one in EMAILS[:2]]
    made = lists.batch_list_members(AUDIENCE, {"members": rows, "update_existing": False})
    assert (made["total_created"], made["error_count"]) == (2, 0)
    again = lists.batch_list_members(AUDIENCE, {"members": rows[:1], "update_existing": False})
    assert again["errors"][0]["error_code"] == "ERROR_CONTACT_EXISTS"
    put = {"email_address": EMAILS[0], "status_if_new": "subscribed"}
    lists.set_list_member(AUDIENCE, hashed(EMAILS[0]), put)
    assert fake.consent()[EMAILS[0]] == "transactional", "status_if_new touches nobody known"
    put = {"email_address": EMAILS[0], "status": "subscribed"}
    lists.set_list_member(AUDIENCE, hashed(EMAILS[0]), put)
    assert fake.consent()[EMAILS[0]] == "subscribed"


def test_errors_reach_the_client(client):
    """If this fails, the problem documents are not the ones that Mailchimp's client understands."""
    with pytest.raises(ApiClientError) as refused:
        client("sandbox-other-us6").lists.get_list(AUDIENCE)
    assert refused.value.status_code == 401
    many = [f"p{n}@acme.example" for n in range(501)]
    tag = client().lists.create_segment(AUDIENCE, {"name": "VIP", "static_segment": []})
    with pytest.raises(ApiClientError) as most:
        client().lists.batch_segment_members({"members_to_add": many}, AUDIENCE, tag["id"])
    assert most.value.status_code == 400 and "at most 500" in str(most.value.text)
    with pytest.raises(ApiClientError) as missing:
        client().lists.get_list_member(AUDIENCE, "0" * 32)
    assert missing.value.status_code == 404
