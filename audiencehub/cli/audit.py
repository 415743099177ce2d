"""Verbs that examine what the hub works with and what it did: audit data, audit verify."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from difflib import get_close_matches
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from audiencehub.canonical import located, spelled
from audiencehub.cli.common import AsJson, Env, console, emit, fold, say, verb
from audiencehub.errors import ConfigError
from audiencehub.insight.audit import (
    Aside,
    FieldAudit,
    Judged,
    audit,
    not_measurable,
    uncleaned,
)
from audiencehub.ledger import Ledger
from audiencehub.ledger.audit import Checked
from audiencehub.opening import load_rules
from audiencehub.settings import Settings, load
from audiencehub.warehouse import open_published

COLORS = {"ok": "green", "invalid": "red", "sparse": "red", "stale": "red", "drifting": "yellow"}
PLACES = {
    "number": "a gap in the numbers",
    "hash": "its content is not what its hash covers",
    "end": "the chain does not end where the last act was noted",
    "seal": "its beginning was not set by this install",
}
LONGEST = 60
"""Characters of a raw value that are shown; what is kept of it, with --json."""


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    group = typer.Typer(
        help="Examine the data that rules stand on, and the record of what was done.",
        no_args_is_help=True,
    )
    group.command("data")(data)
    group.command("verify")(verify)
    app.add_typer(group, name="audit")


@verb
def data(
    field: Annotated[
        str | None, typer.Option("--field", help="One field, with all that is known of it")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also the fields that no rule reads")
    ] = False,
    raw: Annotated[
        bool, typer.Option("--uncleaned", help="List the values that could not be cleaned")
    ] = False,
    env: Env = "sandbox",
    as_json: AsJson = False,
) -> None:
    """Fill, validity, age, difference and drift of each field and source; who reads it.

    A field that fails makes its segments not measurable; the limits are in settings under
    [audit].

    Example: audiencehub audit data --field account.employee_count
    """
    settings = load(env)
    book = load_rules(settings)
    known = located(settings.tables, field) if field else None
    field = spelled(known[0], known[1].name) if known else field
    connection, published = open_published(settings.folder)
    try:
        at = _clock(connection, published)
        fields = audit(connection, settings.tables, settings.audit, book, at)
        aside = uncleaned(connection, field)
    finally:
        connection.close()
    if field is not None and field not in {one.name for one in fields}:
        near = get_close_matches(field, [one.name for one in fields], 1)
        raise ConfigError(
            f"There is no field {field!r}.",
            hint=f"Did you mean {near[0]}?" if near else "audiencehub audit data --all lists them",
        )
    lost = not_measurable(fields, book)
    chosen = [one for one in fields if _wanted(one, field, everything)]
    if as_json:
        emit(
            {
                "at": at.isoformat(),
                "fields": [one.json() for one in chosen],
                "not_measurable": lost,
                "uncleaned": [_aside_json(one) for one in aside],
            }
        )
    elif raw:
        _raw(aside)
    else:
        _show(settings, at, chosen, everything or field is not None)
        if field is not None:
            _detail(chosen[0], aside)
        _lost(lost, len(book.segments), field is not None, env)


@verb
def verify(env: Env = "sandbox", as_json: AsJson = False) -> None:
    """Follow the chain of the audit from its first row to its last; sends and changes nothing.

    Each row's hash covers the row before it: a row that was changed, removed, put in or moved is
    named, with what was expected there. Exits 0 when the chain is whole, 1 when it is broken.

    Example: audiencehub audit verify --env prod
    """
    settings = load(env)
    if not (settings.folder / "ledger.sqlite").is_file():
        raise ConfigError(
            f"There is no ledger of {env} yet.", hint="The first run makes it: audiencehub sync"
        )
    ledger = Ledger.open(settings.folder)
    try:
        checked = ledger.audit.check()
    finally:
        ledger.close()
    if as_json:
        emit({"rows": checked.rows, "whole": not checked.breaks,
              "breaks": [asdict(one) for one in checked.breaks]})  # fmt: skip
    else:
        _chain(checked)
    if checked.breaks:
        raise typer.Exit(1)


def _chain(checked: Checked) -> None:
    rows = f"{checked.rows:,} row{'s' * (checked.rows != 1)}"
    if not checked.breaks:
        say(f"The audit chain is whole: {rows}, each covering the one before it.")
        return
    say(f"The audit chain is broken; it has {rows}.", style="red")
    for one in checked.breaks:
        fold(f"  row {one.row:,}: {PLACES[one.what]}: expected {one.expected}, found {one.found}")
    fold(
        "  -> Somebody wrote to ledger.sqlite beside the hub. Restore it from a backup that "
        "verifies, or compare these rows with one."
    )


def _wanted(one: FieldAudit, field: str | None, everything: bool) -> bool:
    if field is not None:
        return one.name == field
    return bool(one.segments) or (everything and bool(one.sources))


def _clock(connection: Any, published: datetime) -> datetime:
    found = connection.execute("SELECT value FROM meta WHERE key = 'evaluated_at'").fetchone()
    return datetime.fromisoformat(found[0]) if found else published


def _show(settings: Settings, at: datetime, fields: list[FieldAudit], sources: bool) -> None:
    if not fields:
        say("No rule reads any field yet.\n  -> audiencehub audit data --all")
        return
    local = at.astimezone(settings.zone)
    table = Table(title=f"Data as of {local:%Y-%m-%d %H:%M}", title_justify="left", box=None)
    for head, right in (
        ("field", False), ("source", False), ("fill", True), ("valid", True), ("age, days", True),
        ("differ", True), ("drift", True), ("rules", True), ("verdict", False),
    ):  # fmt: skip
        table.add_column(head, justify="right" if right else "left", no_wrap=True)
    for one in fields:
        rules = str(len(one.segments) or "")
        _row(table, one.name, "", one.whole, rules)
        for part in one.sources if sources or len(one.sources) > 1 else ():
            _row(table, "", part.measure.source, part, "")
    console.print(table)
    say(
        "age: half of the values are older, one in twenty is older. drift: fill and values against "
        "the last full pull before.",
        style="dim",
        soft_wrap=False,
    )


def _row(table: Table, name: str, source: str, judged: Judged, rules: str) -> None:
    one = judged.measure
    ages = ""
    if one.median_days is not None and one.old_days is not None:
        ages = f"{one.median_days:,.0f} / {one.old_days:,.0f}"
    drift = "" if one.fill_change is None else f"{100 * one.fill_change:+.0f}"
    if one.stability is not None:
        drift += f" {one.stability:.2f}"
    table.add_row(
        name,
        source,
        f"{one.fill:.0%}",
        _share(one.validity),
        ages,
        _share(one.uniqueness),
        drift,
        rules,
        Text(judged.verdict, COLORS[judged.verdict]),
        style=None if name else "dim",
    )


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


def _detail(one: FieldAudit, aside: list[Aside]) -> None:
    for judged in (one.whole, *one.sources):
        for reason in judged.reasons:
            fold(f"{judged.measure.source or 'altogether'}: {reason}")
    fold(f"read by: {', '.join(one.segments) or 'no rule'}")
    if aside:
        say()
        _raw(aside)


def _raw(aside: list[Aside]) -> None:
    if not aside:
        say("Every value could be cleaned.")
        return
    table = Table(title="Kept raw", title_justify="left", box=None)
    for head in ("field", "source", "reason", "count", "such as"):
        table.add_column(head, justify="right" if head == "count" else "left", overflow="fold")
    for one in aside:
        examples = ", ".join(repr(_short(value)) for value in one.examples)
        # Raw values are shown as they are: brackets in them are no markup.
        table.add_row(one.field, one.source, one.reason, f"{one.count:,}", Text(examples))
    console.print(table)


def _short(value: str) -> str:
    return value if len(value) <= LONGEST else f"{value[:LONGEST]}…"


def _aside_json(one: Aside) -> dict[str, Any]:
    return {
        "field": one.field,
        "source": one.source,
        "reason": one.reason,
        "count": one.count,
        "examples": list(one.examples),
    }


def _lost(lost: dict[str, tuple[str, ...]], total: int, narrow: bool, env: str) -> None:
    if narrow:
        return
    say()
    if not lost:
        say("Every segment is measurable.")
        return
    say(f"Not measurable: {len(lost):,} of {total:,} segments", style="bold")
    for name, reasons in lost.items():
        fold(f"  {name}: {'; '.join(reasons)}")
    flag = "" if env == "sandbox" else f" --env {env}"
    fold(
        f"Look closer: audiencehub audit data --field FIELD{flag}   Limits: [audit] in "
        f"deployments/{env}.toml",
        style="dim",
    )
