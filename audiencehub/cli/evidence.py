"""Counts that use neither plan nor ledger: what had to be written, and what the CRMs say was."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
from rich.table import Table

from audiencehub.cli.common import console, say
from audiencehub.delivery.desired import held_out
from audiencehub.errors import HubError
from audiencehub.rules import RuleBook, Segment
from audiencehub.sandbox import process
from audiencehub.settings import Settings
from audiencehub.warehouse import open_published

CRMS: Mapping[str, Mapping[str, str]] = {
    "salesforce": {"contact": "Contact", "lead": "Lead", "account": "Account"},
    "hubspot": {"contact": "contacts", "account": "companies"},
}
"""Destination to its tag places, and how its fake's write log calls them."""
TagSets = dict[tuple[str, str], dict[str, set[str]]]
"""Destination and place to record id to tags."""


def standing(settings: Settings, book: RuleBook) -> TagSets:
    """The tags that every CRM record should have, by the copy published last."""
    connection, _ = open_published(settings.folder)
    found: TagSets = {}
    for name, places in CRMS.items():
        for place in places:
            entity = "account" if place == "account" else "contact"
            tags = [
                segment
                for segment, one in book.activations(name)
                if one.kind == "tag" and segment.of == entity
            ]
            found[name, place] = _tag_sets(connection, name, place, entity, tags)
    connection.close()
    return found


def tell(old: TagSets, new: TagSets, urls: Mapping[str, str], before: Mapping[str, int]) -> None:
    """Per CRM object: records whose tag set differs between the two days, and records written.

    The first from what was published on each day, the second from the fakes' own logs. Raises
    HubError when they disagree.
    """
    table = Table(title="Checked independently of plan and ledger", title_justify="left")
    table.add_column("CRM object")
    table.add_column("tag sets that differ", justify="right")
    table.add_column("records written", justify="right")
    table.add_column("deleted there meanwhile", justify="right")
    agree = True
    for name, places in CRMS.items():
        log = process.writes(urls, name)[before[name] :]
        for place, word in places.items():
            due, gone = _differing(old[name, place], new[name, place])
            written = sum(1 for entry in log if entry.get("object") == word)
            agree = agree and due == written
            table.add_row(f"{name}/{place}", f"{due:,}", f"{written:,}", f"{gone:,}")
    console.print(table)
    if not agree:
        raise HubError(
            "What was written is not what had to be.", hint="Report this: it must never happen"
        )
    say("Both agree: only differences went out.", style="green")


def _differing(before: Mapping[str, set[str]], after: Mapping[str, set[str]]) -> tuple[int, int]:
    """Live records whose tag set differs, and tagged ones that no longer exist."""
    due = sum(1 for record, held in after.items() if held != before.get(record, set()))
    return due, sum(1 for record, held in before.items() if held and record not in after)


def _tag_sets(
    connection: duckdb.DuckDBPyConnection, name: str, place: str, entity: str, tags: list[Segment]
) -> dict[str, set[str]]:
    """Record id to its tags; those whom an experiment holds back have none of it."""
    rows = connection.execute(
        "SELECT r.source_id, m.id, m.segment FROM record_map r LEFT JOIN member m "
        "ON m.entity = r.entity AND m.id = r.id "
        "WHERE r.source = $name AND r.entity = $entity AND r.record_kind = $place",
        {"name": name, "entity": entity, "place": place},
    ).fetchall()
    by_name = {one.id: one for one in tags}
    found: dict[str, set[str]] = {}
    for record, number, segment in rows:
        held = found.setdefault(record, set())
        if segment in by_name and not held_out(by_name[segment], entity, number):
            held.add(segment)
    return found
