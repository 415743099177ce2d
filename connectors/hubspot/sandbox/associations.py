"""Links between records, read in batches (associations v4)."""

from __future__ import annotations

from typing import Any

from connectors.hubspot.sandbox.call import Answer, Call
from connectors.hubspot.sandbox.catalog import SINGULAR
from connectors.hubspot.sandbox.replies import error
from connectors.hubspot.sandbox.state import Records, iso

PRIMARY = {("contacts", "companies"): 1, ("companies", "contacts"): 2, ("deals", "companies"): 5}
TYPE = {
    ("contacts", "companies"): 279,
    ("companies", "contacts"): 280,
    ("deals", "companies"): 341,
    ("deals", "contacts"): 3,
    ("notes", "contacts"): 202,
    ("tasks", "contacts"): 204,
    ("calls", "contacts"): 194,
    ("emails", "contacts"): 198,
    ("meetings", "contacts"): 200,
}


def linked(records: Records, kind: str, other: str, id_: str) -> list[tuple[str, bool]]:
    """(id, primary) of each linked record, archived ones left out."""
    table = records.store.table(f"link:{kind}:{other}")
    links = table.get(id_, {"to": []})["to"]
    live = records.table(other)
    return [(to, bool(first)) for to, first in links if to in live and not live[to]["archived"]]


def batch_read(call: Call) -> Answer:
    """207 whenever some record has no link: that is the normal case."""
    kind, other = call.kind("from"), call.kind("to")
    inputs = call.body.get("inputs") or []
    if not inputs or len(inputs) > 1000:
        raise error(400, "VALIDATION_ERROR", "Expected 1 to 1000 inputs")
    results, errors = [], []
    for one in inputs:
        id_ = str(one["id"])
        found = linked(call.records, kind, other, id_)
        if found:
            to = [
                {"toObjectId": int(to_id), "associationTypes": _types(kind, other, primary)}
                for to_id, primary in found
            ]
            results.append({"from": {"id": id_}, "to": to})
        else:
            errors.append(_none(kind, other, id_))
    now = iso(call.records.clock.now())
    body: dict[str, Any] = {
        "status": "COMPLETE",
        "results": results,
        "startedAt": now,
        "completedAt": now,
    }
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
    return (207 if errors else 200), body


def batch_create(call: Call) -> Answer:
    """Links records; the first label given with id 1, 2 or 5 makes the link primary."""
    kind, other = call.kind("from"), call.kind("to")
    table = call.records.store.table(f"link:{kind}:{other}")
    results = []
    for one in call.body["inputs"]:
        source, to = str(one["from"]["id"]), str(one["to"]["id"])
        first = any(t["associationTypeId"] in PRIMARY.values() for t in one.get("types", []))
        kept = [link for link in table.get(source, {"to": []})["to"] if link[0] != to]
        table[source] = {"to": [*([o, p and not first] for o, p in kept), [to, first]]}
        results.append({"fromObjectId": int(source), "toObjectId": int(to), "labels": []})
    now = iso(call.records.clock.now())
    return 201, {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}


def _types(kind: str, other: str, primary: bool) -> list[dict[str, Any]]:
    plain = {"category": "HUBSPOT_DEFINED", "typeId": TYPE.get((kind, other), 1000), "label": None}
    first = PRIMARY.get((kind, other))
    if not primary or first is None:
        return [plain]
    return [{"category": "HUBSPOT_DEFINED", "typeId": first, "label": "Primary"}, plain]


def _none(kind: str, other: str, id_: str) -> dict[str, Any]:
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": f"No {SINGULAR[other]} is associated with {SINGULAR[kind]} {id_}.",
        "context": {
            "fromObjectId": [id_],
            "fromObjectType": [SINGULAR[kind]],
            "toObjectType": [SINGULAR[other]],
        },
    }
