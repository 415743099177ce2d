"""Google's own client, unmodified, over REST against the fake."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from google.ads import datamanager_v1 as dm
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.oauth2.credentials import Credentials
from google.protobuf import json_format
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask

from audiencehub.model import Change

ACCOUNT = "1234567890"
PARENT = f"accountTypes/GOOGLE_ADS/accounts/{ACCOUNT}"


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def connect(fake):
    """A client of one of the services, as Google's documentation opens it."""

    def start(kind, token="sandbox-access", at=fake):
        return kind(
            credentials=Credentials(token=token),
            transport="rest",
            client_options=ClientOptions(api_endpoint=at.url),
        )

    return start


@pytest.fixture
def lists(connect):
    return connect(dm.UserListServiceClient)


@pytest.fixture
def ingestion(connect):
    return connect(dm.IngestionServiceClient)


def create(lists, name="From the client", **more):
    made = dm.UserList(
        display_name=name,
        ingested_user_list_info=dm.IngestedUserListInfo(
            upload_key_types=[dm.IngestedUserListInfo.UploadKeyType.CONTACT_ID],
            contact_id_info=dm.ContactIdInfo(
                data_source_type=dm.DataSourceType.DATA_SOURCE_TYPE_FIRST_PARTY
            ),
        ),
        **more,
    )
    return lists.create_user_list(parent=PARENT, user_list=made)


def destinations(number):
    account = dm.ProductAccount(
        account_id=ACCOUNT, account_type=dm.ProductAccount.AccountType.GOOGLE_ADS
    )
    return [dm.Destination(operating_account=account, product_destination_id=str(number))]


def members(*addresses):
    return [
        dm.AudienceMember(
            composite_data=dm.CompositeData(
                user_data=dm.UserData(user_identifiers=[dm.UserIdentifier(email_address=sha(one))])
            )
        )
        for one in addresses
    ]


def upload(number, *rows, **more):
    said = dm.ConsentStatus.CONSENT_GRANTED
    values = {
        "consent": dm.Consent(ad_user_data=said, ad_personalization=said),
        "encoding": dm.Encoding.HEX,
        "terms_of_service": dm.TermsOfService(
            customer_match_terms_of_service_status=dm.TermsOfServiceStatus.ACCEPTED
        ),
        **more,
    }
    return dm.IngestAudienceMembersRequest(
        destinations=destinations(number), audience_members=rows, **values
    )


def test_a_list_lives_and_dies_through_the_client(lists, fake):
    """If this fails, the fake speaks a Google of its own."""
    made = create(lists, membership_duration=Duration(seconds=30 * 86_400))
    assert made.name == f"{PARENT}/userLists/{made.id}"
    changed = lists.update_user_list(
        user_list=dm.UserList(name=made.name, description="mine"),
        update_mask=FieldMask(paths=["description"]),
    )
    assert (changed.description, changed.display_name) == ("mine", "From the client")
    read = lists.get_user_list(name=made.name)
    assert read.membership_duration == timedelta(days=30)
    assert read.membership_status == dm.UserList.MembershipStatus.OPEN
    lists.delete_user_list(name=made.name)
    with pytest.raises(exceptions.NotFound):
        lists.get_user_list(name=made.name)


def test_the_pager_reaches_the_end(lists):
    """If this fails, page tokens do not lead to the end as the client follows them."""
    for n in range(7):
        create(lists, f"L{n}")
    found = lists.list_user_lists(
        request=dm.ListUserListsRequest(parent=PARENT, page_size=3),
    )
    assert [one.display_name for one in found] == [f"L{n}" for n in range(7)]


def test_members_come_and_go_and_their_status_is_read(lists, ingestion, fake):
    """If this fails, the round that Google's documentation describes does not work here."""
    number = create(lists).id
    taken = ingestion.ingest_audience_members(upload(number, *members(*"abcdef")))
    assert taken.request_id and not taken.field_warnings
    assert len(fake.members(number)) == 6
    fake.later(minutes=31)
    (status,) = ingestion.retrieve_request_status(
        dm.RetrieveRequestStatusRequest(request_id=taken.request_id)
    ).request_status_per_destination
    assert status.request_status == dm.RequestStatusPerDestination.RequestStatus.SUCCESS
    counted = status.audience_members_ingestion_status.composite_data_ingestion_status
    assert counted.record_count == 6
    assert counted.data_type_counts[0].count == 6
    out = dm.RemoveAudienceMembersRequest(
        destinations=destinations(number),
        audience_members=members("a", "b"),
        encoding=dm.Encoding.HEX,
    )
    assert ingestion.remove_audience_members(out).request_id
    assert len(fake.members(number)) == 4
    since = fake.sandbox.clock.now()
    ingestion.ingest_audience_members(upload(number, *members("c")))
    ingestion.remove_all_audience_members(
        dm.RemoveAllAudienceMembersRequest(
            destinations=destinations(number), remove_as_of_time=since
        )
    )
    assert fake.members(number) == [[f"email_address:{sha('c')}"]]
    with pytest.raises(exceptions.BadRequest) as raised:
        ingestion.remove_all_audience_members(
            dm.RemoveAllAudienceMembersRequest(
                destinations=destinations(number),
                remove_as_of_time=datetime(2030, 1, 1, tzinfo=UTC),
            )
        )
    assert raised.value.reason == "INVALID_ARGUMENT"


def test_errors_reach_the_client_with_their_details(lists, ingestion, connect, fake_with):
    """If this fails, the error bodies are not those that Google's client understands."""
    number = create(lists).id
    with pytest.raises(exceptions.BadRequest) as raised:
        bad = members("a")
        bad[0].composite_data.user_data.user_identifiers[0].email_address = "mary@acme.example"
        ingestion.ingest_audience_members(upload(number, *members("b"), *bad))
    assert raised.value.domain == "datamanager.googleapis.com"
    (violation,) = raised.value.details[-1]["fieldViolations"]
    assert violation["reason"] == "INVALID_HEX_ENCODING"
    assert violation["field"].startswith("audience_members[1].")
    with pytest.raises(exceptions.BadRequest, match="problem") as raised:
        create(lists)
    assert raised.value.details[-1]["fieldViolations"][0]["reason"] == "DISPLAY_NAME_ALREADY_USED"
    small = fake_with(per_minute=0)
    with pytest.raises(exceptions.TooManyRequests) as raised:
        connect(dm.IngestionServiceClient, at=small).ingest_audience_members(upload(number))
    assert raised.value.metadata["quota_limit"] == "IngestionMutateRequestsPerMinutePerProject"


def test_the_client_retries_an_outage_and_no_limit(lists, ingestion, fake, monkeypatch):
    """If this fails, the reason is gone why the product turns off the library's own retries."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    number = create(lists).id
    down = {"error": {"code": 503, "status": "UNAVAILABLE", "message": "x", "details": []}}
    fake.fault(path="audienceMembers:ingest", times=2, status=503, body=down)
    assert ingestion.ingest_audience_members(upload(number, *members("a"))).request_id
    assert fake.asked().count("/v1/audienceMembers:ingest") == 3
    fake.fault(path="audienceMembers:ingest", times=1, status=429, body=down)
    with pytest.raises(exceptions.TooManyRequests):
        ingestion.ingest_audience_members(upload(number, *members("a")))
    assert fake.asked().count("/v1/audienceMembers:ingest") == 4


def test_our_own_json_is_the_message_that_the_client_would_send(
    lists, ingestion, fake, opened, target
):
    """If this fails, what the product writes by itself, to save the client's time, says other
    things than the client would."""
    bodies = []
    kept = fake.sandbox._done

    def seen(verb, body, *rest):
        bodies.append(json_format.MessageToDict(body))
        return kept(verb, body, *rest)

    fake.sandbox._done = seen
    whole = {
        "email": sha("e"),
        "phone": sha("p"),
        "first_name": sha("f"),
        "last_name": sha("l"),
        "zip": "94045",
        "country": "US",
    }
    destination = opened(fake)
    remote = destination.ensure(target, [])
    ready = replace(target, remote=remote)
    since = fake.sandbox.clock.now()
    add = Change("p", "add", identifiers=whole)
    destination.apply(ready, [add])
    destination.apply(ready, [replace(add, op="remove")])
    fake.later(minutes=31)
    destination.replace(ready, [], since)

    there = destinations(remote["user_list_id"])
    address = dm.AddressInfo(
        given_name=sha("f"), family_name=sha("l"), postal_code="94045", region_code="US"
    )
    identifiers = [
        dm.UserIdentifier(email_address=sha("e")),
        dm.UserIdentifier(phone_number=sha("p")),
        dm.UserIdentifier(address=address),
    ]
    person = dm.AudienceMember(
        composite_data=dm.CompositeData(user_data=dm.UserData(user_identifiers=identifiers))
    )
    ingestion.ingest_audience_members(upload(remote["user_list_id"], person))
    ingestion.remove_audience_members(
        dm.RemoveAudienceMembersRequest(
            destinations=there, audience_members=[person], encoding=dm.Encoding.HEX
        )
    )
    ingestion.remove_all_audience_members(
        dm.RemoveAllAudienceMembersRequest(
            destinations=there, remove_as_of_time=since - timedelta(minutes=5)
        )
    )
    assert bodies[:3] == bodies[3:]
