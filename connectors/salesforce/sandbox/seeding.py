"""The demo company said in sObjects: one document per record, under the id its key always gets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connectors.salesforce.sandbox.schema import OBJECTS, sf_id
from connectors.salesforce.sandbox.soql import stamp

if TYPE_CHECKING:
    from audiencehub.sandbox.company import Company
    from audiencehub.sandbox.company.records import (
        CampaignMember,
        CrmAccount,
        CrmActivity,
        CrmContact,
        CrmDeal,
    )

Json = dict[str, Any]
Made = tuple[str, str, Json]
"""sObject, id, document."""
VENDOR = "salesforce"


def id_of(entity: str, key: str | None) -> str | None:
    """The id of a company record in that sObject; None for no key."""
    return sf_id(OBJECTS[entity][0], key) if key else None


def documents(company: Company) -> Iterator[Made]:
    """Every record of the company that lives in Salesforce, links first."""
    people = {one.key: one for one in company.contacts if one.crm == VENDOR}
    for account in company.accounts:
        if account.crm == VENDOR:
            yield _made("Account", account.key, _account(account))
    for person in people.values():
        entity = entity_of(person)
        yield _made(entity, person.key, _person(entity, person, people))
    for deal in company.deals:
        if deal.crm == VENDOR:
            yield _made("Opportunity", deal.key, _deal(deal))
    for activity in company.activities:
        if activity.crm == VENDOR and activity.contact in people:
            entity = "Event" if activity.kind == "meeting" else "Task"
            yield _made(entity, activity.key, _activity(activity, people[activity.contact]))
    yield from _campaigns(company, people)


def entity_of(person: CrmContact) -> str:
    """Contact or Lead."""
    return "Lead" if person.kind == "lead" else "Contact"


def _made(entity: str, key: str, values: Json) -> Made:
    made = id_of(entity, key)
    assert made is not None
    return entity, made, {"Id": made, "IsDeleted": False, **values}


def _times(created: datetime, modified: datetime) -> Json:
    return {
        "CreatedDate": stamp(created),
        "LastModifiedDate": stamp(modified),
        "SystemModstamp": stamp(modified),
    }


def _number(value: Decimal | int | None) -> float | None:
    return None if value is None else float(value)


def _account(one: CrmAccount) -> Json:
    return {
        "Name": one.name,
        "Website": one.website,
        "Industry": one.industry,
        "Type": one.type,
        "NumberOfEmployees": one.employee_count,
        "AnnualRevenue": _number(one.annual_revenue),
        "BillingCity": one.city,
        "BillingState": one.state,
        "BillingCountry": one.country,
        "BillingPostalCode": one.details.postal_code,
        "BillingLatitude": one.details.latitude,
        "BillingLongitude": one.details.longitude,
        "Business_Model__c": one.details.business_model,
        "Funding_Stage__c": one.details.stage,
        "Margin__c": _number(one.details.margin),
        "Employee_Range__c": one.details.employee_range,
        "Revenue_Range__c": one.details.revenue_range,
        "Renewal_Risk__c": _number(one.details.renewal_risk),
        "ParentId": id_of("Account", one.parent),
        "YearStarted": str(one.founded_year) if one.founded_year else None,
        "MasterRecordId": None,
        "IsDeleted": one.deleted,
        **_times(one.created_at, one.modified_at),
    }


def _person(entity: str, one: CrmContact, people: dict[str, CrmContact]) -> Json:
    winner, details = people.get(one.merged_into or ""), one.details
    home = "" if entity == "Lead" else "Mailing"
    values = {
        "FirstName": one.first_name,
        "LastName": one.last_name,
        "Email": one.email,
        "Name": " ".join(filter(None, (one.first_name, one.last_name))),
        "Phone": one.phone,
        "Title": one.title,
        "LeadSource": one.lead_source,
        "HasOptedOutOfEmail": one.email_opt_out,
        "Language__c": one.language,
        "Lifecycle_Stage__c": one.lifecycle_stage,
        "Customer_Number__c": one.external_id,
        f"{home}City": one.city,
        f"{home}State": one.state,
        f"{home}Country": one.country,
        f"{home}PostalCode": one.postal_code,
        f"{home}Latitude": details.latitude,
        f"{home}Longitude": details.longitude,
        "GenderIdentity": details.gender,
        "Income_Band__c": details.income_band,
        "Occupation__c": details.occupation,
        "Education__c": details.education,
        "Family_Status__c": details.family_status,
        "Buyer_Role__c": details.buyer_role and details.buyer_role.replace("_", " ").title(),
        "Time_Zone__c": details.timezone,
        "Climate_Zone__c": details.climate_zone,
        "Population_Density__c": _number(details.population_density),
        "Local_Economy__c": details.local_economy,
        "Preferred_Channel__c": details.preferred_channel,
        "MasterRecordId": id_of(entity_of(winner), winner.key) if winner else None,
        "IsDeleted": one.deleted or winner is not None,
        **_times(one.created_at, one.modified_at),
    }
    if entity == "Lead":
        return values | {
            "Company": one.company_name,
            "Website": None,
            "IsConverted": False,
            "Status": "Open - Not Contacted",
            "ConvertedContactId": None,
            "ConvertedAccountId": None,
        }
    return values | {
        "AccountId": id_of("Account", one.account),
        "Department": one.department,
        "MailingStreet": None,
        "Birthdate": details.birth_date.isoformat() if details.birth_date else None,
    }


def _deal(one: CrmDeal) -> Json:
    return {
        "AccountId": id_of("Account", one.account),
        "ContactId": id_of("Contact", one.contact),
        "Name": one.name,
        "Amount": _number(one.amount),
        "CurrencyIsoCode": one.currency,
        "StageName": one.stage,
        "Probability": _number(one.probability),
        "Type": one.kind and {"new": "New Business", "existing": "Existing Business"}[one.kind],
        "IsClosed": one.is_closed,
        "IsWon": one.is_won,
        "CloseDate": one.close_date.isoformat(),
        "IsDeleted": one.deleted,
        **_times(one.created_at, one.modified_at),
    }


def _activity(one: CrmActivity, who: CrmContact) -> Json:
    common = {
        "WhoId": id_of(entity_of(who), who.key),
        "WhatId": None,
        "Subject": one.subject,
        **_times(one.at, one.modified_at),
    }
    if one.kind == "meeting":
        return common | {
            "Type": "Meeting",
            "StartDateTime": stamp(one.at),
            "EndDateTime": stamp(one.at),
        }
    subtype = {"call": "Call", "email": "Email"}.get(one.kind, "Task")
    return common | {
        "Status": one.status,
        "TaskSubtype": subtype,
        "Type": "Note" if one.kind == "note" else None,
        "ActivityDate": one.at.date().isoformat(),
        "CompletedDateTime": stamp(one.at),
    }


def _campaigns(company: Company, people: dict[str, CrmContact]) -> Iterator[Made]:
    members = [one for one in company.campaign_members if one.contact in people]
    first: dict[str, datetime] = {}
    for member in members:
        first[member.campaign] = min(
            first.get(member.campaign, member.created_at), member.created_at
        )
    for campaign, when in first.items():
        yield _made(
            "Campaign", campaign, {"Name": campaign, "IsActive": True, **_times(when, when)}
        )
    for member in members:
        yield _made("CampaignMember", member.key, _member(member, people[member.contact]))


def _member(one: CampaignMember, who: CrmContact) -> Json:
    entity = entity_of(who)
    made = id_of(entity, who.key)
    return {
        "CampaignId": id_of("Campaign", one.campaign),
        "Status": one.status,
        "ContactId": made if entity == "Contact" else None,
        "LeadId": made if entity == "Lead" else None,
        "HasResponded": one.responded,
        "FirstRespondedDate": one.modified_at.date().isoformat() if one.responded else None,
        **_times(one.created_at, one.modified_at),
    }


def difference(before: Iterable[Made], after: Iterable[Made]) -> Iterator[Made]:
    """What changed from one day to the next: the fields that differ; a record that is gone is
    marked deleted."""
    old = {(entity, made): values for entity, made, values in before}
    for entity, made, values in after:
        had = old.pop((entity, made), {})
        changed = {name: value for name, value in values.items() if had.get(name, ...) != value}
        if changed:
            yield entity, made, changed
    for entity, made in old:
        yield entity, made, {"IsDeleted": True}
