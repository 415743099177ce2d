"""The verb that makes the warehouse anew from landing."""

from __future__ import annotations

import typer

from audiencehub import rebuild as engine
from audiencehub.cli.common import AsJson, Env, Quiet, emit, progress, say, verb
from audiencehub.opening import open_hub
from audiencehub.rebuild import Rebuilt
from audiencehub.settings import Settings, load
from audiencehub.warehouse import Warehouse


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command()(rebuild)


@verb
def rebuild(env: Env = "sandbox", quiet: Quiet = False, as_json: AsJson = False) -> None:
    """Make the warehouse anew from landing: same people, same history, same memberships.

    The old one serves until the new one is whole. Waits for nobody: it ends at once while a run has
    the warehouse open. Nothing is sent.

    Example: audiencehub rebuild
    """
    settings = load(env)
    broken = Warehouse.mend(settings.folder, settings.tables)
    with (
        progress(quiet or as_json) as bars,
        open_hub(settings, kind="rebuild", progress=bars) as hub,
    ):
        result = engine.rebuild(hub)
        summary = {
            "manifests": result.manifests,
            "states": result.states,
            "different": result.different,
            "entered": result.entered,
            "left": result.left,
        }
        hub.ledger.runs.finish(hub.run_id, "completed", hub.now, summary)
    if as_json:
        rows = {name: digest.rows for name, digest in result.tables.items()}
        emit({**summary, "evaluated_at": result.evaluated_at, "rows": rows})
        return
    if broken:
        say(f"The old file could not be opened; it lies in {broken}.", soft_wrap=True)
    _tell(settings, result, env)


def _tell(settings: Settings, result: Rebuilt, env: str) -> None:
    if not result.manifests:
        say(f"Nothing has been landed yet.\n  -> audiencehub sync --env {env}")
        return
    people = result.tables["contact"].rows
    say(
        f"Rebuilt from {result.manifests:,} pulls at {result.states:,} times: {people:,} people, "
        f"{result.tables['account'].rows:,} accounts, {result.tables['event'].rows:,} events, "
        f"{result.tables['contact_history'].rows - people:,} earlier versions of people.",
        soft_wrap=True,
    )
    if result.different is None:
        say("There was no whole warehouse to compare with.")
    elif result.different:
        say(
            f"Not as before: {', '.join(result.different)}. The data is as today's code and "
            "settings read it.",
            style="yellow",
            soft_wrap=True,
        )
    else:
        say(f"Every one of {len(result.tables)} tables holds the same rows as before.")
    if result.evaluated_at is not None:
        at = result.evaluated_at.astimezone(settings.zone)
        moved = (
            f"{result.entered:,} memberships began and {result.left:,} ended"
            if result.entered or result.left
            else "every membership is the same"
        )
        say(f"Rules evaluated as of {at:%Y-%m-%d %H:%M}: {moved}.")
    flag = "" if env == "sandbox" else f" --env {env}"
    say(f"Next: audiencehub plan{flag}", style="dim")
