"""The story that `make demo` tells: two days of the demo company, on real parts."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from typing import Any

from audiencehub.cli import ask, evidence, launch, planned, show
from audiencehub.cli.common import console, progress, say
from audiencehub.errors import HubError
from audiencehub.ledger import Ledger
from audiencehub.opening import clock, load_rules, sandbox_command
from audiencehub.pipeline import SyncResult
from audiencehub.sandbox import process
from audiencehub.settings import Settings


def tell(settings: Settings, quiet: bool) -> None:
    """Two syncs with a day between them, one approval, one person explained."""
    if settings.sandbox is None:
        raise HubError(
            f"The environment {settings.env} has no sandbox.",
            hint="Run: audiencehub demo --env sandbox",
        )
    book = load_rules(settings)
    _fresh(settings)
    with process.ensure_running(settings, sandbox_command(settings)) as urls:
        with launch.prefect_server(settings, quiet):
            _title(f"1. {settings.company.name}, first morning: pull everything, evaluate, plan")
            first = _flow(settings, "sync", {}, quiet)
            show.sources(first.summary)
            show.segments(first.summary, book)
            planned.plans(first.summary["plans"], "Plan of the first run")
            say(
                "The first run of a target is held. You would look, and approve; so does the demo.",
                soft_wrap=True,
            )
            _approve(settings, urls, first)

            _title("2. Approved: exactly that plan is sent")
            applied = _flow(settings, "apply_plan", {"plan": ",".join(first.held)}, quiet)
            planned.pushed(applied.summary["pushed"], first.summary["plans"])
            _stop_on(applied)

            _title("3. A day passes: about 3 % of the company changes; sync again")
            before = {name: len(process.writes(urls, name)) for name in evidence.CRMS}
            old = evidence.standing(settings, book)
            process.next_day(urls)
            second = _flow(settings, "sync", {}, quiet)
            show.segments(second.summary, book)
            planned.plans(second.summary["plans"], "Plan of the second day: only differences")
            if second.held:
                _approve(settings, urls, second)
                second_push = _flow(settings, "apply_plan", {"plan": ",".join(second.held)}, quiet)
                second.summary["pushed"] += second_push.summary["pushed"]
            planned.pushed(second.summary["pushed"], second.summary["plans"])
            _stop_on(second)
            evidence.tell(old, evidence.standing(settings, book), urls, before)

        _title("4. One person explained")
        person = ask.someone_interesting(settings)
        ask.explain_person(settings, person)
    _farewell(settings, second, person)


def _fresh(settings: Settings) -> None:
    """The demo begins anew: its environment is emptied, a sandbox that runs is set back."""
    running = process.find(settings.folder / "sandbox")
    if running is not None:
        process.reset(running)
    for path in settings.folder.glob("*"):
        if path.name == "sandbox" and running is not None:
            continue
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()


def _flow(settings: Settings, name: str, parameters: Mapping[str, Any], quiet: bool) -> SyncResult:
    with progress(quiet) as bars:
        return launch.run_flow(settings, name, parameters, quiet=quiet, progress=bars)


def _approve(settings: Settings, urls: Mapping[str, str], run: SyncResult) -> None:
    ledger = Ledger.open(settings.folder)
    try:
        for plan_id in run.held:
            ledger.plans.approve(
                plan_id, "demo", "the demo approves what it has shown", clock(settings, urls, None)
            )
            say(
                f'  audiencehub approve {plan_id} --reason "the demo approves what it has shown"',
                style="green",
                soft_wrap=True,
            )
    finally:
        ledger.close()


def _stop_on(run: SyncResult) -> None:
    if run.problems:
        raise HubError("\n".join(run.problems), hint="Run audiencehub doctor, then the demo again")


def _title(text: str) -> None:
    console.print()
    console.rule(f"[bold]{text}[/]", align="left")


def _farewell(settings: Settings, run: SyncResult, person: str) -> None:
    _title("Where to look next")
    lines: list[tuple[str, Callable[[], str] | str]] = [
        ("the report of the second day", f"file://{run.report}"),
        ("why another person is tagged", f"audiencehub explain {person}"),
        ("the rules, and your first one", 'segment_rules/   README, "Your first rule"'),
        ("sync once more: nothing to send", "audiencehub sync"),
        ("the fakes, to poke at", "audiencehub sandbox"),
        ("server, schedules and run pages", "audiencehub up"),
    ]
    for what, where in lines:
        say(f"  {what:<34} {where}", soft_wrap=True)
    say(
        f"The demo lives in {settings.folder} and begins anew each time.",
        style="dim",
        soft_wrap=True,
    )
