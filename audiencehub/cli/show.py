"""Tables that several verbs show: what a run planned, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

from audiencehub.cli import planned
from audiencehub.cli.common import console, say, stderr
from audiencehub.insight.shelves import shelves
from audiencehub.pipeline import SyncResult
from audiencehub.rules import RuleBook


def _signed(number: int, sign: str) -> str:
    return f"{sign}{number:,}" if number else ""


def sources(summary: Mapping[str, Any]) -> None:
    """What was read, and whether it was proven complete."""
    rows = summary.get("sources", {})
    if not rows:
        return
    table = Table(title="Read", title_justify="left")
    table.add_column("source")
    table.add_column("records", justify="right")
    table.add_column("streams")
    table.add_column("complete")
    for name, one in rows.items():
        streams = ", ".join(f"{stream} {count:,}" for stream, count in one["streams"].items())
        complete = "[green]proven[/]" if not one["incomplete"] else "[yellow]no[/]"
        table.add_row(name, f"{one['rows']:,}", streams, complete)
    console.print(table)
    forgotten = sum(one.get("forgotten", 0) for one in rows.values())
    if forgotten:
        say(f"{forgotten:,} records of people who were forgotten came again, and were not kept.")
    people = summary.get("resolve")
    normal = summary.get("normalize")
    if people and normal:
        say(
            f"{people['contacts']:,} people and {people['accounts']:,} companies stand; "
            f"{people['merged']:,} contact records are another record's person; "
            f"{normal['quarantined']:,} records went to quarantine."
        )


def segments(summary: Mapping[str, Any], book: RuleBook) -> None:
    """Size of each segment, who entered and who left: ladders rung by rung, then by layer."""
    found = summary.get("segment", {})
    if not found.get("sizes"):
        return
    table = Table(title="Segments", title_justify="left")
    for head in ("segment", "label"):
        table.add_column(head)
    for head in ("size", "entered", "left"):
        table.add_column(head, justify="right")
    for shelf in shelves(found["sizes"], book):
        table.add_section()
        kind = f"[dim]ladder of {shelf.ladder.of}s[/]" if shelf.ladder else ""
        table.add_row(f"[bold]{escape(shelf.title)}[/]", kind)
        for name in shelf.names:
            entered, left = found["entered"].get(name, 0), found["left"].get(name, 0)
            rule = book.segments.get(name)
            table.add_row(
                f"  {name}",
                escape(rule.label) if rule else "",
                f"{found['sizes'][name]:,}",
                _signed(entered, "+"),
                _signed(left, "-"),
            )
    console.print(table)
    for line in found.get("models", ()):
        say(line)


def result(run: SyncResult, book: RuleBook | None, env: str) -> None:
    """A whole run, for a person; without a book, of a run that has evaluated no rule."""
    sources(run.summary)
    if book is not None:
        segments(run.summary, book)
    if "plans" in run.summary:
        planned.plans(run.summary["plans"])
    planned.pushed(run.summary.get("pushed", []), run.summary.get("plans", []))
    for problem in run.problems:
        stderr.print(problem, style="red", markup=False, soft_wrap=True)
    if run.held:
        say(f"{len(run.held)} plan(s) wait for approval; nothing of them was sent.", style="yellow")
        say(
            f'  -> audiencehub approve {run.held[0]} --reason "…" --env {env}   (or: approve all)',
            soft_wrap=True,
        )
    if run.report:
        say(f"Report: {run.report}", soft_wrap=True)
