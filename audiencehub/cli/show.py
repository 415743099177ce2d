"""Tables that several verbs show: what a run planned, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

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


def plans(rows: Sequence[Mapping[str, Any]], title: str = "Plan") -> None:
    """What each target would get, and what its guards say."""
    if not rows:
        say("Nothing to plan: no rule is activated at a configured destination.")
        return
    table = Table(title=title, title_justify="left")
    table.add_column("plan", no_wrap=True)
    table.add_column("target", overflow="fold")
    for head in ("add", "remove", "set", "calls"):
        table.add_column(head, justify="right")
    table.add_column("verdict")
    for one in rows:
        if not one["plan_id"]:
            if _alone(one, rows):
                table.add_row("", one["target"], "", "", "", "", "[dim]nothing to do[/]")
            continue
        verdict = (
            f"[yellow]held[/]: {_why(one['guards'])}"
            if one["verdict"] == "hold"
            else "[green]go[/]"
        )
        table.add_row(
            one["plan_id"],
            _target(one),
            f"{one['adds']:,}",
            f"{one['removes']:,}",
            f"{one['sets']:,}",
            f"{one['calls']:,}",
            verdict,
        )
    console.print(table)
    for one in rows:
        if one["excluded"]:
            why = ", ".join(f"{count:,} {reason}" for reason, count in one["excluded"].items())
            say(f"{one['target']} leaves out {why}.")


def _target(one: Mapping[str, Any]) -> str:
    return (
        f"{one['target']} [dim](withdrawn consent)[/]"
        if one["kind"] == "consent"
        else str(one["target"])
    )


def _why(guards: Sequence[Mapping[str, Any]]) -> str:
    """The guards that hold, the plainest first; the first run says enough."""
    held = [guard for guard in guards if guard["verdict"] == "hold"]
    first = [guard["message"] for guard in held if guard["name"] == "first_run"]
    if first:
        more = len(held) - 1
        return str(first[0]) + (f" (and {more} more guard{'s' * (more > 1)})" if more else "")
    named = [f"{guard['segment']}: " * bool(guard["segment"]) + guard["message"] for guard in held]
    return "; ".join(named)


def _alone(one: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> bool:
    """No other plan of this target has work."""
    return not any(other["plan_id"] for other in rows if other["target"] == one["target"])


def pushed(rows: Sequence[Mapping[str, Any]]) -> None:
    """What each target confirmed."""
    if not rows:
        return
    table = Table(title="Pushed", title_justify="left")
    table.add_column("target", overflow="fold")
    for head in ("confirmed", "rejected", "unsettled", "calls", "edited by hand"):
        table.add_column(head, justify="right")
    for one in rows:
        table.add_row(
            one["target"],
            f"{one['confirmed']:,}",
            f"{one['rejected']:,}",
            f"{one['unknown']:,}",
            f"{one['calls']:,}",
            f"{one['drifted']:,}",
        )
    console.print(table)


def result(run: SyncResult, book: RuleBook | None, env: str) -> None:
    """A whole run, for a person; without a book, of a run that has evaluated no rule."""
    sources(run.summary)
    if book is not None:
        segments(run.summary, book)
    if "plans" in run.summary:
        plans(run.summary["plans"])
    pushed(run.summary.get("pushed", []))
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
