"""The verb that erases a person, and shows the certificates of those who were."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table

from audiencehub import forgetting
from audiencehub.cli.common import AsJson, Env, Quiet, console, emit, fold, progress, say, verb
from audiencehub.errors import ConfigError
from audiencehub.forgetting import Look, Outcome
from audiencehub.forgetting.person import asked_before
from audiencehub.hub import Hub
from audiencehub.ledger import Forgetting, Ledger
from audiencehub.opening import open_hub
from audiencehub.settings import Settings, load

Person = Annotated[
    str | None, typer.Argument(help="Their e-mail address, source:record, or number here")
]
SHORT = 16


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command()(forget)


@verb
def forget(
    person: Person = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept, name nobody")] = "",
    by: Annotated[str, typer.Option("--by", help="Who does it; else the user of this shell")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do it, without asking")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with all that are open")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Who was forgotten, by HMAC id")] = False,
    show: Annotated[str, typer.Option("--show", help="The certificate of this HMAC id")] = "",
    env: Env = "sandbox",
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Erase a person: out of every destination, then out of every file here, with a certificate.

    Without --yes it only shows what would go, and where. A forget that a destination keeps waiting
    stays open and exits 1; the same command goes on with it.

    Example: audiencehub forget ann.lee@northwind.example --reason "asked by letter" --yes

    Example: audiencehub forget --list
    """
    settings = load(env)
    if listed or show:
        _certificates(settings, show, as_json)
        return
    if resume:
        _resume(settings, quiet, as_json)
        return
    if person is None:
        raise ConfigError(
            "Nobody is named.",
            hint="Write their e-mail address, source:record or number; or --list",
        )
    who = by or getpass.getuser()
    if not yes and not _confirmed(settings, person, reason, env, quiet, as_json):
        return
    found = _with_hub(settings, quiet or as_json, lambda hub: _forgotten(hub, person, who, reason))
    _tell([found], env, as_json)


def _confirmed(
    settings: Settings, person: str, reason: str, env: str, quiet: bool, as_json: bool
) -> bool:
    """Shows what would go; whether a person at a terminal has then typed that it shall."""
    known = _known(settings, person)
    if known is not None:
        say(f"Asked for before: {known.person[:SHORT]} is {known.state}.")
        _next(known, env)
        return False
    seen = _with_hub(settings, quiet or as_json, lambda hub: forgetting.look(hub, person), dry=True)
    if as_json:
        emit(asdict(seen))
        return False
    _show(seen)
    flag = "" if env == "sandbox" else f" --env {env}"
    if not reason or not sys.stdin.isatty():
        say("Nothing was changed. To do it, for good:")
        say(f'  audiencehub forget PERSON --reason "…" --yes{flag}', markup=False)
        return False
    word = seen.person[:8]
    typed = typer.prompt(f"This cannot be undone. Type {word} to forget this person")
    return bool(typed.strip() == word)


def _with_hub(settings: Settings, quiet: bool, do: Callable[[Hub], Any], dry: bool = False) -> Any:
    with progress(quiet) as bars:
        kind = "forget-look" if dry else "forget"
        with open_hub(settings, kind=kind, dry_run=dry, progress=bars) as hub:
            found = do(hub)
            state = "completed" if getattr(found, "state", "done") == "done" else "incomplete"
            hub.ledger.runs.finish(hub.run_id, state, hub.now, {})
            return found


def _forgotten(hub: Hub, person: str, who: str, reason: str) -> Outcome:
    return forgetting.forget(hub, person, who, reason)


def _resume(settings: Settings, quiet: bool, as_json: bool) -> None:
    def all_open(hub: Hub) -> list[Outcome]:
        waiting = [one for one in hub.ledger.forgotten.all() if one.state == "open"]
        return [forgetting.carry_on(hub, one) for one in waiting]

    found = _with_hub(settings, quiet or as_json, all_open)
    if not found and not as_json:
        say("Nobody waits to be forgotten.")
        return
    _tell(found, settings.env, as_json)


def _tell(found: list[Outcome], env: str, as_json: bool) -> None:
    if as_json:
        emit([asdict(one) for one in found])
    for one in found if not as_json else ():
        if one.certificate is not None:
            console.print(forgetting.certificate_text(one.certificate), markup=False, end="")
            continue
        say(f"{one.person[:SHORT]} is open: not everything is gone yet.", style="yellow")
        for problem in one.problems:
            for line in problem.splitlines():
                fold(f"  {line}")
        flag = "" if env == "sandbox" else f" --env {env}"
        say("They are suppressed: nothing more is sent or landed of them. To go on:")
        say(f"  audiencehub forget --resume{flag}", markup=False)
    if any(one.state != "done" for one in found):
        raise typer.Exit(1)


def _show(seen: Look) -> None:
    table = Table(title=f"Would be forgotten: {seen.person[:SHORT]}", title_justify="left")
    table.add_column("place")
    table.add_column("what", overflow="fold")
    table.add_row("identifiers", _counts(seen.identifiers))
    if seen.shared:
        table.add_row("", f"somebody else's too, and kept there: {_counts(seen.shared)}")
    for target in seen.targets:
        table.add_row("destination", f"{target}: taken out first, with proof")
    for name, count in sorted(seen.landing["dropped"].items()):
        table.add_row("landing", f"{name}: {count:,} records go")
    for name, count in sorted(seen.landing["blanked"].items()):
        table.add_row("landing", f"{name}: {count:,} records of others lose the name")
    table.add_row("warehouse", f"{_counts(seen.warehouse)}; made anew in a new file")
    table.add_row("ledger", f"rows that lose the name: {_counts(seen.ledger)}")
    for path in seen.files:
        table.add_row("file", path)
    console.print(table)


def _certificates(settings: Settings, show: str, as_json: bool) -> None:
    if not (settings.folder / "ledger.sqlite").is_file():
        rows: list[Forgetting] = []
    else:
        ledger = Ledger.open(settings.folder)
        try:
            rows = ledger.forgotten.all()
        finally:
            ledger.close()
    if show:
        found = [one for one in rows if one.person.startswith(show.lower())]
        if len(found) != 1 or found[0].certificate is None:
            raise ConfigError(
                f"{len(found) or 'No'} certificate{'s' * (len(found) != 1)} of {show!r}.",
                hint="audiencehub forget --list shows the ids; an open one has none yet",
            )
        if as_json:
            emit(found[0].certificate)
        else:
            console.print(forgetting.certificate_text(found[0].certificate), markup=False, end="")
        return
    if as_json:
        emit([_listed(one) for one in rows])
        return
    if not rows:
        say("Nobody was forgotten.")
        return
    table = Table(title=f"{len(rows):,} forgotten", title_justify="left")
    for head in ("id", "state", "asked", "by", "reason", "cannot prove"):
        table.add_column(head, overflow="fold")
    for one in rows:
        unproven = (one.certificate or {}).get("cannot_prove_deletion", [])
        asked = f"{one.asked_at:%Y-%m-%d %H:%M}"
        table.add_row(
            one.person[:SHORT], one.state, asked, one.who, one.reason, ", ".join(unproven)
        )
    console.print(table)
    say(f"A certificate: audiencehub forget --show {rows[-1].person[:SHORT]}", style="dim")


def _listed(one: Forgetting) -> dict[str, Any]:
    return {
        "person": one.person,
        "state": one.state,
        "by": one.who,
        "reason": one.reason,
        "asked_at": one.asked_at.isoformat(),
        "finished_at": one.finished_at.isoformat() if one.finished_at else None,
        "certificate": one.certificate,
    }


def _known(settings: Settings, person: str) -> Forgetting | None:
    if not (settings.folder / "ledger.sqlite").is_file():
        return None
    ledger = Ledger.open(settings.folder)
    try:
        return asked_before(ledger, person)
    finally:
        ledger.close()


def _next(known: Forgetting, env: str) -> None:
    flag = "" if env == "sandbox" else f" --env {env}"
    word = "--resume" if known.state == "open" else f"--show {known.person[:SHORT]}"
    say(f"  audiencehub forget {word}{flag}", markup=False)


def _counts(found: dict[str, int] | Any) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in sorted(found.items())) or "none"
