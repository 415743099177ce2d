"""Static lists ("segments" in HubSpot's own pages): made, read, filled."""

from __future__ import annotations

from typing import Any

from connectors.hubspot.sandbox.call import Answer, Call
from connectors.hubspot.sandbox.replies import error
from connectors.hubspot.sandbox.state import iso

Json = dict[str, Any]


def create(call: Call) -> Answer:
    """Names are unique in an account."""
    body, table = call.body, _lists(call)
    if any(one["name"] == body.get("name") for one in table.values()):
        raise error(400, "VALIDATION_ERROR", f"A list named {body.get('name')} exists already")
    if body.get("processingType") not in ("MANUAL", "SNAPSHOT", "DYNAMIC"):
        raise error(400, "VALIDATION_ERROR", "processingType must be MANUAL, SNAPSHOT or DYNAMIC")
    now = iso(call.records.clock.tick())
    made = {
        "listId": str(len(table) + 1),
        "listVersion": 1,
        "name": body["name"],
        "objectTypeId": body["objectTypeId"],
        "processingType": body["processingType"],
        "processingStatus": "COMPLETE",
        "createdAt": now,
        "updatedAt": now,
    }
    table[made["listId"]] = made
    return 200, {"list": made}


def get(call: Call) -> Answer:
    """One list."""
    return 200, {"list": _list(call)}


def delete(call: Call) -> Answer:
    """Gone, with its members."""
    del _lists(call)[_list(call)["listId"]]
    return 204, None


def memberships(call: Call) -> Answer:
    """Record ids, 250 a page at most."""
    ids = sorted(_members(call), key=int)
    limit, after = int(call.query.get("limit", "100")), int(call.query.get("after") or 0)
    chosen = [one for one in ids if int(one) > after][: min(limit, 250)]
    now = iso(call.records.clock.now())
    body: Json = {"results": [{"recordId": one, "membershipTimestamp": now} for one in chosen]}
    if chosen and chosen[-1] != ids[-1]:
        body["paging"] = {"next": {"after": chosen[-1]}}
    return 200, body


def add(call: Call) -> Answer:
    """Members from a list of ids."""
    return _change(call, [str(one) for one in call.body], [])


def remove(call: Call) -> Answer:
    """Members out, from a list of ids."""
    return _change(call, [], [str(one) for one in call.body])


def add_and_remove(call: Call) -> Answer:
    """Both at once."""
    body = call.body
    return _change(
        call,
        [str(i) for i in body.get("recordIdsToAdd", [])],
        [str(i) for i in body.get("recordIdsToRemove", [])],
    )


def _change(call: Call, to_add: list[str], to_remove: list[str]) -> Answer:
    found = _list(call)
    if found["processingType"] == "DYNAMIC":
        raise error(400, "VALIDATION_ERROR", "Members of a DYNAMIC list cannot be changed")
    kind, members = call.records.kind(found["objectTypeId"]), _members(call)
    missing = [one for one in [*to_add, *to_remove] if call.records.find(kind, one) is None]
    added = [one for one in to_add if one not in members and one not in missing]
    removed = [one for one in to_remove if one in members]
    for one in added:
        members[one] = {"id": one}
        call.log(one, "add", list=found["listId"])
    for one in removed:
        del members[one]
        call.log(one, "remove", list=found["listId"])
    return 200, {"recordsIdsAdded": added, "recordIdsRemoved": removed, "recordIdsMissing": missing}


def _lists(call: Call) -> Any:
    return call.records.store.table("lists")


def _list(call: Call) -> Json:
    found = _lists(call).get(call.path["list"])
    if found is None:
        raise error(404, "OBJECT_NOT_FOUND", f"List does not exist with ID {call.path['list']}.")
    return dict(found)


def _members(call: Call) -> Any:
    return call.records.store.table(f"members:{_list(call)['listId']}")
