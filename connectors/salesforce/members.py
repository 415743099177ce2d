"""Rows of CampaignMember: inserted, found and deleted, and what that means for a person."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from audiencehub.errors import OutcomeUnknown, Stop, Wait
from audiencehub.http import Reply
from audiencehub.model import Change, Receipt
from connectors.salesforce.client import Client, format_soql
from connectors.salesforce.verdicts import AGAIN, refused

MOST_DELETED = 200
ROW = "00v"
"""How the id of a CampaignMember begins."""
ABSENT = frozenset({"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"})
"""What a delete is told of a row that is not there any more (StatusCode)."""


@dataclass(frozen=True, slots=True)
class Row:
    """One contact or lead of a person."""

    link: str
    """ContactId or LeadId."""
    record: str


@dataclass(frozen=True, slots=True)
class Said:
    """What became of one row."""

    state: Literal["done", "refused", "busy", "unreadable"]
    proof: str = ""
    code: str = ""
    fields: tuple[str, ...] = ()


def added(client: Client, campaign: str, rows: Sequence[Row]) -> list[Said]:
    """One verdict per row; who is a member already is one. Raises OutcomeUnknown, Stop, Wait."""
    records = [
        {"attributes": {"type": "CampaignMember"}, "CampaignId": campaign, one.link: one.record}
        for one in rows
    ]
    body = {"allOrNone": False, "records": records}
    reply = client.call("POST", "composite/sobjects", json=body)
    return [_said(one, reply, {"DUPLICATE_VALUE"}) for one in _verdicts(reply, len(rows))]


def removed(client: Client, campaign: str, rows: Sequence[Row]) -> list[Said]:
    """One verdict per row; who is no member is removed already.

    Raises Incomplete before anything was deleted, OutcomeUnknown, Stop, Wait.
    """
    found = _found(client, campaign, rows)
    keys = sorted({key for keys in found.values() for key in keys})
    told: dict[str, Said] = {}
    for start in range(0, len(keys), MOST_DELETED):
        part = keys[start : start + MOST_DELETED]
        query = {"ids": ",".join(part), "allOrNone": "false"}
        try:
            reply = client.call("DELETE", "composite/sobjects", params=query)
        except (Stop, Wait) as error:
            if not start:
                raise
            raise OutcomeUnknown(error.message, hint=error.hint) from None
        said = _verdicts(reply, len(part))
        told |= {key: _said(one, reply, ABSENT) for key, one in zip(part, said, strict=True)}
    nobody = Said("done", f"200 no member of {campaign}")
    return [_worst([told[key] for key in found.get(one.record[:15], ())], nobody) for one in rows]


def joined(one: Change, said: Sequence[Said]) -> Receipt:
    """What became of a person by what became of its rows.

    Added by one row is added, though the other record is gone or refused: somebody who is a member
    and not believed to be one would not be taken out again. Removed is whose every row is.
    """
    states = {each.state for each in said}
    done = next((each for each in said if each.state == "done"), None)
    wanting = next((each for each in said if each.state != "done"), None)
    if "unreadable" in states:
        return Receipt(one.member, "unknown", reason="UNREADABLE")
    if done and (wanting is None or (one.op == "add" and "busy" not in states)):
        return Receipt(one.member, "confirmed", proof=done.proof)
    if wanting is None:
        return Receipt(one.member, "unknown", reason="UNREADABLE")
    if done and one.op == "add":
        return Receipt(one.member, "unknown", reason=f"PARTLY: {wanting.code}")
    busy = next((each for each in said if each.state == "busy"), wanting)
    return refused(one.member, busy.code, busy.fields)


def _worst(said: Sequence[Said], nobody: Said) -> Said:
    """Of the rows of one record, the one that matters most."""
    order = ("unreadable", "busy", "refused", "done")
    return min(said, key=lambda one: order.index(one.state), default=nobody)


def _found(client: Client, campaign: str, rows: Sequence[Row]) -> dict[str, list[str]]:
    """The first 15 characters of a record's id to the ids of its rows in this campaign.

    A lead that was converted meanwhile has a row that names the contact, too.
    """
    wanted = {one.record[:15] for one in rows}
    tests = []
    for link in ("ContactId", "LeadId"):
        ids = sorted(one.record for one in rows if one.link == link)
        if ids:
            tests.append(format_soql(f"{link} IN {{}}", ids))
    soql = format_soql(
        "SELECT Id, ContactId, LeadId FROM CampaignMember WHERE CampaignId = {}", campaign
    )
    found: dict[str, list[str]] = {}
    for records, _ in client.query(f"{soql} AND ({' OR '.join(tests)})"):
        for one in records:
            named = {str(one.get(link) or "")[:15] for link in ("ContactId", "LeadId")}
            for record in named & wanted:
                found.setdefault(record, []).append(str(one["Id"]))
    return found


def _verdicts(reply: Reply, count: int) -> list[Any]:
    said = reply.json()
    if not isinstance(said, list) or len(said) != count:
        raise OutcomeUnknown(
            "A Collections reply does not have one verdict per row.",
            hint="Run again: the same rows are sent anew",
        )
    return said


def _said(said: Any, reply: Reply, settled: frozenset[str] | set[str]) -> Said:
    """A verdict; codes in `settled` say that all is as it should be."""
    if not isinstance(said, Mapping) or said.get("success") not in (True, False):
        return Said("unreadable")
    digest = hashlib.sha256(reply.content).hexdigest()[:12]
    if said["success"] is True:
        key = str(said.get("id") or "")
        whole = key.startswith(ROW) and key.isalnum() and len(key) in (15, 18)
        return Said("done", f"{reply.status} {key} {digest}") if whole else Said("unreadable")
    errors = said.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else {}
    if not isinstance(first, Mapping):
        return Said("unreadable")
    code, fields = str(first.get("statusCode", "")), first.get("fields") or ()
    if code in settled:
        return Said("done", f"{reply.status} {code} {digest}")
    names = tuple(one for one in fields if isinstance(one, str))
    return Said("busy" if code in AGAIN else "refused", code=code, fields=names)
