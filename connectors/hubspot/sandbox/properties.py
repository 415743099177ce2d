"""Property definitions and their groups: create, read, change, archive, validated."""

from __future__ import annotations

import re
from typing import Any

from connectors.hubspot.sandbox.call import Answer, Call
from connectors.hubspot.sandbox.replies import error
from connectors.hubspot.sandbox.state import iso

Json = dict[str, Any]
_NEED = ("groupName", "name", "label", "type", "fieldType")
_TYPES = {
    "string": {"text", "textarea", "html", "phonenumber", "file"},
    "enumeration": {"checkbox", "select", "radio", "booleancheckbox"},
    "number": {"number", "calculation_equation"},
    "date": {"date"},
    "datetime": {"date"},
    "bool": {"booleancheckbox"},
}


def listed(call: Call) -> Answer:
    """Every property of the type."""
    return 200, {"results": list(call.records.properties(call.kind()).values())}


def get(call: Call) -> Answer:
    """One property."""
    return 200, _known(call)


def create(call: Call) -> Answer:
    """201 with the definition; 409 when the name is taken."""
    kind, body = call.kind(), call.body
    missing = [name for name in _NEED if not body.get(name)]
    if missing:
        raise error(400, "VALIDATION_ERROR", f"Some required fields were not set: {missing}")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,99}", body["name"]):
        raise error(400, "VALIDATION_ERROR", "Property names are lower case, digits, underscores")
    if body["fieldType"] not in _TYPES.get(body["type"], set()):
        raise error(400, "VALIDATION_ERROR", f"{body['fieldType']} does not fit {body['type']}")
    if body["name"] in call.records.properties(kind):
        raise error(409, "CONFLICT", f"A property named '{body['name']}' already exists.")
    if body["groupName"] not in _groups(call) and not body["groupName"].endswith("information"):
        raise error(400, "VALIDATION_ERROR", f"Property group {body['groupName']} does not exist")
    now = iso(call.records.clock.tick())
    made = {
        "description": "",
        "displayOrder": -1,
        "formField": False,
        "hidden": False,
        "hasUniqueValue": False,
        "calculated": False,
        "externalOptions": False,
        **body,
        "options": _options(body.get("options") or []),
        "hubspotDefined": False,
        "archived": False,
        "createdAt": now,
        "updatedAt": now,
        "createdUserId": "1",
        "modificationMetadata": {
            "archivable": True,
            "readOnlyDefinition": False,
            "readOnlyValue": False,
        },
        "dataSensitivity": "non_sensitive",
    }
    call.records.properties(kind)[body["name"]] = made
    return 201, made


def patch(call: Call) -> Answer:
    """Options are replaced as a whole."""
    known = _known(call)
    if known["modificationMetadata"]["readOnlyDefinition"]:
        raise error(400, "VALIDATION_ERROR", f"{known['name']} is defined by HubSpot")
    fixed = ("name", "hubspotDefined")
    changed = {**known, **{k: v for k, v in call.body.items() if k not in fixed}}
    changed["options"] = _options(changed.get("options") or [])
    changed["updatedAt"] = iso(call.records.clock.tick())
    call.records.properties(call.kind())[known["name"]] = changed
    return 200, changed


def delete(call: Call) -> Answer:
    """The definition is gone, and with it what records hold."""
    known = _known(call)
    del call.records.properties(call.kind())[known["name"]]
    return 204, None


def groups(call: Call) -> Answer:
    """Every group that was made."""
    return 200, {"results": list(_groups(call).values())}


def group(call: Call) -> Answer:
    """One group."""
    found = _groups(call).get(call.path["name"])
    if found is None:
        raise error(404, "OBJECT_NOT_FOUND", f"Property group '{call.path['name']}' does not exist")
    return 200, found


def create_group(call: Call) -> Answer:
    """201; 409 when the name is taken."""
    body = call.body
    if not body.get("name") or not body.get("label"):
        raise error(400, "VALIDATION_ERROR", "Some required fields were not set: [name, label]")
    if body["name"] in _groups(call):
        raise error(409, "CONFLICT", f"Property group {body['name']} already exists")
    made = {
        "name": body["name"],
        "label": body["label"],
        "displayOrder": body.get("displayOrder", -1),
        "archived": False,
    }
    _groups(call)[body["name"]] = made
    return 201, made


def _groups(call: Call) -> Any:
    return call.records.store.table(f"group:{call.kind()}")


def _known(call: Call) -> Json:
    found = call.records.properties(call.kind()).get(call.path["name"])
    if found is None:
        raise error(
            404,
            "OBJECT_NOT_FOUND",
            f"Property {call.path['name']} does not exist",
            subCategory="Properties.PROPERTY_NOT_FOUND",
        )
    return found


def _options(given: list[Json]) -> list[Json]:
    """Label and value are needed, each once."""
    for key in ("label", "value"):
        values = [one.get(key) for one in given]
        if not all(values) or len(set(values)) != len(values):
            raise error(400, "VALIDATION_ERROR", f"Property option {key}s must be given and unique")
    if any(";" in one["value"] for one in given):
        raise error(400, "VALIDATION_ERROR", "Property option values must not hold a semicolon")
    return [
        {
            "label": one["label"],
            "value": one["value"],
            "displayOrder": one.get("displayOrder", -1),
            "hidden": bool(one.get("hidden", False)),
            "description": one.get("description", ""),
        }
        for one in given
    ]
