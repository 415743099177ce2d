"""What the fakes hold, read from their own stores: nothing of the product says a word here."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.project import Project

TAGS = {
    "hubspot": ("audiencehub_segments", "audiencehub_reason"),
    "salesforce": ("Audiencehub_Segments__c", "Audiencehub_Reason__c"),
}
OBJECTS = {
    "hubspot": ("contacts", "companies"),
    "salesforce": ("Contact", "Lead", "Account"),
}
Record = tuple[str, str, str]
"""CRM, object, record id."""


@dataclass
class State:
    """What sales and the ad platform would see."""

    tags: dict[Record, tuple[frozenset[str], str]] = field(default_factory=dict)
    """Record to tags and reason; untouched records are left out."""
    lists: dict[str, frozenset[str]] = field(default_factory=dict)
    """Audience name to its rows."""
    options: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """HubSpot object to the values its tag property allows."""

    def segments(self) -> dict[Record, frozenset[str]]:
        """Record to tags."""
        return {record: tags for record, (tags, _) in self.tags.items() if tags}


def table(project: Project, vendor: str, name: str) -> dict[str, Any]:
    """One table of a fake's store."""
    path = project.folder / "sandbox" / f"{vendor}.sqlite"
    connection = sqlite3.connect(f"file:{Path(path)}?mode=ro", uri=True)
    rows = connection.execute("SELECT k, d FROM document WHERE t = ? ORDER BY rowid", (name,))
    found = {key: json.loads(text) for key, text in rows}
    connection.close()
    return found


def records(project: Project, vendor: str, kind: str) -> dict[str, dict[str, Any]]:
    """Live records of an object: id to fields."""
    if vendor == "hubspot":
        rows = table(project, vendor, f"object:{kind}")
        return {key: one["properties"] for key, one in rows.items() if not one["archived"]}
    rows = table(project, vendor, kind)
    return {key: one for key, one in rows.items() if not one["IsDeleted"]}


def state(project: Project) -> State:
    """Everything destinations may change."""
    found = State()
    for vendor, kinds in OBJECTS.items():
        tags, reason = TAGS[vendor]
        for kind in kinds:
            for key, one in records(project, vendor, kind).items():
                held = frozenset(filter(None, (one.get(tags) or "").split(";")))
                if held or one.get(reason):
                    found.tags[vendor, kind, key] = (held, one.get(reason) or "")
    for key, audience in table(project, "meta_ads", "audience").items():
        # Two audiences of one name would hide each other: then the name gets the id.
        name = audience["name"] if audience["name"] not in found.lists else f"{key} again"
        found.lists[name] = frozenset(table(project, "meta_ads", f"member:{key}"))
    for kind in OBJECTS["hubspot"]:
        made = table(project, "hubspot", f"property:{kind}").get(TAGS["hubspot"][0])
        if made:
            found.options[kind] = tuple(sorted(one["value"] for one in made["options"]))
    return found


def writes(project: Project, vendor: str) -> list[dict[str, Any]]:
    """A fake's own log of tag and list writes, oldest first; the making of fields is left out."""
    log = table(project, vendor, "__writes").values()
    return [one for one in log if vendor == "meta_ads" or one.get("object") in OBJECTS[vendor]]


def written(project: Project) -> Counter[tuple[str, str, str]]:
    """How often each member of each place was written: (vendor, place, member) to times."""
    return Counter(
        (vendor, str(one.get("object") or one.get("audience")), f"{one['op']} {one['member']}")
        for vendor in ("hubspot", "salesforce", "meta_ads")
        for one in writes(project, vendor)
    )


def taken(before: State, after: State) -> list[str]:
    """Every removal between two states: a tag that is gone, a row that left a list."""
    lost = [
        f"{record}: {', '.join(sorted(gone))}"
        for record, tags in before.segments().items()
        if (gone := tags - after.segments().get(record, frozenset()))
    ]
    lost += [
        f"{name}: {len(rows - after.lists.get(name, frozenset()))} rows"
        for name, rows in before.lists.items()
        if rows - after.lists.get(name, frozenset())
    ]
    return lost
