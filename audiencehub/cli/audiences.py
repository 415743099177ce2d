"""`audiencehub audiences` and `follow`: what became of lists at their platforms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from audiencehub import connector
from audiencehub.cli.common import AsJson, Env, Quiet, console, emit, fold, progress, say, verb
from audiencehub.errors import ConfigError
from audiencehub.ledger import Ledger, Told
from audiencehub.opening import open_hub
from audiencehub.rebuild import refresh
from audiencehub.settings import Settings, load
from audiencehub.steps import follow as following

HISTORY = 30
"""Entries of one list's history that are shown."""
WINDOW = timedelta(days=30)
"""Rejects that are older are not told any more."""
COLOURS = {"ready": "green", "building": "cyan", "too_small": "yellow", "blocked": "red"}
WORDS = {"too_small": "too small"}


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command()(audiences)
    app.command()(follow)


@verb
def audiences(
    target: Annotated[
        str | None, typer.Argument(metavar="TARGET", help="One list: its history")
    ] = None,
    env: Env = "sandbox",
    as_json: AsJson = False,
) -> None:
    """Show every list: who is on it, how large it is there, how many were found, what was refused.

    Figures are asked for by every sync, once a day per list; audiencehub follow asks now.

    Example: audiencehub audiences

    Example: audiencehub audiences google_ads/list/in_market_fintech
    """
    settings = load(env)
    ledger = Ledger.open(settings.folder)
    try:
        rows = _lists(settings, ledger)
        if target is not None and target not in {one["target"] for one in rows}:
            known = ", ".join(one["target"] for one in rows) or "none yet"
            raise ConfigError(f"There is no list {target}.", hint=f"Lists: {known}")
        if target is None:
            emit(rows) if as_json else _show(rows, env)
            return
        history = [_told(one) for one in ledger.figures.history(target, HISTORY)]
        (row,) = (one for one in rows if one["target"] == target)
        emit({**row, "history": history}) if as_json else _show_one(row, history)
    finally:
        ledger.close()


@verb
def follow(env: Env = "sandbox", quiet: Quiet = False, as_json: AsJson = False) -> None:
    """Ask the platforms once what became of what was sent, and how large the lists are.

    Every sync does the same; nothing waits for an answer that is not there yet.

    Example: audiencehub follow
    """
    settings = load(env)
    with (
        progress(quiet or as_json) as bars,
        open_hub(settings, kind="follow", progress=bars) as hub,
    ):
        refresh(hub)
        found = following.follow(hub)
        state = "failed" if found.problems else "completed"
        hub.ledger.runs.finish(hub.run_id, state, hub.now, {"problems": found.problems})
    if as_json:
        emit(asdict(found))
    else:
        lines = [f"{len(found.figures):,} lists counted, {_jobs(found.running)} still worked on."]
        for name, states in sorted(found.ended.items()):
            said = ", ".join(f"{count:,} {state}" for state, count in sorted(states.items()))
            lines.append(f"{name}: jobs ended: {said}{_refused(found.rejected.get(name, {}))}.")
        for name in found.again:
            lines.append(f"{name}: a job failed; the next sync sends the list whole.")
        for line in [*lines, *found.problems]:
            fold(line)
        say(f"See: audiencehub audiences{_flag(env)}", style="dim")
    if found.problems:
        raise typer.Exit(1)


def _lists(settings: Settings, ledger: Ledger) -> list[dict[str, Any]]:
    last_run = ledger.runs.last(1)
    since = last_run[0].started_at - WINDOW if last_run else None
    latest, rows = ledger.figures.latest(), []
    for one in ledger.targets.all():
        if one.kind != "list" or one.destination not in settings.destinations:
            continue
        last = latest.get(one.id)
        kind = settings.destinations[one.destination].connector
        rows.append(
            {
                "target": one.id,
                "label": one.label,
                "counts": _counts(kind),
                "members": len(ledger.delivery.believed(one.id)),
                "told": _told(last) if last else None,
                "running": ledger.jobs.running(one.id),
                "rejected": dict(ledger.jobs.rejected(one.id, since)) if since else {},
            }
        )
    return rows


def _counts(kind: str) -> bool:
    """Whether the platform tells how large a list is."""
    path = connector.spec(kind).destination
    return bool(path and connector.load(path).can.counts)


def _told(one: Told) -> dict[str, Any]:
    return {"at": one.at.isoformat(), "members": one.members, **asdict(one.figures)}


def _show(rows: Sequence[Mapping[str, Any]], env: str) -> None:
    if not rows:
        say("No list was planned yet. Add to a segment: activate: [{to: meta_ads, as: list}]")
        say(f"Then: audiencehub sync{_flag(env)}", style="dim")
        return
    table = Table(title="Lists", title_justify="left")
    table.add_column("list", overflow="fold")
    for head in ("members", "there", "found"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("asked", no_wrap=True)
    for one in rows:
        told = one["told"]
        state = told["state"] if told else "not asked yet" if one["counts"] else "tells nothing"
        colour = COLOURS.get(state, "dim")
        table.add_row(
            one["target"],
            f"{one['members']:,}",
            _range(told["size"] if told else None),
            _share(told["match"] if told else None),
            f"[{colour}]{WORDS.get(state, state)}[/]",
            told["at"][:16].replace("T", " ") if told else "",
        )
    console.print(table)
    for one in rows:
        parts = [f"in the last 30 days{_refused(one['rejected'])}"] * bool(one["rejected"])
        parts += [f"{_jobs(one['running'])} still worked on"] * bool(one["running"])
        if parts:
            fold(f"{one['target']}: {'; '.join(parts)}.")
    say("found: the share that the platform recognized. One list's history: name it.", style="dim")


def _show_one(row: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> None:
    say(f"{row['target']}: {row['members']:,} members, called {row['label']!r}", markup=False)
    if not history:
        say("Its platform told nothing yet: audiencehub follow asks.", style="dim")
        return
    table = Table()
    table.add_column("asked", no_wrap=True)
    for head in ("members", "there", "found"):
        table.add_column(head, justify="right")
    table.add_column("state")
    for one in history:
        table.add_row(
            one["at"][:16].replace("T", " "),
            f"{one['members']:,}",
            _range(one["size"]),
            _share(one["match"]),
            _state(one["state"], one["detail"]),
        )
    console.print(table)
    if row["rejected"]:
        fold(f"In the last 30 days{_refused(row['rejected'])}.")


def _state(state: str, detail: str) -> str:
    """The state, and the platform's own word where it says more."""
    word = WORDS.get(state, state)
    return word if detail.casefold() in ("", state) else f"{word} ({detail})"


def _jobs(count: int) -> str:
    return f"{count:,} job{'s' * (count != 1)}"


def _refused(rejected: Mapping[str, int]) -> str:
    if not rejected:
        return ""
    said = ", ".join(f"{count:,} {why}" for why, count in sorted(rejected.items()))
    return f", refused after they were taken: {said}"


def _range(size: Sequence[int] | None) -> str:
    if size is None:
        return ""
    low, high = size
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"


def _share(match: Sequence[float] | None) -> str:
    if match is None:
        return ""
    low, high = match
    return f"{low:.0%}" if low == high else f"{low:.0%}–{high:.0%}"


def _flag(env: str) -> str:
    return "" if env == "sandbox" else f" --env {env}"
