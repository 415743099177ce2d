"""A tag and who has it: changes by address, in bodies, and a look at those a reply leaves open.

A tag is a static segment (Marketing API, "Segments": type static). Changes are sent five hundred at
a time; a reply names whom it tagged or untagged, and leaves open whom it names among errors or not
at all, since Mailchimp documents neither texts nor what is told of those who were so already.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from audiencehub.connector.addresses import Row
from audiencehub.errors import OutcomeUnknown, Stop
from connectors.mailchimp.api import Api

MOST = 500
"""Addresses per call and direction ("Batch add or remove members")."""
FEW = 25
"""Open rows up to which each contact is looked at; beyond, everybody with the tag is read."""
NAMES = {"first_name": "FNAME", "last_name": "LNAME"}
Standing = Literal["tagged", "untagged", "archived", "stranger"]


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag of one audience."""

    api: Api
    audience: str
    number: str

    @property
    def path(self) -> str:
        """Where it lies."""
        return f"lists/{self.audience}/segments/{self.number}"

    def change(self, adds: Sequence[Row], removals: Sequence[Row]) -> tuple[set[str], set[str]]:
        """Addresses that the reply names as tagged and as untagged.

        Raises Stop, Wait, BatchRefused, OutcomeUnknown.
        """
        body = {
            name: [row.email for row in rows]
            for name, rows in (("members_to_add", adds), ("members_to_remove", removals))
            if rows
        }
        answer = self.api.write(self.path, body, rows=True)
        added = _emails(answer, "members_added") if adds else set()
        removed = _emails(answer, "members_removed") if removals else set()
        if not added <= {row.email for row in adds} or not removed <= {r.email for r in removals}:
            raise OutcomeUnknown(
                f"Mailchimp's answer to {len(adds) + len(removals)} addresses names others.",
                hint="Run again: the same addresses are sent anew",
            )
        return added, removed

    def standings(self, rows: Sequence[Row], *, each: bool = False) -> dict[str, Standing]:
        """How each of these addresses stands to the tag. Raises Stop, Wait.

        Where the tag's contacts are read (many rows, and not `each`), a contact without the tag
        counts as a stranger: only those are ever left out of a change.
        """
        if each or len(rows) <= FEW:
            return {row.email: self._standing(row) for row in rows}
        held = self._everybody()
        return {row.email: "tagged" if row.email in held else "stranger" for row in rows}

    def size(self) -> int | None:
        """How many contacts have it; None where there is no such tag. Raises Stop, Wait."""
        found = self.api.read(self.path, {"fields": "member_count"})
        count = found.get("member_count") if found is not None else None
        return count if isinstance(count, int) else None

    def exists(self) -> bool:
        """Whether there is such a tag. Raises Stop, Wait."""
        return self.api.read(self.path, {"fields": "id,name"}) is not None

    def _standing(self, row: Row) -> Standing:
        path = f"lists/{self.audience}/members/{_contact(row)}"
        found = self.api.read(path, {"fields": "status,tags_count,tags"})
        if found is None:
            return "stranger"
        tags: Any = found.get("tags")
        named = tags if isinstance(tags, list) else []
        if isinstance(found.get("tags_count"), int) and found["tags_count"] > len(named):
            # A contact shows its first fifty tags.
            named = list(self.api.each(f"{path}/tags", "tags", {}))
        if any(isinstance(one, dict) and str(one.get("id")) == self.number for one in named):
            return "tagged"
        return "archived" if found.get("status") == "archived" else "untagged"

    def _everybody(self) -> set[str]:
        params = {
            "fields": "members.email_address,total_items",
            "include_cleaned": "true",
            "include_transactional": "true",
            "include_unsubscribed": "true",
        }
        found = self.api.each(f"{self.path}/members", "members", params)
        return {str(one.get("email_address") or "").strip().lower() for one in found}


def make(api: Api, audience: str, name: str) -> str:
    """The id of a new, empty tag. Raises Stop, Wait, OutcomeUnknown."""
    made = api.write(f"lists/{audience}/segments", {"name": name, "static_segment": []})
    number = str(made.get("id") if isinstance(made, dict) else "")
    if not number.isdecimal():
        raise OutcomeUnknown(
            "Mailchimp made a tag but named none.",
            hint="Run again: it is found by its name",
        )
    return number


def ending(api: Api, audience: str, mark: str) -> str | None:
    """The oldest tag whose name ends so. Raises Stop where there is no such audience, Wait."""
    if api.read(f"lists/{audience}", {"fields": "id"}) is None:
        raise no_audience(audience)
    params = {"type": "static", "fields": "segments.id,segments.name,total_items"}
    found = [
        str(one.get("id"))
        for one in api.each(f"lists/{audience}/segments", "segments", params)
        if str(one.get("name")).endswith(mark)
    ]
    return min((one for one in found if one.isdecimal()), key=int, default=None)


def introduce(api: Api, audience: str, rows: Sequence[Row]) -> set[str]:
    """Make contacts that get no marketing; the addresses that are contacts now.

    Who is a contact already is left as they are (`update_existing` false). Raises Stop, Wait,
    BatchRefused, OutcomeUnknown.
    """
    members = [
        {
            "email_address": row.email,
            "email_type": "html",
            "status": "transactional",
            **_merge_fields(row.names),
        }
        for row in rows
    ]
    body = {"members": members, "update_existing": False}
    answer = api.write(f"lists/{audience}", body, rows=True, skip_merge_validation="true")
    return _emails(answer, "new_members")


def no_audience(audience: str) -> Stop:
    """There is no such audience, or the key may not see it."""
    return Stop(
        f"There is no Mailchimp audience {audience}.",
        hint="Set audience_id as Audience, Settings, Audience name and defaults shows it",
    )


def _merge_fields(names: Mapping[str, str]) -> dict[str, Any]:
    fields = {NAMES[name]: value for name, value in names.items()}
    return {"merge_fields": fields} if fields else {}


def _emails(answer: Any, name: str) -> set[str]:
    members = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(members, list) or not isinstance(answer.get("errors"), list):
        raise OutcomeUnknown(
            f"Mailchimp's answer has no {name}.",
            hint="Run again: the same addresses are sent anew",
        )
    found = {one.get("email_address") for one in members if isinstance(one, dict)}
    return {one.strip().lower() for one in found if isinstance(one, str)}


def _contact(row: Row) -> str:
    """What Mailchimp names a contact by in an address line: MD5 of the lower-case address."""
    return hashlib.md5(row.email.encode(), usedforsecurity=False).hexdigest()
