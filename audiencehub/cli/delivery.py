"""Verbs between a plan and its proof: plan, approve, apply, push, drift."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table

from audiencehub.cli import launch, planned, show
from audiencehub.cli.common import AsJson, Env, Quiet, console, emit, progress, say, verb
from audiencehub.errors import ConfigError
from audiencehub.ledger import HandEdit, Ledger
from audiencehub.opening import load_rules, machine_now, open_hub
from audiencehub.pipeline import (
    Caller,
    SyncOptions,
    SyncResult,
    deliver,
    finish,
    run_apply,
    send_whole,
)
from audiencehub.rebuild import refresh
from audiencehub.settings import Settings, load
from audiencehub.steps import plan as planning
from audiencehub.steps import record, segment

Reason = Annotated[str, typer.Option("--reason", help="Why it is right; kept in the audit")]
Who = Annotated[str, typer.Option("--by", help="Who approves; the system user when left out")]
NoPrefect = Annotated[bool, typer.Option("--no-prefect", help="Run the bare steps in this process")]


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command()(plan)
    app.command()(approve)
    app.command()(apply)
    app.command()(push)
    app.command()(drift)


@verb
def plan(
    env: Env = "sandbox",
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", help="Evaluate as of this date (sandbox and dry run only)"),
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", help="Show the members of one target")
    ] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """What a push would do: who enters and leaves, why, the writes, the calls. Sends nothing.

    Example: audiencehub plan --target hubspot/contact/tags
    """
    settings = load(env)
    with (
        progress(quiet or as_json) as bars,
        open_hub(settings, kind="plan", as_of=as_of, progress=bars) as hub,
    ):
        refresh(hub)
        segment.segment(hub)
        found = [asdict(one) for one in planning.plan(hub).plans]
        record.publish(hub)
        changes = {
            one["plan_id"]: [
                {
                    "member": change.member,
                    "op": change.op,
                    "enters": list(change.enters),
                    "leaves": list(change.leaves),
                    "why": change.why,
                }
                for change in hub.ledger.plans.changes(one["plan_id"])
            ]
            for one in found
            if one["plan_id"] and (as_json or target in (None, one["target"]))
        }
        hub.ledger.runs.finish(hub.run_id, "completed", hub.now, {"plans": found})
    known = dict.fromkeys(one["target"] for one in found)
    if target is not None and target not in known:
        raise ConfigError(
            f"There is no target {target}.", hint=f"Planned targets: {', '.join(known) or 'none'}"
        )
    if as_json:
        emit([{**one, "changes": changes.get(one["plan_id"], [])} for one in found])
    else:
        planned.plans(found)
        for one in found:
            if target in (None, one["target"]):
                planned.details(one, everything=target is not None)
            if one["plan_id"] and target == one["target"]:
                planned.members(one["target"], changes[one["plan_id"]], everyone=True)
        _next(found, env)
    if any(one["verdict"] == "hold" for one in found):
        raise typer.Exit(3)


def _next(found: Sequence[dict[str, Any]], env: str) -> None:
    held = [one for one in found if one["verdict"] == "hold"]
    if held:
        say(
            f'Release with: audiencehub approve {held[0]["plan_id"]} --reason "…" --env {env}',
            style="yellow",
            soft_wrap=True,
        )
    elif any(one["plan_id"] for one in found):
        say(f"Send it with: audiencehub push --env {env}", style="dim")


@verb
def approve(
    plan_id: Annotated[str, typer.Argument(metavar="PLAN", help="Plan id, hash, target, or: all")],
    reason: Reason,
    by: Who = "",
    env: Env = "sandbox",
    as_json: AsJson = False,
) -> None:
    """Release a held plan, exactly as it stands; a plan that changes later needs a new approval.

    Example: audiencehub approve p12 --reason "checked 20 members with sales"
    """
    settings = load(env)
    ledger = Ledger.open(settings.folder)
    try:
        who = by or getpass.getuser()
        wanted = [one.plan_id for one in ledger.plans.held()] if plan_id == "all" else [plan_id]
        if not wanted:
            raise ConfigError(
                "No plan waits for approval.", hint="audiencehub plan shows what would be sent"
            )
        released = [
            one for name in wanted for one in ledger.plans.approve(name, who, reason, machine_now())
        ]
    finally:
        ledger.close()
    started = [one.plan_id for one in released if launch.announce_approval(settings, one.plan_id)]
    if as_json:
        emit(
            [
                {"plan_id": one.plan_id, "target": one.target, "started": one.plan_id in started}
                for one in released
            ]
        )
        return
    for one in released:
        say(f"approved {one.plan_id} for {one.target}")
    if started:
        say("The running server sends it now (apply-plan).", style="dim")
    else:
        ids = ",".join(one.plan_id for one in released)
        say(f"Send it with: audiencehub apply {ids} --env {env}", soft_wrap=True)


@verb
def apply(
    plan_id: Annotated[
        str, typer.Argument(metavar="PLAN", help="Plan ids, with commas between them")
    ],
    env: Env = "sandbox",
    no_prefect: NoPrefect = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Send exactly an approved plan.

    Example: audiencehub apply p12
    """
    settings = load(env)
    ids = [part.strip() for part in plan_id.split(",") if part.strip()]
    with progress(quiet or as_json) as bars:
        if no_prefect:
            with open_hub(settings, kind="apply", progress=bars) as hub:
                result = run_apply(hub, ids, Caller())
        else:
            result = launch.run_flow(
                settings,
                "apply_plan",
                {"plan": ",".join(ids)},
                quiet=quiet or as_json,
                progress=bars,
            )
    _tell(settings, result, env, as_json)


@verb
def push(
    env: Env = "sandbox",
    only: Annotated[list[str] | None, typer.Option("--only", help="Only this destination")] = None,
    target: Annotated[
        list[str] | None, typer.Option("--target", help="Only this target; may be repeated")
    ] = None,
    resync: Annotated[
        bool,
        typer.Option("--resync", help="Whole, whatever the ledger believes; leavers are taken out"),
    ] = False,
    anew: Annotated[
        bool, typer.Option("--anew", help="Make the list again that somebody deleted; whole")
    ] = False,
    by: Who = "",
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Plan on what was evaluated last, and send what no guard holds.

    --resync brings a target to what is desired though the ledger, or somebody at the destination,
    had it otherwise: tags are read back and written over, but for edits that were accepted; of a
    list everyone desired is said again, and everyone ever sent who is not is removed. The guards
    hold it like any plan.

    Example: audiencehub push --only hubspot

    Example: audiencehub push --resync --target hubspot/contact/tags

    Example: audiencehub push --anew --target meta_ads/list/in_market_fintech
    """
    if anew and not target:
        raise ConfigError("Which list is to be made anew?", hint="Add --target")
    settings = load(env)
    options = SyncOptions(tuple(only or ()), targets=tuple(target or ()))
    with progress(quiet or as_json) as bars, open_hub(settings, kind="push", progress=bars) as hub:
        refresh(hub)
        result = SyncResult(hub.run_id)
        if resync or anew:
            send_whole(hub, options, by or getpass.getuser(), Caller(), result, anew=anew)
        deliver(hub, options, Caller(), result)
        finish(hub, Caller(), result)
    _tell(settings, result, env, as_json)


def _tell(settings: Settings, result: SyncResult, env: str, as_json: bool) -> None:
    if as_json:
        emit({**asdict(result)})
    else:
        show.result(result, load_rules(settings), env)
    if result.exit_code:
        raise typer.Exit(result.exit_code)


@verb
def drift(
    accept: Annotated[
        str | None, typer.Option("--accept", help="TARGET:RECORD, or all: it stands")
    ] = None,
    revert: Annotated[
        str | None,
        typer.Option("--revert", help="TARGET:RECORD, or all: the next push writes over it"),
    ] = None,
    by: Who = "",
    env: Env = "sandbox",
    as_json: AsJson = False,
) -> None:
    """Tags that a person edited in the CRM. They are respected, and listed until you decide.

    Example: audiencehub drift --accept hubspot/contact/tags:171591000199
    """
    edits = _settled(load(env), {"accepted": accept, "reverted": revert}, by or getpass.getuser())
    if as_json:
        emit([_edit(one) for one in edits])
        return
    if not edits:
        say("No tag was edited by hand, or every edit is settled.")
        return
    table = Table(title=f"{len(edits):,} edited by hand", title_justify="left")
    for head in ("target", "record", "added", "removed", "found"):
        table.add_column(head, overflow="fold")
    for one in edits:
        cells = (", ".join(sorted(tags)) for tags in (one.added, one.removed))
        table.add_row(one.target, one.member, *cells, f"{one.found_at:%Y-%m-%d %H:%M}")
    console.print(table)
    first = edits[0]
    say("They stand until you decide. For good, or to be written over by the next push:")
    say(f"  audiencehub drift --accept {first.target}:{first.member}   (or --revert …)")


def _settled(settings: Settings, asked: Mapping[str, str | None], who: str) -> list[HandEdit]:
    """Settle what was asked; the edits that stay open."""
    ledger = Ledger.open(settings.folder)
    try:
        edits = ledger.edits.list()
        for state, which in asked.items():
            for one in _chosen(edits, which) if which is not None else ():
                ledger.edits.settle(one.target, one.member, state, who, machine_now())
        return ledger.edits.list()
    finally:
        ledger.close()


def _edit(one: HandEdit) -> dict[str, Any]:
    return {
        "target": one.target,
        "record": one.member,
        "added": sorted(one.added),
        "removed": sorted(one.removed),
        "found_at": one.found_at.isoformat(),
    }


def _chosen(edits: Sequence[HandEdit], which: str) -> list[HandEdit]:
    found = [one for one in edits if which in ("all", f"{one.target}:{one.member}")]
    if not found:
        raise ConfigError(
            f"No open edit is called {which}.",
            hint="Write TARGET:RECORD as `audiencehub drift` lists them, or: all",
        )
    return found
