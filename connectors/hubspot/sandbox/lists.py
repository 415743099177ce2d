"""Static lists ("segments" in HubSpot's own pages): made, read, filled."""

from __future__ import annotations

from typing import Any

from connectors.hubspot.sandbox.call import Answer, Call
from connectors.hubspot.sandbox.replies import error
from connectors.hubspot.sandbox.state import iso

Json = dict[str, Any]


LONGEST_NAME = 256
MOST_IDS = 100_000
DEFAULT_COUNT, MOST_COUNT = 20, 500


def create(call: Call) -> Answer:
    """Names are unique in an account, capitals aside."""
    body, table = call.body, _lists(call)
    name = body.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        raise error(400, "VALIDATION_ERROR", "name must be given and no longer than 256 characters")
    if _named(call, name) is not None:
        raise error(400, "VALIDATION_ERROR", f"A list named {name} exists already")
    if body.get("processingType") not in ("MANUAL", "SNAPSHOT", "DYNAMIC"):
        raise error(400, "VALIDATION_ERROR", "processingType must be MANUAL, SNAPSHOT or DYNAMIC")
    call.records.kind(str(body.get("objectTypeId")))
    now = iso(call.records.clock.tick())
    made = {
        "listId": _next(call),
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
    """One list, with its size."""
    found = _list(call)
    return 200, {"list": {**found, "size": len(_live(call, found))}}


def by_name(call: Call) -> Answer:
    """One list by its whole name, capitals aside."""
    found = _named(call, call.path["name"])
    if found is None or found["objectTypeId"] != call.path["object_type"]:
        raise error(404, "OBJECT_NOT_FOUND", "List does not exist with that name.")
    return 200, {"list": {**found, "size": len(_live(call, found))}}


def search(call: Call) -> Answer:
    """Lists whose name has the words, oldest first; none given: all. `blind_list_search` finds
    nothing, as an index does that is behind."""
    body = call.body
    query, wanted = str(body.get("query") or "").casefold(), body.get("processingTypes")
    found = [
        one
        for one in _lists(call).values()
        if query in one["name"].casefold() and (not wanted or one["processingType"] in wanted)
    ]
    if call.records.options.get("blind_list_search"):
        found = []
    start, count = int(body.get("offset") or 0), int(body.get("count") or DEFAULT_COUNT)
    page = found[start : start + min(count, MOST_COUNT)]
    return 200, {
        "lists": [
            {**one, "additionalProperties": {"hs_list_size": str(len(_live(call, one)))}}
            for one in page
        ],
        "offset": start + len(page),
        "hasMore": start + len(page) < len(found),
        "total": len(found),
    }


def delete(call: Call) -> Answer:
    """Gone, with its members; the number is not given again."""
    found = _list(call)
    _members(call).clear()
    del _lists(call)[found["listId"]]
    return 204, None


def memberships(call: Call) -> Answer:
    """Record ids, 250 a page at most."""
    ids = sorted(_live(call, _list(call)), key=int)
    limit, after = int(call.query.get("limit", "100")), int(call.query.get("after") or 0)
    chosen = [one for one in ids if int(one) > after][: min(limit, 250)]
    now = iso(call.records.clock.now())
    body: Json = {"results": [{"recordId": one, "membershipTimestamp": now} for one in chosen]}
    if chosen and chosen[-1] != ids[-1]:
        body["paging"] = {"next": {"after": chosen[-1]}}
    return 200, body


def add(call: Call) -> Answer:
    """Members from a list of ids."""
    return _change(call, _ids(call.body), [])


def remove(call: Call) -> Answer:
    """Members out, from a list of ids."""
    return _change(call, [], _ids(call.body))


def add_and_remove(call: Call) -> Answer:
    """Both at once."""
    body = call.body
    return _change(
        call,
        _ids(body.get("recordIdsToAdd", [])),
        _ids(body.get("recordIdsToRemove", [])),
    )


def _ids(given: Any) -> list[str]:
    if not isinstance(given, list) or not all(str(one).isdecimal() for one in given):
        raise error(400, "VALIDATION_ERROR", "Invalid input JSON: record ids are numbers")
    if len(given) > MOST_IDS:
        raise error(400, "VALIDATION_ERROR", f"At most {MOST_IDS} records can be changed at once")
    return list(dict.fromkeys(str(one) for one in given))


def _change(call: Call, to_add: list[str], to_remove: list[str]) -> Answer:
    found = _list(call)
    if found["processingType"] == "DYNAMIC":
        raise error(400, "VALIDATION_ERROR", "Members of a DYNAMIC list cannot be changed")
    kind, members = call.records.kind(found["objectTypeId"]), _members(call)
    missing = [one for one in [*to_add, *to_remove] if call.records.find(kind, one) is None]
    added = [one for one in to_add if one not in members and one not in missing]
    removed = [one for one in to_remove if one in members]
    members.put({one: {"id": one} for one in added})
    for one in removed:
        del members[one]
    for op, ids in (("add", to_add), ("remove", to_remove)):
        for one in ids:
            call.log(one, op, list=found["listId"], changed=one in added or one in removed)
    return 200, {"recordsIdsAdded": added, "recordIdsRemoved": removed, "recordIdsMissing": missing}


def _lists(call: Call) -> Any:
    return call.records.store.table("lists")


def _list(call: Call) -> Json:
    found = _lists(call).get(call.path["list"])
    if found is None:
        raise error(404, "OBJECT_NOT_FOUND", f"List does not exist with ID {call.path['list']}.")
    return dict(found)


def _named(call: Call, name: str) -> Json | None:
    every = _lists(call).values()
    return next((one for one in every if one["name"].casefold() == name.casefold()), None)


def _next(call: Call) -> str:
    table = call.records.store.table("sequence")
    number = int(table.get("list", {"n": 0})["n"]) + 1
    table["list"] = {"n": number}
    return str(number)


def _live(call: Call, found: Json) -> list[str]:
    """Its members; a record that was deleted or merged away is none any more."""
    kind = call.records.kind(found["objectTypeId"])
    held = call.records.store.table(f"members:{found['listId']}")
    return [one for one in held if call.records.find(kind, one) is not None]


def _members(call: Call) -> Any:
    return call.records.store.table(f"members:{_list(call)['listId']}")
