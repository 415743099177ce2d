"""Verbs that run the pipeline or a part of it: sync, pull, segment, demo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

import typer

from audiencehub.cli import demo as demo_story
from audiencehub.cli import launch, realdata, show
from audiencehub.cli.common import AsJson, Env, Quiet, emit, progress, say, verb
from audiencehub.hub import Hub
from audiencehub.opening import load_rules, open_hub
from audiencehub.pipeline import Caller, SyncOptions, SyncResult, read, run_sync
from audiencehub.rebuild import refresh
from audiencehub.settings import Settings, load
from audiencehub.steps import record, segment

Only = Annotated[
    list[str] | None, typer.Option("--only", help="A source or destination by its settings name")
]
AsOf = Annotated[
    str | None, typer.Option("--as-of", help="Evaluate as of this date (sandbox and dry run only)")
]
Full = Annotated[bool, typer.Option("--full", help="Pull everything instead of what changed")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Plan, and send nothing")]
NoPrefect = Annotated[bool, typer.Option("--no-prefect", help="Run the bare steps in this process")]


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command()(demo)
    app.command()(sync)
    app.command()(pull)
    app.command(name="segment")(segment_verb)


@verb
def demo(env: Env = "sandbox", quiet: Quiet = False) -> None:
    """The whole story on the sandbox: sync, a day passes, sync again; explain one person.

    Example: audiencehub demo
    """
    demo_story.tell(load(env), quiet)


@verb
def sync(
    env: Env = "sandbox",
    only: Only = None,
    full: Full = False,
    as_of: AsOf = None,
    dry_run: DryRun = False,
    no_prefect: NoPrefect = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Pull, land, normalize, resolve, segment, plan, push, record: through the Prefect flow.

    Exits 0 done, 1 failed, 2 wrong settings or rules, 3 held for approval.

    Example: audiencehub sync --only hubspot
    """
    settings = load(env)
    realdata.check(settings)
    book = load_rules(settings)
    options = SyncOptions(tuple(only or ()), full, dry_run)
    if no_prefect:
        result = bare(settings, options, as_of, quiet)
    else:
        parameters = {
            "env": env,
            "only": list(only or ()),
            "full": full,
            "as_of": as_of,
            "dry_run": dry_run,
        }
        with progress(quiet or as_json) as bars:
            result = launch.run_flow(
                settings, "sync", parameters, quiet=quiet or as_json, progress=bars
            )
    if as_json:
        emit(asdict(result))
    else:
        show.result(result, book, env)
        realdata.tell(settings)
    if result.exit_code:
        raise typer.Exit(result.exit_code)


def bare(settings: Settings, options: SyncOptions, as_of: str | None, quiet: bool) -> SyncResult:
    """A sync without Prefect."""
    asked = {"full": options.full, "only": options.only}
    with (
        progress(quiet) as bars,
        open_hub(settings, as_of=as_of, dry_run=options.dry_run, progress=bars, args=asked) as hub,
    ):
        return run_sync(hub, options, Caller())


def _part(
    env: str, kind: str, as_of: str | None, quiet: bool, work: Callable[..., None]
) -> SyncResult:
    settings = load(env)
    with (
        progress(quiet) as bars,
        open_hub(settings, kind=kind, as_of=as_of, progress=bars) as hub,
    ):
        result = SyncResult(hub.run_id)
        work(hub, result)
        result.state = "failed" if result.problems else "completed"
        result.summary["problems"] = result.problems
        record.publish(hub)
        result.report = record.record(hub, result.state, result.summary)
    return result


@verb
def pull(
    env: Env = "sandbox",
    only: Only = None,
    full: Full = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Read the sources into the warehouse; evaluate and send nothing.

    Example: audiencehub pull --only salesforce --full
    """
    options = SyncOptions(tuple(only or ()), full)
    result = _part(
        env, "pull", None, quiet or as_json, lambda hub, out: read(hub, options, Caller(), out)
    )
    if as_json:
        emit(asdict(result))
    else:
        show.result(result, None, env)
    raise typer.Exit(result.exit_code)


@verb
def segment_verb(
    env: Env = "sandbox", as_of: AsOf = None, quiet: Quiet = False, as_json: AsJson = False
) -> None:
    """Evaluate every rule on what was pulled last; send nothing.

    Example: audiencehub segment
    """

    def work(hub: Hub, out: SyncResult) -> None:
        refresh(hub)
        out.summary["segment"] = asdict(segment.segment(hub))

    result = _part(env, "segment", as_of, quiet or as_json, work)
    if as_json:
        emit(asdict(result))
        return
    show.result(result, load_rules(load(env)), env)
    say("Next: audiencehub plan", style="dim")
