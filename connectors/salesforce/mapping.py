"""What is asked of each sObject, and how a record is said in canonical words. Pure.

Standard fields: Object Reference for the Salesforce Platform.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from audiencehub.errors import SkipRow
from audiencehub.model import Json, Row

Fields = Mapping[str, str]
"""Canonical field to Salesforce field."""
SYSTEM = ("Id", "IsDeleted", "SystemModstamp", "CreatedDate")
OPTIONAL = frozenset({"CurrencyIsoCode", "YearStarted", "GenderIdentity"})
"""Only where the org has the feature (several currencies; company data; gender identity), whatever
it grants."""

EXTENSION = re.compile(r"x|#|durchwahl|dw|poste|interno|;", re.IGNORECASE)
"""Where a phone has an extension, which cleaning then takes out of the whole."""


@dataclass(frozen=True, slots=True)
class Entity:
    """One sObject of a stream."""

    name: str
    fields: Fields
    extra: tuple[str, ...] = ()
    """Fields read for links and state."""

    def columns(self, own: Fields) -> tuple[str, ...]:
        """Every field to select, in a stable order."""
        mapped = {**self.fields, **own}
        return tuple(dict.fromkeys((*SYSTEM, *self.extra, *mapped.values())))


STREAMS: Mapping[str, tuple[Entity, ...]] = {
    "contact": (
        Entity(
            "Contact",
            {
                "email": "Email",
                "phone": "Phone",
                "first_name": "FirstName",
                "last_name": "LastName",
                "title": "Title",
                "department": "Department",
                "city": "MailingCity",
                "state": "MailingState",
                "country": "MailingCountry",
                "postal_code": "MailingPostalCode",
                "latitude": "MailingLatitude",
                "longitude": "MailingLongitude",
                "birth_date": "Birthdate",
                "gender": "GenderIdentity",
                "lead_source": "LeadSource",
                "created_at": "CreatedDate",
            },
            ("AccountId", "MasterRecordId", "HasOptedOutOfEmail"),
        ),
    ),
    "lead": (
        Entity(
            "Lead",
            {
                "email": "Email",
                "phone": "Phone",
                "first_name": "FirstName",
                "last_name": "LastName",
                "title": "Title",
                "city": "City",
                "state": "State",
                "country": "Country",
                "postal_code": "PostalCode",
                "latitude": "Latitude",
                "longitude": "Longitude",
                "gender": "GenderIdentity",
                "lead_source": "LeadSource",
                "created_at": "CreatedDate",
            },
            (
                "Company",
                "Website",
                "MasterRecordId",
                "HasOptedOutOfEmail",
                "IsConverted",
                "ConvertedContactId",
            ),
        ),
    ),
    "account": (
        Entity(
            "Account",
            {
                "name": "Name",
                "domain": "Website",
                "industry": "Industry",
                "employee_count": "NumberOfEmployees",
                "annual_revenue": "AnnualRevenue",
                "founded_year": "YearStarted",
                "type": "Type",
                "city": "BillingCity",
                "state": "BillingState",
                "country": "BillingCountry",
                "postal_code": "BillingPostalCode",
                "latitude": "BillingLatitude",
                "longitude": "BillingLongitude",
                "created_at": "CreatedDate",
            },
            ("ParentId", "MasterRecordId"),
        ),
    ),
    "deal": (
        Entity(
            "Opportunity",
            {
                "name": "Name",
                "amount": "Amount",
                "currency": "CurrencyIsoCode",
                "stage": "StageName",
                "probability": "Probability",
                "type": "Type",
                "is_closed": "IsClosed",
                "is_won": "IsWon",
                "close_date": "CloseDate",
                "created_at": "CreatedDate",
            },
            ("AccountId", "ContactId"),
        ),
    ),
    "activity": (
        Entity(
            "Task",
            {},
            (
                "WhoId",
                "Subject",
                "Status",
                "Type",
                "TaskSubtype",
                "ActivityDate",
                "CompletedDateTime",
            ),
        ),
        Entity("Event", {}, ("WhoId", "Subject", "Type", "StartDateTime")),
    ),
    "campaign_member": (
        Entity(
            "CampaignMember",
            {},
            (
                "Campaign.Name",
                "ContactId",
                "LeadId",
                "Status",
                "HasResponded",
                "FirstRespondedDate",
            ),
        ),
    ),
}


def rows_of(stream: str, record: Json, own: Fields) -> Iterator[Row]:
    """The canonical rows of one record. Raises SkipRow for a record without an id."""
    if not record.get("Id"):
        raise SkipRow(
            "A Salesforce record has no Id.", hint="Look at the page in landing/", code="no_id"
        )
    yield from MAKERS[stream](record, own)


def instant(value: Any) -> datetime | None:
    """`2026-11-16T09:00:00.000+0000` (REST) or `…000Z` (bulk) as UTC; None for none."""
    return datetime.fromisoformat(value).astimezone(UTC) if value else None


def _moment(said: Any) -> Any:
    """A date without a time as noon of that day, UTC: the same date in nearly every zone."""
    return f"{said}T12:00:00+00:00" if isinstance(said, str) and len(said) == 10 else said


def _mapped(entity: Entity, record: Json, own: Fields) -> dict[str, Any]:
    return {name: record.get(field) for name, field in {**entity.fields, **own}.items()}


def _gone(record: Json) -> bool:
    return record.get("IsDeleted") is True


def _person(record: Json, own: Fields, kind: str) -> Iterator[Row]:
    key, seen = str(record["Id"]), instant(record.get("SystemModstamp"))
    master = record.get("MasterRecordId")
    if record.get("IsConverted"):
        # A converted lead stays readable but can no longer be written; its contact takes over.
        master = record.get("ConvertedContactId") or master
    if _gone(record) or record.get("IsConverted"):
        yield Row("contact", key, {"record_kind": kind}, seen, deleted=True, merged_into=master)
        yield Row("consent", key, {}, seen, deleted=True)
        return
    values = _mapped(STREAMS[kind][0], record, own) | {"record_kind": kind}
    if EXTENSION.search(str(values.get("phone") or "")):
        values["phone_ext"] = values["phone"]
    if record.get("AccountId"):
        values["account_ref"] = record["AccountId"]
    if record.get("Website"):
        values["account_domain"] = record["Website"]
    yield Row("contact", key, values, seen)
    yield _consent(key, record, seen)


def _consent(key: str, record: Json, seen: datetime | None) -> Row:
    """A denial, or none. An empty checkbox is not consent: it only takes a denial back."""
    if record.get("HasOptedOutOfEmail") is not True:
        return Row("consent", key, {}, seen, deleted=True)
    return Row(
        "consent",
        key,
        {
            "contact_ref": key,
            "purpose": "marketing",
            "channel": "email",
            "status": "denied",
            "at": record.get("SystemModstamp"),
            "proof": "HasOptedOutOfEmail",
        },
        seen,
    )


def _contact(record: Json, own: Fields) -> Iterator[Row]:
    return _person(record, own, "contact")


def _lead(record: Json, own: Fields) -> Iterator[Row]:
    return _person(record, own, "lead")


def _account(record: Json, own: Fields) -> Iterator[Row]:
    seen = instant(record.get("SystemModstamp"))
    if _gone(record):
        yield Row("account", str(record["Id"]), {}, seen, True, record.get("MasterRecordId"))
        return
    values = _mapped(STREAMS["account"][0], record, own)
    if record.get("ParentId"):
        values |= {"parent_ref": record["ParentId"], "structure": "subsidiary"}
    yield Row("account", str(record["Id"]), values, seen)


def _deal(record: Json, own: Fields) -> Iterator[Row]:
    seen = instant(record.get("SystemModstamp"))
    if _gone(record):
        yield Row("deal", str(record["Id"]), {}, seen, deleted=True)
        return
    values = _mapped(STREAMS["deal"][0], record, own)
    values |= {"account_ref": record.get("AccountId"), "contact_ref": record.get("ContactId")}
    yield Row("deal", str(record["Id"]), {k: v for k, v in values.items() if v is not None}, seen)


def _activity(record: Json, _: Fields) -> Iterator[Row]:
    seen = instant(record.get("SystemModstamp"))
    if _gone(record):
        yield Row("event", str(record["Id"]), {}, seen, deleted=True)
        return
    meeting = str(record["Id"]).startswith("00U")
    name = "meeting" if meeting else record.get("Type") or record.get("TaskSubtype") or "task"
    at = (
        record.get("StartDateTime")
        or record.get("CompletedDateTime")
        or record.get("ActivityDate")
        or record.get("CreatedDate")
    )
    values = {
        "name": name,
        "at": _moment(at),
        "channel": "sales",
        "status": record.get("Status"),
        "contact_ref": record.get("WhoId"),
        "properties": {"subject": record.get("Subject")},
    }
    yield Row("event", str(record["Id"]), {k: v for k, v in values.items() if v is not None}, seen)


OWN_CAMPAIGN = re.compile(r"\[ah:[0-9a-f]{12}\]")
"""In the name of a campaign that a hub keeps."""


def _member(record: Json, _: Fields) -> Iterator[Row]:
    if OWN_CAMPAIGN.search(record.get("Campaign.Name") or ""):
        # What segments wrote is nothing that people did: read as such, it would feed them.
        return
    seen = instant(record.get("SystemModstamp"))
    if _gone(record):
        yield Row("event", str(record["Id"]), {}, seen, deleted=True)
        return
    responded = record.get("HasResponded") is True
    values = {
        "name": "campaign_response" if responded else "campaign_member",
        "at": _moment(
            (record.get("FirstRespondedDate") if responded else None) or record["CreatedDate"]
        ),
        "channel": "marketing",
        "campaign": record.get("Campaign.Name"),
        "status": record.get("Status"),
        "contact_ref": record.get("ContactId") or record.get("LeadId"),
    }
    yield Row("event", str(record["Id"]), {k: v for k, v in values.items() if v is not None}, seen)


MAKERS: Mapping[str, Callable[[Json, Fields], Iterator[Row]]] = {
    "contact": _contact,
    "lead": _lead,
    "account": _account,
    "deal": _deal,
    "activity": _activity,
    "campaign_member": _member,
}
