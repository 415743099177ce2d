"""Makes the two tag fields ready: found, writable, and made where that is allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audiencehub.errors import Stop
from audiencehub.model import TagOption
from connectors.salesforce.client import Client

Json = Mapping[str, Any]
PERMISSION_SET = "Audiencehub_Fields"
ROUTE = (
    "Create them in Setup > Object Manager (multi-select picklist, values not restricted; "
    "long text area), grant the integration user edit access, or set create_fields = true"
)


def ready(client: Client, entity: str, options: Sequence[TagOption], *, create: bool) -> None:
    """Both fields exist and can be written, and the picklist allows every value.

    Raises Stop with what a person must do. Creates and grants the fields when `create`
    (Tooling API, CustomField; Object Reference, FieldPermissions).
    """
    names = (client.options.segments_field, client.options.reason_field)
    seen = client.describe(entity)
    missing = [name for name in names if name not in seen]
    if missing and not create:
        raise Stop(
            f"Salesforce lacks or hides {', '.join(f'{entity}.{n}' for n in missing)}.", hint=ROUTE
        )
    if missing:
        for name in missing:
            _create(client, entity, name, options)
        _grant(client, entity, missing)
        seen = client.describe(entity)
    _check(seen, entity, names, options)


def _check(
    seen: Mapping[str, Json], entity: str, names: tuple[str, str], options: Sequence[TagOption]
) -> None:
    fixed = [name for name in names if name not in seen or not seen[name].get("updateable")]
    if fixed:
        raise Stop(
            f"The integration user cannot write {entity}.{fixed[0]}.",
            hint=f"Grant it edit access (field-level security, or permission set {PERMISSION_SET})",
        )
    tags, reason = seen[names[0]], seen[names[1]]
    if tags.get("type") != "multipicklist" or reason.get("type") not in ("textarea", "string"):
        raise Stop(
            f"{entity}.{names[0]} or {names[1]} has another type than the hub needs.",
            hint="Use a multi-select picklist for segments and a long text area for reasons",
        )
    allowed = {one["value"] for one in tags.get("picklistValues", ()) if one.get("active")}
    refused = sorted(one.value for one in options if one.value not in allowed)
    if tags.get("restrictedPicklist") and refused:
        raise Stop(
            f"{entity}.{names[0]} allows only fixed values; {refused[0]} is not one.",
            hint="In Setup, take away 'Restrict picklist to the values defined', or add: "
            + ", ".join(refused),
        )


def _create(client: Client, entity: str, name: str, options: Sequence[TagOption]) -> None:
    meta: dict[str, Any] = {
        "label": "Reason of segments",
        "type": "LongTextArea",
        "length": 32768,
        "visibleLines": 5,
    }
    if name == client.options.segments_field:
        # A picklist cannot be made without a value; unrestricted, it then takes any other.
        values = options or (TagOption("none", "None"),)
        meta = {
            "label": "Segments",
            "type": "MultiselectPicklist",
            "visibleLines": 6,
            "valueSet": {
                "restricted": False,
                "valueSetDefinition": {
                    "sorted": False,
                    "value": [
                        {"fullName": one.value, "label": one.label or one.value, "default": False}
                        for one in values
                    ],
                },
            },
        }
    meta["description"] = "Written by audiencehub alone; edits here are reported, not kept."
    reply = client.call(
        "POST",
        "tooling/sobjects/CustomField",
        accept=(400,),
        json={"FullName": f"{entity}.{name}", "Metadata": meta},
    )
    # A field that exists but is hidden is granted below.
    if reply.status == 400 and reply.code not in ("DUPLICATE_DEVELOPER_NAME", "DUPLICATE_VALUE"):
        raise Stop(f"Salesforce does not create {entity}.{name} ({reply.code}).", hint=ROUTE)


def _grant(client: Client, entity: str, names: Sequence[str]) -> None:
    """A new field is seen by nobody until a permission set grants it."""
    parent = _one(client, "SELECT Id FROM PermissionSet WHERE Name = 'Audiencehub_Fields'")
    if parent is None:
        parent = client.call(
            "POST",
            "sobjects/PermissionSet",
            json={"Name": PERMISSION_SET, "Label": "Audiencehub fields"},
        ).json()["id"]
    for name in names:
        _add(
            client,
            "FieldPermissions",
            {
                "ParentId": parent,
                "SobjectType": entity,
                "Field": f"{entity}.{name}",
                "PermissionsRead": True,
                "PermissionsEdit": True,
            },
        )
    user = client.call("GET", "/services/oauth2/userinfo").json()["user_id"]
    _add(client, "PermissionSetAssignment", {"PermissionSetId": parent, "AssigneeId": user})


def _one(client: Client, soql: str) -> str | None:
    for records, _ in client.query(soql):
        if records:
            return str(records[0]["Id"])
    return None


def _add(client: Client, entity: str, values: Json) -> None:
    reply = client.call("POST", f"sobjects/{entity}", json=dict(values), accept=(400,))
    if reply.status == 400 and not reply.code.startswith("DUPLICATE"):
        raise Stop(f"Salesforce does not grant the new fields ({reply.code}).", hint=ROUTE)
