"""HubSpot's words said in the hub's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from audiencehub.errors import SkipRow
from audiencehub.model import Json, Row
from connectors.hubspot.options import Options

FIELDS: Mapping[str, Mapping[str, str]] = {
    "contact": {
        "email": "email",
        "phone": "phone",
        "first_name": "firstname",
        "last_name": "lastname",
        "title": "jobtitle",
        "department": "job_function",
        "seniority": "hs_seniority",
        "city": "city",
        "state": "state",
        "country": "country",
        "postal_code": "zip",
        "language": "hs_language",
        "lifecycle_stage": "lifecyclestage",
        "lead_source": "hs_analytics_source",
        "birth_date": "date_of_birth",
        "gender": "gender",
        "education": "degree",
        "family_status": "marital_status",
        "buyer_role": "hs_buying_role",
        "timezone": "hs_timezone",
        "external_id": "customer_number",
        "created_at": "createdate",
    },
    "account": {
        "name": "name",
        "domain": "domain",
        "industry": "industry",
        "employee_count": "numberofemployees",
        "employee_range": "hs_employee_range",
        "revenue_range": "hs_revenue_range",
        "annual_revenue": "annualrevenue",
        "founded_year": "founded_year",
        "type": "type",
        "city": "city",
        "state": "state",
        "country": "country",
        "postal_code": "zip",
        "created_at": "createdate",
    },
    "deal": {
        "name": "dealname",
        "amount": "amount",
        "currency": "deal_currency_code",
        "pipeline": "pipeline",
        "stage": "dealstage",
        "probability": "hs_deal_stage_probability",
        "type": "dealtype",
        "is_closed": "hs_is_closed",
        "is_won": "hs_is_closed_won",
        "close_date": "closedate",
        "created_at": "createdate",
    },
}
"""Canonical field to property; a property that the account lacks comes back without a value."""
ACTIVITIES: Mapping[str, tuple[str, str | None, str | None]] = {
    "notes": ("note", None, None),
    "tasks": ("task", "hs_task_subject", "hs_task_status"),
    "calls": ("call", "hs_call_title", "hs_call_status"),
    "emails": ("email", "hs_email_subject", "hs_email_status"),
    "meetings": ("meeting", "hs_meeting_title", "hs_meeting_outcome"),
}
"""Object type to event name, property with the subject, property with the outcome."""
STAGES = {"marketingqualifiedlead": "mql", "salesqualifiedlead": "sql"}
EXTENSION = re.compile(r"x|#|durchwahl|dw|poste|interno|;", re.IGNORECASE)
DEAL_TYPES = {"newbusiness": "new_business", "existingbusiness": "existing_business"}
BUYING_ROLES = (
    "DECISION_MAKER",
    "BUDGET_HOLDER",
    "EXECUTIVE_SPONSOR",
    "CHAMPION",
    "INFLUENCER",
    "LEGAL_AND_COMPLIANCE",
    "BLOCKER",
    "END_USER",
    "OTHER",
)
"""Weightiest first: of several that are ticked, the first counts."""
_LOOK = "Look at it with: audiencehub quarantine list"
TABLE = {"contacts": "contact", "companies": "account", "deals": "deal"}


class Mapper:
    """Rows of raw records, as the options map them."""

    def __init__(
        self, options: Options, custom: Mapping[str, Mapping[str, str]] | None = None
    ) -> None:
        self.options = options
        self.own: dict[str, dict[str, str]] = {str(t): dict(m) for t, m in options.fields.items()}
        """What settings map, to be told apart from the defaults."""
        for table, mapped in (custom or {}).items():
            self.own[table] = {**self.own.get(table, {}), **mapped}
        self.fields = {
            table: {**known, **self.own.get(table, {})} for table, known in FIELDS.items()
        }

    def properties(self, kind: str) -> list[str]:
        """Every property that rows of this type read, each once."""
        if kind in ACTIVITIES:
            _, subject, status = ACTIVITIES[kind]
            return [one for one in ("hs_timestamp", subject, status) if one]
        more = {
            "contacts": ("hs_email_optout", "hs_merged_object_ids"),
            "companies": (
                "website",
                "hs_merged_object_ids",
                "hs_parent_company_id",
                "hs_num_child_companies",
            ),
            "deals": ("hs_merged_object_ids",),
        }
        return [*dict.fromkeys([*self.fields[TABLE[kind]].values(), *more[kind]])]

    def rows(self, stream: str, record: Json) -> Iterator[Row]:
        """Canonical rows of one record. Raises SkipRow for a record without id."""
        id_ = str(record.get("id") or "")
        if not id_:
            raise SkipRow("A HubSpot record has no id.", hint=_LOOK, code="no_id")
        if stream == "activity":
            yield self._event(id_, record)
            return
        table = stream
        if record.get("archived"):
            at = _instant(record.get("archivedAt")) or _instant(record.get("updatedAt"))
            yield Row(table, id_, {}, at, deleted=True)
            return
        values = record["properties"]
        at = _instant(record.get("updatedAt"))
        yield Row(table, id_, self._values(table, record), at)
        for loser in (values.get("hs_merged_object_ids") or "").split(";"):
            if loser.strip():
                yield Row(table, loser.strip(), {}, at, deleted=True, merged_into=id_)
        if table == "contact":
            yield self._consent(id_, record, at)

    def _values(self, table: str, record: Json) -> dict[str, Any]:
        given = record["properties"]
        values: dict[str, Any] = {
            field: given.get(name) for field, name in self.fields[table].items()
        }
        if table == "contact":
            stage = (values["lifecycle_stage"] or "").casefold()
            values["lifecycle_stage"] = STAGES.get(stage, values["lifecycle_stage"])
            values["buyer_role"] = _weightiest(values["buyer_role"])
            values["phone_ext"] = _extended(values["phone"])
        if table == "account":
            values["domain"] = values["domain"] or given.get("website")
            values |= _group(given)
        if table in ("contact", "deal"):
            values["account_ref"] = record.get("_account")
        if table == "deal":
            values["contact_ref"] = record.get("_contact")
            values["probability"] = _percent(values["probability"])
            values["type"] = DEAL_TYPES.get(values["type"] or "", values["type"])
        return values

    def _event(self, id_: str, record: Json) -> Row:
        kind = str(record.get("_object") or "")
        if kind not in ACTIVITIES:
            raise SkipRow("An engagement names no type.", hint=_LOOK, code="no_type")
        name, subject, status = ACTIVITIES[kind]
        if record.get("archived"):
            at = _instant(record.get("archivedAt"))
            return Row("event", f"{kind}/{id_}", {}, at, deleted=True)
        given = record["properties"]
        return Row(
            "event",
            f"{kind}/{id_}",
            {
                "name": name,
                "at": given.get("hs_timestamp"),
                "channel": "sales",
                "status": given.get(status) if status else None,
                "properties": {"subject": given[subject]} if subject and given.get(subject) else {},
                "contact_ref": record.get("_contact"),
            },
            _instant(record.get("updatedAt")),
        )

    def _consent(self, id_: str, record: Json, at: datetime | None) -> Row:
        """Marketing by e-mail: an opt-out wins, any refused subscription next, then a granted one.

        Where HubSpot holds no word the row is a tombstone: unknown is no.
        """
        status, said, proof = self._said(record)
        key = f"{id_}/marketing/email"
        if status is None:
            return Row("consent", key, {"contact_ref": id_}, at, deleted=True)
        values = {
            "purpose": "marketing",
            "channel": "email",
            "status": status,
            "at": said or (at.isoformat() if at else None),
            "proof": proof,
            "contact_ref": id_,
        }
        return Row("consent", key, values, at)

    def _said(self, record: Json) -> tuple[str | None, str | None, str]:
        counted = [
            one
            for one in record.get("_subscriptions") or ()
            if not self.options.subscription_ids
            or one.get("subscriptionId") in self.options.subscription_ids
        ]
        for word, status in (("UNSUBSCRIBED", "denied"), ("SUBSCRIBED", "granted")):
            found = sorted(
                (str(one.get("timestamp") or ""), one.get("subscriptionId"))
                for one in counted
                if one.get("status") == word
            )
            if status == "granted" and _true(record["properties"].get("hs_email_optout")):
                return "denied", None, "hubspot: hs_email_optout"
            if found:
                said, type_ = found[-1]
                return status, said or None, f"hubspot: subscription {type_} {word}"
        return None, None, ""


def _weightiest(said: Any) -> Any:
    ticked = str(said or "").split(";")
    return next((role for role in BUYING_ROLES if role in ticked), said)


def _extended(phone: Any) -> Any:
    """The whole number where it has an extension, which cleaning then takes out."""
    return phone if isinstance(phone, str) and EXTENSION.search(phone) else None


def _group(given: Mapping[str, Any]) -> dict[str, Any]:
    """Where a company stands in its group."""
    parent, children = given.get("hs_parent_company_id"), given.get("hs_num_child_companies")
    if parent:
        return {"parent_ref": parent, "structure": "subsidiary"}
    return {"structure": "parent"} if children and float(children) > 0 else {}


def _percent(share: Any) -> Any:
    """HubSpot counts probability from 0 to 1."""
    try:
        return round(float(share) * 100, 4)
    except (TypeError, ValueError, OverflowError):
        return share


def _true(value: Any) -> bool:
    return str(value).casefold() == "true"


def _instant(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value).replace("Z", "+00:00")).astimezone(UTC)
    except ValueError:
        return None
