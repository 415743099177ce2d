"""Static lists of contacts ("segments" in HubSpot's own pages) as audiences.

A list takes record ids. Who is on it already, or is not, is passed over without a word, and
`recordIdsMissing` names the records that HubSpot does not have (Lists API, "Memberships"). Names
are unique in an account, so that ours end with a mark: a list made by hand is never taken over.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from audiencehub.connector import MAKE_ANEW, mark_of, unsettled
from audiencehub.errors import BatchRefused, HubError, OutcomeUnknown, Stop, Wait
from audiencehub.http import Reply
from audiencehub.model import Change, Figures, Receipt, Target
from connectors.hubspot.api import Api, impossible

PEOPLE = 5_000
"""People per call of the hub."""
MOST_IDS = 10_000
"""Record ids per call to HubSpot, which names no limit for adding."""
CONTACTS = "0-1"
LONGEST_LABEL = 200
ADDED, REMOVED, MISSING = "recordsIdsAdded", "recordIdsRemoved", "recordIdsMissing"
"""As HubSpot spells them."""
GONE = "OBJECT_NOT_FOUND: HubSpot has no such record"
_ID = re.compile(r"[0-9]{1,20}")
_LATER = (OutcomeUnknown, BatchRefused, Wait, Stop)


@dataclass(frozen=True, slots=True)
class _Row:
    """One change and the records it is about."""

    place: int
    change: Change
    ids: tuple[str, ...]


def ensure(api: Api, target: Target, namespace: str) -> dict[str, str]:
    """`{"list_id": …}`: the list remembered, else the one marked as ours, else a new one.

    Raises Stop where the remembered one is gone: whoever deleted it meant it.
    """
    known = target.remote.get("list_id")
    if known:
        _look(api, known)
        return {"list_id": known}
    ours = mark_of(namespace, target, 12)
    name = f"{(target.label or target.place)[:LONGEST_LABEL]} {ours}"
    return {"list_id": _found(api, ours) or _made(api, name, ours)}


def change(api: Api, target: Target, changes: Sequence[Change]) -> list[Receipt]:
    """One receipt per change, in order. Once a first call is through, faults become receipts.

    Somebody is on the list with one record of theirs, whatever became of the others: those are
    gone from HubSpot. Raises BatchRefused, OutcomeUnknown, Stop, Wait.
    """
    rows, receipts = _rows(changes)
    for number, (op, part) in enumerate(_parts(rows)):
        try:
            receipts |= _put(api, _id_of(target), op, part)
        except _LATER as error:
            if number == 0:
                raise
            receipts |= {one.place: _unsettled(one.change, error) for one in part}
    return [receipts[place] for place in range(len(changes))]


def figures(api: Api, target: Target) -> Figures:
    """The list's size as HubSpot counts it."""
    reply = api.get("lists", _id_of(target), accept={200, 404})
    if reply.status == 404:
        return Figures("gone")
    found = _list(reply)
    size = found.get("size")
    if found.get("deletedAt"):
        return Figures("gone")
    return Figures("ready", (size, size) if type(size) is int and size >= 0 else None)


def _id_of(target: Target) -> str:
    known = target.remote.get("list_id")
    if not known:
        raise Stop(f"{target.id} has no list yet.", hint="Run: audiencehub sync")
    return known


def _look(api: Api, known: str) -> None:
    reply = api.get("lists", known, accept={200, 404})
    if reply.status == 404 or _list(reply).get("deletedAt"):
        raise _deleted(known)


def _deleted(known: str) -> Stop:
    return Stop(
        f"HubSpot's list {known} does not exist any more.",
        hint="Restore it in HubSpot (Segments > Recently deleted). " + MAKE_ANEW,
    )


def _found(api: Api, ours: str) -> str | None:
    """The list that was made in a run that did not live to remember it."""
    query = ours.strip("[]").partition(":")[2]
    body = {"query": query, "processingTypes": ["MANUAL"], "offset": 0, "count": 500}
    said = api.post("lists", "search", body).json()
    listed = said.get("lists") if isinstance(said, dict) else None
    if not isinstance(listed, list):
        raise impossible("a search of lists", "has no lists")
    found = [str(one["listId"]) for one in listed if _is_ours(one, ours)]
    return min(found, key=int, default=None)


def _is_ours(one: Any, ours: str) -> bool:
    return (
        isinstance(one, Mapping)
        and ours in str(one.get("name"))
        and one.get("processingType") == "MANUAL"
        and one.get("objectTypeId", CONTACTS) == CONTACTS
        and not one.get("deletedAt")
        and _ID.fullmatch(str(one.get("listId"))) is not None
    )


def _made(api: Api, name: str, ours: str) -> str:
    body = {"name": name, "objectTypeId": CONTACTS, "processingType": "MANUAL"}
    reply = api.post("lists", "", body, accept={200, 201, 400, 409}, writes=True)
    if reply.status in (400, 409):
        # The search lags behind: a list that was made a moment ago is found by its whole name.
        where = f"object-type-id/{CONTACTS}/name/{quote(name, safe='')}"
        there = api.get("lists", where, accept={200, 404})
        if there.status == 404 or not _is_ours(_list(there), ours):
            raise Stop(
                f"HubSpot makes no list ({reply.status} {reply.code}).",
                hint="Shorten the list's name; or see whether the account may have more lists "
                "(Settings > Usage and limits)",
            )
        reply = there
    found = str(_list(reply).get("listId"))
    if not _ID.fullmatch(found):
        reply.unreadable("names no list")
    return found


def _list(reply: Reply) -> Mapping[str, Any]:
    body = reply.json()
    found = body.get("list") if isinstance(body, Mapping) else None
    if not isinstance(found, Mapping):
        reply.unreadable("describes no list")
    return found


def _rows(changes: Sequence[Change]) -> tuple[list[_Row], dict[int, Receipt]]:
    rows, refused = list[_Row](), dict[int, Receipt]()
    for place, one in enumerate(changes):
        ids = tuple(filter(None, one.identifiers.get("records", "").split(",")))
        why = ""
        if one.op not in ("add", "remove"):
            why = "wrong_op: a list takes add and remove only"
        elif not ids:
            why = "no_identifier: no record at HubSpot"
        elif not all(_ID.fullmatch(id_) for id_ in ids):
            why = "malformed: no id of a HubSpot record"
        if why:
            refused[place] = Receipt(one.member, "rejected", reason=why)
        else:
            rows.append(_Row(place, one, ids))
    return rows, refused


def _parts(rows: Sequence[_Row]) -> Iterator[tuple[str, list[_Row]]]:
    """Removals, then adds, each in calls of at most so many ids."""
    for op in ("remove", "add"):
        part, size = list[_Row](), 0
        for row in rows:
            if row.change.op != op:
                continue
            if part and size + len(row.ids) > MOST_IDS:
                yield op, part
                part, size = [], 0
            part.append(row)
            size += len(row.ids)
        if part:
            yield op, part


def _put(api: Api, known: str, op: str, rows: Sequence[_Row]) -> dict[int, Receipt]:
    sent = sorted({id_ for row in rows for id_ in row.ids})
    where = f"{known}/memberships/{op}"
    reply = api.put("lists", where, sent, accept={200, 400, 404, 413}, writes=True)
    if reply.status == 404:
        raise _deleted(known)
    if reply.status != 200:
        raise BatchRefused(
            f"HubSpot refused {len(sent)} records for a list ({reply.status} {reply.code}).",
            hint="The rows are tried in smaller batches; see audiencehub quarantine",
        )
    named = _named(reply)
    if not set().union(*named.values()) <= set(sent):
        reply.unreadable("names records that were not sent")
    proof = f"200 list {known} reply {hashlib.sha256(reply.content).hexdigest()[:16]}"
    return {row.place: _receipt(row, named[MISSING], proof) for row in rows}


def _named(reply: Reply) -> dict[str, set[str]]:
    """The three lists of ids. At least one must be there: an empty reply proves nothing."""
    body = reply.json()
    found = {
        key: body[key]
        for key in (ADDED, REMOVED, MISSING)
        if isinstance(body, Mapping) and body.get(key) is not None
    }
    if not found or not all(isinstance(ids, list) for ids in found.values()):
        reply.unreadable("has no lists of records")
    return {key: {str(id_) for id_ in found.get(key, ())} for key in (ADDED, REMOVED, MISSING)}


def _receipt(row: _Row, missing: set[str], proof: str) -> Receipt:
    member = row.change.member
    if row.change.op == "add" and missing.issuperset(row.ids):
        return Receipt(member, "rejected", reason=GONE)
    return Receipt(member, "confirmed", proof=proof)


def _unsettled(one: Change, error: HubError) -> Receipt:
    verdict, reason = unsettled(error)
    return Receipt(one.member, verdict, reason=reason)
