"""The Google fake behaves as the reference says the real one does."""

import base64
import hashlib
from datetime import timedelta

import pytest
import requests

ACCOUNT = "1234567890"
LISTS = f"accountTypes/GOOGLE_ADS/accounts/{ACCOUNT}/userLists"


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def person(**identifier):
    return {"compositeData": {"userData": {"userIdentifiers": [identifier]}}}


def people(count):
    return [person(emailAddress=sha(f"p{n}")) for n in range(count)]


def reasons(reply):
    assert reply.status_code == 400, reply.text
    found = reply.json()["error"]["details"][-1]["fieldViolations"]
    return [(one["field"], one["reason"]) for one in found]


@pytest.fixture
def ingest(fake):
    number = fake.list()

    def send(*members, verb="ingest", **more):
        body = fake.body(number, *members, **more)
        return fake.call(
            "POST", f"audienceMembers:{verb}", json={k: v for k, v in body.items() if v is not None}
        )

    send.list = number
    return send


@pytest.mark.parametrize(
    "wrong",
    [
        {"audienceMembers": [person(addressInfo={"regionCode": "US"})]},
        {"encoding": "hex"},
        {"consent": {"adUserData": "GRANTED"}},
        {"audience_member": []},
        {"validateOnly": "maybe"},
    ],
    ids=["addressInfo", "hex", "GRANTED", "unknown field", "no boolean"],
)
def test_what_the_proto_has_no_name_for_is_refused(fake, ingest, wrong):
    """If this fails, a payload that the real API refuses passes here: most published ones do."""
    assert ("", "INVALID_FORMAT") in reasons(ingest(*people(1), **wrong))
    assert fake.members(ingest.list) == []


def test_enums_come_as_numbers_or_names(fake, ingest):
    """If this fails, the official client, which sends numbers, is refused."""
    said = {"adUserData": 1, "adPersonalization": 1}
    terms = {"customerMatchTermsOfServiceStatus": 1}
    assert ingest(*people(1), encoding=1, consent=said, termsOfService=terms).status_code == 200
    assert ingest(person(emailAddress=sha("other"))).status_code == 200
    assert len(fake.members(ingest.list)) == 2


ADDRESS = {
    "givenName": sha("mary"),
    "familyName": sha("king"),
    "regionCode": "US",
    "postalCode": "94045",
}
PLACE = "audience_members[0].composite_data.user_data.user_identifiers[0]"


@pytest.mark.parametrize(
    ("member", "field", "reason"),
    [
        (person(emailAddress="mary@acme.example"), ".email_address", "INVALID_HEX_ENCODING"),
        (person(emailAddress=sha("x")[:40]), ".email_address", "INVALID_SHA256_FORMAT"),
        (person(phoneNumber="+16505551212"), ".phone_number", "INVALID_HEX_ENCODING"),
        (person(), "", "REQUIRED_FIELD_MISSING"),
        (
            person(address={**ADDRESS, "givenName": "mary"}),
            ".address.given_name",
            "INVALID_HEX_ENCODING",
        ),
        (
            person(address={**ADDRESS, "postalCode": ""}),
            ".address.postal_code",
            "REQUIRED_FIELD_MISSING",
        ),
        (
            person(address={**ADDRESS, "postalCode": sha("94045")}),
            ".address.postal_code",
            "INVALID_POSTAL_CODE",
        ),
        (
            person(address={**ADDRESS, "regionCode": "us"}),
            ".address.region_code",
            "INVALID_REGION_CODE",
        ),
    ],
)
def test_a_bad_row_fails_the_whole_request_and_is_named(fake, ingest, member, field, reason):
    """If this fails, a fault of one row is found at Google for the first time."""
    assert reasons(ingest(member, *people(3))) == [(f"{PLACE}{field}", reason)]
    assert fake.members(ingest.list) == []


def test_every_bad_row_is_named_at_once(ingest):
    """If this fails, a hub that takes out the named rows needs a call for each."""
    bad = person(emailAddress="00")
    found = reasons(ingest(people(1)[0], bad, *people(2), bad))
    assert [field.partition(".")[0] for field, _ in found] == [
        "audience_members[1]",
        "audience_members[4]",
    ]


@pytest.mark.parametrize(
    ("more", "field", "reason"),
    [
        ({"encoding": None}, "encoding", "REQUIRED_FIELD_MISSING"),
        ({"audienceMembers": []}, "audience_members", "REQUIRED_FIELD_MISSING"),
        ({"destinations": []}, "destinations", "REQUIRED_FIELD_MISSING"),
        (
            {"termsOfService": None},
            "terms_of_service.customer_match_terms_of_service_status",
            "TERMS_AND_CONDITIONS_NOT_SIGNED",
        ),
        (
            {"audienceMembers": [*people(1), {"mobileData": {"mobileIds": ["m"]}}]},
            "audience_members",
            "MULTIPLE_DATA_TYPES_NOT_ALLOWED",
        ),
        (
            {"audienceMembers": [{"userIdData": {"userId": "C-1"}}]},
            "audience_members[0]",
            "INVALID_USER_LIST_TYPE",
        ),
    ],
)
def test_what_is_wrong_with_the_request(ingest, more, field, reason):
    """If this fails, a request without consent's terms, or of two kinds of data, passes."""
    assert (field, reason) in reasons(ingest(*people(1), **more))


def test_limits_of_a_request(fake, ingest):
    """If this fails, a request that Google refuses for its size is believed to be through."""
    assert ("audience_members", "TOO_MANY_AUDIENCE_MEMBERS") in reasons(ingest(*people(10_001)))
    many = {"userIdentifiers": [{"emailAddress": sha(str(n))} for n in range(11)]}
    place = "audience_members[0].composite_data.user_data.user_identifiers"
    assert reasons(ingest({"compositeData": {"userData": many}})) == [
        (place, "TOO_MANY_USER_IDENTIFIERS")
    ]
    there = fake.body(ingest.list)["destinations"]
    assert ("destinations", "TOO_MANY_DESTINATIONS") in reasons(
        ingest(*people(1), destinations=there * 11)
    )
    twice = [{**there[0], "reference": "a"}] * 2
    assert ("destinations", "DUPLICATE_DESTINATION_REFERENCE") in reasons(
        ingest(*people(1), destinations=twice)
    )


def test_removal_needs_neither_consent_nor_terms(fake, ingest):
    """If this fails, somebody who withdrew cannot be taken out without claiming their consent."""
    ingest(*people(3))
    done = ingest(*people(2), verb="remove", consent=None, termsOfService=None)
    assert done.status_code == 200
    assert fake.members(ingest.list) == [[f"email_address:{sha('p2')}"]]
    said = ingest(*people(2), verb="remove")
    assert ("", "INVALID_FORMAT") in reasons(said)


def test_a_member_leaves_by_its_own_identifiers_only(fake, ingest):
    """If this fails, a removal with other keys than were added looks as if it worked."""
    both = [{"emailAddress": sha("a")}, {"phoneNumber": sha("1")}]
    ingest({"compositeData": {"userData": {"userIdentifiers": both}}})
    out = {"verb": "remove", "consent": None, "termsOfService": None}
    changed = [{"emailAddress": sha("new")}, {"phoneNumber": sha("1")}]
    ingest({"compositeData": {"userData": {"userIdentifiers": changed}}}, **out)
    assert len(fake.members(ingest.list)) == 1
    ingest({"compositeData": {"userData": {"userIdentifiers": both[::-1]}}}, **out)
    assert fake.members(ingest.list) == []


def test_base64_is_the_same_person(fake, ingest):
    """If this fails, members that came in the other encoding cannot be removed."""
    raw = base64.b64encode(hashlib.sha256(b"p0").digest()).decode()
    ingest(person(emailAddress=raw), encoding="BASE64")
    assert fake.members(ingest.list) == [[f"email_address:{sha('p0')}"]]


def test_status_comes_late_and_counts_by_reason(fake, ingest):
    """If this fails, a hub that reads a status at once, or per row, passes here and not there."""
    no, half = {"adUserData": "CONSENT_DENIED"}, {"adUserData": "CONSENT_GRANTED"}
    rows = people(150)
    rows[0] |= {"consent": no}
    number = ingest(*rows).json()["requestId"]
    ask = f"requestStatus:retrieve?requestId={number}"
    (one,) = fake.call("GET", ask).json()["requestStatusPerDestination"]
    assert one["requestStatus"] == "PROCESSING" and "errorInfo" not in one
    fake.later(minutes=31)
    (one,) = fake.call("GET", ask).json()["requestStatusPerDestination"]
    assert one["requestStatus"] == "PARTIAL_SUCCESS"
    assert one["errorInfo"]["errorCounts"] == [
        {"recordCount": "1", "reason": "PROCESSING_ERROR_REASON_DENIED_CONSENT"}
    ]
    found = one["audienceMembersIngestionStatus"]["compositeDataIngestionStatus"]
    assert found["recordCount"] == "150"
    assert found["dataTypeCounts"] == [{"type": "EMAIL", "count": "150"}]
    assert found["uploadMatchRateRange"].startswith("MATCH_RATE_RANGE_")
    assert len(fake.members(ingest.list)) == 149
    without = ingest(person(emailAddress=sha("x")), consent=None).json()["requestId"]
    doubted = ingest(person(emailAddress=sha("y")), consent=half).json()["requestId"]
    fake.later(minutes=31)
    for request, reason in ((without, "NO_CONSENT"), (doubted, "UNKNOWN_CONSENT")):
        reply = fake.call("GET", f"requestStatus:retrieve?requestId={request}").json()
        (one,) = reply["requestStatusPerDestination"]
        assert one["requestStatus"] == "FAILED"
        assert one["errorInfo"]["errorCounts"][0]["reason"].endswith(reason)


def test_statuses_are_not_kept_for_ever(fake, ingest):
    """If this fails, a hub that asks too late is told something, as it would not be."""
    number = ingest(*people(1)).json()["requestId"]
    ask = f"requestStatus:retrieve?requestId={number}"
    fake.later(days=51)
    assert reasons(fake.call("GET", ask)) == [("request_id", "REQUEST_TOO_OLD")]
    assert reasons(fake.call("GET", "requestStatus:retrieve?requestId=x")) == [
        ("request_id", "INVALID_REQUEST_ID")
    ]


def test_validating_only_changes_nothing(fake, ingest):
    """If this fails, a dry run at Google fills the list, or leaves a status to ask for."""
    number = ingest(*people(2), validateOnly=True).json()["requestId"]
    assert fake.members(ingest.list) == [] and fake.writes() == []
    assert reasons(fake.call("GET", f"requestStatus:retrieve?requestId={number}"))
    assert reasons(ingest(person(emailAddress="00"), validateOnly=True))


def test_optional_fields_cost_a_warning(ingest, fake):
    """If this fails, a warning that the client must read never comes."""
    row = people(1)[0]
    row["compositeData"]["ipData"] = [{"ipAddress": "300.1.1.1"}]
    (warning,) = ingest(row).json()["fieldWarnings"]
    assert warning["field"] == "audience_members[0].composite_data.ip_data[0].ip_address"
    assert len(fake.members(ingest.list)) == 1


def test_remove_all_spares_whoever_was_added_since(fake, ingest):
    """If this fails, replacing a list empties it, or leaves the old members in."""
    ingest(*people(3))
    fake.later(minutes=1)
    since = fake.sandbox.clock.now()
    ingest(*people(1))

    def clear(at):
        body = {
            "destinations": fake.body(ingest.list)["destinations"],
            "removeAsOfTime": at.isoformat().replace("+00:00", "Z"),
        }
        return fake.call("POST", "audienceMembers:removeAll", json=body)

    assert reasons(clear(since + timedelta(hours=1))) == [
        ("remove_as_of_time", "INVALID_REMOVE_AS_OF_TIME")
    ]
    assert clear(since).status_code == 200
    assert fake.members(ingest.list) == [[f"email_address:{sha('p0')}"]]


def test_members_leave_by_themselves(fake):
    """If this fails, a list that nobody is added to again stays full here, and not there."""
    number = fake.list(membershipDuration="864000s")
    for _ in range(2):
        fake.call("POST", "audienceMembers:ingest", json=fake.body(number, *people(2)))
        fake.later(days=9)
        assert len(fake.members(number)) == 2
    fake.later(days=1)
    assert fake.members(number) == []


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"displayName": "Buyers"}, "DISPLAY_NAME_ALREADY_USED"),
        ({"displayName": " "}, "REQUIRED_FIELD_MISSING"),
        ({"membershipDuration": "86401s"}, "INVALID_FORMAT"),
        ({"membershipDuration": f"{541 * 86400}s"}, "MEMBERSHIP_DURATION_TOO_LONG"),
        (
            {"ingestedUserListInfo": {"uploadKeyTypes": ["CONTACT_ID", "USER_ID"]}},
            "UNSUPPORTED_USER_LIST_UPLOAD_KEY_TYPES",
        ),
    ],
)
def test_lists_that_are_not_made(fake, more, reason):
    """If this fails, a list is made here that Google would not make."""
    fake.list("Buyers")
    body = {
        "displayName": "Other",
        "ingestedUserListInfo": {"uploadKeyTypes": ["CONTACT_ID"]},
        **more,
    }
    assert reasons(fake.call("POST", LISTS, json=body))[0][1] == reason
    assert len(fake.call("GET", LISTS).json()["userLists"]) == 1


def test_lists_are_paged_changed_and_deleted(fake):
    """If this fails, the fake speaks a Google of its own."""
    for n in range(5):
        fake.list(f"L{n}")
    page = fake.call("GET", LISTS, params={"pageSize": 3}).json()
    rest = fake.call("GET", LISTS, params={"pageToken": page["nextPageToken"]}).json()
    names = [one["displayName"] for one in page["userLists"] + rest["userLists"]]
    assert names == [f"L{n}" for n in range(5)] and "nextPageToken" not in rest
    one = page["userLists"][0]
    path = f"{LISTS}/{one['id']}"
    changed = fake.call(
        "PATCH",
        path,
        params={"updateMask": "description"},
        json={
            "description": "mine",
            "displayName": "not asked for",
        },
    ).json()
    assert (changed["description"], changed["displayName"]) == ("mine", "L0")
    frozen = fake.call("PATCH", path, params={"updateMask": "ingestedUserListInfo"}, json={})
    assert reasons(frozen)[0][1] == "IMMUTABLE_FIELD_FOR_UPDATE"
    assert fake.call("DELETE", path).status_code == 200
    assert fake.call("GET", path).status_code == 404


def test_a_login_is_needed_and_runs_out(fake):
    """If this fails, a client that never logs in, or never again, works here and not there."""
    secrets = {"client_secret": "sandbox-client_secret", "refresh_token": "sandbox-refresh_token"}

    def token(**form):
        return requests.post(f"{fake.url}/token", data=form, timeout=20)

    assert token(grant_type="password", **secrets).json()["error"] == "unsupported_grant_type"
    wrong = token(grant_type="refresh_token", **{**secrets, "refresh_token": "x"})
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_grant")
    access = token(grant_type="refresh_token", **secrets).json()["access_token"]
    assert fake.call("GET", LISTS, token=access).status_code == 200
    fake.later(hours=1)
    for bad in (access, "other", None):
        reply = fake.call("GET", LISTS, token=bad)
        assert reply.status_code == 401
        assert reply.json()["error"]["status"] == "UNAUTHENTICATED"


def test_a_manager_is_named_in_two_ways(fake_with):
    """If this fails, a client that forgets one of both works here and not there."""
    fake = fake_with(manager="9998887777")
    header = {"login-account": "accountTypes/GOOGLE_ADS/accounts/9998887777"}
    body = {"displayName": "B", "ingestedUserListInfo": {"uploadKeyTypes": ["CONTACT_ID"]}}
    assert fake.call("POST", LISTS, json=body).status_code == 403
    number = fake.call("POST", LISTS, json=body, headers=header).json()["id"]
    upload = fake.body(number, *people(1))
    assert fake.call("POST", "audienceMembers:ingest", json=upload).status_code == 403
    login = {"accountId": "9998887777", "accountType": "GOOGLE_ADS"}
    upload["destinations"][0]["loginAccount"] = login
    assert fake.call("POST", "audienceMembers:ingest", json=upload).status_code == 200


def test_quotas_tell_which_one_it_was(fake_with, patience):
    """If this fails, a client cannot tell a minute's wait from a day's."""

    def quota(reply):
        assert reply.status_code == 429
        return reply.json()["error"]["details"][0]["metadata"]["quota_limit"]

    fake = fake_with(per_minute=3, per_day=5)
    for _ in range(3):
        assert fake.call("GET", LISTS).status_code == 200
    assert quota(fake.call("GET", LISTS)) == "ManagementReadRequestsPerMinutePerProject"
    assert fake.call("POST", LISTS, json={}).status_code == 400, "each kind has its own"
    type(patience).skipped += 61
    for _ in range(2):
        assert fake.call("GET", LISTS).status_code == 200
    assert quota(fake.call("GET", LISTS)) == "ManagementReadRequestsPerDayPerProject"
    fake.later(days=1)
    assert fake.call("GET", LISTS).status_code == 200
