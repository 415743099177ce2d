"""The verb `alerts`: how everything that is watched stands, and what to do."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from audiencehub.cli.common import AsJson, Env, console, emit, fold, say, verb
from audiencehub.errors import ConfigError
from audiencehub.ledger import Alert, Ledger
from audiencehub.opening import machine_now
from audiencehub.settings import Settings, load
from audiencehub.steps.alert import evaluate

COLORS = {"critical": "red", "warning": "yellow", "recovered": "green"}
WORST_FIRST = tuple(COLORS)


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(alerts)


@verb
def alerts(
    now: Annotated[
        bool,
        typer.Option("--now", help="Look now, and send every change; beside the runs, by cron"),
    ] = False,
    env: Env = "sandbox",
    as_json: AsJson = False,
) -> None:
    """What is not in order, since when, and what to do; what has recovered.

    Every sync and the daily maintenance look and send. Where no run happens nothing looks: let
    something else call this with --now. Exits 1 when a channel did not take its messages.

    Example: audiencehub alerts --now --env prod
    """
    settings = load(env)
    if not (settings.folder / "ledger.sqlite").is_file():
        raise ConfigError(
            f"There is no ledger of {env} yet.", hint="The first run makes it: audiencehub sync"
        )
    ledger = Ledger.open(settings.folder)
    try:
        failed = evaluate(settings, ledger, _clock(settings, ledger)).failed if now else {}
        at = ledger.alerts.evaluated()
        found = sorted(
            ledger.alerts.states(env).values(),
            key=lambda one: (WORST_FIRST.index(one.state), one.subject),
        )
    finally:
        ledger.close()
    if as_json:
        emit({"at": at and at.isoformat(), "alerts": [_json(one) for one in found],
              "failed": failed})  # fmt: skip
    else:
        _show(settings, found, at, env)
    if failed:
        raise typer.Exit(1)


def _clock(settings: Settings, ledger: Ledger) -> datetime:
    """The machine's time; on the sandbox, whose clock stands still, that of the last run."""
    last = ledger.runs.last(1)
    if settings.clock == "sandbox" and last:
        return last[0].started_at
    return machine_now()


def _json(one: Alert) -> dict[str, str]:
    return {**asdict(one), "since": one.since.isoformat()}


def _show(settings: Settings, found: list[Alert], at: datetime | None, env: str) -> None:
    if at is None:
        flag = "" if env == "sandbox" else f" --env {env}"
        say("Nothing was looked at yet.", soft_wrap=True)
        say(f"  -> audiencehub alerts --now{flag}", markup=False)
        return
    looked = f"looked at {at.astimezone(settings.zone):%Y-%m-%d %H:%M}"
    bad = [one for one in found if one.state != "recovered"]
    if not bad:
        say(f"Everything is in order; {looked}.")
    if not found:
        return
    table = Table(title=f"Alerts, {looked}", title_justify="left", box=None)
    for head in ("state", "since", "what"):
        table.add_column(head, overflow="fold", no_wrap=head != "what")
    for one in found:
        since = f"{one.since.astimezone(settings.zone):%Y-%m-%d %H:%M}"
        what = Text(f"{one.subject}: {one.text}")
        table.add_row(Text(one.state, COLORS[one.state]), since, what)
    console.print(table)
    for one in bad:
        fold(f"  {one.subject} -> {one.do}")
