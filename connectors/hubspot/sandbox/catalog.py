"""What a HubSpot account has before anyone adds to it: object types and their properties. Data."""

from __future__ import annotations

from typing import Any

TYPE_IDS = {
    "0-1": "contacts",
    "0-2": "companies",
    "0-3": "deals",
    "0-46": "notes",
    "0-27": "tasks",
    "0-48": "calls",
    "0-49": "emails",
    "0-47": "meetings",
}
"""Numeric object type ids, which every path takes in place of the name."""

SINGULAR = {
    "contacts": "contact",
    "companies": "company",
    "deals": "deal",
    "notes": "note",
    "tasks": "task",
    "calls": "call",
    "emails": "email",
    "meetings": "meeting",
}

MODIFIED = {"contacts": "lastmodifieddate"}
"""The property that a change bumps; `hs_lastmodifieddate` for every other type."""

SHOWN = {
    "contacts": (
        "createdate",
        "email",
        "firstname",
        "hs_object_id",
        "lastmodifieddate",
        "lastname",
    ),
    "companies": ("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
    "deals": (
        "amount",
        "closedate",
        "createdate",
        "dealname",
        "dealstage",
        "hs_lastmodifieddate",
        "hs_object_id",
        "pipeline",
    ),
}
"""Properties of a reply to a request that names none."""

ALWAYS = ("createdate", "hs_object_id")

_ENGAGEMENT = "hs_timestamp:datetime hs_createdate:datetime hubspot_owner_id"
_PROPERTIES = {
    "contacts": (
        "email phone mobilephone firstname lastname jobtitle job_function hs_seniority city state "
        "country zip hs_language lifecyclestage hs_analytics_source date_of_birth gender company "
        "hubspot_owner_id hs_email_optout:bool hs_email_optout_1001:bool hs_merged_object_ids "
        "associatedcompanyid:number degree marital_status hs_buying_role hs_timezone "
        "customer_number income_band occupation latitude:number longitude:number climate_zone "
        "population_density:number local_economy preferred_channel"
    ),
    "companies": (
        "name domain website industry numberofemployees:number annualrevenue:number founded_year "
        "type city state country zip phone hs_parent_company_id:number hs_merged_object_ids "
        "lifecyclestage hubspot_owner_id hs_num_child_companies:number hs_employee_range "
        "hs_revenue_range business_model funding_stage gross_margin:number latitude:number "
        "longitude:number renewal_risk:number"
    ),
    "deals": (
        "dealname amount:number deal_currency_code dealstage pipeline closedate:datetime "
        "hs_is_closed:bool hs_is_closed_won:bool hs_merged_object_ids hubspot_owner_id "
        "hs_deal_stage_probability:number dealtype"
    ),
    "notes": f"{_ENGAGEMENT} hs_note_body",
    "tasks": f"{_ENGAGEMENT} hs_task_subject hs_task_status",
    "calls": f"{_ENGAGEMENT} hs_call_title hs_call_status",
    "emails": f"{_ENGAGEMENT} hs_email_subject hs_email_status",
    "meetings": f"{_ENGAGEMENT} hs_meeting_title hs_meeting_outcome",
}
_COMMON = (
    "hs_object_id:number createdate:datetime lastmodifieddate:datetime hs_lastmodifieddate:datetime"
)
_FIELD = {"string": "text", "number": "number", "datetime": "date", "bool": "booleancheckbox"}
OWN = {
    "customer_number",
    "income_band",
    "occupation",
    "latitude",
    "longitude",
    "climate_zone",
    "population_density",
    "local_economy",
    "preferred_channel",
    "business_model",
    "funding_stage",
    "gross_margin",
    "renewal_risk",
}
"""Properties that the company has made; all others are HubSpot's."""
READ_ONLY = {
    "hs_object_id",
    "createdate",
    "lastmodifieddate",
    "hs_lastmodifieddate",
    "hs_merged_object_ids",
    "hs_is_closed",
    "hs_is_closed_won",
    "hs_num_child_companies",
    "hs_deal_stage_probability",
}


def properties(kind: str) -> dict[str, dict[str, Any]]:
    """The standard properties of an object type, in the shape of the properties endpoint."""
    found: dict[str, dict[str, Any]] = {}
    for word in f"{_COMMON} {_PROPERTIES[kind]}".split():
        name, _, given = word.partition(":")
        type_ = given or "string"
        found[name] = {
            "name": name,
            "label": name.removeprefix("hs_").replace("_", " ").capitalize(),
            "description": "",
            "type": type_,
            "fieldType": _FIELD[type_],
            "groupName": f"{SINGULAR[kind]}information",
            "options": [],
            "hubspotDefined": name not in OWN,
            "hidden": False,
            "formField": name not in READ_ONLY,
            "archived": False,
            "displayOrder": -1,
            "hasUniqueValue": name == "email" and kind == "contacts",
            "modificationMetadata": {
                "archivable": name in OWN,
                "readOnlyDefinition": name not in OWN,
                "readOnlyValue": name in READ_ONLY,
            },
            "dataSensitivity": "non_sensitive",
        }
    return found
