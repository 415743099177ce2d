"""Mappings of the fake: which ids are in which audience."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from connectors.tiktok_ads.sandbox import audiences
from connectors.tiktok_ads.sandbox.business import BusinessError, texts

if TYPE_CHECKING:
    from connectors.tiktok_ads.sandbox.app import TikTokSandbox

MOST_ROWS = 1_000
_SHA256, _MD5 = r"[0-9a-f]{64}", r"[0-9a-f]{32}"
_FORMS = {
    "EMAIL_SHA256": _SHA256,
    "PHONE_SHA256": _SHA256,
    "IDFA_SHA256": _SHA256,
    "AAID_SHA256": _SHA256,
    "IDFA_MD5": _MD5,
    "AAID_MD5": _MD5,
}
_NOTHING = (hashlib.sha256(b"").hexdigest(), hashlib.md5(b"", usedforsecurity=False).hexdigest())
_BODY = frozenset({"advertiser_ids", "action", "id_schema", "batch_data"})

Document = dict[str, Any]


def change(fake: TikTokSandbox, body: Document) -> Document:
    """`/segment/mapping/`: add or delete ids. One fault anywhere refuses the whole call."""
    if set(body) - _BODY:
        raise BusinessError(40002, "Unknown field.")
    advertisers = [fake.advertiser(one) for one in texts(body, "advertiser_ids")]
    action = body.get("action", "add")
    if action not in ("add", "delete"):
        raise BusinessError(40002, "action: Must be one of: add, delete.")
    schema = [one.upper() for one in texts(body, "id_schema")]
    if len(set(schema)) < len(schema):
        raise BusinessError(40002, "id_schema: Duplicate id types.")
    if not set(schema) <= set(_FORMS):
        raise BusinessError(40002, f"id_schema: Must be one of: {', '.join(_FORMS)}.")
    rows = body.get("batch_data")
    if not isinstance(rows, list) or not 0 < len(rows) <= MOST_ROWS:
        raise BusinessError(40002, f"batch_data: Length must be between 1 and {MOST_ROWS}.")
    _apply(fake, action, [one for row in rows for one in _ids(fake, schema, row, advertisers)])
    return {}


def _ids(
    fake: TikTokSandbox, schema: list[str], row: Any, advertisers: list[str]
) -> list[tuple[str, Document]]:
    """Audience and member per id of one row; the id in position i is of type i of the schema."""
    if not isinstance(row, list) or len(row) != len(schema):
        raise BusinessError(40002, "batch_data: Every row needs as many ids as id_schema.")
    found: list[tuple[str, Document]] = []
    person = ""
    for kind, cell in zip(schema, row, strict=True):
        if cell == {}:
            continue
        if not isinstance(cell, dict) or set(cell) != {"id", "audience_ids"}:
            raise BusinessError(40002, "batch_data: An id needs id and audience_ids, or is {}.")
        value = str(cell["id"])
        if not re.fullmatch(_FORMS[kind], value) or value in _NOTHING:
            raise BusinessError(40002, f"batch_data: {value} is no {kind}.")
        person = person or value
        for number in texts(cell, "audience_ids"):
            audience = audiences.find(fake, number, advertisers)["id"]
            member = {"kind": kind, "id": value, "person": person, "found": _known(person)}
            found.append((audience, member))
    if not found:
        raise BusinessError(40002, "batch_data: A row without ids.")
    return found


def _apply(fake: TikTokSandbox, action: str, ids: list[tuple[str, Document]]) -> None:
    fresh: dict[str, dict[str, Document]] = {}
    for audience, member in ids:
        table, new = fake.store.table(f"member:{audience}"), fresh.setdefault(audience, {})
        key = f"{member['kind']}:{member['id']}"
        held = key in table or key in new
        changed = held is (action == "delete")
        fake.record_write(key, action, audience=audience, changed=changed)
        if action == "add":
            new[key] = member
        elif held:
            del table[key]
    table = fake.store.table("audience")
    for audience, members in fresh.items():
        if members:
            fake.store.table(f"member:{audience}").put(members)
        mapped = table[audience]["mapped"] or fake.clock.tick().isoformat()
        table[audience] = {**table[audience], "mapped": mapped}


def _known(person: str) -> bool:
    """Five of eight are found on TikTok, always the same ones."""
    return hashlib.sha256(person.encode()).digest()[0] % 8 < 5
