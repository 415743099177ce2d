"""Counts that use neither plan nor ledger: what should have been written, and what the CRMs say was."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
from rich.table import Table

from audiencehub.cli.common import console, say
from audiencehub.errors import HubError
from audiencehub.rules import RuleBook
from audiencehub.sandbox import process
from audiencehub.settings import Settings

CRMS: Mapping[str, Mapping[str, str]] = {
    "salesforce": {"contact": "contact", "lead": "lead", "account": "account"},
    "hubspot": {"contact": "contact", "account": "account"},
}
"""Destination to its tag places, and how its fake's write log calls them."""


def tell(
    settings: Settings, book: RuleBook, urls: Mapping[str, str], before: Mapping[str, int]
) -> None:
    """Per CRM object: records whose tag set differs between the two days, and records written.

    The first from the two published copies of the warehouse, the second from the fakes' own logs.
    Raises HubError when they disagree.
    """
    copies = sorted((settings.folder / "published").glob("*-*.duckdb"))
    old, new = (duckdb.connect(str(path), read_only=True) for path in copies[-2:])
    table = Table(title="Checked independently of plan and ledger", title_justify="left")
    table.add_column("CRM object")
    table.add_column("tag sets that differ", justify="right")
    table.add_column("records written", justify="right")
    agree = True
    for name, places in CRMS.items():
        log = process.writes(urls, name)[before[name]:]
        for place, word in places.items():
            due = _differing(old, new, book, name, place)
            written = sum(1 for entry in log if entry.get("object") == word)
            agree = agree and due == written
            table.add_row(f"{name}/{place}", f"{due:,}", f"{written:,}")
    console.print(table)
    old.close()
    new.close()
    if not agree:
        raise HubError(
            "What was written is not what had to be.", hint="Report this: it must never happen"
        )
    say("Both agree: only differences went out.", style="green")


def _differing(
    old: duckdb.DuckDBPyConnection, new: duckdb.DuckDBPyConnection, book: RuleBook, name: str, place: str
) -> int:
    entity = "account" if place == "account" else "contact"
    tags = [
        segment.id
        for segment, one in book.activations(name)
        if one.kind == "tag" and segment.of == entity
    ]
    before, after = (_tag_sets(one, name, place, entity, tags) for one in (old, new))
    return sum(1 for record, held in after.items() if held != before.get(record, ""))


def _tag_sets(
    connection: duckdb.DuckDBPyConnection, name: str, place: str, entity: str, tags: list[str]
) -> dict[str, str]:
    rows = connection.execute(
        "SELECT r.source_id, coalesce(string_agg(m.segment, ';' ORDER BY m.segment), '') "
        "FROM record_map r LEFT JOIN member m ON m.entity = r.entity AND m.id = r.id "
        "AND list_contains($tags::VARCHAR[], m.segment) "
        "WHERE r.source = $name AND r.entity = $entity AND r.record_kind = $place GROUP BY 1",
        {"name": name, "entity": entity, "place": place, "tags": tags},
    ).fetchall()
    return dict(rows)
