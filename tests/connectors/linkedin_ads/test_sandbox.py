"""The LinkedIn fake checks what LinkedIn checks (ads.md §11.3)."""

import pytest
import requests

HASH = "ab" * 32
ADD = {"action": "ADD", "userIds": [{"idType": "SHA256_EMAIL", "idValue": HASH}]}


def one(element):
    return {"elements": [element]}


def segment(fake, **more):
    return fake.segment(**more).headers["x-restli-id"]


def test_creation_answers_an_id_in_a_header_and_nothing_else(fake):
    """If this fails, a client that reads the id from the body passes here and fails there."""
    reply = fake.segment()
    assert (reply.status_code, reply.content) == (201, b"")
    assert reply.headers["x-restli-id"].isdecimal()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"accessPolicy": "PUBLIC"}, 400),
        ({"type": "PEOPLE"}, 422),
        ({"destinations": []}, 422),
        ({"destinations": [{"destination": "FACEBOOK"}]}, 400),
        ({"account": "512345678"}, 400),
        ({"name": ""}, 422),
        ({"sourcePlatform": "SOMEBODY_ELSE"}, 403),
        ({"colour": "red"}, 422),
    ],
)
def test_creation_is_checked(fake, body, status):
    """If this fails, a segment that LinkedIn would refuse is made here."""
    assert fake.segment(**body).status_code == status
    assert len(fake.sandbox.store.table("segment")) == 0


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"LinkedIn-Version": None}, 400, "VERSION_MISSING"),
        ({"LinkedIn-Version": "v26"}, 400, "INVALID_VERSION"),
        ({"LinkedIn-Version": "202510"}, 426, "NONEXISTENT_VERSION"),
        ({"LinkedIn-Version": "202701"}, 426, "NONEXISTENT_VERSION"),
        ({"X-Restli-Protocol-Version": None}, 400, "INVALID_PROTOCOL_VERSION"),
        ({"Authorization": None}, 401, "INVALID_ACCESS_TOKEN"),
        ({"Authorization": "Bearer sandbox-expired"}, 401, "EXPIRED_ACCESS_TOKEN"),
    ],
)
def test_headers_are_checked(fake, headers, status, code):
    """If this fails, a call without version or protocol passes here and fails there."""
    reply = fake.call("GET", "dmpSegments", headers, params={"q": "account"})
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert reply.json()["status"] == status


def test_batches_need_their_method_and_their_shape(fake):
    """If this fails, a batch that Rest.li would not recognise is taken."""
    number = segment(fake)
    path = f"dmpSegments/{number}/users"
    assert fake.call("POST", path, json=one(ADD)).status_code == 400
    assert fake.batch(number, {"elements": []}).status_code == 400
    assert fake.batch(number, {"elements": [ADD] * 5_001}).status_code == 400
    assert fake.batch(number, {"users": [ADD]}).status_code == 422
    assert fake.batch(number, one({**ADD, "email": "a@b.example"})).status_code == 422
    assert fake.call("POST", path, {"X-RestLi-Method": "BATCH_CREATE"}, data="{").status_code == 415
    assert fake.members(number) == []


@pytest.mark.parametrize(
    "ids",
    [
        [{"idType": "SHA256_EMAIL", "idValue": "mary@acme.example"}],
        [{"idType": "SHA256_EMAIL", "idValue": "AB" * 32}],
        [{"idType": "EMAIL", "idValue": HASH}],
        [{"idType": "SHA512_EMAIL", "idValue": HASH}],
        [],
    ],
)
def test_each_element_is_judged_by_itself(fake, ids):
    """If this fails, one bad element fails the call, or passes with it."""
    number = segment(fake)
    bad = {"action": "ADD", "userIds": ids}
    reply = fake.batch(number, {"elements": [ADD, bad, {**ADD, "action": "SET"}]})
    assert reply.status_code == 200
    assert [e["status"] for e in reply.json()["elements"]] == [201, 400, 400]
    assert reply.json()["elements"][1]["error"]["status"] == 400
    assert len(fake.members(number)) == 1


def test_a_new_segment_is_unknown_to_its_members_path(fake_with):
    """If this fails, no test here meets the 404 of the first seconds."""
    fake = fake_with(alias_lag=2)
    number = segment(fake)
    statuses = [fake.batch(number, one(ADD)).status_code for _ in range(3)]
    assert statuses == [404, 404, 200]
    assert fake.batch("999", one(ADD)).status_code == 404


def test_people_and_companies_are_kept_apart(fake):
    """If this fails, companies sent to /users are taken, as recipes on the web would have it."""
    people, companies = segment(fake), segment(fake, type="COMPANY")
    firm = {"action": "ADD", "companyWebsiteDomain": "acme.example"}
    assert fake.batch(people, one(firm), "companies").status_code == 400
    assert fake.batch(companies, one(ADD)).status_code == 400
    assert fake.batch(people, one(firm)).status_code == 422
    assert (
        fake.batch(companies, one({**firm, "companyDomain": "x"}), "companies").status_code == 422
    )
    assert fake.batch(companies, one(firm), "companies").json() == {"elements": [{"status": 201}]}


def test_a_member_is_held_once_and_leaves_by_any_id(fake):
    """If this fails, adding twice counts twice, or a removal misses whom it names."""
    number = segment(fake)
    device = {"idType": "GOOGLE_AID", "idValue": "38400000-8cf0-11bd-b23e-10b96e40000d"}
    both = {"action": "ADD", "userIds": [*ADD["userIds"], device]}
    assert fake.batch(number, {"elements": [ADD, both, ADD, both]}).status_code == 200
    assert len(fake.members(number)) == 1
    fake.batch(number, one({"action": "REMOVE", "userIds": [device]}))
    assert fake.members(number) == []
    assert [w["changed"] for w in fake.sandbox.store.table("__writes").values()] == [
        True, False, False, False, True,
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["users", "companies"])
def test_limits_of_a_minute(fake_with, kind):
    """If this fails, no test here meets LinkedIn's 429, for a call or for an element."""
    fake = fake_with(calls_per_minute=2, elements_per_minute=1)
    made = segment(fake, type="USER" if kind == "users" else "COMPANY")
    element = ADD if kind == "users" else {"action": "ADD", "companyName": "Acme"}
    reply = fake.batch(made, {"elements": [element, element]}, kind)
    assert [e["status"] for e in reply.json()["elements"]] == [201, 429]
    assert [fake.batch(made, one(element), kind).status_code for _ in range(2)] == [200, 429]
    fake.later(minutes=1)
    assert fake.batch(made, one(element), kind).json()["elements"][0]["status"] == 201


def test_the_documented_ceiling_is_the_default(fake):
    """If this fails, the fake lets more calls a minute through than LinkedIn."""
    fake.sandbox.store.table("calls").put(
        {
            f"{kind}:calls_per_minute": {"minute": "2026-11-16T09:00", "count": count}
            for kind, count in (("USER", 600), ("COMPANY", 300))
        }
    )
    for kind, path in (("USER", "users"), ("COMPANY", "companies")):
        assert fake.batch(segment(fake, type=kind), one(ADD), path).status_code == 429


def test_states_follow_the_clock(fake):
    """If this fails, nothing here ever grows old, or is built in no time."""
    number = segment(fake)

    def state():
        return fake.call("GET", f"dmpSegments/{number}").json()["destinations"][0]["status"]

    seen = [state()]
    fake.batch(number, one(ADD))
    for span in ({"hours": 1}, {"hours": 48}, {"days": 29}, {"days": 60}):
        fake.later(**span)
        seen.append(state())
    assert seen == ["BUILDING", "BUILDING", "READY", "ARCHIVED", "EXPIRED"]
    assert fake.batch(number, one(ADD)).status_code == 400, "an expired one takes nobody"
    later = segment(fake)
    fake.batch(later, one(ADD))
    fake.later(days=3)
    fake.batch(later, one(ADD))
    shown = fake.call("GET", f"dmpSegments/{later}/destinations").json()["elements"][0]
    assert shown["status"] == "UPDATING"


def test_counters_roll_over_seven_days(fake):
    """If this fails, the match rate is that of all time, which LinkedIn never tells."""
    number = segment(fake)
    fake.batch(number, {"elements": [ADD] * 3})
    fake.later(days=3)
    shown = fake.call("GET", f"dmpSegments/{number}").json()
    assert shown["inputCount"] == 3, "inputs are counted as they come, doubles too"
    assert shown["destinations"][0]["matchedCount"] in (0, 3)
    assert shown["destinations"][0]["audienceSize"] in (0, 1)
    fake.later(days=6)
    shown = fake.call("GET", f"dmpSegments/{number}").json()
    assert (shown["inputCount"], shown["destinations"][0]["matchedCount"]) == (0, 0)


def test_update_and_delete(fake):
    """If this fails, renaming needs no method header, or a deleted segment is still found."""
    number = segment(fake)
    patch = {"patch": {"$set": {"name": "Renamed"}}}
    assert fake.call("POST", f"dmpSegments/{number}", json=patch).status_code == 400
    method = {"X-RestLi-Method": "PARTIAL_UPDATE"}
    assert fake.call("POST", f"dmpSegments/{number}", method, json=patch).status_code == 204
    assert fake.call("GET", f"dmpSegments/{number}").json()["name"] == "Renamed"
    wrong = {"patch": {"$set": {"type": "COMPANY"}}}
    assert fake.call("POST", f"dmpSegments/{number}", method, json=wrong).status_code == 422
    assert fake.call("DELETE", f"dmpSegments/{number}").status_code == 204
    assert fake.call("GET", f"dmpSegments/{number}").status_code == 404
    assert fake.call("PUT", f"dmpSegments/{segment(fake)}", json={}).status_code == 405
    assert fake.call("GET", "adSegments").status_code == 404


@pytest.mark.parametrize("wrong", ["refresh_token", "client_secret", "grant_type", "client_id"])
def test_the_token_endpoint_checks_everything(fake, wrong):
    """If this fails, a wrong secret fetches tokens here."""
    form = {
        "grant_type": "refresh_token",
        "client_id": "77acme",
        "refresh_token": "sandbox-refresh_token",
        "client_secret": "sandbox-client_secret",
    }
    url = f"{fake.url}/oauth/v2/accessToken"
    assert requests.post(url, data=form, timeout=20).json()["expires_in"] == 5_184_000
    form[wrong] = ""
    assert requests.post(url, data=form, timeout=20).status_code in (400, 401)
