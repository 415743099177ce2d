"""LinkedIn's own Python client, unmodified, against the fake."""

import pytest
from linkedin_api.clients.restli.client import RestliClient
from linkedin_api.common import constants

ACCOUNT = "urn:li:sponsoredAccount:512345678"
VERSION = "202604"
HASHES = [f"{n:064x}" for n in range(1, 4)]


@pytest.fixture
def client(fake, monkeypatch):
    monkeypatch.setattr(constants, "VERSIONED_BASE_URL", f"{fake.url}/rest")
    return RestliClient()


def call(method, path, keys=None, *, token="sandbox-token", version=VERSION, **more):
    return method(
        resource_path=path,
        access_token=token,
        version_string=version,
        **({"path_keys": keys} if keys else {}),
        **more,
    )


def create(client, type="USER"):
    entity = {
        "name": "From the client",
        "type": type,
        "sourcePlatform": "ACME_ANALYTICS",
        "sourceSegmentId": "theirs",
        "account": ACCOUNT,
        "accessPolicy": "PRIVATE",
        "destinations": [{"destination": "LINKEDIN"}],
    }
    made = call(client.create, "/dmpSegments", entity=entity)
    assert made.status_code == 201
    return made.entity_id


def person(value, action="ADD"):
    return {"action": action, "userIds": [{"idType": "SHA256_EMAIL", "idValue": value}]}


def test_lifecycle_through_the_client(client, fake):
    """If this fails, the fake speaks a Rest.li of its own."""
    number = create(client)
    path, keys = "/dmpSegments/{id}/users", {"id": number}
    added = call(client.batch_create, path, keys, entities=[person(h) for h in HASHES])
    assert [one.status for one in added.elements] == [201, 201, 201]
    assert fake.emails(number) == HASHES
    mixed = [person(HASHES[0], "REMOVE"), person("mary@acme.example")]
    answered = call(client.batch_create, path, keys, entities=mixed).elements
    assert [one.status for one in answered] == [201, 400]
    assert answered[1].error["code"] == "INVALID_PARAMS"
    assert fake.emails(number) == HASHES[1:]
    call(client.partial_update, "/dmpSegments/{id}", keys, patch_set_object={"name": "Renamed"})
    assert call(client.get, "/dmpSegments/{id}", keys).entity["name"] == "Renamed"
    assert call(client.delete, "/dmpSegments/{id}", keys).status_code == 204
    assert call(client.get, "/dmpSegments/{id}", keys).status_code == 404


def test_companies_through_the_client(client, fake):
    """If this fails, companies of the client are misread."""
    number = create(client, "COMPANY")
    firm = {"action": "ADD", "companyWebsiteDomain": "acme.example"}
    call(client.batch_create, "/dmpSegments/{id}/companies", {"id": number}, entities=[firm])
    assert fake.members(number) == [{"companyWebsiteDomain": "acme.example"}]


def test_the_client_finds_what_the_destination_made(client, destination, target):
    """If this fails, the destination marks its segments where LinkedIn does not look."""
    made = destination.ensure(target, [])
    found = call(
        client.finder,
        "/dmpSegments",
        finder_name="account",
        query_params={"account": ACCOUNT, "sourceSegmentId": made["source_id"]},
    )
    assert [str(one["id"]) for one in found.elements] == [made["segment_id"]]
    assert found.paging.total == 1


def test_the_destination_finds_what_the_client_made(client, fake, destination, target):
    """If this fails, the fake stores what LinkedIn's client sends under other names."""
    own = destination.ensure(target, [])
    create(client)
    table = fake.sandbox.store.table("segment")
    marks = {one["sourceSegmentId"] for one in table.values()}
    assert marks == {"theirs", own["source_id"]}
    assert {frozenset(one) for one in table.values()} == {frozenset(table[own["segment_id"]])}


def test_errors_reach_the_client(client):
    """If this fails, the error bodies are not the ones that LinkedIn's client passes on."""
    keys = {"id": create(client)}
    for token, version, status in (("wrong", VERSION, 401), ("sandbox-token", "202505", 426)):
        got = call(client.get, "/dmpSegments/{id}", keys, token=token, version=version)
        assert got.status_code == status
        assert got.entity["status"] == status
