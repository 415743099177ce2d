"""Microsoft's own Python library, unmodified, against the fake's older door."""

import hashlib

import pytest
from bingads import AuthorizationData, OAuthTokens, OAuthWebAuthCodeGrant, ServiceClient
from bingads.util import DictCache
from suds import WebFault

WSDL = DictCache()
EMAILS = [hashlib.sha256(f"p{n}@acme.example".encode()).hexdigest() for n in range(3)]


@pytest.fixture
def service(fake):
    """The Campaign Management service as the library's guide opens it."""

    def connect(developer="sandbox-developer_token", token=None):
        access = token or fake.token().json()["access_token"]
        login = OAuthWebAuthCodeGrant(
            client_id="3f2b8a10-0000-4000-8000-000000000001",
            client_secret="x",
            redirection_uri="https://acme.example/",
            oauth_tokens=OAuthTokens(access, 3600, "refresh"),
        )
        return ServiceClient(
            "CampaignManagementService",
            13,
            AuthorizationData(
                account_id="1001",
                customer_id="2002",
                developer_token=developer,
                authentication=login,
            ),
            environment="production",
            location=f"{fake.url}/Api/Advertiser/CampaignManagement/v13"
            "/CampaignManagementService.svc",
            cache=WSDL,
        )

    return connect


@pytest.fixture
def made(service):
    """The service, and a customer list made through it."""
    client = service()
    audience = client.factory.create("CustomerList")
    audience.Name = "From the library"
    audience.Description = "by hand"
    several = client.factory.create("ArrayOfAudience")
    several.Audience.append(audience)
    reply = client.AddAudiences(Audiences=several)
    return client, str(reply.AudienceIds.long[0])


def upload(client, audience, values, action="Add", kind="Email"):
    data = client.factory.create("CustomerListUserData")
    data.ActionType, data.AudienceId, data.CustomerListItemSubType = action, audience, kind
    data.CustomerListItems = {"string": values}
    return client.ApplyCustomerListUserData(CustomerListUserData=data)


def test_a_list_through_the_library(made, fake):
    """If this fails, the fake speaks a Microsoft of its own."""
    client, audience = made
    assert audience == "817341000"
    assert not getattr(upload(client, audience, EMAILS), "BatchError", None)
    assert fake.items(audience) == sorted(("Email", one) for one in EMAILS)
    upload(client, audience, EMAILS[:1], action="Remove")
    assert fake.items(audience) == sorted(("Email", one) for one in EMAILS[1:])
    upload(client, audience, EMAILS[:1], action="Replace")
    assert fake.items(audience) == [("Email", EMAILS[0])]


def test_refused_items_reach_the_library(made, fake):
    """If this fails, errors by index are not those that Microsoft's library understands."""
    client, audience = made
    reply = upload(client, audience, [EMAILS[0], "mary@acme.example", EMAILS[1]])
    (error,) = reply.BatchError
    assert (error.Code, error.Index, error.ErrorCode) == (8004, 1, "EmailMustBeHashed")
    assert len(fake.items(audience)) == 2


def test_looking_through_the_library(made, fake):
    """If this fails, sizes are not where the library looks for them."""
    client, audience = made
    upload(client, audience, EMAILS)
    fake.later(minutes=30)
    reply = client.GetAudiencesByIds(
        AudienceIds={"long": [audience]}, Type="CustomerList", ReturnAdditionalFields=None
    )
    (found,) = reply.Audiences.Audience
    assert type(found).__name__ == "CustomerList"
    assert (found.Name, str(found.Id), found.SearchSize) == ("From the library", audience, None)


def test_faults_reach_the_library(service, made):
    """If this fails, a refused login or list is not what the library calls one."""
    client, _ = made
    with pytest.raises(WebFault) as gone:
        upload(client, "7", EMAILS)
    error = gone.value.fault.detail.ApiFaultDetail.OperationErrors.OperationError
    assert int(error.Code) == 8000
    with pytest.raises(WebFault) as refused:
        upload(service(developer="wrong"), "7", EMAILS)
    error = refused.value.fault.detail.AdApiFaultDetail.Errors.AdApiError
    assert int(error.Code) == 105
