"""simple-salesforce, unmodified, against the fake: what it accepts of the vendor, it must here.

Its session rewrites only where a request goes, since the library insists on salesforce.com.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from simple_salesforce import Salesforce, SalesforceAuthenticationFailed, format_soql
from simple_salesforce.exceptions import (
    SalesforceMalformedRequest,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)


class ToLoopback(requests.adapters.HTTPAdapter):
    """Keeps path and query, replaces scheme and host."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = urlsplit(base)

    def send(self, request, *args, **kwargs):
        where = urlsplit(request.url)._replace(scheme=self.base.scheme, netloc=self.base.netloc)
        request.url = where.geturl()
        return super().send(request, *args, **kwargs)


def session(url: str) -> requests.Session:
    made = requests.Session()
    made.mount("https://", ToLoopback(url))
    return made


def login(url: str, **more: str) -> Salesforce:
    options = {
        "consumer_key": "sandbox-consumer_key",
        "consumer_secret": "sandbox-consumer_secret",
        "domain": "acme.my",
        "version": "62.0",
        **more,
    }
    return Salesforce(session=session(url), **options)


def test_the_client_logs_in_and_queries(org):
    """The fake's token endpoint or query shape would differ from the vendor's."""
    sf = login(org.url)
    found = sf.query(
        format_soql(
            "SELECT Id, LastName, Account.Name FROM Contact WHERE Email = {}", "C1@mueller.example"
        )
    )

    assert found["totalSize"] == 1
    assert found["records"][0]["Account"]["Name"] == "Müller & Söhne"
    assert found["records"][0]["attributes"]["type"] == "Contact"
    assert sf.api_usage["api-usage"].total == 100_000
    assert sf.limits()["DailyApiRequests"]["Max"] == 100_000


def test_a_wrong_secret_is_refused_as_the_vendor_does(org):
    """The product's message for a wrong password would be tested against nothing real."""
    with pytest.raises(SalesforceAuthenticationFailed, match="invalid_client"):
        login(org.url, consumer_secret="wrong")


def test_the_jwt_flow_logs_in_with_a_registered_key(org):
    """An org that allows only the JWT flow could not be tried in the sandbox."""
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    public = (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
    options = {
        "username": "integration@acme.example",
        "consumer_key": "sandbox-consumer_key",
        "privatekey": private,
        "session": session(org.url),
        "domain": "login",
    }
    with pytest.raises(SalesforceAuthenticationFailed):
        Salesforce(**options)
    org.sandbox.set(certificate=public)

    assert Salesforce(**options).query("SELECT COUNT() FROM Contact")["totalSize"] == 2


def test_query_more_walks_every_page(big):
    """Locators of the fake would not be those that clients follow."""
    sf = login(big.url)
    first = sf.query("SELECT Id FROM Contact ORDER BY Id")
    second = sf.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    everything = sf.query_all("SELECT Id FROM Contact", include_deleted=True)

    assert (first["totalSize"], len(first["records"]), first["done"]) == (9002, 2000, False)
    assert second["records"][0]["Id"] > first["records"][-1]["Id"]
    assert everything["totalSize"] == 9003
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_QUERY_LOCATOR"):
        sf.query_more("0r8000000000000999-2000")


def test_single_records_are_made_read_changed_and_deleted(org):
    """SFType of the client would find other paths or shapes than at the vendor."""
    sf = login(org.url)
    made = sf.Contact.create({"LastName": "Ōyama", "Email": "o@oyama.example"})
    sf.Contact.update(made["id"], {"Title": "Œuvre\nzwei"})
    read = sf.Contact.get(made["id"])
    sf.Contact.delete(made["id"])
    now = org.clock.now()
    gone = sf.Contact.deleted(datetime(2026, 11, 15, tzinfo=UTC), now.replace(hour=23))

    assert made["success"] is True
    assert (read["LastName"], read["Title"]) == ("Ōyama", "Œuvre\nzwei")
    assert [one["id"] for one in gone["deletedRecords"]] == [made["id"]]
    with pytest.raises(SalesforceResourceNotFound):
        sf.Contact.get(made["id"])
    with pytest.raises(SalesforceMalformedRequest, match="REQUIRED_FIELD_MISSING"):
        sf.Contact.create({"FirstName": "Nobody"})
    assert any(one["name"] == "Email" for one in sf.Contact.describe()["fields"])


def test_a_dead_session_is_renewed_by_the_client_itself(org):
    """The fake's 401 would not be the one that clients recognize."""
    sf = login(org.url)
    org.sandbox.store.table("sessions").put(
        {key: {"alive": False} for key in org.sandbox.store.table("sessions")}
    )

    assert sf.query("SELECT COUNT() FROM Lead")["totalSize"] == 1


def test_a_used_up_allowance_is_refused_as_the_vendor_does(org):
    """The product's waiting would be tested against an error that never comes."""
    sf = login(org.url)
    org.sandbox.set(daily_calls=1)
    sf.query("SELECT COUNT() FROM Lead")

    with pytest.raises(SalesforceRefusedRequest, match="REQUEST_LIMIT_EXCEEDED"):
        sf.query("SELECT COUNT() FROM Lead")


def test_bulk_query_pages_through_results(big):
    """Headers or CSV of the fake would not be those that bulk clients read."""
    pages = list(
        login(big.url).bulk2.Contact.query(
            "SELECT Id, LastName FROM Contact", max_records=5000, wait=0.01
        )
    )
    rows = [list(csv.DictReader(io.StringIO(page, newline=""))) for page in pages]

    assert [len(one) for one in rows] == [5000, 4002]
    assert rows[0][0].keys() == {"Id", "LastName"}


def test_bulk_update_tells_success_from_failure(org):
    """The job states or result files of the fake would not be the vendor's."""
    sf = login(org.url)
    good, bad = org.id("Contact", "c1"), org.id("Contact", "c3")
    done = sf.bulk2.Contact.update(
        records=[
            {"Id": good, "Title": "Zeile eins\nZeile zwei", "Department": "#N/A"},
            {"Id": bad, "Title": "x", "Department": ""},
        ],
        wait=0.01,
    )[0]
    failed = sf.bulk2.Contact.get_failed_records(done["job_id"])
    left = sf.bulk2.Contact.get_unprocessed_records(done["job_id"])

    assert (done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (2, 1)
    assert "ENTITY_IS_DELETED:entity is deleted: --" in failed
    assert set(next(csv.reader(io.StringIO(left)))) == {"Id", "Title", "Department"}
    assert org.record("Contact", "c1")["Title"] == "Zeile eins\nZeile zwei"


def test_collections_and_tooling_answer_through_the_generic_calls(org):
    """Composite and Tooling paths would be missing from the fake."""
    sf = login(org.url)
    said = sf.restful(
        "composite/sobjects",
        method="PATCH",
        json={
            "allOrNone": False,
            "records": [
                {"attributes": {"type": "Contact"}, "id": org.id("Contact", "c1"), "Title": "A"},
                {"attributes": {"type": "Contact"}, "id": org.id("Contact", "c1"), "Nope__c": "A"},
            ],
        },
    )
    made = sf.toolingexecute(
        "sobjects/CustomField",
        method="POST",
        data={
            "FullName": "Contact.Segment_Tags__c",
            "Metadata": {
                "label": "Segment Tags",
                "type": "MultiselectPicklist",
                "visibleLines": 4,
                "valueSet": {
                    "restricted": False,
                    "valueSetDefinition": {
                        "sorted": False,
                        "value": [{"fullName": "vip", "label": "VIP"}],
                    },
                },
            },
        },
    )

    assert [one["success"] for one in said] == [True, False]
    assert said[1]["errors"][0]["statusCode"] == "INVALID_FIELD"
    assert made["success"] is True


@pytest.mark.parametrize(
    ("soql", "count"),
    [
        ("SELECT Id FROM Contact WHERE FirstName LIKE 'J%' AND (Title != null OR Title = null)", 1),
        ("select id from contact where email in ('C1@MUELLER.example','nobody') limit 5", 1),
        ("SELECT Id FROM Contact WHERE NOT HasOptedOutOfEmail = true", 1),
        ("SELECT Id FROM Account WHERE NumberOfEmployees >= 240 AND AnnualRevenue < 2000000.5", 2),
        ("SELECT Id FROM Contact WHERE SystemModstamp > 2026-03-03T07:59:59Z", 2),
        ("SELECT Id FROM Contact WHERE SystemModstamp > 2026-03-03T09:00:00+01:00", 0),
        ("SELECT Id FROM Contact WHERE LastName = 'O\\'Neil'", 0),
        ("SELECT Id FROM Contact WHERE LastName LIKE '%\\_%'", 0),
        ("SELECT Id FROM Opportunity WHERE CloseDate = 2026-05-01 AND Account.Name LIKE 'M%'", 1),
        ("SELECT Id FROM Account ORDER BY BillingPostalCode DESC NULLS LAST, Name LIMIT 1", 1),
    ],
)
def test_queries_find_what_the_vendor_would_find(org, soql, count):
    """A query that the fake reads otherwise than the vendor proves nothing about the product."""
    assert login(org.url).query(soql)["totalSize"] == count


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Id FROM Contakt", "INVALID_TYPE"),
        ("SELECT Nope FROM Contact", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE", "MALFORMED_QUERY"),
        ("SELECT FROM Contact", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Id = 'x' OR", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE SystemModstamp > 'yesterday'", "INVALID_FIELD"),
        ("SELECT Id; DROP", "MALFORMED_QUERY"),
    ],
)
def test_queries_that_the_vendor_refuses_are_refused(org, soql, code):
    """A mistake in a query of ours would pass here and fail at the customer."""
    with pytest.raises(SalesforceMalformedRequest, match=code):
        login(org.url).query(soql)


def test_multi_select_values_are_found_by_includes(org):
    """Sales could not list who carries a tag."""
    org.tags().ensure(_target(), [])
    sf = login(org.url)
    sf.Contact.update(org.id("Contact", "c1"), {"Audiencehub_Segments__c": "vip;q4"})
    where = "SELECT Id FROM Contact WHERE Audiencehub_Segments__c "

    assert sf.query(where + "INCLUDES ('vip;q4','churn')")["totalSize"] == 1
    assert sf.query(where + "INCLUDES ('vip;churn')")["totalSize"] == 0
    assert sf.query(where + "EXCLUDES ('vip')")["totalSize"] == 1


def test_bulk_refuses_compound_fields(org):
    """A field that REST reads and Bulk refuses would be found out only in production."""
    with pytest.raises(SalesforceMalformedRequest, match="compound"):
        list(login(org.url).bulk2.Contact.query("SELECT MailingAddress FROM Contact", wait=0.01))


def _target():
    from audiencehub.model import Target

    return Target("salesforce", "tag", "contact")


def test_the_library_sees_a_campaign_as_the_vendor_shows_it(org):
    """Its reader of campaigns must find ours, and be refused where Salesforce refuses."""
    sf = login(org.url)
    made = sf.Campaign.create({"Name": "Autumn fair", "IsActive": True})["id"]
    c1, lead = org.id("Contact", "c1"), org.id("Lead", "l1")
    row = sf.CampaignMember.create({"CampaignId": made, "ContactId": c1})["id"]
    sf.CampaignMember.create({"CampaignId": made, "LeadId": lead})
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.CampaignMember.create({"CampaignId": made, "ContactId": c1})
    assert refused.value.content[0]["errorCode"] == "DUPLICATE_VALUE"
    for wrong in ({"ContactId": "003000000000000AAA"}, {}):
        with pytest.raises(SalesforceMalformedRequest):
            sf.CampaignMember.create({"CampaignId": made, **wrong})
    counts = "SELECT Id, NumberOfContacts, NumberOfLeads FROM Campaign WHERE Name LIKE 'autumn%'"
    (found,) = sf.query(counts)["records"]
    assert (found["NumberOfContacts"], found["NumberOfLeads"]) == (1, 1)
    sf.CampaignMember.delete(row)
    assert sf.query(counts)["records"][0]["NumberOfContacts"] == 0
    with pytest.raises(SalesforceMalformedRequest, match="can not be filtered"):
        sf.query("SELECT Id FROM Campaign WHERE Description = 'x'")
    with pytest.raises(SalesforceMalformedRequest, match="too large"):
        sf.Campaign.create({"Name": "x" * 81})
