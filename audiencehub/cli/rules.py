"""Verbs about rules themselves: check and test."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from audiencehub.cli.common import AsJson, Env, console, emit, fold, say, stderr, verb
from audiencehub.cli.limits import unknown_segments
from audiencehub.errors import ConfigError, Fault, Faults
from audiencehub.opening import check_options, load_rules, machine_now
from audiencehub.rules import Outcome, RuleBook, advise, run_examples
from audiencehub.server.home import project_environment
from audiencehub.server.prefect_yaml import read as read_prefect_yaml
from audiencehub.settings import Settings, find_root, instant, load

AsOf = Annotated[
    str, typer.Option("--as-of", help="The clock, for example 2026-11-16. [default: now]")
]

MOST = 4
"""Deciding clauses shown of one example; JSON has all."""


def register(app: typer.Typer) -> None:
    """Add `check` and `test` to the application."""
    app.command()(check)
    app.command()(test)


@verb
def check(
    live: Annotated[
        bool, typer.Option("--live/--no-live", help="Hold the rules against the published copy")
    ] = True,
    env: Env = "sandbox",
    as_json: AsJson = False,
) -> None:
    """Lint rules, settings and connectors: every fault at once, then advice.

    With a published copy at hand it also names fields that no source fills, segments that take in
    nobody or nearly everybody, and segments with the same people. Exits 2 when there is a fault.
    Advice alone exits 0.

    Examples:
      audiencehub check --env prod
      audiencehub check --no-live --json
    """
    faults: list[Fault] = []
    settings: Settings | None = _collect(lambda: load(env), faults)
    book: RuleBook | None = None
    advice: list[Fault] = []
    looked = Looked()
    if settings is not None:
        found = settings
        _collect(lambda: check_options(found), faults)
    readable = settings or partly(env)
    if readable is not None:
        within = readable
        faults += read_prefect_yaml(within.root, project_environment(within))[1]
        book = _collect(lambda: load_rules(within), faults)
    if book is not None and settings is not None:
        faults += unknown_segments(settings, book)
        advice = _advice(book, settings)
        looked = _look(book, settings) if live else Looked()
        advice = sorted([*advice, *looked.advice])
    if as_json:
        emit(
            {
                "faults": [_plain(one) for one in faults],
                "advice": [_plain(one) for one in advice],
                "live": looked.json(),
            }
        )
    else:
        _show(faults, advice, book)
        if book is not None and live:
            _say_looked(looked, settings)
    if faults:
        raise typer.Exit(2)


def partly(env: str) -> Settings | None:
    """What can be understood of settings that have faults, so that the rules are checked in the
    same go; None where there is no project."""
    try:
        root = find_root().resolve()
        data = tomllib.loads((root / "deployments" / f"{env}.toml").read_text("utf-8"))
    except tomllib.TOMLDecodeError:
        data = {}
    except (ConfigError, OSError, UnicodeDecodeError):
        return None
    kept: dict[str, Any] = {"company": {"name": "?"}, "env": env, "root": root}
    for key in ("company", "rules", "sources", "custom"):
        with suppress(ValidationError):
            wider: dict[str, Any] = {**kept, key: data[key]} if key in data else kept
            Settings(**wider)
            kept = wider
    return Settings(**kept)


@dataclass(frozen=True, slots=True)
class Looked:
    """What the published copy says of the rules; without a time there was none to look at."""

    published: datetime | None = None
    advice: tuple[Fault, ...] = ()
    why_not: str = ""

    def json(self) -> dict[str, Any]:
        """As JSON values."""
        at = self.published.isoformat() if self.published else None
        return {"published": at, "why_not": self.why_not or None}


def _look(book: RuleBook, settings: Settings) -> Looked:
    # The engine takes a while to load; rules with faults never get here.
    from audiencehub.cli.desk import desk
    from audiencehub.insight.live import live_advice

    try:
        with desk(settings) as here:
            found = live_advice(
                here.connection, book, settings.tables, settings.audit, here.evaluated
            )
            return Looked(here.published, tuple(found))
    except ConfigError as error:
        return Looked(why_not=error.message)


def _say_looked(looked: Looked, settings: Settings | None) -> None:
    if looked.published is None:
        say(f"Not held against data: {looked.why_not}", style="dim")
        say("  -> audiencehub sync, then check again", style="dim")
    elif settings is not None:
        local = looked.published.astimezone(settings.zone)
        say(f"Held against the copy published {local:%Y-%m-%d %H:%M}.", style="dim")


@verb
def test(
    segments: Annotated[
        list[str] | None,
        typer.Argument(help="Only these segments, rungs or trait.<id>. [default: all]"),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Every example with the clause that decides")
    ] = False,
    env: Env = "sandbox",
    as_of: AsOf = "",
    as_json: AsJson = False,
) -> None:
    """Run the examples of every rule. Exits 1 when one fails.

    Of segments named on the command line every example is listed, with the clause that decides.

    Examples:
      audiencehub test
      audiencehub test in_market_fintech
    """
    settings = load(env)
    book = load_rules(settings)
    known = [*book.segments, *(f"trait.{one}" for one in book.traits)]
    for name in segments or ():
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"Did you mean {near[0]}?" if near else f"Use: {', '.join(known)}"
            raise ConfigError(f"There is no segment {name!r}.", hint=hint)
    clock = _clock(settings, as_of)
    outcomes = run_examples(book, clock, segments or None)
    failed = [one for one in outcomes if not one.passed]
    if as_json:
        emit([_outcome(one) for one in outcomes])
    else:
        if not outcomes:
            say("No rule has examples yet.\n  -> add examples: to a rule; docs/rules.md shows how")
        elif segments or verbose:
            _every(outcomes)
        else:
            _table(outcomes, known)
        for one in failed:
            _failure(one)
        say(f"{len(outcomes) - len(failed)} of {len(outcomes)} examples hold.")
    if failed:
        raise typer.Exit(1)


def _clock(settings: Settings, as_of: str) -> datetime:
    return instant(as_of, settings.zone) if as_of else machine_now()


def _collect(look: Callable[[], Any], faults: list[Fault]) -> Any:
    """What `look` answers; None when it found faults, which are added to the others."""
    try:
        return look()
    except Faults as error:
        faults += error.faults
    except ConfigError as error:
        faults.append(Fault("settings", 1, error.message, error.hint))
    return None


def _advice(book: RuleBook, settings: Settings) -> list[Fault]:
    today = machine_now().astimezone(settings.zone).date()
    return advise(book, today, list(settings.destinations))


def _plain(fault: Fault) -> dict[str, Any]:
    return {
        "path": fault.path,
        "line": fault.line,
        "message": fault.message,
        "hint": fault.hint,
    }


def _show(faults: list[Fault], advice: list[Fault], book: RuleBook | None) -> None:
    for one in sorted(faults):
        _lines(str(one), "red", stderr)
    for one in advice:
        _lines(f"advice: {one}", "yellow", console)
    count = len(faults)
    if count:
        say(f"{count} fault{'s' * (count != 1)}.")
    elif book is not None:
        notes = f", {len(advice)} piece{'s' * (len(advice) != 1)} of advice" if advice else ""
        say(f"{len(book.segments)} segments, no faults{notes}.")


def _lines(text: str, style: str, to: Console) -> None:
    for line in text.splitlines():
        fold(line, style, to)


def _outcome(one: Outcome) -> dict[str, Any]:
    return {
        "segment": one.segment,
        "example": one.number,
        "name": one.name,
        "path": one.path,
        "line": one.line,
        "expected": one.expected,
        "actual": one.actual,
        "passed": one.passed,
        "near_miss": one.near_miss,
        "decided_by": list(one.decided),
        "why": one.why,
    }


def _table(outcomes: list[Outcome], names: list[str]) -> None:
    table = Table("segment", "examples", "hold", title="Examples", title_justify="left")
    for name in names:
        own = [one for one in outcomes if one.segment == name]
        hold = sum(one.passed for one in own)
        style = "" if own and hold == len(own) else "yellow" if not own else "red"
        table.add_row(name, str(len(own)), str(hold), style=style)
    console.print(table)


def _every(outcomes: list[Outcome]) -> None:
    """Each example with its verdict and what decides it."""
    for segment in dict.fromkeys(one.segment for one in outcomes):
        table = Table(title=segment, title_justify="left", box=None)
        for head in ("", "example", "expected", "is", "decided by"):
            table.add_column(head, overflow="fold", min_width=None if head else 1)
        for one in (each for each in outcomes if each.segment == segment):
            table.add_row(
                "[green]✓[/]" if one.passed else "[red]✗[/]",
                Text(one.name or f"example {one.number}"),
                "near miss" if one.near_miss else _in(one.expected),
                _in(one.actual),
                Text("\n".join(_short(one.decided))),
            )
        console.print(table)
        console.print()


def _in(member: bool) -> str:
    return "in" if member else "out"


def _short(clauses: tuple[str, ...]) -> list[str]:
    more = len(clauses) - MOST
    return [*clauses[:MOST], *([f"… and {more} more"] if more > 0 else [])]


def _failure(one: Outcome) -> None:
    said = "is a member" if one.actual else "is no member"
    if one.expected == one.actual:
        said = "is no near miss"
    label = f" ({one.name})" if one.name else ""
    text = f"{one.path}:{one.line}: example {one.number} of {one.segment}{label} {said}"
    if one.why:
        text += f"\n  -> to hold as expected: {one.why}"
    _lines(text, "red", stderr)
