"""Audiences of the fake: create, list, read, change, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.meta_ads.sandbox import lookalikes, standing
from connectors.meta_ads.sandbox.graph import GraphError, chosen

if TYPE_CHECKING:
    from connectors.meta_ads.sandbox.app import MetaSandbox

FIRST = 23849182047670000
MOST = 500
"""Of either kind, per ad account."""
SOURCES = ("USER_PROVIDED_ONLY", "PARTNER_PROVIDED_ONLY", "BOTH_USER_AND_PARTNER_PROVIDED")
# Names that suggest a health or financial status are flagged.
_SENSITIVE = ("diabet", "cancer", "pregnan", "bankrupt", "debt", "credit score")


def create(fake: MetaSandbox, account: str, params: dict[str, Any]) -> dict[str, Any]:
    """`{"id": …}` of a new, empty audience; names need not be unique."""
    if fake.options.get("linked") is False:
        raise GraphError(200, "The ad account is not linked to a business", 1870050, status=403)
    if fake.options.get("terms") == "unsigned":
        raise GraphError(
            200,
            "To create or edit a Custom Audience, agree to the Custom Audience terms",
            1870090,
            status=403,
        )
    name, subtype = str(params.get("name") or ""), str(params.get("subtype", "CUSTOM"))
    if not name:
        raise GraphError(100, "The parameter name is required")
    if subtype not in ("CUSTOM", "LOOKALIKE"):
        raise GraphError(100, "Unsupported subtype")
    every = [a for a in fake.store.table("audience").values() if a["account_id"] == account]
    if sum(a["subtype"] == subtype for a in every) >= MOST:
        raise GraphError(100, f"The ad account has {MOST} audiences of this kind")
    own = (
        _custom(params) if subtype == "CUSTOM" else lookalikes.checked(fake, account, params, every)
    )
    number = fake.store.table("counter").get("audience", {"next": FIRST})["next"]
    fake.store.table("counter")["audience"] = {"next": number + 1}
    now = fake.clock.tick()
    stamp = int(now.timestamp())
    fake.store.table("audience")[str(number)] = {
        "id": str(number),
        "account_id": account,
        "name": name,
        "subtype": subtype,
        "description": str(params.get("description") or ""),
        "operation_status": standing.FLAGGED if _flagged(name) else standing.NORMAL,
        "time_created": stamp,
        "time_updated": stamp,
        "time_content_updated": 0,
        "made": now.isoformat(),
        "lag": int(fake.options.get("alias_lag", 1)),
        **dict.fromkeys(("customer_file_source", "origin_audience_id", "lookalike_spec")),
        **own,
    }
    return {"id": str(number)}


def _custom(params: dict[str, Any]) -> dict[str, Any]:
    if params.get("customer_file_source") not in SOURCES:
        raise GraphError(
            100, "customer_file_source must be one of the following values: " + ", ".join(SOURCES)
        )
    return {
        "customer_file_source": params["customer_file_source"],
        "is_value_based": params.get("is_value_based") in (True, 1, "1", "true"),
    }


def find(fake: MetaSandbox, audience: str, method: str) -> dict[str, Any]:
    """The stored audience. A new one is unknown for its first calls, as the real one is."""
    table = fake.store.table("audience")
    if audience not in table:
        raise GraphError(
            100,
            f"Unsupported {method.lower()} request. Object with ID '{audience}' does not "
            "exist, cannot be loaded due to missing permissions, or does not support this "
            "operation",
            33,
            type="GraphMethodException",
        )
    found = standing.settled(fake, table[audience])
    if found["lag"] > 0:
        table[audience] = {**found, "lag": found["lag"] - 1}
        raise GraphError(
            803, f"Some of the aliases you requested do not exist: {audience}", status=404
        )
    return found


def one(
    fake: MetaSandbox, audience: dict[str, Any], method: str, params: dict[str, Any]
) -> dict[str, Any]:
    """Read, rename or delete one audience."""
    if method == "GET":
        return chosen(standing.shown(fake, audience), params)
    if method == "POST":
        changes: dict[str, Any] = {
            name: str(params[name]) for name in ("name", "description") if name in params
        }
        fake.store.table("audience")[audience["id"]] = {
            **audience,
            **changes,
            "time_updated": int(fake.clock.tick().timestamp()),
        }
        return {"success": True}
    for table in (f"member:{audience['id']}", f"replace:{audience['id']}"):
        fake.store.table(table).clear()
    del fake.store.table("audience")[audience["id"]]
    return {"success": True}


def listed(fake: MetaSandbox, account: str, params: dict[str, Any]) -> dict[str, Any]:
    """A page of the account's audiences, newest first, with cursors."""
    every = [a for a in fake.store.table("audience").values() if a["account_id"] == account]
    every.sort(key=lambda a: -int(a["id"]))
    ids = [a["id"] for a in every]
    after = params.get("after")
    if after is not None and after not in ids:
        raise GraphError(100, "Invalid cursor")
    start = ids.index(after) + 1 if after is not None else 0
    limit = max(1, min(100, int(params.get("limit", 25))))
    page = every[start : start + limit]
    body: dict[str, Any] = {"data": [chosen(standing.shown(fake, a), params) for a in page]}
    if page:
        body["paging"] = {"cursors": {"before": page[0]["id"], "after": page[-1]["id"]}}
        if start + limit < len(every):
            body["paging"]["next"] = f"/act_{account}/customaudiences?after={page[-1]['id']}"
    return body


def _flagged(name: str) -> bool:
    return any(word in name.lower() for word in _SENSITIVE)
