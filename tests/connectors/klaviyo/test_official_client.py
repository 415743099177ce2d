"""Klaviyo's own Python client, unmodified, against the fake."""

from urllib.parse import parse_qs, urlsplit

import openapi_client
import pytest
from klaviyo_api import KlaviyoAPI


@pytest.fixture
def client(fake):
    def start(key="sandbox-api_key"):
        return KlaviyoAPI(key, max_delay=1, max_retries=1, test_host=fake.url)

    return start


def rows(*emails):
    return [{"type": "profile", "attributes": {"email": one}} for one in emails]


def new_list(api, name="From the client"):
    made = api.Lists.create_list({"data": {"type": "list", "attributes": {"name": name}}})
    return as_dict(made)["data"]["id"]


def as_dict(reply):
    return reply if isinstance(reply, dict) else reply.to_dict()


def import_of(audience, *emails):
    return {
        "data": {
            "type": "profile-bulk-import-job",
            "attributes": {"profiles": {"data": rows(*emails)}},
            "relationships": {"lists": {"data": [{"type": "list", "id": audience}]}},
        }
    }


def test_lists_and_profiles_through_the_client(client, fake):
    """If this fails, the fake speaks a Klaviyo of its own."""
    api = client()
    audience = new_list(api)
    fake.knows("mary@acme.example", "UNSUBSCRIBED")
    found = as_dict(
        api.Profiles.get_profiles(
            filter='any(email,["mary@acme.example","nobody@acme.example"])',
            additional_fields_profile=["subscriptions"],
        )
    )
    (profile,) = found["data"]
    assert profile["attributes"]["email"] == "mary@acme.example"
    related = {"data": [{"type": "profile", "id": profile["id"]}]}
    api.Lists.add_profiles_to_list(audience, related)
    held = as_dict(api.Lists.get_profiles_for_list(audience, fields_profile=["email"]))
    assert [one["id"] for one in held["data"]] == [profile["id"]]
    counted = as_dict(api.Lists.get_list(audience, additional_fields_list=["profile_count"]))
    assert counted["data"]["attributes"]["profile_count"] == 1
    api.Lists.remove_profiles_from_list(audience, related)
    assert fake.members(audience) == []
    assert fake.consent()["mary@acme.example"]["consent"] == "UNSUBSCRIBED"


def test_an_import_through_the_client(client, fake):
    """If this fails, imports, their states or their errors are not Klaviyo's."""
    api = client()
    audience = new_list(api)
    taken = as_dict(
        api.Profiles.bulk_import_profiles(
            import_of(audience, "a@acme.example", "wrong@acme.e", "b@acme.example")
        )
    )
    job = taken["data"]["id"]
    ended = as_dict(api.Profiles.get_bulk_import_profiles_job(job))["data"]["attributes"]
    assert (ended["status"], ended["completed_count"], ended["failed_count"]) == ("complete", 2, 1)
    errors = as_dict(api.Profiles.get_errors_for_bulk_import_profiles_job(job))["data"]
    assert errors[0]["attributes"]["source"]["pointer"].startswith(
        "/data/attributes/profiles/data/1"
    )
    jobs = as_dict(api.Profiles.get_bulk_import_profiles_jobs(filter="equals(status,'complete')"))
    assert [one["id"] for one in jobs["data"]] == [job]
    related = as_dict(api.Profiles.get_list_ids_for_bulk_import_profiles_job(job))
    assert [one["id"] for one in related["data"]] == [audience]
    assert fake.members(audience) == ["a@acme.example", "b@acme.example"]


def test_cursors_through_the_client(client):
    """If this fails, cursors do not lead to the end, as the client follows them."""
    api = client()
    made = {new_list(api, f"List {n}") for n in range(23)}
    seen, cursor = [], ""
    while True:
        page = as_dict(api.Lists.get_lists(**({"page_cursor": cursor} if cursor else {})))
        seen += [one["id"] for one in page["data"]]
        after = page["links"].get("next")
        if not after:
            break
        # The client itself reads cursors out of https links only.
        cursor = parse_qs(urlsplit(after).query)["page[cursor]"][0]
    assert len(seen) == 23 and set(seen) == made


def test_errors_reach_the_client(client, fake):
    """If this fails, the error bodies are not the ones that Klaviyo's client understands."""
    with pytest.raises(openapi_client.ApiException) as refused:
        client("sandbox-other").Accounts.get_accounts()
    assert refused.value.status == 401
    with pytest.raises(openapi_client.ApiException) as missing:
        client().Lists.get_list("NOLIST")
    assert missing.value.status == 404 and "not_found" in str(missing.value.body)
    body = {"data": {"type": "profile", "attributes": {"email": "mary@acme.example"}}}
    client().Profiles.create_profile(body)
    with pytest.raises(openapi_client.ApiException) as taken:
        client().Profiles.create_profile(body)
    assert taken.value.status == 409 and "duplicate_profile_id" in str(taken.value.body)
