"""Verbs that run schedules: `up`, `deploy`, `schedule`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from audiencehub.cli.common import AsJson, Env, console, emit, say, verb
from audiencehub.errors import ConfigError, Faults
from audiencehub.server.deploy import deploy as deploy_all
from audiencehub.server.deploy import reach
from audiencehub.server.home import project_environment
from audiencehub.server.prefect_yaml import read
from audiencehub.server.schedules import Upcoming, upcoming
from audiencehub.server.up import serve
from audiencehub.settings import load

Port = Annotated[int, typer.Option(help="Port of the pages on 127.0.0.1; 4200 or a free one")]
Prune = Annotated[
    bool, typer.Option("--prune", help="Remove there what prefect.yaml no longer names")
]
Count = Annotated[int, typer.Option("--count", min=1, max=100, help="Runs to show per schedule")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command()(up)
    app.command()(deploy)
    app.command()(schedule)


@verb
def up(env: Env = "sandbox", port: Port = 0) -> None:
    """Server and schedules in one command, on this machine only; Ctrl-C stops both."""
    from audiencehub.cli.launch import starting

    def tell(text: str) -> None:
        say(text, markup=False, soft_wrap=True)

    serve(load(env), tell, lambda: starting(quiet=False), port=port)


@verb
def deploy(env: Env = "sandbox", prune: Prune = False, as_json: AsJson = False) -> None:
    """Deploy prefect.yaml to a server of yours (PREFECT_API_URL), or to that of `up`."""
    settings = load(env)
    place = reach(settings)
    done = deploy_all(settings, place.api, place.login, prune=prune)
    if as_json:
        emit({"deployed": done.names, "removed": done.removed})
        return
    say(f"deployed to {place.api.url}: {', '.join(done.names)}", markup=False)
    for gone in done.removed:
        say(f"removed {gone}", markup=False)


@verb
def schedule(env: Env = "sandbox", count: Count = 5, as_json: AsJson = False) -> None:
    """What runs when, in the company's time zone; needs no server."""
    from audiencehub.opening import machine_now

    settings = load(env)
    document, faults = read(settings.root, project_environment(settings))
    if faults or document is None:
        raise Faults(faults) if faults else ConfigError("prefect.yaml is empty.", hint="Restore it")
    rows = upcoming(document, machine_now(), settings.zone, count)
    if as_json:
        emit([{**_json(row), "times": [at.isoformat() for at in row.times]} for row in rows])
        return
    table = Table(title=f"What runs when ({settings.company.timezone})", title_justify="left")
    for head in ("deployment", "rule", f"next {count}"):
        table.add_column(head, no_wrap=head == "deployment")
    for row in rows:
        waits = f"when {row.waits_for} is emitted"
        times = "\n".join(f"{at:%a %Y-%m-%d %H:%M %Z}" for at in row.times)
        table.add_row(row.deployment, row.rule or "event", times or waits)
    console.print(table)


def _json(row: Upcoming) -> dict[str, object]:
    return {
        "deployment": row.deployment,
        "entrypoint": row.entrypoint,
        "slug": row.slug,
        "rule": row.rule,
        "waits_for": row.waits_for,
    }
