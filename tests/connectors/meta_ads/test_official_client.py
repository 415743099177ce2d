"""Meta's own Python SDK, unmodified, against the fake."""

import hashlib

import pytest
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.customaudience import CustomAudience
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

ACCOUNT = "act_100200300"
EMAILS = [f"person{n}@acme.example" for n in range(20)]
Schema = CustomAudience.Schema


@pytest.fixture
def sdk(fake, monkeypatch):
    monkeypatch.setattr(FacebookSession, "GRAPH", fake.url)

    def start(token="sandbox-token"):
        return FacebookAdsApi.init("app", "sandbox-app_secret", token, crash_log=False)

    start()
    return start


def create(name="From the SDK"):
    return AdAccount(ACCOUNT).create_custom_audience(
        params={
            "name": name,
            "subtype": "CUSTOM",
            "customer_file_source": "USER_PROVIDED_ONLY",
        }
    )


def test_lifecycle_through_the_sdk(sdk, fake, hashed_rows):
    """If this fails, the fake speaks a Meta of its own."""
    audience = create()
    reply = audience.add_users(Schema.email_hash, EMAILS).json()
    assert (reply["num_received"], reply["num_invalid_entries"]) == (20, 0)
    assert sorted(fake.members(audience["id"]), key=str) == hashed_rows(EMAILS)
    audience.remove_users(Schema.email_hash, EMAILS[:5])
    assert sorted(fake.members(audience["id"]), key=str) == hashed_rows(EMAILS[5:])
    read = audience.api_get(fields=["name", "approximate_count_upper_bound", "operation_status"])
    assert read["name"] == "From the SDK"
    assert read["operation_status"]["code"] == 200
    audience.api_delete()
    assert fake.members(audience["id"]) == []
    with pytest.raises(FacebookRequestError) as error:
        audience.api_get(fields=["name"])
    assert (error.value.api_error_code(), error.value.api_error_subcode()) == (100, 33)


def test_listing_pages_through_the_sdk(sdk):
    """If this fails, cursors do not lead to the end, as the SDK follows them."""
    for n in range(7):
        create(f"A{n}")
    listed = AdAccount(ACCOUNT).get_custom_audiences(fields=["name"], params={"limit": 3})
    assert [one["name"] for one in listed] == [f"A{n}" for n in reversed(range(7))]


def test_several_keys_and_sessions_through_the_sdk(sdk, fake):
    """If this fails, multi-key uploads or sessions of the SDK are misread."""
    audience = create()
    reply = audience.add_users(
        [Schema.MultiKeySchema.email, Schema.MultiKeySchema.fn],
        [["Mary@Acme.example", "Mary"]],
        is_raw=True,
        session={"session_id": 5, "batch_seq": 1, "last_batch_flag": True},
    ).json()
    assert reply["session_id"] == "5"
    email, name = (hashlib.sha256(t.encode()).hexdigest() for t in ("mary@acme.example", "mary"))
    assert fake.members(audience["id"]) == [{"EMAIL": email, "FN": name}]


def test_replace_through_the_sdk(sdk, fake, hashed_rows):
    """If this fails, usersreplace of the SDK is misread."""
    audience = create()
    audience.add_users(Schema.email_hash, EMAILS[:2])
    digests = [[row["EMAIL"]] for row in hashed_rows(EMAILS[2:4])]
    audience.create_users_replace(
        params={
            "session": {"session_id": 1, "batch_seq": 1, "last_batch_flag": True},
            "payload": {"schema": ["EMAIL"], "data": digests},
        }
    )
    assert sorted(fake.members(audience["id"]), key=str) == hashed_rows(EMAILS[2:4])


def test_errors_reach_the_sdk(sdk):
    """If this fails, the error bodies are not the ones that Meta's SDK understands."""
    sdk("sandbox-expired")
    with pytest.raises(FacebookRequestError) as error:
        AdAccount(ACCOUNT).api_get(fields=["name"])
    assert (error.value.api_error_code(), error.value.api_error_subcode()) == (190, 463)


def test_why_the_product_does_not_use_the_sdk(sdk, fake):
    """If this fails, the SDK was mended: its removal of 200 people claims success over a 414."""
    audience = create()
    many = [f"person{n}@acme.example" for n in range(200)]
    audience.add_users(Schema.email_hash, many)
    reply = audience.remove_users(Schema.email_hash, many)
    assert reply.status() == 414
    assert reply.is_success()
    assert len(fake.members(audience["id"])) == 200
