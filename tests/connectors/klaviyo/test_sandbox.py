"""The Klaviyo fake checks what the reference says the real one checks."""

import pytest

IMPORTS = "profile-bulk-import-jobs"


def error(reply):
    first = reply.json()["errors"][0]
    return reply.status_code, first["code"], first["source"].get("pointer") or "parameter"


def job(*rows, audience=None, **more):
    body = {
        "type": "profile-bulk-import-job",
        "attributes": {"profiles": {"data": [row(**one) for one in rows]}},
        **more,
    }
    if audience:
        body["relationships"] = {"lists": {"data": [{"type": "list", "id": audience}]}}
    return {"data": body}


def row(**attributes):
    return {"type": "profile", "attributes": attributes}


@pytest.fixture
def audience(fake):
    body = {"data": {"type": "list", "attributes": {"name": "Buyers"}}}
    return fake.call("POST", "lists", json=body).json()["data"]["id"]


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "not_authenticated"),
        ({"Authorization": "Klaviyo-API-Key other"}, 401, "authentication_failed"),
        ({"Authorization": "Bearer sandbox-api_key"}, 401, "authentication_failed"),
        ({"Authorization": "Klaviyo-API-Key sandbox-api_key"}, 400, "invalid"),
        ({"Authorization": "Klaviyo-API-Key sandbox-api_key", "revision": "v3"}, 400, "invalid"),
    ],
)
def test_key_and_revision_are_demanded(fake, headers, status, code):
    """If this fails, a client without a revision works here and fails at Klaviyo."""
    assert error(fake.call("GET", "lists", headers={"x": "y", **headers}))[:2] == (status, code)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"data": {"type": "profile", "attributes": {}}}, "/data/type"),
        ({"data": {"type": "profile-bulk-import-job", "attributes": {}}},
         "/data/attributes/profiles"),
        ({"data": {}, "meta": {}}, "/data"),
        (job(), "/data/attributes/profiles/data"),
        (job({"first_name": "Mary"}), "/data/attributes/profiles/data/0/attributes"),
        (job({"email": "a@acme.example"}, {"email": "b@acme.example", "subscriptions": {}}),
         "/data/attributes/profiles/data/1/attributes/subscriptions"),
        (job({"email": "a@acme.example"}, audience="NOLIST"),
         "/data/relationships/lists/data/0/id"),
        (job({"email": "a@acme.example"}, extra=1), "/data"),
        (job(*[{"email": f"p{n}@acme.example"} for n in range(10_001)]),
         "/data/attributes/profiles/data"),
    ],
)  # fmt: skip
def test_a_wrong_import_is_refused_with_its_place(fake, body, pointer):
    """If this fails, an import passes here that Klaviyo refuses, consent in a profile above all."""
    status, _, found = error(fake.call("POST", IMPORTS, json=body))
    assert status in (400, 404) and found == pointer
    assert fake.consent() == {}


def test_five_megabytes_are_too_many(fake):
    """If this fails, imports grow here beyond what Klaviyo takes."""
    body = job(*[{"email": f"p{n}@acme.example", "title": "t" * 600} for n in range(9_000)])
    assert fake.call("POST", IMPORTS, json=body).status_code == 413


def test_a_job_lags_and_its_counts_come_at_the_end(fake_with):
    """If this fails, a client that trusts a fresh job is right here and wrong at Klaviyo."""
    fake = fake_with(job_lag=2)
    body = {"data": {"type": "list", "attributes": {"name": "Buyers"}}}
    audience = fake.call("POST", "lists", json=body).json()["data"]["id"]
    body = job({"email": "a@acme.example"}, {"email": "wrong@acme"}, audience=audience)
    taken = fake.call("POST", IMPORTS, json=body)
    assert (taken.status_code, taken.json()["data"]["attributes"]["status"]) == (202, "queued")
    key = taken.json()["data"]["id"]
    seen = []
    for _ in range(3):
        attributes = fake.call("GET", f"{IMPORTS}/{key}").json()["data"]["attributes"]
        seen.append((attributes["status"], attributes["completed_count"]))
        if attributes["status"] != "complete":
            assert fake.members(audience) == []
    assert seen == [("processing", 0), ("processing", 0), ("complete", 1)]
    assert fake.members(audience) == ["a@acme.example"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ('lists?filter=contains(name,"x")', 400),
        ('lists?filter=equals(name,"x"', 400),
        ("lists?page[size]=11", 400),
        ("lists?additional-fields[list]=profile_count", 400),
        ("lists?fields[list]=profile_count", 400),
        ('profiles?filter=any(phone_number,["x"])', 400),
        ("profiles?page[size]=101", 400),
        ("lists/NOLIST", 404),
        (f"{IMPORTS}/nothing", 404),
    ],
)
def test_queries_are_read_strictly(fake, path, status):
    """If this fails, a filter that Klaviyo does not know answers everybody here."""
    assert fake.call("GET", path).status_code == status


def test_relations_are_sets_of_known_profiles(fake, audience):
    """If this fails, adding twice counts twice, or unknown profiles are taken."""
    ids = [fake.knows(f"p{n}@acme.example") for n in range(3)]
    path = f"lists/{audience}/relationships/profiles"
    body = {"data": [{"type": "profile", "id": one} for one in ids]}
    for _ in range(2):
        assert fake.call("POST", path, json=body).status_code == 204
    assert len(fake.members(audience)) == 3
    assert sum(one["changed"] for one in fake.door("writes")) == 3
    for _ in range(2):
        assert fake.call("DELETE", path, json=body).status_code == 204
    assert fake.members(audience) == []
    strange = {"data": [{"type": "profile", "id": "01NOBODY"}]}
    assert error(fake.call("POST", path, json=strange))[:2] == (404, "not_found")
    many = {"data": [{"type": "profile", "id": ids[0]}] * 1_001}
    assert fake.call("POST", path, json=many).status_code == 400


def test_calls_are_counted_per_endpoint(fake_with):
    """If this fails, the limits that the destination keeps cannot be seen to be kept."""
    fake = fake_with(calls_per_minute=2)
    assert [fake.call("GET", "lists").status_code for _ in range(3)] == [200, 200, 429]
    assert fake.call("GET", "lists").headers["Retry-After"] == "30"
    assert fake.call("GET", "profiles").headers["RateLimit-Remaining"] == "1"
