"""Elements: changes as LinkedIn wants them, and each one's verdict from its own status."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from audiencehub.model import Change, Receipt, Verdict
from audiencehub.privacy.rule import EMPTY

MOST_ELEMENTS = 5_000
"""Per request: what two published connectors send; LinkedIn's own text names no number."""
Kind = Literal["USER", "COMPANY"]
_HASH = re.compile(r"[0-9a-f]{64}")
_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,63}")
_ACTIONS = {"add": "ADD", "remove": "REMOVE"}
_IDS = {"email": "SHA256_EMAIL", "device_id": "GOOGLE_AID"}
_BESIDE = {"first_name": "firstName", "last_name": "lastName", "country": "country"}
"""Plain fields; they go only beside an id, to help LinkedIn find the member."""
_COMPANY = {
    "organization_urn": "organizationUrn",
    "company_domain": "companyWebsiteDomain",
    "company_name": "companyName",
}
_AGAIN = frozenset({401, 403, 404, 409, 423, 429})
"""Statuses of an element that was not taken for a reason that is not its own."""

Element = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One request: distinct elements, and which changes each speaks for."""

    elements: tuple[Element, ...]
    places: tuple[tuple[int, ...], ...]


def prepare(changes: Sequence[Change], kind: Kind) -> tuple[list[Call], dict[int, Receipt]]:
    """The requests that carry these changes in order, and receipts of those that none may carry.

    Equal elements go once. Nowhere is it said in which order LinkedIn works through a call, so
    that the same member's addition and removal never share one.
    """
    refused: dict[int, Receipt] = {}
    waves: list[dict[str, tuple[Element, list[int]]]] = [{}]
    acted: dict[str, tuple[str, int]] = {}
    for place, change in enumerate(changes):
        element = _element(change, kind)
        if isinstance(element, str):
            refused[place] = Receipt(change.member, "rejected", reason=element)
            continue
        wave = _wave(acted, _names(element), change.op)
        if wave == len(waves):
            waves.append({})
        waves[wave].setdefault(repr(element), (element, []))[1].append(place)
    return [call for wave in waves for call in _calls(list(wave.values()))], refused


def _wave(acted: dict[str, tuple[str, int]], names: Sequence[str], op: str) -> int:
    """The first wave in which no name of this element stands with the other action."""
    wave = 0
    for name in names:
        before = acted.get(name)
        if before:
            wave = max(wave, before[1] + (before[0] != op))
    acted |= dict.fromkeys(names, (op, wave))
    return wave


def _calls(wave: Sequence[tuple[Element, list[int]]]) -> list[Call]:
    parts = [wave[i : i + MOST_ELEMENTS] for i in range(0, len(wave), MOST_ELEMENTS)]
    return [Call(tuple(e for e, _ in part), tuple(tuple(p) for _, p in part)) for part in parts]


def _names(element: Element) -> list[str]:
    """Everything in an element by which LinkedIn may find the member."""
    ids = [one["idValue"] for one in element.get("userIds", [])]
    return ids + [f"{name}={element[name]}" for name in _COMPANY.values() if name in element]


def _element(change: Change, kind: Kind) -> Element | str:
    """The element, or why this change cannot go out."""
    if change.op not in _ACTIONS:
        return "wrong_op: a list takes add and remove only"
    taken = _COMPANY if kind == "COMPANY" else {**_IDS, **_BESIDE}
    for name in change.identifiers:
        if name not in taken:
            return f"unknown_identifier: a {kind} segment takes no {name}"
    action = {"action": _ACTIONS[change.op]}
    if kind == "COMPANY":
        company = {_COMPANY[n]: v for n, v in sorted(change.identifiers.items()) if v}
        return {**action, **company} if company else "no_identifier: no domain, URN or name"
    return _person(change.identifiers, action)


def _person(identifiers: Mapping[str, str], action: Mapping[str, str]) -> Element | str:
    email = identifiers.get("email")
    if email and (not _HASH.fullmatch(email) or email == EMPTY):
        # The last door: nothing readable leaves, whatever went wrong before.
        return "not_hashed: email is not a SHA-256 hash"
    ids = [
        {"idType": kind, "idValue": identifiers[name]}
        for name, kind in _IDS.items()
        if identifiers.get(name)
    ]
    if not ids or any("@" in one["idValue"] for one in ids):
        return "no_identifier: no e-mail or device id"
    # A name with an address in it would tell what the hash hides.
    beside = {
        theirs: identifiers[ours]
        for ours, theirs in _BESIDE.items()
        if identifiers.get(ours) and "@" not in identifiers[ours]
    }
    return {**action, "userIds": ids, **beside}


def verdicts(call: Call, body: Any) -> list[tuple[Verdict, str, int]] | None:
    """Per element: verdict, reason, status. None when the reply is not about this call.

    LinkedIn answers in the order of the request, and its HTTP status says nothing of an element
    (DMP Segment Users, "Add Users").
    """
    answers = body.get("elements") if isinstance(body, Mapping) else None
    if not isinstance(answers, list) or len(answers) != len(call.elements):
        return None
    return [_verdict(one) for one in answers]


def _verdict(answer: Any) -> tuple[Verdict, str, int]:
    status = answer.get("status") if isinstance(answer, Mapping) else None
    if not isinstance(status, int) or isinstance(status, bool):
        return "unknown", "no_status: the reply does not say what became of it", 0
    if status in (200, 201, 202, 204):
        return "confirmed", "", status
    code = _code(answer.get("error"))
    if status in _AGAIN:
        return "retry", f"status_{status}{code}", status
    if 400 <= status < 500 and status != 408:
        return "rejected", f"refused_{status}{code}", status
    return "unknown", f"status_{status}{code}", status


def _code(error: Any) -> str:
    """LinkedIn's own word, if it is one: its messages may quote what was sent."""
    code = error.get("code") if isinstance(error, Mapping) else None
    return f": {code}" if isinstance(code, str) and _CODE.fullmatch(code) else ""
