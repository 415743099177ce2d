"""Members of the fake's lists: identifiers as they were sent, when, and what became of a request.

A member leaves by any identifiers that it holds all of: by the very ones that it came with, or by
fewer, but never by others.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connectors.google_ads.sandbox.app import GoogleSandbox

Document = dict[str, Any]
PROCESSING = timedelta(minutes=30)
KEPT = timedelta(days=50)
MATCHED_PERCENT = 62
NO_CONSENT, DENIED, UNKNOWN = 5, 4, 6
"""ProcessingErrorReason of members whose consent is not said, denied, or half said."""
EMAIL, PHONE, ADDRESS = 1, 2, 3
"""DataType of identifiers, for the counts of a status."""
NOTHING: Counter[str] = Counter()
_TYPES = {"email_address": EMAIL, "phone_number": PHONE, "address": ADDRESS}


def ingest(fake: GoogleSandbox, request: Any, lists: dict[str, str]) -> str:
    """Add who consented; the request's id. `lists`: destination reference to list id."""
    errors: Counter[str] = Counter()
    people: dict[str, list[list[str]]] = {number: [] for number in lists.values()}
    for row in request.audience_members:
        why = _refused(row, request)
        if why:
            errors[str(why)] += 1
            continue
        chosen = list(row.destination_references) or list(lists)
        for reference in chosen:
            people[lists[reference]].append(identifiers(row, request.encoding))
    for number, found in people.items():
        _add(fake, number, found)
    return _noted(fake, "ingest", request, errors)


def remove(fake: GoogleSandbox, request: Any, lists: dict[str, str]) -> str:
    """Take out whoever holds all identifiers of a row; the request's id."""
    for number in lists.values():
        table = fake.store.table(f"member:{number}")
        _expire(fake, number)
        holders: dict[str, set[str]] = {}
        for key, member in table.items():
            for one in member["ids"]:
                holders.setdefault(one, set()).add(key)
        for row in request.audience_members:
            ids = identifiers(row, request.encoding)
            hit = set.intersection(*(holders.get(one, set()) for one in ids))
            fake.record_write(_key(ids), "remove", audience=number, changed=bool(hit))
            for key in hit & set(table):
                del table[key]
        fake.clock.tick()
    return _noted(fake, "remove", request)


def remove_all(fake: GoogleSandbox, request: Any, lists: dict[str, str], until: datetime) -> str:
    """Take out whoever was last added before `until`; the request's id."""
    for number in lists.values():
        table = fake.store.table(f"member:{number}")
        for key, member in list(table.items()):
            if member["added"] < until.timestamp():
                fake.record_write(key, "remove", audience=number, changed=True)
                del table[key]
        fake.clock.tick()
    return _noted(fake, "remove_all", request)


def living(fake: GoogleSandbox, number: str) -> list[Document]:
    """Whoever is in the list now: `{"ids": ["email_address:<hex>", …], "added": seconds}`."""
    _expire(fake, number)
    return list(fake.store.table(f"member:{number}").values())


def matched(fake: GoogleSandbox, found: Document) -> int:
    """How many people Google has found so far; who was added lately is not counted yet."""
    return sum(_matches(one) for one in _worked_on(fake, found))


def match_rate(fake: GoogleSandbox, found: Document) -> int:
    """Percent of those worked on; 0 before any was."""
    every = _worked_on(fake, found)
    return 100 * sum(_matches(one) for one in every) // len(every) if every else 0


def identifiers(row: Any, encoding: int) -> list[str]:
    """A row's identifiers as text, sorted; hashes in lower-case hex whatever they came in."""
    kind = row.WhichOneof("data")
    if kind == "mobile_data":
        return sorted({f"mobile_id:{one}" for one in row.mobile_data.mobile_ids})
    if kind == "user_id_data":
        return [f"user_id:{row.user_id_data.user_id}"]
    if kind == "composite_data" and not row.composite_data.HasField("user_data"):
        return sorted({f"ip:{one.ip_address}" for one in row.composite_data.ip_data})
    data = row.composite_data.user_data if kind == "composite_data" else row.user_data
    return sorted({_identifier(one, encoding) for one in data.user_identifiers})


def _identifier(one: Any, encoding: int) -> str:
    kind = one.WhichOneof("identifier")
    if kind != "address":
        return f"{kind}:{_hex(getattr(one, kind), encoding)}"
    parts = (
        _hex(one.address.given_name, encoding),
        _hex(one.address.family_name, encoding),
        one.address.region_code,
        one.address.postal_code,
    )
    return "address:" + "|".join(parts)


def _hex(value: str, encoding: int) -> str:
    return base64.b64decode(value).hex() if encoding == 2 else value.lower()


def _refused(row: Any, request: Any) -> int:
    """Why Google will not work on this row; 0 when it will. A row's own consent goes first."""
    own, all_ = row.consent, request.consent
    said = [
        own.ad_user_data or all_.ad_user_data,
        own.ad_personalization or all_.ad_personalization,
    ]
    if 2 in said:
        return DENIED
    if said == [0, 0]:
        return NO_CONSENT
    return UNKNOWN if 0 in said else 0


def _add(fake: GoogleSandbox, number: str, people: list[list[str]]) -> None:
    _expire(fake, number)
    table, at = fake.store.table(f"member:{number}"), fake.clock.tick().timestamp()
    fresh: Document = {}
    for ids in people:
        key = _key(ids)
        fake.record_write(
            key, "add", audience=number, changed=key not in table and key not in fresh
        )
        fresh[key] = {"ids": ids, "added": at}
    if fresh:
        table.put(fresh)


def _expire(fake: GoogleSandbox, number: str) -> None:
    table, now = fake.store.table(f"member:{number}"), fake.clock.now().timestamp()
    stay = fake.store.table("user_list")[number]["duration"]
    for key in [key for key, one in table.items() if one["added"] + stay <= now]:
        del table[key]


def _noted(fake: GoogleSandbox, op: str, request: Any, errors: Counter[str] = NOTHING) -> str:
    """Keep what the status of this request will say."""
    types: Counter[str] = Counter()
    rows = list(getattr(request, "audience_members", ()))
    hits = 0
    for row in rows:
        ids = identifiers(row, request.encoding)
        types.update(str(_TYPES[kind]) for one in ids if (kind := one.split(":")[0]) in _TYPES)
        hits += _matches({"ids": ids})
    table = fake.store.table("request")
    digest = hashlib.sha256(f"{len(table)} {fake.clock.now()}".encode()).hexdigest()
    number = "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
    table[number] = {
        "op": op,
        "at": fake.clock.now().timestamp(),
        "kind": rows[0].WhichOneof("data") if rows else "",
        "destinations": [one.SerializeToString().hex() for one in request.destinations],
        "rows": len(rows),
        "types": dict(types),
        "errors": dict(errors),
        "match": 100 * hits // len(rows) if rows else 0,
    }
    return number


def _worked_on(fake: GoogleSandbox, found: Document) -> list[Document]:
    until = (fake.clock.now() - PROCESSING).timestamp()
    return [one for one in living(fake, found["id"]) if one["added"] <= until]


def _matches(member: Document) -> bool:
    return zlib.crc32(_key(member["ids"]).encode()) % 100 < MATCHED_PERCENT


def _key(ids: list[str]) -> str:
    return ",".join(ids)
