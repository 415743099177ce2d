"""CRM search with its walls: 200 a page, 10,000 a query, an index that lags, text or number ids."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from connectors.hubspot.sandbox.replies import error
from connectors.hubspot.sandbox.state import Records, iso

Json = dict[str, Any]
WALL = 10_000
KEYS = {"filterGroups", "sorts", "properties", "limit", "after"}


def search(records: Records, kind: str, body: Json) -> Json:
    """One page of a query; raises the refusals of the real endpoint."""
    limit, after = _window(records, body)
    asked = json.dumps([body.get("filterGroups"), body.get("sorts")])
    now = iso(records.clock.now()) if records.options.get("index_lag_ms") else ""
    key = ("search", kind, asked, now)
    ids = records.order(key, lambda: _ids(records, kind, body))
    step = max(1, limit // 2) if records.options.get("short_pages") else limit
    found = [_indexed(records, records.table(kind)[one]) for one in ids[after : after + step]]
    reply: Json = {
        "total": len(ids),
        "results": [records.shown(kind, one, body.get("properties")) for one in found if one],
    }
    if after + step < len(ids):
        reply["paging"] = {"next": {"after": str(after + step)}}
    return reply


def _window(records: Records, body: Json) -> tuple[int, int]:
    missing = KEYS - set(body)
    if records.options.get("strict_search") and missing:
        raise error(400, "VALIDATION_ERROR", f"Invalid input JSON: missing {sorted(missing)}")
    limit, after = int(body.get("limit") or 10), int(body.get("after") or 0)
    groups = body.get("filterGroups") or []
    if not 0 < limit <= 200:
        raise error(400, "VALIDATION_ERROR", "Invalid limit: must be between 1 and 200")
    if after + limit > WALL:
        raise error(400, "VALIDATION_ERROR", "Paging beyond 10000 results is not supported")
    if len(groups) > 5 or any(len(group.get("filters", [])) > 10 for group in groups):
        raise error(400, "VALIDATION_ERROR", "Too many filters or filter groups")
    return limit, after


def _ids(records: Records, kind: str, body: Json) -> list[str]:
    rows = [
        indexed
        for record in records.table(kind).values()
        if not record["archived"] and (indexed := _indexed(records, record))
    ]
    groups = [
        [_filter(records, kind, one) for one in group.get("filters", [])]
        for group in body.get("filterGroups") or []
    ]
    if groups:
        rows = [
            row
            for row in rows
            if any(all(test(row["properties"]) for test in group) for group in groups)
        ]
    sorts = [one for one in body.get("sorts") or [] if one] or ["hs_object_id"]
    name, down = _sort(sorts[0])
    value = _value(records, kind, name)
    known = [r for r in rows if r["properties"].get(name) is not None]
    unknown = [r for r in rows if r["properties"].get(name) is None]
    known.sort(key=lambda r: value(r["properties"][name]), reverse=down)
    return [record["id"] for record in known + unknown]


def _sort(sort: Any) -> tuple[str, bool]:
    if isinstance(sort, str):
        return sort.removeprefix("-"), sort.startswith("-")
    return str(sort["propertyName"]), sort.get("direction") == "DESCENDING"


def _indexed(records: Records, record: Json) -> Json | None:
    """The record as the index has it: the version before a change that it has not seen yet."""
    lag = int(records.options.get("index_lag_ms") or 0)
    if not lag:
        return record
    edge = iso(records.clock.now() - timedelta(milliseconds=lag))
    if record["updatedAt"] <= edge:
        return record
    if record.get("was"):
        return {**record, **record["was"]}
    return None if record["createdAt"] > edge else record


def _value(records: Records, kind: str, name: str) -> Callable[[Any], Any]:
    """How values of a property compare."""
    definition = records.properties(kind).get(name)
    if definition is None:
        raise error(400, "VALIDATION_ERROR", f"There was a problem with the request: no {name}")
    if name == "hs_object_id":
        return str if records.options.get("id_order", "text") == "text" else int
    if definition["type"] == "datetime":
        return _millis
    if definition["type"] == "number":
        return float
    return lambda value: str(value).casefold()


def _millis(value: Any) -> int:
    text = str(value)
    if text.lstrip("-").isdigit():
        return int(text)
    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return round(at.timestamp() * 1000)


def _filter(records: Records, kind: str, one: Json) -> Callable[[Json], bool]:
    name, operator = one["propertyName"], one["operator"]
    value = _value(records, kind, name)
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        return lambda p: (p.get(name) is not None) == (operator == "HAS_PROPERTY")
    if operator in ("IN", "NOT_IN"):
        listed = {value(v) for v in one["values"]}
        within = operator == "IN"
        return lambda p: p.get(name) is not None and (value(p[name]) in listed) == within
    low = value(one["value"])
    if value is _millis and low == 0:
        # Searching from the epoch itself is answered with a server error by the real index.
        raise error(500, None, "internal error")
    if operator == "BETWEEN":
        high = value(one["highValue"])
        return lambda p: p.get(name) is not None and low <= value(p[name]) <= high
    tests: dict[str, Callable[[Any], bool]] = {
        "EQ": lambda v: v == low,
        "NEQ": lambda v: v != low,
        "LT": lambda v: v < low,
        "LTE": lambda v: v <= low,
        "GT": lambda v: v > low,
        "GTE": lambda v: v >= low,
        "CONTAINS_TOKEN": lambda v: str(low).strip("*") in str(v),
    }
    if operator not in tests:
        raise error(400, "VALIDATION_ERROR", f"Unknown operator {operator}")
    test = tests[operator]
    return lambda p: p.get(name) is not None and test(value(p[name]))
