"""Campaigns as audiences: one for each segment, its members by contact and lead.

A second row for the same person is refused as DUPLICATE_VALUE, so that adding again changes
nothing; rows are deleted by their own ids (Object Reference, CampaignMember). Making a campaign
takes the feature "Marketing User"; adding members only read access to it. Names end with a mark: a
campaign made by hand is never taken over, and the source knows what came from here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from audiencehub.connector import MAKE_ANEW, mark_of, unsettled
from audiencehub.errors import HubError, Incomplete, OutcomeUnknown, Stop, Wait
from audiencehub.http import HttpRefused
from audiencehub.model import Change, Figures, Receipt, Target
from connectors.salesforce.answers import key_of
from connectors.salesforce.client import Client, format_soql
from connectors.salesforce.members import Row, added, joined, removed

LONGEST_NAME = 80
ROWS = 200
"""Rows per sObject Collections call."""
BATCH_CALLS = 3
"""For 200 people: an insert, or a query and two deletes where many have two records."""
LINKS: Mapping[str, str] = {"003": "ContactId", "00Q": "LeadId"}
"""Beginning of a record's id to the field that holds it in CampaignMember."""
MARKETING_USER = (
    "Tick 'Marketing User' on the integration user (Setup > Users) and grant it Create on "
    "Campaigns; or see whether the org has Campaigns at all"
)
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Z0-5]{3})?")
_LATER = (OutcomeUnknown, Wait, Stop)


@dataclass(frozen=True, slots=True)
class _Person:
    """One change and the rows that stand for it."""

    place: int
    change: Change
    rows: tuple[Row, ...]


def ensure(client: Client, target: Target, namespace: str) -> dict[str, str]:
    """`{"campaign_id": …}`: the campaign remembered, else the one marked as ours, else a new one.

    Raises Stop where the remembered one is gone: whoever deleted it meant it.
    """
    known = target.remote.get("campaign_id")
    if known:
        _look(client, known)
        return {"campaign_id": known}
    ours = mark_of(namespace, target, 12)
    soql = format_soql("SELECT Id FROM Campaign WHERE Name LIKE '%{:like}%'", ours)
    found = min((str(one["Id"]) for page, _ in client.query(soql) for one in page), default=None)
    return {"campaign_id": found or _made(client, target, ours)}


def change(client: Client, target: Target, changes: Sequence[Change]) -> list[Receipt]:
    """One receipt per change, in order. Once a first call is through, faults become receipts.

    Raises OutcomeUnknown, Stop, Wait.
    """
    campaign = _id_of(target)
    people, receipts = _people(changes)
    for number, (op, part) in enumerate(_parts(people)):
        try:
            receipts |= _settled(client, campaign, op, part)
        except _LATER as error:
            if number == 0:
                raise
            receipts |= {one.place: _unsettled(one.change, error) for one in part}
    return [receipts[place] for place in range(len(changes))]


def figures(client: Client, target: Target) -> Figures:
    """Contacts and leads of the campaign, as Salesforce counts them."""
    soql = format_soql(
        "SELECT Id, NumberOfContacts, NumberOfLeads FROM Campaign WHERE Id = {}", _id_of(target)
    )
    for records, _ in client.query(soql):
        for one in records:
            counts = [one.get("NumberOfContacts"), one.get("NumberOfLeads")]
            numbers = [int(n) for n in counts if isinstance(n, int | float)]
            size = (sum(numbers), sum(numbers)) if len(numbers) == len(counts) else None
            return Figures("ready", size)
    return Figures("gone")


def _id_of(target: Target) -> str:
    known = target.remote.get("campaign_id")
    if not known:
        raise Stop(f"{target.id} has no campaign yet.", hint="Run: audiencehub sync")
    return known


def _look(client: Client, campaign: str) -> None:
    soql = format_soql("SELECT Id FROM Campaign WHERE Id = {}", campaign)
    if not any(records for records, _ in client.query(soql)):
        raise Stop(
            f"The Salesforce campaign {campaign} does not exist any more.",
            hint="Restore it from the recycle bin. " + MAKE_ANEW,
        )


def _made(client: Client, target: Target, ours: str) -> str:
    label = (target.label or target.place)[: LONGEST_NAME - len(ours) - 1].rstrip()
    body = {
        "Name": f"{label} {ours}",
        "IsActive": True,
        "Description": "Kept by audiencehub, which alone adds and removes its members; edit the "
        "segment's rule instead. What stands in brackets in the name tells that it is ours.",
    }
    try:
        return key_of(client.call("POST", "sobjects/Campaign", json=body))
    except HttpRefused as error:
        raise Stop(
            f"Salesforce makes no campaign ({error.status} {error.code}).", hint=MARKETING_USER
        ) from None


def _people(changes: Sequence[Change]) -> tuple[list[_Person], dict[int, Receipt]]:
    people, refused = list[_Person](), dict[int, Receipt]()
    for place, one in enumerate(changes):
        ids = list(filter(None, one.identifiers.get("records", "").split(",")))
        why = ""
        if one.op not in ("add", "remove"):
            why = "wrong_op: a campaign takes add and remove only"
        elif not ids:
            why = "no_identifier: no contact or lead at Salesforce"
        elif not all(_ID.fullmatch(id_) and id_[:3] in LINKS for id_ in ids):
            why = "malformed: no id of a contact or lead"
        if why:
            refused[place] = Receipt(one.member, "rejected", reason=why)
        else:
            rows = tuple(Row(LINKS[id_[:3]], id_) for id_ in ids)
            people.append(_Person(place, one, rows))
    return people, refused


def _parts(people: Sequence[_Person]) -> Iterator[tuple[str, list[_Person]]]:
    """Removals, then adds, each in calls of at most 200 rows; nobody's rows are parted."""
    for op in ("remove", "add"):
        part, size = list[_Person](), 0
        for one in people:
            if one.change.op != op:
                continue
            if part and size + len(one.rows) > ROWS:
                yield op, part
                part, size = [], 0
            part.append(one)
            size += len(one.rows)
        if part:
            yield op, part


def _settled(
    client: Client, campaign: str, op: str, people: Sequence[_Person]
) -> dict[int, Receipt]:
    """Place to receipt. Raises OutcomeUnknown; and Stop or Wait, when nothing was done."""
    rows = [row for one in people for row in one.rows]
    try:
        said = (removed if op == "remove" else added)(client, campaign, rows)
        if op == "add" and all(one.state == "refused" for one in said):
            # Everybody refused may be a campaign that somebody has just deleted.
            _look(client, campaign)
    except Incomplete as error:
        raise Wait(error.message, hint=error.hint) from None
    verdicts = iter(said)
    return {one.place: joined(one.change, [next(verdicts) for _ in one.rows]) for one in people}


def _unsettled(one: Change, error: HubError) -> Receipt:
    verdict, reason = unsettled(error)
    return Receipt(one.member, verdict, reason=reason)
