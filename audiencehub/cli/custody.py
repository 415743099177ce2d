"""Verbs of the ledger's own life: adopt, maintain."""

from __future__ import annotations

import getpass
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from audiencehub.cli.common import (
    AsJson,
    Env,
    Quiet,
    console,
    emit,
    fold,
    progress,
    say,
    verb,
)
from audiencehub.errors import ConfigError, HubError
from audiencehub.hub import Hub
from audiencehub.ledger import Restore
from audiencehub.ledger.custody import State
from audiencehub.maintenance import Kept, maintain_bare
from audiencehub.opening import open_hub
from audiencehub.rebuild import refresh
from audiencehub.settings import load
from audiencehub.steps import adopt as adopting
from audiencehub.steps.adopt import Adopted

WORDS: dict[State, str] = {
    "whole": "[green]trusted[/]",
    "held": "[red]held[/]",
    "additive": "[yellow]adds only[/]",
}


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command()(adopt)
    app.command()(maintain)


@verb
def adopt(
    target: Annotated[
        str | None, typer.Argument(metavar="TARGET", help="A target, or: all; none: how they stand")
    ] = None,
    additive: Annotated[
        bool, typer.Option("--additive", help="Let adds go, without looking; removals wait")
    ] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="What the ledger believes is what is there")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the audit")] = "",
    by: Annotated[str, typer.Option("--by", help="Who decides; else the system user")] = "",
    env: Env = "sandbox",
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Read a target back into the ledger; trust it again after the ledger was lost or restored.

    Until then a target is held: nothing leaves for it but removals that consent asks for. CRM tags
    are read and compared. Lists that cannot be read take adds only, until they are sent whole
    (push --resync) or accepted by a person with a reason.

    Example: audiencehub adopt all

    Example: audiencehub adopt meta_ads/list/vip --accept --reason "compared its size with Meta's"
    """
    if additive and accept:
        raise ConfigError("--additive and --accept exclude each other.", hint="Give one of them")
    settings = load(env)
    with (
        progress(quiet or as_json) as bars,
        open_hub(settings, kind="adopt", progress=bars) as hub,
    ):
        refresh(hub)
        restored = hub.ledger.custody.restored()
        done, failed = _done(hub, target, additive, accept, reason, by or getpass.getuser())
        waiting = [one.target for one in done if one.state != "whole"]
        state = "failed" if failed else "completed"
        hub.ledger.runs.finish(hub.run_id, state, hub.now, {"waiting": waiting})
    if as_json:
        emit(
            {
                "restored": restored.text if restored else None,
                "targets": [asdict(one) for one in done],
                "failed": failed,
            }
        )
    else:
        _show(restored, done, looked=target is not None)
        for name, text in failed.items():
            fold(f"{name}: {text}", style="red")
        _next(done, env, looked=target is not None)
    if failed:
        raise typer.Exit(1)


def _done(
    hub: Hub, target: str | None, additive: bool, accept: bool, reason: str, who: str
) -> tuple[list[Adopted], dict[str, str]]:
    names = [one.target.id for one in adopting.targets(hub)]
    if target is None:
        if additive or accept:
            raise ConfigError("Which target?", hint=f"One of: {', '.join(names)}; or: all")
        return [_standing(hub, name) for name in names], {}
    done, failed = [], {}
    for name in names if target == "all" else [target]:
        try:
            if additive or accept:
                state: State = "whole" if accept else "additive"
                done.append(adopting.settle(hub, name, state, who, reason))
            else:
                done.append(adopting.adopt(hub, name, who))
        except HubError as error:
            if target != "all":
                raise
            failed[name] = str(error)
    return done, failed


def _standing(hub: Hub, name: str) -> Adopted:
    state = hub.ledger.custody.state(name)
    return Adopted(name, state, state, "", None, len(hub.ledger.delivery.believed(name)))


def _show(restored: Restore | None, done: Sequence[Adopted], *, looked: bool) -> None:
    if restored is None:
        say("The ledger is the one that sent last.", style="dim")
    else:
        fold(f"{restored.text[:1].upper()}{restored.text[1:]}.", style="yellow")
    if not done:
        say("No target yet.\n  -> Give a segment `activate:`, then: audiencehub plan")
        return
    table = Table(title="Targets", title_justify="left", box=None)
    table.add_column("target", overflow="fold")
    heads = ("believed", "read", "as believed", "besides", "missing", "gone") if looked else (
        "believed",)  # fmt: skip
    for head in heads:
        table.add_column(head, justify="right")
    table.add_column("now")
    for one in done:
        cells = [f"{one.believed:,}"]
        if looked:
            found = one.found
            counts = (
                (
                    found.read,
                    found.agreed,
                    sum(found.more.values()),
                    sum(found.fewer.values()),
                    found.gone,
                )
                if found
                else ()
            )
            cells += [f"{count:,}" for count in counts] or ["", "", "", "", ""]
        table.add_row(one.target, *cells, WORDS[one.state])
    console.print(table)
    if looked:
        _tags(done)


def _tags(done: Sequence[Adopted]) -> None:
    """Which segments were found besides, or missed."""
    for one in done:
        if one.how == "cannot be read":
            fold(
                f"{one.target} cannot be read back: who was sent there since the backup, and left, "
                "is known to nobody."
            )
        if one.found is None:
            continue
        for counts, words in ((one.found.more, "there besides"), (one.found.fewer, "not there")):
            if counts:
                listed = ", ".join(f"{name} {n:,}" for name, n in Counter(counts).most_common(5))
                fold(f"{one.target}: {words}: {listed}")


def _next(done: Sequence[Adopted], env: str, *, looked: bool) -> None:
    flag = "" if env == "sandbox" else f" --env {env}"
    held = [one.target for one in done if one.state == "held"]
    adds = [one.target for one in done if one.state == "additive"]
    if held and not looked:
        say(f"Look what they hold: audiencehub adopt all{flag}")
    if adds:
        say("Lists with adds only: send them whole, or accept them as the ledger has them:")
        say(f"  audiencehub push --resync --target {adds[0]}{flag}", soft_wrap=True)
        say(f'  audiencehub adopt {adds[0]} --accept --reason "…"{flag}', soft_wrap=True)
    if looked and not held:
        say(f"Next: audiencehub plan{flag}", style="dim")


@verb
def maintain(env: Env = "sandbox", quiet: Quiet = False, as_json: AsJson = False) -> None:
    """Back the ledger up, let go what is older than settings keep, sweep, and verify the audit.

    The flow `maintain` does the same every day; limits stand under [retention].

    Example: audiencehub maintain --env prod
    """
    settings = load(env)
    with (
        progress(quiet or as_json) as bars,
        open_hub(settings, kind="maintain", progress=bars) as hub,
    ):
        result, kept = maintain_bare(hub)
    if as_json:
        emit({**asdict(result)})
    else:
        _kept(kept, result.problems)
    if result.exit_code:
        raise typer.Exit(result.exit_code)


def _kept(kept: Kept, problems: Sequence[str]) -> None:
    say(f"Backup: {kept.backup.path} ({kept.backup.size:,} bytes; {kept.backup.kept} kept)",
        soft_wrap=True)  # fmt: skip
    purged = {name: count for name, count in asdict(kept.purged).items() if count}
    for name, count in purged.items():
        say(f"Let go: {count:,} {name.replace('_', ' ')}")
    if not purged:
        say("Nothing is older than settings keep.", style="dim")
    if kept.swept:
        say(f"Swept: {kept.swept:,} landing files that no pull names")
    for text in problems:
        fold(text, style="red")
