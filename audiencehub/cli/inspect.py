"""Verbs that look at the installation and at what was set aside: connectors, doctor, report,
quarantine."""

from __future__ import annotations

import importlib.metadata
import sys
from typing import Annotated, Any

import typer
from rich.table import Table

from audiencehub import connector
from audiencehub.cli.common import AsJson, Env, console, emit, say, verb
from audiencehub.errors import ConfigError, HubError
from audiencehub.ledger import Ledger, Quarantined
from audiencehub.opening import check_options, load_rules, open_destination, open_hub, open_source
from audiencehub.settings import Settings, load
from audiencehub.steps import normalize

PINNED = (
    "prefect",
    "fastapi",
    "sqlalchemy",
    "duckdb",
    "apsw",
    "simple-salesforce",
    "hubspot-api-client",
)


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command()(connectors)
    app.command()(doctor)
    app.command()(report)
    quarantine = typer.Typer(
        help="Records set aside: list them, look at one, try again.", no_args_is_help=True
    )
    quarantine.command("list")(quarantine_list)
    quarantine.command("show")(quarantine_show)
    quarantine.command("retry")(quarantine_retry)
    app.add_typer(quarantine, name="quarantine")


@verb
def connectors(as_json: AsJson = False) -> None:
    """What is installed, and what each connector can do.

    Example: audiencehub connectors
    """
    rows: list[dict[str, Any]] = []
    for name in connector.names():
        spec = connector.spec(name)
        can = connector.load(spec.destination).can if spec.destination else None
        rows.append(
            {
                "connector": name,
                "about": spec.about,
                "reads": spec.source is not None,
                "enriches": spec.enricher is not None,
                "writes": sorted(can.kinds) if can else [],
                "places": list(can.places) if can else [],
                "sandbox": spec.sandbox is not None,
                "scopes": list(spec.scopes),
            }
        )
    if as_json:
        emit(rows)
        return
    table = Table(title="Connectors", title_justify="left")
    for head in ("connector", "reads", "writes", "sandbox", "what it is"):
        table.add_column(head)
    for row in rows:
        reads = "yes" if row["reads"] else "enriches" if row["enriches"] else ""
        writes = ", ".join([*(f"{kind}s" for kind in row["writes"])])
        table.add_row(
            row["connector"], reads, writes, "yes" if row["sandbox"] else "", row["about"]
        )
    console.print(table)
    say('Add one: CONTRIBUTING.md, "Add a connector".', style="dim")


@verb
def doctor(env: Env = "sandbox", as_json: AsJson = False) -> None:
    """Versions, settings, rules, and one cheap call to every source and destination.

    Example: audiencehub doctor --env prod
    """
    findings: list[dict[str, Any]] = [_versions()]
    settings = load(env)
    for what, look in (("settings", check_options), ("rules", load_rules)):
        findings.append(_finding(what, look, settings))
    if all(one["ok"] for one in findings):
        with open_hub(settings, kind="doctor") as hub:
            for name in settings.sources:
                findings.append(
                    _finding(f"source {name}", lambda n: open_source(hub, n).check(), name)
                )
            for name in settings.destinations:
                findings.append(
                    _finding(
                        f"destination {name}", lambda n: open_destination(hub, n).check(), name
                    )
                )
            hub.ledger.runs.finish(hub.run_id, "completed", hub.now, {})
    if as_json:
        emit(findings)
    else:
        for one in findings:
            mark = "[green]ok  [/]" if one["ok"] else "[red]no  [/]"
            console.print(f"{mark}{one['what']}: ", end="")
            console.print(one["found"], markup=False, soft_wrap=True)
    if not all(one["ok"] for one in findings):
        raise typer.Exit(1)


def _versions() -> dict[str, Any]:
    found = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PINNED)
    python = ".".join(str(part) for part in sys.version_info[:3])
    return {"what": "versions", "ok": True, "found": f"python {python}, {found}"}


def _finding(what: str, look: Any, argument: Any) -> dict[str, Any]:
    try:
        found = look(argument)
    except HubError as error:
        return {"what": what, "ok": False, "found": str(error)}
    return {"what": what, "ok": True, "found": found if isinstance(found, str) else "in order"}


@verb
def report(env: Env = "sandbox", as_json: AsJson = False) -> None:
    """Where the report of the last run lies.

    Example: audiencehub report
    """
    path = load(env).folder / "reports" / "latest.html"
    if not path.is_file():
        raise ConfigError("There is no report yet.", hint=f"Run: audiencehub sync --env {env}")
    if as_json:
        emit({"report": str(path)})
    else:
        say(f"Open it in a browser: file://{path}", soft_wrap=True)


Source = Annotated[str | None, typer.Option("--source", help="Only this source (or target)")]
Ids = Annotated[list[int] | None, typer.Argument(help="Numbers from quarantine list; none: all")]


def _waiting(settings: Settings, source: str | None = None) -> list[Quarantined]:
    ledger = Ledger.open(settings.folder)
    try:
        return ledger.quarantine.list(source=source)
    finally:
        ledger.close()


@verb
def quarantine_list(source: Source = None, env: Env = "sandbox", as_json: AsJson = False) -> None:
    """Records set aside, by source and reason.

    Example: audiencehub quarantine list --source bombora
    """
    rows = _waiting(load(env), source)
    if as_json:
        emit([_shown(one) for one in rows])
        return
    if not rows:
        say("Nothing is in quarantine.")
        return
    table = Table(title=f"{len(rows):,} in quarantine", title_justify="left")
    for head in ("no.", "source", "stream", "record", "reason"):
        table.add_column(head)
    for one in rows[:50]:
        table.add_row(
            str(one.id), one.source, one.stream, one.record_ref, f"{one.code}: {one.message}"
        )
    console.print(table)
    if len(rows) > 50:
        say(f"… and {len(rows) - 50:,} more; --json prints them all.", style="dim")
    say(
        "Look at one: audiencehub quarantine show NO   Again: audiencehub quarantine retry [NO …]",
        style="dim",
    )


def _shown(one: Quarantined) -> dict[str, Any]:
    return {
        "id": one.id,
        "source": one.source,
        "stream": one.stream,
        "record": one.record_ref,
        "code": one.code,
        "message": one.message,
        "at": one.at.isoformat(),
    }


@verb
def quarantine_show(number: int, env: Env = "sandbox", as_json: AsJson = False) -> None:
    """One record set aside: where it lies, and why it cannot be used.

    Example: audiencehub quarantine show 12
    """
    found = next((one for one in _waiting(load(env)) if one.id == number), None)
    if found is None:
        raise ConfigError(
            f"Number {number} is not in quarantine.", hint="audiencehub quarantine list"
        )
    if as_json:
        emit(_shown(found))
        return
    for key, value in _shown(found).items():
        console.print(f"{key:>8}  ", end="")
        console.print(str(value), markup=False, soft_wrap=True)


@verb
def quarantine_retry(ids: Ids = None, env: Env = "sandbox", as_json: AsJson = False) -> None:
    """Read records again from landing, after the source, the mapping or the cleaner was mended.

    Example: audiencehub quarantine retry 12 13
    """
    settings = load(env)
    rows = [one for one in _waiting(settings) if not ids or one.id in ids]
    deliveries = [one for one in rows if one.stream == "delivery"]
    with open_hub(settings, kind="quarantine") as hub:
        healed, failed = normalize.retry(hub, [one for one in rows if one.stream != "delivery"])
        # A delivery set aside is let go: the next push tries it again.
        hub.ledger.quarantine.resolve([one.id for one in deliveries])
        hub.ledger.runs.finish(hub.run_id, "completed", hub.now, {"healed": len(healed)})
    result = {
        "accepted": len(healed),
        "tried again at the next push": len(deliveries),
        "still set aside": len(failed),
    }
    if as_json:
        emit(result)
    else:
        say(", ".join(f"{count:,} {what}" for what, count in result.items()) + ".")
