"""What stands beside a record: its company, its contacts, its e-mail subscriptions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.hubspot.api import Api, impossible, results_of
from connectors.hubspot.reading import Record

LINKS = {
    "contacts": (("companies", "_account"),),
    "companies": (),
    "deals": (("companies", "_account"), ("contacts", "_contact")),
}
"""Object type to (linked type, private key that the page reader puts into the record)."""
ACTIVITY_LINKS = (("contacts", "_contact"),)


def link(api: Api, kind: str, records: Sequence[Record]) -> list[Record]:
    """The records with the id of the primary company and of a contact under private keys."""
    linked = [dict(record) for record in records]
    for other, key in LINKS.get(kind, ACTIVITY_LINKS):
        found = _associations(api, kind, other, [record["id"] for record in linked])
        for record in linked:
            record[key] = found.get(record["id"])
    return linked


def subscribe(api: Api, records: Sequence[Record]) -> list[Record]:
    """Contact records with `_subscriptions`: type id, status and time of each subscription."""
    emails = sorted({e for r in records if (e := r["properties"].get("email"))})
    found = _statuses(api, emails) if emails else {}
    return [
        {**r, "_subscriptions": found.get((r["properties"].get("email") or "").casefold(), [])}
        for r in records
    ]


def _associations(api: Api, kind: str, other: str, ids: Sequence[str]) -> dict[str, str]:
    """Record id to its primary (else its first) linked id; none where it has no link.

    207 with NO_ASSOCIATIONS_FOUND is how HubSpot says that there is none.
    """
    if not ids:
        return {}
    what = f"{kind}/{other}/batch/read"
    body = {"inputs": [{"id": id_} for id_ in ids]}
    reply = api.post("associations", what, body, accept={200, 207})
    found = results_of(reply)
    links: dict[str, str] = {}
    named: set[str] = set()
    try:
        for one in found["results"]:
            to = sorted(list_of(one["to"]), key=lambda t: (not _primary(t), int(t["toObjectId"])))
            named.add(str(one["from"]["id"]))
            if to:
                links[str(one["from"]["id"])] = str(to[0]["toObjectId"])
        errors = [str(one.get("subCategory", "")) for one in found.get("errors") or []]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise impossible(what, "cannot be read") from None
    if any(not code.endswith("NO_ASSOCIATIONS_FOUND") for code in errors):
        raise impossible(what, "holds errors other than missing links")
    if len(found["results"]) + len(errors) != len(ids) or named - set(ids):
        raise impossible(what, "does not account for every record")
    if len(named) != len(found["results"]):
        raise impossible(what, "does not account for every record")
    return links


def list_of(value: Any) -> list[Any]:
    """The value, if it is a list; anything else that can be gone through would count as none."""
    if not isinstance(value, list):
        raise TypeError
    return value


def _primary(to: dict[str, Any]) -> bool:
    return any(one.get("label") == "Primary" for one in to.get("associationTypes") or [])


def _statuses(api: Api, emails: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """E-mail address to statuses (HubSpot, "Batch retrieve subscription statuses").

    An address that HubSpot will not take has none, which counts as no consent.
    """
    reply = api.post(
        "communication-preferences",
        "statuses/batch/read",
        {"inputs": list(emails)},
        params={"channel": "EMAIL"},
        accept={200, 207, 400},
    )
    if reply.status == 400:
        if len(emails) == 1:
            return {}
        half = len(emails) // 2
        return {**_statuses(api, emails[:half]), **_statuses(api, emails[half:])}
    found = results_of(reply)
    try:
        read = {
            str(one["subscriberIdString"]).casefold(): [
                {key: status.get(key) for key in ("subscriptionId", "status", "timestamp")}
                for status in list_of(one["statuses"])
            ]
            for one in found["results"]
        }
        refused = len(list_of(found.get("errors") or []))
    except (KeyError, TypeError, AttributeError):
        raise impossible("subscription statuses", "cannot be read") from None
    # Silence about an address would be taken for a consent that was withdrawn.
    if len({one.casefold() for one in emails} - read.keys()) > refused:
        raise impossible("subscription statuses", "does not account for every address")
    return read
