"""Verbs about rules themselves: check and test."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from audiencehub.cli.common import AsJson, Env, console, emit, say, stderr, verb
from audiencehub.errors import ConfigError, Fault, Faults
from audiencehub.opening import check_options, load_rules, machine_now
from audiencehub.rules import Outcome, RuleBook, advise, run_examples
from audiencehub.server.home import project_environment
from audiencehub.server.prefect_yaml import read as read_prefect_yaml
from audiencehub.settings import Settings, instant, load

AsOf = Annotated[
    str, typer.Option("--as-of", help="The clock, for example 2026-11-16. [default: now]")
]


def register(app: typer.Typer) -> None:
    """Add `check` and `test` to the application."""
    app.command()(check)
    app.command()(test)


@verb
def check(env: Env = "sandbox", as_json: AsJson = False) -> None:
    """Lint rules, settings and connectors: every fault at once, then advice.

    Exits 2 when there is a fault. Advice alone exits 0.

    Example: audiencehub check --env prod
    """
    faults: list[Fault] = []
    settings = _collect(lambda: load(env), faults)
    book: RuleBook | None = None
    if settings is not None:
        found = settings
        _collect(lambda: check_options(found), faults)
        faults += read_prefect_yaml(found.root, project_environment(found))[1]
        book = _collect(lambda: load_rules(found), faults)
    advice = _advice(book, settings) if book is not None and settings is not None else []
    if as_json:
        emit({"faults": [_plain(one) for one in faults], "advice": [_plain(one) for one in advice]})
    else:
        _show(faults, advice, book)
    if faults:
        raise typer.Exit(2)


@verb
def test(
    segments: Annotated[
        list[str] | None, typer.Argument(help="Only these segments. [default: all]")
    ] = None,
    env: Env = "sandbox",
    as_of: AsOf = "",
    as_json: AsJson = False,
) -> None:
    """Run the examples of every rule. Exits 1 when one fails.

    Example: audiencehub test in_market_fintech
    """
    settings = load(env)
    book = load_rules(settings)
    for name in segments or ():
        if name not in book.segments:
            raise ConfigError(
                f"There is no segment {name!r}.", hint=f"Use: {', '.join(book.segments)}"
            )
    clock = _clock(settings, as_of)
    outcomes = run_examples(book, clock, segments or None)
    failed = [one for one in outcomes if not one.passed]
    if as_json:
        emit([_outcome(one) for one in outcomes])
    else:
        _table(book, outcomes, segments or list(book.segments))
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
        stderr.print(str(one), style="red", markup=False, soft_wrap=True)
    for one in advice:
        console.print(f"advice: {one}", style="yellow", markup=False, soft_wrap=True)
    count = len(faults)
    if count:
        say(f"{count} fault{'s' * (count != 1)}.")
    elif book is not None:
        notes = f", {len(advice)} piece{'s' * (len(advice) != 1)} of advice" if advice else ""
        say(f"{len(book.segments)} segments, no faults{notes}.")


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
        "why": one.why,
    }


def _table(book: RuleBook, outcomes: list[Outcome], names: list[str]) -> None:
    table = Table("segment", "examples", "hold", title="Examples", title_justify="left")
    for name in names:
        own = [one for one in outcomes if one.segment == name]
        hold = sum(one.passed for one in own)
        style = "" if own and hold == len(own) else "yellow" if not own else "red"
        table.add_row(book.segments[name].id, str(len(own)), str(hold), style=style)
    console.print(table)


def _failure(one: Outcome) -> None:
    said = "is a member" if one.actual else "is no member"
    label = f" ({one.name})" if one.name else ""
    text = f"{one.path}:{one.line}: example {one.number} of {one.segment}{label} {said}"
    if one.why:
        text += f"\n  -> to hold as expected: {one.why}"
    stderr.print(text, style="red", markup=False, soft_wrap=True)
