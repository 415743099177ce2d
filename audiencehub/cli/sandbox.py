"""The verb `sandbox`: the fakes, in the foreground."""

from __future__ import annotations

import signal
import threading
from collections.abc import Mapping
from typing import Annotated

import typer
from rich.table import Table

from audiencehub import connector
from audiencehub.cli.common import Env, console, say, verb
from audiencehub.sandbox.environment import CONTROL, SandboxHost
from audiencehub.sandbox.kit import VendorSandbox
from audiencehub.sandbox.process import on_end_of_input
from audiencehub.settings import Settings, load

PortBase = Annotated[
    int,
    typer.Option(
        "--port-base",
        min=0,
        max=65_000,
        help="Control door at this port, the fakes at those after it; 0: free ports",
    ),
]
Leash = Annotated[bool, typer.Option("--leash", hidden=True, help="End when standard input ends")]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(sandbox)


@verb
def sandbox(env: Env = "sandbox", port_base: PortBase = 0, leash: Leash = False) -> None:
    """Run the vendors' fakes on this machine until Ctrl-C; their state is kept.

    POST a list of faults to an address plus /__faults, and they strike in that order; DELETE ends
    them. Each names what it strikes (method, path, body_has; skip, times) and what then happens:

    - hang_up, with delay: no answer, nothing done; with after_apply: done, and no answer
    - status, body, headers: this answer instead; Retry-After in seconds, as a date, or nonsense
    - truncate, cut, set_json, content_type: the true answer, spoilt
    - rows with shuffle, drop, repeat, strange: verdicts in another order, too few, twice, of nobody
    - lie with seed: the true answer, and a share of the records is put back as it was

    A poisoned row is body_has with status 400 and times 1000000000; a key that dies is skip with
    status 401. Salesforce locks rows: /__knobs. Hand edits go through the vendor's own API.
    """
    settings = load(env)
    host = SandboxHost(settings, vendors_of(settings))
    stop = threading.Event()
    if leash:
        on_end_of_input(stop.set)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with host.run(port_base) as urls:
        _show(env, urls, host.time()["now"])
        stop.wait()


def vendors_of(settings: Settings) -> Mapping[str, type[VendorSandbox]]:
    """The fakes of the connectors that the environment's entries use."""
    used = {entry.connector for entry in settings.sources.values()}
    used |= {entry.connector for entry in settings.destinations.values()}
    specs = {name: connector.spec(name) for name in sorted(used)}
    return {name: connector.load(spec.sandbox) for name, spec in specs.items() if spec.sandbox}


def _show(env: str, urls: Mapping[str, str], now: str) -> None:
    table = Table(title=f"The sandbox of {env}, {now}", title_justify="left")
    table.add_column("what")
    table.add_column("address")
    for name, url in urls.items():
        table.add_row(name, url)
    console.print(table)
    vendor = next((name for name in urls if name != CONTROL), CONTROL)
    say("A day passes:", markup=False)
    say(f"  curl -X POST {urls[CONTROL]}/__next_day", markup=False, soft_wrap=True)
    say("The next two requests are throttled:", markup=False)
    throttle = '[{"status": 429, "headers": {"Retry-After": "1"}, "times": 2}]'
    say(f"  curl {urls[vendor]}/__faults -d '{throttle}'", markup=False, soft_wrap=True)
    say("What was written there:", markup=False)
    say(f"  curl {urls[vendor]}/__writes", markup=False, soft_wrap=True)
    say("Ctrl-C ends it; everything is kept.", markup=False)
