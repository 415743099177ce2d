"""Everything of an object type: the list endpoint, its archived half, the search total."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from connectors.hubspot.api import Api, impossible, next_after, results_of

Record = dict[str, Any]
PAGE = 100
BARREN = 20
"""Pages in a row that may bring nothing new and still name a next one; short pages do occur."""
LONGEST_PROPERTIES = 4_000
"""Characters; longer lists go through POST, for addresses of 8,000 are refused with 414."""


def listing(
    api: Api,
    kind: str,
    properties: Sequence[str],
    needed: Sequence[str] = (),
    *,
    archived: bool = False,
) -> Iterator[list[Record]]:
    """Pages of records by id, with the properties asked for; each names those that are `needed`.
    Raises Incomplete."""
    asked = ",".join(properties)
    long = len(asked) > LONGEST_PROPERTIES
    params = {"limit": str(PAGE), "archived": str(archived).lower()}
    if not long:
        params["properties"] = asked
    after: str | None = None
    seen: set[str] = set()
    ids: set[str] = set()
    barren = 0
    while True:
        reply = api.get("objects", kind, params={**params, **({"after": after} if after else {})})
        body = results_of(reply)
        records = checked(body["results"], kind, () if long else needed)
        # One half in place of the other would make a tombstone of everybody in it.
        if any(bool(one.get("archived")) is not archived for one in records):
            raise impossible(f"the list of {kind}", "mixes live and archived records")
        full = long and not archived
        yield batch_read(api, kind, properties, records, needed) if full else records
        then = next_after(body, kind)
        if then is None:
            return
        known = len(ids)
        ids.update(record["id"] for record in records)
        barren = barren + 1 if len(ids) == known else 0
        if then in seen or barren > BARREN:
            raise impossible(f"the list of {kind}", "repeats a cursor, or goes on without records")
        seen.add(then)
        after = then


def named(api: Api, kind: str) -> set[str]:
    """The properties that an object type has. Raises Incomplete."""
    listed = results_of(api.get("properties", kind))["results"]
    names = {one.get("name") for one in listed if isinstance(one, dict)}
    if not listed or len(names) != len(listed) or not all(isinstance(n, str) for n in names):
        raise impossible(f"the properties of {kind}", "cannot be read")
    return {str(one) for one in names}


def total(api: Api, kind: str) -> int:
    """How many live records the search index counts."""
    body = {
        "filterGroups": [],
        "sorts": [],
        "properties": ["hs_object_id"],
        "limit": 1,
        "after": "0",
    }
    return int(api.search(kind, body)["total"])


def batch_read(
    api: Api,
    kind: str,
    properties: Sequence[str],
    records: Sequence[Record],
    needed: Sequence[str] = (),
) -> list[Record]:
    """The records again, with properties too many for an address; those gone since are left out."""
    ids = [record["id"] for record in records]
    values = batch_read_values(api, kind, ids, properties, needed)
    kept = [record for record in records if record["id"] in values]
    return [{**record, "properties": values[record["id"]]} for record in kept]


def batch_read_values(
    api: Api,
    kind: str,
    ids: Sequence[str],
    properties: Sequence[str],
    needed: Sequence[str] | None = None,
) -> dict[str, dict[str, Any]]:
    """Record id to its properties; an id that does not exist is absent. Raises Incomplete."""
    if not ids:
        return {}
    body = {
        "inputs": [{"id": id_} for id_ in dict.fromkeys(ids)],
        "properties": list(properties),
        "propertiesWithHistory": [],
    }
    found = results_of(api.post("objects", f"{kind}/batch/read", body, accept={200, 207}))
    rows = checked(found["results"], kind, properties if needed is None else needed)
    read = {str(one["id"]): one["properties"] for one in rows}
    unexplained = set(ids) - set(read) - missing_ids(found)
    # The id of a record that was merged away may be answered with the survivor.
    strangers = set(read) - set(ids)
    if len(unexplained) > len(strangers):
        raise impossible(f"batch read of {kind}", "does not account for every id")
    return {id_: values for id_, values in read.items() if id_ not in strangers}


def missing_ids(body: dict[str, Any]) -> set[str]:
    """The ids that a 207 says do not exist."""
    errors = body.get("errors") or []
    return {
        str(id_)
        for one in errors
        if isinstance(one, dict) and one.get("category") == "OBJECT_NOT_FOUND"
        for id_ in (one.get("context") or {}).get("ids") or []
    }


def checked(results: list[Any], kind: str, asked: Sequence[str] = ()) -> list[Record]:
    """The records, each with an id and the properties asked for: of those that there are, HubSpot
    names empty ones too. Raises Incomplete."""
    for one in results:
        if not isinstance(one, dict) or not _is_id(one.get("id")):
            raise impossible(f"a request for {kind}", "holds a record without id")
        properties = one.get("properties")
        if not isinstance(properties, dict) or not properties.keys() >= set(asked):
            raise impossible(f"a request for {kind}", "holds a record without its properties")
    return results


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdigit()
