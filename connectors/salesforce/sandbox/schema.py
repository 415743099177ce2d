"""The sObjects of the fake org and their fields, as describe tells them."""

from __future__ import annotations

import hashlib
import string
from dataclasses import dataclass
from typing import Any

from audiencehub.sandbox.store import Store

Json = dict[str, Any]
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
CHECK = string.ascii_uppercase + "012345"


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `kind` is the describe type."""

    name: str
    kind: str = "string"
    editable: bool = True
    length: int = 255
    to: str = ""
    """The sObject that a reference points to."""
    relation: str = ""
    """The name by which SOQL follows it."""
    values: tuple[str, ...] = ()
    restricted: bool = False

    @property
    def custom(self) -> bool:
        """Made by the org, not by the vendor."""
        return self.name.endswith("__c")

    def describe(self) -> Json:
        """This field as `sobjects/<name>/describe` lists it."""
        return {
            "name": self.name,
            "label": self.name.removesuffix("__c").replace("_", " "),
            "type": self.kind,
            "length": self.length,
            "custom": self.custom,
            "nillable": True,
            "createable": self.editable,
            "updateable": self.editable,
            "filterable": self.kind not in ("textarea", "address"),
            "sortable": self.kind not in ("textarea", "address", "multipicklist"),
            "referenceTo": [self.to] if self.to else [],
            "relationshipName": self.relation or None,
            "restrictedPicklist": self.restricted,
            "picklistValues": [
                {"value": one, "label": one, "active": True, "defaultValue": False}
                for one in self.values
            ],
        }


def _fields(*names: str) -> tuple[Field, ...]:
    """`Name`, `Name:kind` or `Name:kind!` for one that cannot be written."""
    made = []
    for text in names:
        name, _, kind = text.partition(":")
        made.append(Field(name, kind.rstrip("!") or "string", editable=not kind.endswith("!")))
    return tuple(made)


def _link(name: str, to: str, relation: str = "", *, editable: bool = True) -> Field:
    return Field(name, "reference", editable, 18, to, relation or name.removesuffix("Id"))


_SYSTEM = _fields(
    "Id:id!",
    "IsDeleted:boolean!",
    "CreatedDate:datetime!",
    "LastModifiedDate:datetime!",
    "SystemModstamp:datetime!",
)
_PERSON = _fields(
    "FirstName",
    "LastName",
    "Name:string!",
    "Email:email",
    "Phone:phone",
    "Title",
    "LeadSource:picklist",
    "HasOptedOutOfEmail:boolean",
    "Language__c",
    "Lifecycle_Stage__c:picklist",
    "Customer_Number__c",
    "GenderIdentity:picklist",
    "Income_Band__c:picklist",
    "Occupation__c:picklist",
    "Education__c:picklist",
    "Family_Status__c:picklist",
    "Buyer_Role__c:picklist",
    "Time_Zone__c",
    "Climate_Zone__c:picklist",
    "Population_Density__c:double",
    "Local_Economy__c:picklist",
    "Preferred_Channel__c:picklist",
)
OBJECTS: dict[str, tuple[str, tuple[Field, ...]]] = {
    "Contact": (
        "003",
        (
            *_SYSTEM,
            _link("MasterRecordId", "Contact", "MasterRecord", editable=False),
            _link("AccountId", "Account"),
            *_PERSON,
            *_fields(
                "Department",
                "MailingStreet:textarea",
                "MailingCity",
                "MailingState",
                "MailingCountry",
                "MailingPostalCode",
                "MailingLatitude:double",
                "MailingLongitude:double",
                "Birthdate:date",
                "MailingAddress:address!",
            ),
        ),
    ),
    "Lead": (
        "00Q",
        (
            *_SYSTEM,
            _link("MasterRecordId", "Lead", "MasterRecord", editable=False),
            *_PERSON,
            *_fields(
                "Company",
                "Website:url",
                "Status:picklist",
                "City",
                "State",
                "Country",
                "PostalCode",
                "Latitude:double",
                "Longitude:double",
                "Address:address!",
                "IsConverted:boolean!",
            ),
            _link("ConvertedContactId", "Contact", editable=False),
            _link("ConvertedAccountId", "Account", editable=False),
        ),
    ),
    "Account": (
        "001",
        (
            *_SYSTEM,
            _link("MasterRecordId", "Account", "MasterRecord", editable=False),
            _link("ParentId", "Account"),
            *_fields(
                "Name",
                "Website:url",
                "Industry:picklist",
                "NumberOfEmployees:int",
                "AnnualRevenue:currency",
                "BillingCity",
                "BillingState",
                "BillingCountry",
                "BillingPostalCode",
                "BillingLatitude:double",
                "BillingLongitude:double",
                "BillingAddress:address!",
                "YearStarted",
                "Type:picklist",
                "Business_Model__c:picklist",
                "Funding_Stage__c:picklist",
                "Margin__c:percent",
                "Employee_Range__c:picklist",
                "Revenue_Range__c:picklist",
                "Renewal_Risk__c:double",
            ),
        ),
    ),
    "Opportunity": (
        "006",
        (
            *_SYSTEM,
            _link("AccountId", "Account"),
            _link("ContactId", "Contact", editable=False),
            *_fields(
                "Name",
                "Amount:currency",
                "CurrencyIsoCode:picklist",
                "StageName:picklist",
                "Probability:percent",
                "Type:picklist",
                "IsClosed:boolean!",
                "IsWon:boolean!",
                "CloseDate:date",
            ),
        ),
    ),
    "Task": (
        "00T",
        (
            *_SYSTEM,
            _link("WhoId", "Contact"),
            _link("WhatId", "Account"),
            *_fields(
                "Subject",
                "Status:picklist",
                "Type:picklist",
                "TaskSubtype:picklist!",
                "ActivityDate:date",
                "CompletedDateTime:datetime!",
            ),
        ),
    ),
    "Event": (
        "00U",
        (
            *_SYSTEM,
            _link("WhoId", "Contact"),
            _link("WhatId", "Account"),
            *_fields("Subject", "Type:picklist", "StartDateTime:datetime", "EndDateTime:datetime"),
        ),
    ),
    "Campaign": (
        "701",
        (
            *_SYSTEM,
            Field("Name", length=80),
            Field("Description", "textarea", length=32_000),
            *_fields("IsActive:boolean", "NumberOfContacts:int!", "NumberOfLeads:int!"),
        ),
    ),
    "CampaignMember": (
        "00v",
        (
            *_SYSTEM,
            _link("CampaignId", "Campaign"),
            _link("ContactId", "Contact"),
            _link("LeadId", "Lead"),
            *_fields("Status:picklist", "HasResponded:boolean!", "FirstRespondedDate:date!"),
        ),
    ),
    "PermissionSet": ("0PS", (*_SYSTEM, *_fields("Name", "Label"))),
    "FieldPermissions": (
        "01k",
        (
            *_SYSTEM,
            _link("ParentId", "PermissionSet"),
            *_fields("SobjectType", "Field", "PermissionsRead:boolean", "PermissionsEdit:boolean"),
        ),
    ),
    "PermissionSetAssignment": (
        "0Pa",
        (*_SYSTEM, _link("PermissionSetId", "PermissionSet"), _link("AssigneeId", "User")),
    ),
    "User": ("005", (*_SYSTEM, *_fields("Name", "Username"))),
    "Organization": ("00D", (*_SYSTEM, *_fields("Name", "IsSandbox:boolean!"))),
}


def sf_id(prefix: str, key: str) -> str:
    """The 18-character id that a record key always gets: 15 characters and their check suffix."""
    number = int.from_bytes(hashlib.sha256(f"{prefix}/{key}".encode()).digest()[:8], "big")
    body = ""
    for _ in range(10):
        number, digit = divmod(number, 62)
        body = BASE62[digit] + body
    return to_18(prefix + "5e" + body)


def to_18(short: str) -> str:
    """The case-safe form: each suffix character tells which of five characters are capitals."""
    if len(short) != 15:
        return short
    suffix = ""
    for start in (0, 5, 10):
        bits = sum(1 << n for n, one in enumerate(short[start : start + 5]) if "A" <= one <= "Z")
        suffix += CHECK[bits]
    return short + suffix


class Schema:
    """What the running user sees: standard fields, custom fields granted, hidden ones left out."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, name: str) -> str | None:
        """The sObject's own spelling; None when there is none of that name."""
        return next((one for one in OBJECTS if one.lower() == name.lower()), None)

    def prefix(self, name: str) -> str:
        """The first three characters of its ids."""
        return OBJECTS[name][0]

    def all_fields(self, name: str) -> dict[str, Field]:
        """Every field that exists, by lower-case name."""
        made = {f.name.lower(): f for f in OBJECTS[name][1]}
        for key, entry in self._store.table("custom_fields").items():
            owner, _, field = key.partition(".")
            if owner == name:
                made[field.lower()] = Field(
                    field,
                    entry["kind"],
                    length=entry["length"],
                    values=tuple(entry["values"]),
                    restricted=entry["restricted"],
                )
        return made

    def fields(self, name: str) -> dict[str, Field]:
        """The fields that field-level security lets the running user see."""
        hidden = set(self._store.table("__knobs").get("hidden", {}).get("value", ()))
        made, granted = self._store.table("custom_fields"), self._granted()
        return {
            low: field
            for low, field in self.all_fields(name).items()
            if f"{name}.{field.name}" not in hidden
            and (f"{name}.{field.name}" not in made or f"{name}.{field.name}" in granted)
        }

    def _granted(self) -> set[str]:
        assigned = {
            one["PermissionSetId"] for one in self._store.table("PermissionSetAssignment").values()
        }
        return {
            one["Field"]
            for one in self._store.table("FieldPermissions").values()
            if one.get("ParentId") in assigned and one.get("PermissionsEdit")
        }

    def describe(self, name: str) -> Json:
        """The body of `sobjects/<name>/describe`."""
        return {
            "name": name,
            "label": name,
            "keyPrefix": self.prefix(name),
            "custom": False,
            "queryable": True,
            "createable": True,
            "updateable": True,
            "deletable": True,
            "replicateable": True,
            "retrieveable": True,
            "fields": [field.describe() for field in self.fields(name).values()],
        }
