"""Lists of the fake, and who is on them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from connectors.klaviyo.sandbox.jsonapi import Document, Fault, resource, sparse

if TYPE_CHECKING:
    from connectors.klaviyo.sandbox.app import KlaviyoSandbox

MOST_RELATED = 1_000


def create(fake: KlaviyoSandbox, document: Document) -> Document:
    """A new, empty list; names need not be unique."""
    attributes = resource(document["data"], "list", "/data", {"name", "opt_in_process"})
    name = attributes.get("name")
    if not isinstance(name, str) or not name.strip() or len(name) > 255:
        raise Fault(400, "invalid", "Invalid list name.", "/data/attributes/name")
    process = attributes.get("opt_in_process", "double_opt_in")
    if process not in ("single_opt_in", "double_opt_in"):
        raise Fault(400, "invalid", "Invalid value.", "/data/attributes/opt_in_process")
    table = fake.store.table("list")
    counter = fake.store.table("counter")
    count = counter.get("list", {"next": 0})["next"]
    counter["list"] = {"next": count + 1}
    digest = hashlib.sha256(f"list {count}".encode()).hexdigest().upper()
    stamp = fake.clock.tick().isoformat()
    made = {
        "id": f"L{digest[:5]}",
        "name": name,
        "created": stamp,
        "updated": stamp,
        "opt_in_process": process,
    }
    table[made["id"]] = made
    return made


def find(fake: KlaviyoSandbox, key: str, pointer: str = "id") -> Document:
    """The list, or 404."""
    found = fake.store.table("list").get(key)
    if found is None:
        raise Fault(404, "not_found", f"A list with id {key} does not exist.", pointer)
    return found


def delete(fake: KlaviyoSandbox, key: str) -> None:
    """The list is gone; its profiles are not."""
    fake.store.table(f"member:{find(fake, key)['id']}").clear()
    del fake.store.table("list")[key]


def shown(fake: KlaviyoSandbox, request: Request, one: Document) -> Document:
    """The resource object; `profile_count` only where `additional-fields` asks for it."""
    attributes: Document = {name: value for name, value in one.items() if name != "id"}
    more = request.query_params.get("additional-fields[list]")
    if more is not None and more != "profile_count":
        raise Fault(400, "invalid", "Invalid additional field.", "additional-fields[list]")
    if more:
        attributes["profile_count"] = len(fake.store.table(f"member:{one['id']}"))
    return {
        "type": "list",
        "id": one["id"],
        "attributes": sparse(request, "list", attributes),
        "links": {"self": f"https://a.klaviyo.com/api/lists/{one['id']}/"},
    }


def relate(fake: KlaviyoSandbox, key: str, method: str, document: Document) -> None:
    """Put profiles on a list, or take them off; what is so already stays so."""
    one, rows = find(fake, key), document["data"]
    if not isinstance(rows, list) or not rows:
        raise Fault(400, "invalid", "Expected a list of resource identifiers.")
    if len(rows) > MOST_RELATED:
        raise Fault(400, "invalid", f"At most {MOST_RELATED} profiles per call.")
    profiles = fake.store.table("profile")
    known: list[Document] = []
    for at, row in enumerate(rows):
        if not isinstance(row, dict) or set(row) != {"type", "id"} or row["type"] != "profile":
            raise Fault(400, "invalid", "Expected a resource identifier.", f"/data/{at}")
        if row["id"] not in profiles:
            detail = f"A profile with id {row['id']} does not exist."
            raise Fault(404, "not_found", detail, f"/data/{at}/id")
        known.append(profiles[row["id"]])
    put(fake, one["id"], "add" if method == "POST" else "remove", known)


def put(fake: KlaviyoSandbox, key: str, op: str, profiles: list[Document]) -> None:
    """Write the members, and each row into the log of writes. Consent is not looked at."""
    table = fake.store.table(f"member:{key}")
    there: dict[str, Any] = {}
    for profile in profiles:
        held = profile["id"] in table or profile["id"] in there
        fake.record_write(profile["email"], op, audience=key, changed=held is (op == "remove"))
        if op == "add" and not held:
            joined = fake.clock.tick().isoformat()
            there[profile["id"]] = {"email": profile["email"], "joined_group_at": joined}
        elif op == "remove" and held:
            del table[profile["id"]]
    if there:
        table.put(there)
