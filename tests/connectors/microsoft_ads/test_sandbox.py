"""The Microsoft Advertising fake behaves as the reference says the real one does."""

import pytest

HASHES = [f"{n:064x}" for n in range(1, 4)]


def code(reply):
    body = reply.json()
    errors = body.get("Errors") or body.get("OperationErrors")
    return reply.status_code, body["Type"], errors[0]["Code"]


def partial(reply):
    assert reply.status_code == 200
    return [(one["Code"], one["Index"]) for one in reply.json()["PartialErrors"]]


def test_refresh_tokens_rotate_and_the_old_one_stays_good(fake):
    """If this fails, nobody notices a login that throws the new refresh token away."""
    first = fake.token().json()
    assert first["refresh_token"] != "sandbox-refresh_token" and first["expires_in"] == 3600
    assert fake.token(refresh_token=first["refresh_token"]).ok
    assert fake.token().ok
    fake.later(days=91)
    gone = fake.token(refresh_token=first["refresh_token"])
    assert (gone.status_code, gone.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_id": "app"}, "unauthorized_client"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"scope": "offline_access"}, "invalid_scope"),
        ({"refresh_token": "wrong"}, "invalid_grant"),
    ],
)
def test_wrong_logins(fake, form, error):
    """If this fails, a login that Microsoft refuses passes here."""
    assert fake.token(**form).json()["error"] == error


def test_an_expired_token_is_a_500(fake):
    """If this fails, the trap of an expired token that is no 401 is never met."""
    token = fake.token().json()["access_token"]
    fake.later(hours=2)
    ask = {"Type": "CustomerList"}
    reply = fake.call("POST", "Audiences/QueryByIds", ask, Authorization=f"Bearer {token}")
    assert code(reply) == (500, "AdApiFaultDetail", 109)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Authorization": "Bearer wrong"}, (401, "AdApiFaultDetail", 105)),
        ({"DeveloperToken": "wrong"}, (401, "AdApiFaultDetail", 105)),
        ({"CustomerAccountId": "x"}, (400, "AdApiFaultDetail", 106)),
        ({"CustomerId": ""}, (400, "AdApiFaultDetail", 106)),
    ],
)
def test_the_gate(fake, headers, expected):
    """If this fails, a header that Microsoft asks for can be forgotten."""
    assert code(fake.call("POST", "Audiences/QueryByIds", {}, **headers)) == expected


def test_the_limit(fake_with):
    """If this fails, 117 is never met."""
    fake = fake_with(calls_per_minute=1)
    audience = fake.audience()
    assert code(fake.upload(audience, HASHES)) == (400, "AdApiFaultDetail", 117)
    fake.later(minutes=1)
    assert partial(fake.upload(audience, HASHES)) == []


def test_lists(fake):
    """If this fails, lists are made, found or named otherwise than Microsoft does."""
    made = fake.audience("Buyers", MembershipDuration=30, Description="d")
    again = fake.call(
        "POST", "Audiences", {"Audiences": [{"Name": "buyers", "Type": "CustomerList"}]}
    )
    assert partial(again) == [(4848, 0)] and again.json()["AudienceIds"] == [None]
    ask = {"AudienceIds": [made, "7"], "Type": "CustomerList"}
    found = fake.call("POST", "Audiences/QueryByIds", ask)
    assert partial(found) == [(4500, 1)]
    shown, missing = found.json()["Audiences"]
    assert missing is None
    assert (shown["Name"], shown["MembershipDuration"], shown["SearchSize"]) == ("Buyers", 30, None)
    change = {"Audiences": [{"Id": made, "Type": "CustomerList", "Description": "e"}]}
    assert partial(fake.call("PUT", "Audiences", change)) == []
    shown = fake.call("POST", "Audiences/QueryByIds", {"Type": "CustomerList"}).json()
    assert [(one["Name"], one["Description"]) for one in shown["Audiences"]] == [("Buyers", "e")]
    assert partial(fake.call("DELETE", "Audiences", {"AudienceIds": [made, "7"]})) == [(4500, 1)]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "Audiences/QueryByIds", {"AudienceIds": [], "Type": "CustomerList"}),
        ("POST", "Audiences/QueryByIds", {"AudienceIds": ["1"] * 101, "Type": "CustomerList"}),
        ("POST", "Audiences/QueryByIds", {"Type": "RemarketingList"}),
        ("POST", "Audiences", {"Audiences": []}),
        ("POST", "CustomerListUserData/Apply", {}),
        ("POST", "CustomerListUserData/Apply", []),
    ],
)
def test_wrong_shapes_are_refused_whole(fake, method, path, body):
    """If this fails, a wrong request of ours passes here and fails at Microsoft."""
    assert code(fake.call(method, path, body)) == (400, "ApiFaultDetail", 100)


@pytest.mark.parametrize(
    "wanted",
    [
        {"Name": "", "Type": "CustomerList"},
        {"Name": "n" * 129, "Type": "CustomerList"},
        {"Name": "n", "Type": "Other"},
        {"Name": "n", "Type": "CustomerList", "Description": "d" * 1025},
        {"Name": "n", "Type": "CustomerList", "MembershipDuration": 181},
    ],
)
def test_wrong_lists(fake, wanted):
    """If this fails, a list that Microsoft would not make is made here."""
    assert partial(fake.call("POST", "Audiences", {"Audiences": [wanted]})) == [(100, 0)]


def test_items_are_checked_one_by_one(fake):
    """If this fails, PartialErrors by index are never met."""
    audience = fake.audience()
    given = [HASHES[0], "mary@acme.example", HASHES[1].upper().replace("0", "A"), None, HASHES[2]]
    assert partial(fake.upload(audience, given)) == [(8004, 1), (8004, 2), (8004, 3)]
    assert partial(fake.upload(audience, ["C-1", "", "C" * 101], "CRM")) == [(8005, 1), (8005, 2)]
    assert fake.items(audience) == [("CRM", "C-1"), ("Email", HASHES[0]), ("Email", HASHES[2])]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"AudienceId": "7"}, 8000),
        ({"ActionType": "None"}, 8001),
        ({"CustomerListItemSubType": "Shoe"}, 8002),
        ({"AcceptCustomerMatchTerm": False}, 8003),
        ({"CustomerListItems": []}, 100),
        ({"CustomerListItems": ["C"] * 1001}, 100),
    ],
)
def test_wrong_uploads(fake, more, expected):
    """If this fails, an upload that Microsoft refuses is taken here."""
    audience = fake.audience()
    assert code(fake.upload(audience, HASHES, **more)) == (400, "ApiFaultDetail", expected)
    assert fake.items(audience) == []


def test_the_terms(fake_with):
    """If this fails, 8003 is never met."""
    fake = fake_with(terms="uploads")
    audience = fake.audience()
    assert code(fake.upload(audience, HASHES))[2] == 8003
    assert partial(fake.upload(audience, HASHES, AcceptCustomerMatchTerm=True)) == []
    wanted = {"Audiences": [{"Name": "x", "Type": "CustomerList"}]}
    unsigned = fake_with(terms="unsigned").call("POST", "Audiences", wanted)
    assert partial(unsigned) == [(8003, 0)]


def test_sets_and_replacing(fake, fake_with):
    """If this fails, adding twice counts twice, or Replace keeps what it should not."""
    audience = fake.audience()
    for _ in range(2):
        fake.upload(audience, HASHES)
    writes = fake.writes()
    assert [(one["op"], one["changed"]) for one in writes] == [("add", True)] * 3 + [
        ("add", False)
    ] * 3
    fake.upload(audience, ["C-1"], "CRM")
    fake.upload(audience, HASHES[:1], action="Replace")
    assert fake.items(audience) == [("CRM", "C-1"), ("Email", HASHES[0])]
    fake.upload(audience, HASHES[:1], action="Remove")
    assert fake.items(audience) == [("CRM", "C-1")]
    other = fake_with(replace_clears="all")
    audience = other.audience()
    other.upload(audience, ["C-1"], "CRM")
    other.upload(audience, HASHES[:1], action="Replace")
    assert other.items(audience) == [("Email", HASHES[0])]


def test_sizes_come_after_two_days(fake):
    """If this fails, nobody meets a list without a size."""
    audience = fake.audience()
    fake.upload(audience, [f"{n:064x}" for n in range(1000)])
    ask = {"AudienceIds": [audience], "Type": "CustomerList"}

    def size():
        shown = fake.call("POST", "Audiences/QueryByIds", ask).json()["Audiences"][0]
        return shown["SearchSize"], shown["AudienceNetworkSize"]

    assert size() == (None, None)
    fake.later(hours=48)
    assert size() == ("600", "480")


def test_unknown_paths(fake):
    """If this fails, a wrong path of ours gets an answer here."""
    assert fake.call("GET", "Audiences", None).status_code in (400, 404)
    assert fake.call("POST", "Shoes", {}).status_code == 404
