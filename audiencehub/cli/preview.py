"""What a rule would select, on the copy published last: preview."""

from __future__ import annotations

import sys
from collections.abc import Collection
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from audiencehub.cli.common import AsJson, Env, console, emit, fold, say, verb
from audiencehub.cli.desk import Desk, desk
from audiencehub.cli.planned import LEFT_OUT, left_out
from audiencehub.cli.rulebooks import book_of
from audiencehub.delivery.reach import Reach, reach
from audiencehub.insight.preview import Preview, preview
from audiencehub.insight.trial import Connection, Trial
from audiencehub.ledger import Ledger
from audiencehub.opening import abilities
from audiencehub.rules import RuleBook
from audiencehub.settings import Settings, instant, load
from audiencehub.warehouse import recall

Rule = Annotated[str, typer.Argument(help="A segment's id, or the path of a rule file")]
People = Annotated[int, typer.Option("--sample", min=0, max=100, help="How many members to show")]
SHOWN = 24
"""Clauses of the waterfall that are shown; JSON has all."""


def register(app: typer.Typer) -> None:
    """Add `preview`."""
    app.command(name="preview")(preview_verb)


@verb
def preview_verb(
    rule: Rule,
    as_of: Annotated[
        str,
        typer.Option("--as-of", help="The clock, for example 2026-11-16. [default: last run's]"),
    ] = "",
    people: People = 5,
    who: Annotated[
        bool, typer.Option("--left-out", help="Number everybody whom a list cannot take, and why")
    ] = False,
    sql: Annotated[bool, typer.Option("--sql", help="Print the rule as one SQL statement")] = False,
    env: Env = "sandbox",
    as_json: AsJson = False,
) -> None:
    """What a rule would select, before it does anything: size, what each clause keeps, reach.

    Reads the copy published last and sends nothing. The rule may be a file that no sync has seen.

    Examples:
      audiencehub preview in_market_fintech
      audiencehub preview drafts/new_idea.yaml --sample 10
      audiencehub preview in_market_fintech --left-out
      audiencehub preview in_market_fintech --sql
    """
    settings = load(env)
    book, name = book_of(settings, rule)
    with desk(settings) as open_desk:
        clock = instant(as_of, settings.zone) if as_of else open_desk.evaluated
        if sql:
            _sql(open_desk.connection, settings, book, name, clock, as_json)
            return
        trial = Trial(open_desk.connection, book, clock, apart=name)
        found = preview(trial, name, people)
        reached = reaches(settings, trial, name)
    missing = [
        one.to for one in book.segments[name].activate if one.to not in settings.destinations
    ]
    if as_json:
        emit(
            {
                **found.json(),
                "published": open_desk.published.isoformat(),
                "reach": [
                    one.json() | ({"left_out": dict(one.left_out)} if who else {})
                    for one in reached
                ],
                "not_set_up": sorted(set(missing)),
            }
        )
        return
    _show(settings, found, open_desk)
    _reach(reached, book, name, missing, env)
    if who:
        _who(reached)


def reaches(settings: Settings, trial: Trial, name: str) -> list[Reach]:
    """The reach of a tried segment at the destinations that are set up and that it goes to."""
    wanted = {one.to for one in trial.book.segments[name].activate}
    able = {
        key: can
        for key in settings.destinations
        if key in wanted and (can := abilities(settings, key, trial.clock))
    }
    if not able:
        return []
    connection = trial.connection
    # Only this rule's members, and who is kept off its lists, as a push would find them in this
    # table.
    for number, each in enumerate([name, *sorted(_others(settings, trial.book, name, able))]):
        of = trial.of(each)
        connection.execute(
            f"{'INSERT INTO' if number else 'CREATE OR REPLACE TABLE'} member"
            f"{'' if number else ' AS'} SELECT '{of}' AS entity, {of}_id AS id, $name AS segment, "
            "CAST($since AS TIMESTAMP) AS since, CAST(NULL AS VARCHAR) AS reason "
            f"FROM match_{of} AS m WHERE {trial.holds(each)}",
            {"name": each, "since": trial.clock.replace(tzinfo=None)},
        )
    ledger = Ledger.open(settings.folder)
    try:
        return reach(connection, ledger, settings, trial.book, name, able, trial.clock)
    finally:
        ledger.close()


def _others(settings: Settings, book: RuleBook, name: str, able: Collection[str]) -> set[str]:
    """Segments whose members its lists do not take: those excluded, and those of higher lists."""
    higher = {other for key in able for other in settings.above(key, name)} & book.segments.keys()
    rules = [book.segments[one] for one in (name, *higher)]
    apart = {other for rule in rules for one in rule.activate for other in one.exclude}
    return (apart | higher) - {name}


def _sql(
    connection: Connection,
    settings: Settings,
    book: RuleBook,
    name: str,
    clock: datetime,
    as_json: bool,
) -> None:
    """The rule as one statement a person can read, and what its names stand for at the clock."""
    from audiencehub.rules import portable

    statement = portable.sql(book.segments[name], book, "duckdb", book.catalog, recall(connection))
    if as_json:
        values = statement.at(clock, settings.zone)
        emit({"segment": name, "sql": statement.sql, "values": values})
    else:
        # To be copied as it is: never folded, no markup.
        sys.stdout.write(statement.shown(clock, settings.zone) + "\n")


def _show(settings: Settings, found: Preview, here: Desk) -> None:
    say(f"[bold]{found.label}[/] \\[{found.segment}]")
    local = found.clock.astimezone(settings.zone)
    published = here.published.astimezone(settings.zone)
    say(
        f"as of {local:%Y-%m-%d %H:%M}, on the copy published {published:%Y-%m-%d %H:%M}; "
        "nothing is sent",
        style="dim",
    )
    console.print()
    say(f"[bold]{found.size:,}[/] of {found.total:,} {found.of}s ({found.share:.1%})")
    if not found.total:
        say(f"The copy holds no {found.of} at all.\n  -> audiencehub sync")
        return
    if found.clock == here.evaluated:
        _change(found)
    _waterfall(found)
    _overlap(found)
    _sample(found)


def _change(found: Preview) -> None:
    """What that would change of the members there are."""
    change = found.change
    if not change.members:
        return
    if not (change.enter or change.gone):
        say(f"The same {change.members:,} are members now.")
        return
    kept = f", though the rule keeps them at least {change.stay}" if change.stay else ""
    gone = f"{change.gone:,} no longer match{kept}" if change.gone else "nobody would leave"
    fold(f"{change.members:,} are members now: {change.enter:,} would enter, {gone}.")


def _waterfall(found: Preview) -> None:
    console.print()
    if found.joined == "any":
        heads = ("at least one of", "alone", "in so far")
    elif found.joined == "all":
        heads = ("every one of", "alone", "left")
    else:
        heads = ("the condition", "alone", "left")
    table = Table(title="What each clause keeps", title_justify="left", box=None)
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if place else "left", overflow="fold")
    table.add_column("", no_wrap=True)
    if found.joined == "all":
        table.add_row(f"[dim]all {found.of}s[/]", "", f"{found.total:,}", _bar(1.0))
    for step in found.steps[:SHOWN]:
        share = step.running / found.total
        table.add_row(_plain(step.clause), f"{step.alone:,}", f"{step.running:,}", _bar(share))
    console.print(table)
    more = len(found.steps) - SHOWN
    if more > 0:
        say(f"… and {more} more clauses; --json has all.", style="dim")
    dead = [step for step in found.steps if not step.alone]
    for step in dead:
        fold(f"Nobody fulfils line {step.line}: {step.clause}", style="yellow")


def _plain(text: str) -> str:
    return text.replace("[", "\\[")


def _bar(share: float) -> str:
    return "█" * round(20 * share) if share * 20 >= 0.5 else "▏" * (share > 0)


def _overlap(found: Preview) -> None:
    console.print()
    if not found.overlap:
        say(f"No other segment of {found.of}s shares a member with it.")
        return
    table = Table(title="Shares members with", title_justify="left", box=None)
    for place, head in enumerate(("segment", "size", "both", "of this one", "Jaccard")):
        table.add_column(head, justify="right" if place else "left")
    for one in found.overlap:
        table.add_row(
            one.segment, f"{one.size:,}", f"{one.both:,}", f"{one.share:.0%}", f"{one.jaccard:.2f}"
        )
    console.print(table)


def _sample(found: Preview) -> None:
    if not found.sample:
        return
    console.print()
    say(f"[bold]{len(found.sample)} of them[/] [dim](audiencehub explain NUMBER tells all)[/]")
    for one in found.sample:
        fold(f"  {one.id}: {one.who}")
        fold(f"      {'; '.join(one.why)}", style="dim")


def _reach(reached: list[Reach], book: RuleBook, name: str, missing: list[str], env: str) -> None:
    console.print()
    if not book.segments[name].activate:
        say("It goes nowhere yet.\n  -> add activate: to the rule")
        return
    if reached:
        table = Table(title="Would arrive at", title_justify="left", box=None)
        for head in ("target", "people", "records", "left out"):
            right = head in ("people", "records")
            table.add_column(head, justify="right" if right else "left", overflow="fold")
        for one in reached:
            table.add_row(
                one.target,
                f"{one.people:,}",
                f"{one.records:,}",
                left_out(one.excluded) or "nobody",
            )
        console.print(table)
    for one in reached:
        if not one.enough:
            fold(
                f"{one.target}: the platform uses no list under {one.minimum:,} people.",
                style="yellow",
            )
    for to in sorted(set(missing)):
        fold(f"{to} is not set up here: add [destinations.{to}] to deployments/{env}.toml")


def _who(reached: list[Reach]) -> None:
    """Numbers by reason: for names there is explain, which asks for one person."""
    for one in reached:
        by_reason: dict[str, list[str]] = {}
        for number, why in sorted(one.left_out.items()):
            by_reason.setdefault(why, []).append(str(number))
        for why, numbers in sorted(by_reason.items()):
            fold(f"{one.target}, {LEFT_OUT.get(why, why)}: {', '.join(numbers)}")
