"""Members as Google wants them: identifiers per person, checked before anything leaves."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from audiencehub.model import Change, Receipt
from audiencehub.privacy.rule import EMPTY

MOST_MEMBERS = 10_000
"""Per request (Data Manager API, "Limits and quotas")."""
FIELDS = ("email", "phone", "first_name", "last_name", "zip", "country")
ADDRESS = ("first_name", "last_name", "zip", "country")
"""An address counts with all four parts only (AddressInfo)."""
_HASH = re.compile(r"[0-9a-f]{64}")
_PLAIN = {"country": re.compile(r"[A-Z]{2}"), "zip": re.compile(r"[0-9A-Za-z][0-9A-Za-z -]{1,11}")}

Person = tuple[tuple[str, str], ...]
"""Field and value, in the order of FIELDS."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One request: distinct people, and which changes each one speaks for."""

    op: Literal["add", "remove"]
    people: tuple[Person, ...]
    places: tuple[tuple[int, ...], ...]

    def part(self, keep: Sequence[int]) -> Upload:
        """The same with only these people."""
        return Upload(
            self.op, tuple(self.people[i] for i in keep), tuple(self.places[i] for i in keep)
        )

    def members(self) -> list[dict[str, Any]]:
        """`audienceMembers`: for each person all identifiers in one member."""
        return [
            {"compositeData": {"userData": {"userIdentifiers": _identifiers(dict(person))}}}
            for person in self.people
        ]


def prepare(changes: Sequence[Change]) -> tuple[list[Upload], dict[int, Receipt]]:
    """The requests that carry these changes, and receipts of those that no request may carry.

    Removals go first, so that who shares every identifier with somebody removed stays in. Equal
    people go once.
    """
    refused: dict[int, Receipt] = {}
    groups: dict[str, dict[Person, list[int]]] = {"remove": {}, "add": {}}
    for place, change in enumerate(changes):
        person = _person(change)
        if isinstance(person, str):
            refused[place] = Receipt(change.member, "rejected", reason=person)
            continue
        groups[change.op].setdefault(person, []).append(place)
    uploads: list[Upload] = []
    for op, found in groups.items():
        every = list(found.items())
        for start in range(0, len(every), MOST_MEMBERS):
            part = every[start : start + MOST_MEMBERS]
            uploads.append(
                Upload(
                    "remove" if op == "remove" else "add",
                    tuple(person for person, _ in part),
                    tuple(tuple(places) for _, places in part),
                )
            )
    return uploads, refused


def _person(change: Change) -> Person | str:
    """Field and value, or the reason why this change cannot go out."""
    if change.op not in ("add", "remove"):
        return "wrong_op: a list takes add and remove only"
    given: Mapping[str, str] = change.identifiers
    for name, value in given.items():
        if name not in FIELDS:
            return f"unknown_identifier: google takes no {name}"
        plain = _PLAIN.get(name)
        if plain is None and (not _HASH.fullmatch(value) or value == EMPTY):
            # The last door: nothing readable leaves, whatever went wrong before.
            return f"not_hashed: {name} is not a SHA-256 hash"
        if plain is not None and not plain.fullmatch(value):
            return f"malformed: {name} is not in Google's form"
    whole = all(name in given for name in ADDRESS)
    used = FIELDS if whole else ("email", "phone")
    person = tuple((name, given[name]) for name in used if name in given)
    return person or "no_identifier: no e-mail, phone or whole address"


def _identifiers(known: Mapping[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if "email" in known:
        found.append({"emailAddress": known["email"]})
    if "phone" in known:
        found.append({"phoneNumber": known["phone"]})
    if "zip" in known:
        address = {
            "givenName": known["first_name"],
            "familyName": known["last_name"],
            "postalCode": known["zip"],
            "regionCode": known["country"],
        }
        found.append({"address": address})
    return found
