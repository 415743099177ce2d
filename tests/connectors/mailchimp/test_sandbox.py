"""The Mailchimp fake checks what Mailchimp checks."""

import pytest

LIST = "lists/a1b2c3d4e5"
EMAILS = [f"person{n}@acme.example" for n in range(3)]


@pytest.fixture
def tag(fake):
    return fake.call("POST", f"{LIST}/segments", json={"name": "VIP", "static_segment": []}).json()[
        "id"
    ]


def problem(reply):
    assert reply.headers["content-type"].startswith("application/problem+json")
    body = reply.json()
    assert {"type", "title", "status", "detail", "instance"} <= set(body)
    assert body["status"] == reply.status_code
    return reply.status_code, body["title"]


@pytest.mark.parametrize(
    ("key", "title"), [(None, "API Key Missing"), ("sandbox-other", "API Key Invalid")]
)
def test_a_key_is_demanded(fake, key, title):
    """If this fails, a wrong key works here and fails at Mailchimp."""
    assert problem(fake.call("GET", LIST, key=key)) == (401, title)
    assert fake.call("GET", LIST, key="sandbox-api_key-us6").status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("segments", {"name": "VIP"}),
        ("segments", {"name": "", "static_segment": []}),
        ("segments", {"name": "x" * 101, "static_segment": []}),
        ("segments", {"name": "VIP", "static_segment": [], "color": "red"}),
        ("segments/{tag}", {}),
        ("segments/{tag}", {"members_to_add": "person0@acme.example"}),
        ("segments/{tag}", {"members_to_add": [1]}),
        ("segments/{tag}", {"members_to_remove": [f"p{n}@acme.example" for n in range(501)]}),
        ("", {"members": []}),
        ("", {"members": [{"email_address": "person0@acme.example", "status": "active"}]}),
        ("", {"members": [{"email_address": "a@acme.example", "status": "pending"}] * 501}),
        ("members/{hash}/tags", {"tags": None}),
        ("members/{hash}/tags", {"tags": [{"name": "VIP", "status": "on"}]}),
    ],
)
def test_a_wrong_body_is_refused_whole(fake, tag, hashed, path, body):
    """If this fails, a call passes here that Mailchimp refuses."""
    fake.knows(*EMAILS)
    where = path.format(tag=tag, hash=hashed(EMAILS[0]))
    status, title = problem(fake.call("POST", f"{LIST}/{where}".rstrip("/"), json=body))
    assert (status, title) == (400, "Invalid Resource")
    assert fake.members(tag) == []


def test_names_of_tags_are_unique(fake, tag):
    """If this fails, a tag is made twice here, which Mailchimp refuses."""
    reply = fake.call("POST", f"{LIST}/segments", json={"name": "vip", "static_segment": []})
    assert problem(reply) == (400, "Bad Request") and "already exists" in reply.json()["detail"]


def test_tagging_is_a_set_and_archived_contacts_are_none(fake, tag):
    """If this fails, tagging twice counts twice, or brings archived contacts back."""
    fake.knows(*EMAILS[:2])
    fake.knows(EMAILS[2], status="archived")
    body = {"members_to_add": [*EMAILS, EMAILS[0].upper()]}
    first = fake.call("POST", f"{LIST}/segments/{tag}", json=body).json()
    assert (first["total_added"], first["error_count"]) == (2, 1)
    again = fake.call("POST", f"{LIST}/segments/{tag}", json=body).json()
    assert (again["total_added"], again["error_count"]) == (0, 1)
    assert fake.members(tag) == EMAILS[:2]
    assert sum(one["changed"] for one in fake.door("writes")) == 2
    assert fake.consent()[EMAILS[2]] == "archived"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("lists/ffffffffff", 404),
        ("lists/ffffffffff/segments", 404),
        (f"{LIST}/segments/1", 404),
        (f"{LIST}/segments/1/members", 404),
        (f"{LIST}/members/{'0' * 32}", 404),
        (f"{LIST}/segments?count=1001", 400),
        (f"{LIST}/segments?count=all", 400),
    ],
)
def test_what_is_not_there_is_missing(fake, path, status):
    """If this fails, a mistyped audience looks empty here, and is missing at Mailchimp."""
    assert problem(fake.call("GET", path))[0] == status


def test_pages_and_chosen_fields(fake, tag):
    """If this fails, pages overlap, or fields that were not asked for come along."""
    people = [f"p{n:02d}@acme.example" for n in range(25)]
    fake.knows(*people)
    fake.call("POST", f"{LIST}/segments/{tag}", json={"members_to_add": people})
    seen = []
    for offset in (0, 10, 20):
        asked = {"offset": offset, "fields": "members.email_address,total_items"}
        page = fake.call("GET", f"{LIST}/segments/{tag}/members", params=asked).json()
        assert set(page) == {"members", "total_items"} and page["total_items"] == 25
        assert all(set(one) == {"email_address"} for one in page["members"])
        seen += [one["email_address"] for one in page["members"]]
    assert sorted(seen) == people
