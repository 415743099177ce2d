"""The demo company's HubSpot half, in HubSpot's shapes; what a day changes, and no more."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from audiencehub.sandbox.company.records import (
    Company,
    ConsentEntry,
    CrmAccount,
    CrmActivity,
    CrmContact,
    CrmDeal,
)
from connectors.hubspot.sandbox.state import Records, iso

_STAGES = {
    "mql": "marketingqualifiedlead",
    "sql": "salesqualifiedlead",
    "subscriber": "subscriber",
    "lead": "lead",
    "opportunity": "opportunity",
    "customer": "customer",
    "evangelist": "evangelist",
    "other": "other",
}
_TEXT = {
    "note": {"hs_note_body": "subject"},
    "task": {"hs_task_subject": "subject", "hs_task_status": "status"},
    "call": {"hs_call_title": "subject", "hs_call_status": "status"},
    "email": {"hs_email_subject": "subject", "hs_email_status": "status"},
    "meeting": {"hs_meeting_title": "subject", "hs_meeting_outcome": "status"},
}
T = TypeVar("T", CrmAccount, CrmContact, CrmDeal, CrmActivity)


def record_id(key: str) -> str:
    """HubSpot's id of a company record: old accounts mix short ids with long ones."""
    digits = re.sub(r"\D", "", key)
    number = int(digits) if digits else zlib.crc32(key.encode())
    return str(number + 51) if number % 3 == 0 else str(171_591_000_000 + number)


def fill(records: Records, company: Company) -> None:
    """Everything that HubSpot has on the company's day."""
    for name in ("contacts", "companies", "deals"):
        records.properties(name)
    said = _said(company)
    for kind, own in _by_kind(company).items():
        if len({record_id(one.key) for one in own}) != len(own):
            raise ValueError(f"two {kind} of the company get the same HubSpot id")
        made = [_make(records, one) for one in own if not getattr(one, "merged_into", None)]
        if kind == "companies":
            _count_children(made)
        records.put(kind, made)
        links: dict[str, dict[str, Any]] = {}
        for one in own:
            for other, to in _links(one).items():
                links.setdefault(other, {})[record_id(one.key)] = {"to": to}
        for other, table in links.items():
            records.store.table(f"link:{kind}:{other}").put(table)
    contacts = [one for one in company.contacts if one.crm == "hubspot"]
    for one in contacts:
        if one.merged_into:
            _merged(records, record_id(one.merged_into), record_id(one.key))
    statuses: dict[str, dict[str, str]] = {}
    for one in sorted(contacts, key=lambda c: c.email_opt_out):
        status = _status(one, said)
        if one.email and status:
            statuses[one.email.casefold()] = status
    records.store.table("subscription").put(statuses)


def advance(records: Records, before: Company, after: Company) -> None:
    """Brings the account from one day to the next."""
    old_said, said = _said(before), _said(after)
    for kind, own in _by_kind(after).items():
        old = {one.key: one for one in _by_kind(before)[kind]}
        for one in own:
            was = old.get(one.key)
            if was != one:
                _change(records, kind, was, one)
            elif isinstance(one, CrmContact) and _status(one, old_said) != _status(one, said):
                _change(records, kind, None, one)
    for one in after.contacts:
        status = _status(one, said) if one.crm == "hubspot" and one.email else None
        if one.email and status:
            records.store.table("subscription")[one.email.casefold()] = status


def _count_children(companies: list[dict[str, Any]]) -> None:
    """HubSpot counts the companies below each one itself."""
    parents = Counter(one["properties"].get("hs_parent_company_id") for one in companies)
    for one in companies:
        one["properties"]["hs_num_child_companies"] = str(parents[one["id"]])


def _change(records: Records, kind: str, was: Any, one: Any) -> None:
    id_ = record_id(one.key)
    merged_into = getattr(one, "merged_into", None)
    if merged_into and not getattr(was, "merged_into", None):
        if records.find(kind, id_) and records.find(kind, record_id(merged_into)):
            records.merge(kind, record_id(merged_into), id_)
        return
    if getattr(one, "deleted", False):
        records.archive(kind, id_)
        return
    made = _make(records, one)
    known = records.table(kind).get(id_)
    if known is None:
        now = iso(records.clock.tick())
        made["properties"] |= {"lastmodifieddate": now, "hs_lastmodifieddate": now}
        records.put(kind, [{**made, "updatedAt": now}])
    else:
        stamps = ("hs_object_id", "createdate", "lastmodifieddate", "hs_lastmodifieddate")
        gone = dict.fromkeys(_values(one))
        values = {k: v for k, v in made["properties"].items() if k not in stamps}
        records.change(kind, {**known, "archived": False}, {**gone, **values})
    for other, to in _links(one).items():
        records.store.table(f"link:{kind}:{other}")[id_] = {"to": to}


def _merged(records: Records, winner_id: str, loser_id: str) -> None:
    records.store.table("merged:contacts")[loser_id] = {"id": winner_id}
    winner = records.table("contacts").get(winner_id)
    if winner:
        old = winner["properties"].get("hs_merged_object_ids")
        listed = f"{old};{loser_id}" if old else loser_id
        properties = {**winner["properties"], "hs_merged_object_ids": listed}
        records.put("contacts", [{**winner, "properties": properties}])


def _by_kind(company: Company) -> dict[str, list[Any]]:
    def own(many: Iterable[T]) -> list[T]:
        return [one for one in many if one.crm == "hubspot"]

    kinds: dict[str, list[Any]] = {
        "companies": own(company.accounts),
        "contacts": own(company.contacts),
        "deals": own(company.deals),
    }
    for kind in _TEXT:
        kinds[f"{kind}s"] = [one for one in own(company.activities) if one.kind == kind]
    return kinds


def _make(records: Records, one: Any) -> dict[str, Any]:
    created = one.at if isinstance(one, CrmActivity) else one.created_at
    made = records.make(record_id(one.key), _values(one), created, one.modified_at)
    if getattr(one, "deleted", False):
        made |= {"archived": True, "archivedAt": iso(one.modified_at)}
    return made


def _values(one: Any) -> dict[str, str | None]:
    makers: Mapping[type, Callable[[Any], dict[str, Any]]] = {
        CrmContact: _contact,
        CrmAccount: _company,
        CrmDeal: _deal,
        CrmActivity: _activity,
    }
    values = makers[type(one)](one)
    return {name: None if value in (None, "") else str(value) for name, value in values.items()}


def _contact(one: CrmContact) -> dict[str, Any]:
    details = one.details
    return {
        "email": one.email,
        "phone": one.phone,
        "firstname": one.first_name,
        "lastname": one.last_name,
        "jobtitle": one.title,
        "job_function": one.department,
        "city": one.city,
        "state": one.state,
        "country": one.country,
        "zip": one.postal_code,
        "hs_language": one.language,
        "company": one.company_name,
        "lifecyclestage": _STAGES.get((one.lifecycle_stage or "").casefold(), one.lifecycle_stage),
        "hs_analytics_source": one.lead_source,
        "customer_number": one.external_id,
        "hs_email_optout": "true" if one.email_opt_out else None,
        "associatedcompanyid": record_id(one.account) if one.account else None,
        "date_of_birth": details.birth_date,
        "gender": details.gender,
        "degree": details.education,
        "marital_status": details.family_status,
        "hs_buying_role": details.buyer_role,
        "hs_timezone": details.timezone and details.timezone.lower().replace("/", "_slash_"),
        "income_band": details.income_band,
        "occupation": details.occupation,
        "latitude": details.latitude,
        "longitude": details.longitude,
        "climate_zone": details.climate_zone,
        "population_density": details.population_density,
        "local_economy": details.local_economy,
        "preferred_channel": details.preferred_channel,
    }


def _company(one: CrmAccount) -> dict[str, Any]:
    details = one.details
    bare = re.sub(r"^(https?://)?(www\.)?", "", (one.website or "").strip(), flags=re.I)
    return {
        "name": one.name,
        "website": one.website,
        "domain": bare.split("/")[0].lower(),
        "industry": re.sub(r"[^A-Z0-9]+", "_", (one.industry or "").upper()).strip("_"),
        "numberofemployees": one.employee_count,
        "annualrevenue": one.annual_revenue,
        "founded_year": one.founded_year,
        "type": one.type and one.type.upper(),
        "city": one.city,
        "state": one.state,
        "country": one.country,
        "zip": details.postal_code,
        "hs_parent_company_id": record_id(one.parent) if one.parent else None,
        "hs_employee_range": details.employee_range,
        "hs_revenue_range": details.revenue_range,
        "business_model": details.business_model,
        "funding_stage": details.stage,
        "gross_margin": details.margin,
        "latitude": details.latitude,
        "longitude": details.longitude,
        "renewal_risk": details.renewal_risk,
    }


def _deal(one: CrmDeal) -> dict[str, Any]:
    closes = datetime(one.close_date.year, one.close_date.month, one.close_date.day, tzinfo=UTC)
    return {
        "dealname": one.name,
        "amount": one.amount,
        "deal_currency_code": one.currency,
        "dealstage": one.stage.casefold().replace(" ", ""),
        "pipeline": one.pipeline,
        "dealtype": one.kind and {"new": "newbusiness", "existing": "existingbusiness"}[one.kind],
        "hs_deal_stage_probability": None if one.probability is None else one.probability / 100,
        "closedate": iso(closes),
        "hs_is_closed": str(one.is_closed).lower(),
        "hs_is_closed_won": str(one.is_won).lower(),
    }


def _activity(one: CrmActivity) -> dict[str, Any]:
    values = {name: getattr(one, attribute) for name, attribute in _TEXT[one.kind].items()}
    return {"hs_timestamp": iso(one.at), "hs_createdate": iso(one.at), **values}


def _links(one: Any) -> dict[str, list[list[Any]]]:
    """Object type to [id, primary]."""
    links: dict[str, list[list[Any]]] = {}
    if isinstance(one, CrmContact | CrmDeal) and one.account:
        links["companies"] = [[record_id(one.account), True]]
    if isinstance(one, CrmDeal | CrmActivity) and one.contact:
        links["contacts"] = [[record_id(one.contact), False]]
    return links


def _said(company: Company) -> dict[str, ConsentEntry]:
    """The latest word on marketing e-mail of each address."""
    entries = [e for e in company.consents if (e.purpose, e.channel) == ("marketing", "email")]
    return {entry.email.casefold(): entry for entry in sorted(entries, key=lambda e: e.at)}


def _status(one: CrmContact, said: Mapping[str, ConsentEntry]) -> dict[str, str] | None:
    if one.email_opt_out:
        at = iso(one.modified_at)
        return {"status": "UNSUBSCRIBED", "source": "Opted out in HubSpot", "at": at}
    entry = said.get((one.email or "").casefold())
    if entry is None:
        return None
    status = "SUBSCRIBED" if entry.status == "granted" else "UNSUBSCRIBED"
    return {"status": status, "source": "Preference centre", "at": iso(entry.at)}
