"""Writes of records as the vendor checks them, one row at a time, each with its own verdict."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from audiencehub.sandbox.clock import SandboxClock
from audiencehub.sandbox.store import Store
from connectors.salesforce.sandbox.campaigns import Campaigns
from connectors.salesforce.sandbox.schema import Field, Schema, sf_id, to_18
from connectors.salesforce.sandbox.soql import stamp

Json = dict[str, Any]
ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Z0-5]{3})?")
REQUIRED = {
    "Contact": ["LastName"],
    "Lead": ["LastName", "Company"],
    "Account": ["Name"],
    "Opportunity": ["Name", "StageName", "CloseDate"],
    "Campaign": ["Name"],
    "CampaignMember": ["CampaignId"],
}


class Refusal(Exception):
    """One row is refused; carries the vendor's status code and the fields to blame."""

    def __init__(self, code: str, message: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.code, self.message, self.fields = code, message, fields

    def collection(self) -> Json:
        """The error as an sObject Collections row carries it."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields)}

    def rest(self) -> list[Json]:
        """The error as the body of a single-record call."""
        return [{"message": self.message, "errorCode": self.code, "fields": list(self.fields)}]

    def csv(self) -> str:
        """The error as `sf__Error` of a bulk result file: `CODE:message:fields --`."""
        return f"{self.code}:{self.message}:{' '.join(self.fields)} --"


class Records:
    """Create, update and delete against the store."""

    def __init__(
        self, store: Store, clock: SandboxClock, schema: Schema, log: Callable[..., None]
    ) -> None:
        self.store, self.clock, self.schema, self.log = store, clock, schema, log
        self.campaigns = Campaigns(store, self.knob)

    def knob(self, name: str) -> Any:
        """The test switch of that name; None when it is not set."""
        return self.store.table("__knobs").get(name, {}).get("value")

    def find(self, entity: str, record_id: str) -> Json | None:
        """The record, deleted or not."""
        record = self.store.table(entity).get(to_18(record_id))
        return self.campaigns.counted(record) if record and entity == "Campaign" else record

    def update(
        self,
        entity: str,
        record_id: str,
        values: Mapping[str, Any],
        fields: Mapping[str, Field] | None = None,
    ) -> None:
        """Write the values. Raises Refusal and leaves the record as it was."""
        if not ID.fullmatch(record_id or ""):
            raise Refusal(
                "MALFORMED_ID", f"{entity} ID: id value of incorrect type: {record_id}", ("Id",)
            )
        key = to_18(record_id)
        record = self.store.table(entity).get(key)
        self._switches(key, record)
        if record is None or key[:3] != self.schema.prefix(entity):
            raise Refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if record.get("IsDeleted"):
            raise Refusal("ENTITY_IS_DELETED", "entity is deleted")
        if record.get("IsConverted"):
            raise Refusal("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        clean = self._checked(entity, values, fields)
        now = stamp(self.clock.tick())
        self.store.table(entity)[key] = {
            **record,
            **clean,
            "LastModifiedDate": now,
            "SystemModstamp": now,
        }
        self.log(key, "update", object=entity, fields=sorted(clean))

    def create(self, entity: str, values: Mapping[str, Any]) -> str:
        """The new record's id. Raises Refusal."""
        clean = self._checked(entity, values, None)
        missing = [name for name in REQUIRED.get(entity, ()) if clean.get(name) in (None, "")]
        if missing:
            raise Refusal(
                "REQUIRED_FIELD_MISSING",
                f"Required fields are missing: [{', '.join(missing)}]",
                tuple(missing),
            )
        table = self.store.table(entity)
        if entity == "CampaignMember":
            person = clean.get("ContactId") or clean.get("LeadId") or ""
            self._switches(to_18(str(person)), None)
        problem = self.campaigns.problem(entity, clean)
        if problem:
            raise Refusal(*problem)
        self._unique(entity, clean)
        key = sf_id(self.schema.prefix(entity), f"created-{entity}-{len(table)}")
        now = stamp(self.clock.tick())
        blank = dict.fromkeys(f.name for f in self.schema.fields(entity).values())
        table[key] = {
            **blank,
            "Id": key,
            "IsDeleted": False,
            "CreatedDate": now,
            "LastModifiedDate": now,
            "SystemModstamp": now,
            **clean,
        }
        if entity == "CampaignMember":
            self.campaigns.created(key, table[key])
        self.log(key, "create", object=entity, fields=sorted(clean))
        return key

    def delete(self, entity: str, record_id: str) -> None:
        """Move the record to the recycle bin. Raises Refusal."""
        record = self.find(entity, record_id)
        if record is None or record.get("IsDeleted"):
            raise Refusal("ENTITY_IS_DELETED", "entity is deleted")
        self._switches(record["Id"], None)
        now = stamp(self.clock.tick())
        self.store.table(entity)[record["Id"]] = {
            **self.store.table(entity)[record["Id"]],
            "IsDeleted": True,
            "LastModifiedDate": now,
            "SystemModstamp": now,
        }
        self.log(record["Id"], "delete", object=entity)

    def _switches(self, key: str, record: Json | None) -> None:
        """Locks on the record or its account, and records that a test made refuse."""
        poison = (self.knob("refuse") or {}).get(key)
        if poison:
            raise Refusal(poison, "the record was refused")
        locks: dict[str, int] = dict(self.knob("locks") or {})
        holder = next(
            (one for one in (key, (record or {}).get("AccountId")) if locks.get(one or "")), ""
        )
        if holder:
            locks[holder] -= 1
            self.store.table("__knobs")["locks"] = {"value": locks}
            raise Refusal(
                "UNABLE_TO_LOCK_ROW",
                "unable to obtain exclusive access to this record or 1 records: " + key,
            )

    def _unique(self, entity: str, clean: Json) -> None:
        pairs = {
            "PermissionSet": ("Name",),
            "FieldPermissions": ("ParentId", "Field"),
            "PermissionSetAssignment": ("PermissionSetId", "AssigneeId"),
        }.get(entity)
        same = pairs and any(
            all(one.get(name) == clean.get(name) for name in pairs)
            for one in self.store.table(entity).values()
            if not one.get("IsDeleted")
        )
        if same:
            raise Refusal("DUPLICATE_VALUE", "duplicate value found")

    def _checked(
        self, entity: str, values: Mapping[str, Any], fields: Mapping[str, Field] | None
    ) -> Json:
        fields = fields or self.schema.fields(entity)
        clean: Json = {}
        for name, value in values.items():
            if name.lower() in ("id", "attributes"):
                continue
            spec = fields.get(name.lower())
            if spec is None:
                raise self._absent(entity, name)
            if not spec.editable:
                raise Refusal(
                    "INVALID_FIELD_FOR_INSERT_UPDATE",
                    f"Unable to create/update fields: {spec.name}. Please check the security "
                    "settings of this field and verify that it is read/write for your "
                    "profile or permission set.",
                    (spec.name,),
                )
            clean[spec.name] = _typed(spec, value)
        return clean

    def _absent(self, entity: str, name: str) -> Refusal:
        if name.lower() in self.schema.all_fields(entity):
            return Refusal(
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                f"Unable to create/update fields: {name}. Please check the security settings "
                "of this field and verify that it is read/write for your profile or "
                "permission set.",
                (name,),
            )
        return Refusal("INVALID_FIELD", f"No such column '{name}' on sobject of type {entity}")


def _typed(spec: Field, value: Any) -> Any:
    if value is None or value == "":
        return None
    if spec.kind == "boolean":
        return value if isinstance(value, bool) else str(value).lower() == "true"
    if spec.kind in ("int", "currency", "double"):
        try:
            return int(value) if spec.kind == "int" else float(value)
        except ValueError:
            raise Refusal(
                "INVALID_FIELD",
                f"Failed to deserialize field. Due to, '{value}' is not a valid "
                f"value for the type xsd:{spec.kind}",
                (spec.name,),
            ) from None
    text = str(value)
    if len(text) > spec.length:
        raise Refusal(
            "STRING_TOO_LONG",
            f"{spec.name}: data value too large (max length={spec.length})",
            (spec.name,),
        )
    if spec.kind == "email" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text):
        raise Refusal("INVALID_EMAIL_ADDRESS", f"{spec.name}: invalid email address", (spec.name,))
    if spec.restricted and not set(text.split(";")) <= set(spec.values):
        raise Refusal(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{spec.name}: bad value for restricted picklist field",
            (spec.name,),
        )
    return text
