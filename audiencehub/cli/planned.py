"""Plans and their outcome for a person: what moves and by which clause, guards, calls, verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from audiencehub.cli.common import console, fold, say

SEGMENTS = 6
"""Segments told per plan, unless one target alone is asked for."""
MEMBERS = 8
LEFT_OUT = {
    "no_record": "without a record there",
    "no_consent": "no consent",
    "consent_denied": "denied",
    "no_identifier": "no identifier it takes",
    "holdout": "held out",
    "higher_list": "on a higher list",
    "excluded_segment": "in an excluded segment",
    "over_the_cap": "over the cap",
    "left": "not in the segment any more",
}
"""Why members are left out, for people."""
COLOURS = {"ok": "green", "hold": "yellow", "defer": "yellow"}


def plans(rows: Sequence[Mapping[str, Any]], title: str = "Plan") -> None:
    """What each target would get, and what its guards say: a line per plan."""
    if not rows:
        say("Nothing to plan: no rule is activated at a configured destination.")
        return
    table = Table(title=title, title_justify="left")
    table.add_column("plan", no_wrap=True)
    table.add_column("target", overflow="fold")
    for head in ("enter", "leave", "rows", "calls ≤"):
        table.add_column(head, justify="right")
    table.add_column("verdict")
    for one in rows:
        if not one["plan_id"]:
            if _alone(one, rows):
                calls = f"{one['calls']:,}" if one["calls"] else ""
                table.add_row("", one["target"], "", "", "", calls, "[dim]nothing to do[/]")
            continue
        table.add_row(
            one["plan_id"],
            _target(one),
            f"{one['adds']:,}",
            f"{one['removes']:,}",
            f"{one['writes']:,}",
            f"{one['calls']:,}",
            _verdict(one),
        )
    console.print(table)
    for one in rows:
        if one["excluded"]:
            fold(f"{one['target']} leaves out {left_out(one['excluded'])}.")
    for one in rows:
        for line in one["advice"]:
            fold(f"{one['target']}: {line}.", style="yellow")
    for line in _quotas(rows):
        fold(line)


def details(one: Mapping[str, Any], *, everything: bool) -> None:
    """One plan: per segment who enters and leaves and by which clause, then its guards."""
    if not one["plan_id"]:
        return
    rows = f"{one['writes']:,} row{'s' * (one['writes'] != 1)}"
    if one["replaced"]:
        rows += f", {one['replaced']:,} people replaced for other identifiers (two rows each)"
    table = Table(
        title=f"{one['plan_id']} {_target(one)}: {rows}, at most {one['calls']:,} API calls",
        title_justify="left",
    )
    table.add_column("segment", overflow="fold", max_width=26)
    for head in ("enter", "leave"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("because", overflow="fold")
    moved = sorted(one["movement"], key=lambda m: -(m["enters"] + m["leaves"]))
    for movement in moved if everything else moved[:SEGMENTS]:
        table.add_row(
            movement["segment"],
            f"[green]{_signed(movement['enters'], '+')}[/]",
            f"[red]{_signed(movement['leaves'], '−')}[/]",
            "\n".join(_because(movement, everything)),
        )
    if moved:
        console.print(table)
    else:
        say(f"{one['plan_id']} {_target(one)}: {rows}; nobody enters or leaves a segment.")
    if len(moved) > SEGMENTS and not everything:
        more = len(moved) - SEGMENTS
        say(f"… and {more:,} more segments: --target {one['target']}, or --json", style="dim")
    _guards(one, everything)


def members(target: str, changes: Sequence[Mapping[str, Any]], *, everyone: bool) -> None:
    """The rows themselves."""
    table = Table(title=f"{target}: {len(changes):,} changes", title_justify="left")
    for head in ("member", "op", "enters", "leaves", "why"):
        table.add_column(head, overflow="fold")
    for one in changes if everyone else changes[:MEMBERS]:
        table.add_row(
            one["member"],
            one["op"],
            "[green]" + ", ".join(one["enters"]) + "[/]",
            "[red]" + ", ".join(one["leaves"]) + "[/]",
            escape(one["why"]),
        )
    console.print(table)


def pushed(rows: Sequence[Mapping[str, Any]], planned: Sequence[Mapping[str, Any]] = ()) -> None:
    """What each plan was to send and what was confirmed; calls and edits by hand are the
    target's."""
    if not rows:
        return
    table = Table(title="Pushed", title_justify="left")
    table.add_column("target", overflow="fold")
    for head in ("planned", "confirmed", "rejected", "unsettled", "calls"):
        table.add_column(head, justify="right")
    wanted = {one["plan_id"]: one for one in planned}
    for one in rows:
        calls = f"{one['api_calls']:,}"
        sent = one["plans"] or {"": {}}
        for place, (plan_id, verdicts) in enumerate(sent.items()):
            kind = wanted.get(plan_id, {}).get("kind", "change")
            name = _target({"target": one["target"], "kind": kind})
            table.add_row(name, *_verdicts(verdicts), "" if place else calls)
    console.print(table)
    for one in rows:
        if one["drifted"]:
            fold(
                f"{one['target']}: {one['drifted']:,} edited by hand; audiencehub drift shows them."
            )
    if any(one["unknown"] for one in rows):
        say("Unsettled rows have no answer yet: the next run settles them first.", style="yellow")


def left_out(excluded: Mapping[str, int]) -> str:
    """`28 no consent, 3 denied, 2 email: not an e-mail address`."""
    return ", ".join(f"{n:,} {LEFT_OUT.get(why, why)}" for why, n in excluded.items())


def _verdicts(verdicts: Mapping[str, int]) -> list[str]:
    found = Counter(verdicts)
    doubted = found["unknown"] + found["sent"]
    refused = found["rejected"] + found["quarantined"]
    return [f"{n:,}" for n in (found.total(), found["confirmed"], refused, doubted)]


def _because(movement: Mapping[str, Any], everything: bool) -> Iterator[str]:
    if movement["rule"]:
        yield f"[bold]the rule changed: {escape(movement['rule'])}[/]"
    most = 3 if everything else 1
    for sign, key in (("+", "entered_by"), ("−", "left_by")):
        for text, count in movement[key][:most]:
            shown = text if everything or len(text) <= 120 else text[:119] + "…"
            yield f"{sign}{count:,} {escape(shown)}"
    if everything:
        for sign, key in (("+", "sample_in"), ("−", "sample_out")):
            if movement[key]:
                yield f"[dim]{sign} such as {', '.join(movement[key])}[/]"


def _guards(one: Mapping[str, Any], everything: bool) -> None:
    found = one["guards"]
    if not everything:
        counts = Counter(str(guard["name"]) for guard in found if guard["verdict"] == "ok")
        said = [f"{name} ×{n}" if n > 1 else name for name, n in counts.items()]
        fold(f"  guards passed: {', '.join(said) or 'none'}", style="dim")
    for guard in found:
        if everything or guard["verdict"] != "ok":
            where = f"{guard['segment']}: " if guard["segment"] else ""
            style = COLOURS[guard["verdict"]]
            fold(f"  {guard['verdict']:<5} {guard['name']}: {where}{guard['message']}", style)


def _quotas(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """One line for each destination: what its API allows, as of when."""
    told: dict[str, Mapping[str, Any]] = {}
    for one in rows:
        if one["quota"]:
            told.setdefault(one["target"].partition("/")[0], one["quota"])
    for name, quota in told.items():
        if quota["unit"] == "percent":
            left = f"{quota['remaining']} % of {quota['name']} left"
        else:
            left = f"{quota['remaining']:,} of {quota['limit']:,} {quota['name']} left"
        age = f", read {quota['age_hours']:,.0f} h ago" if quota["age_hours"] >= 1 else ""
        resets = f" ({quota['resets']}{age})" if quota["resets"] else age
        yield f"{name}: {left}{resets}."


def _verdict(one: Mapping[str, Any]) -> str:
    if one["verdict"] == "hold":
        return f"[yellow]held[/]: {escape(_why(one['guards']))}"
    said = "[green]approved[/]" if one["verdict"] == "approved" else "[green]go[/]"
    deferred = [guard for guard in one["guards"] if guard["verdict"] == "defer"]
    return said + ("; [yellow]removals wait[/]" if deferred else "")


def _target(one: Mapping[str, Any]) -> str:
    return (
        f"{one['target']} [dim](withdrawn consent)[/]"
        if one["kind"] == "consent"
        else str(one["target"])
    )


def _why(guards: Sequence[Mapping[str, Any]]) -> str:
    """The guards that hold, the plainest first; the first run says enough."""
    held = [guard for guard in guards if guard["verdict"] == "hold"]
    first = [guard["message"] for guard in held if guard["name"] == "first_run"]
    if first:
        more = len(held) - 1
        return str(first[0]) + (f" (and {more} more guard{'s' * (more > 1)})" if more else "")
    named = [f"{guard['segment']}: " * bool(guard["segment"]) + guard["message"] for guard in held]
    return "; ".join(named)


def _alone(one: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> bool:
    """No other plan of this target has work."""
    return not any(other["plan_id"] for other in rows if other["target"] == one["target"])


def _signed(number: int, sign: str) -> str:
    return f"{sign}{number:,}" if number else ""
