"""Opens what a run needs: the hub's own handles, and connectors by their settings entry."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from audiencehub import connector
from audiencehub.canonical import origins
from audiencehub.connector import Capabilities, Context, Destination, Enricher, Source
from audiencehub.errors import ConfigError, Fault, Faults
from audiencehub.settings import Settings, instant, secret

# Whoever only pushes does not wait for the rules to load, nor who reads rules for the engine.
if TYPE_CHECKING:
    from audiencehub import rules
    from audiencehub.hub import Hub


@contextmanager
def open_hub(
    settings: Settings,
    *,
    kind: str = "sync",
    as_of: str | None = None,
    run_id: str | None = None,
    dry_run: bool = False,
    progress: Callable[..., None] | None = None,
    args: Mapping[str, Any] | None = None,
) -> Iterator[Hub]:
    """The hub of one run: ledger, warehouse, rules, clock; the fakes where a sandbox is meant.

    Raises Faults for wrong rules or options before anything is opened, Wait when another run has
    the warehouse. `args` is noted with the run: what it was asked to do.
    """
    from audiencehub.hub import Hub
    from audiencehub.ledger import Ledger
    from audiencehub.putback import follow
    from audiencehub.sandbox import process
    from audiencehub.warehouse import Warehouse

    book = load_rules(settings)
    check_options(settings)
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as stack:
        endpoints: Mapping[str, str] = {}
        if settings.sandbox is not None:
            endpoints = stack.enter_context(
                process.ensure_running(settings, sandbox_command(settings))
            )
        now = clock(settings, endpoints, as_of)
        ledger = Ledger.open(settings.folder)
        stack.callback(ledger.close)
        warehouse = Warehouse.open(settings.folder, settings.tables)
        stack.callback(warehouse.close)
        run_id = run_id or uuid.uuid4().hex[:12]
        follow(settings, ledger, warehouse, now, f"run {run_id}")
        ledger.runs.reap(machine_now())
        hub = Hub(
            settings=settings,
            ledger=ledger,
            warehouse=warehouse,
            rules=book,
            run_id=run_id,
            now=now,
            endpoints=endpoints,
            progress=progress or (lambda *_: None),
            dry_run=dry_run,
        )
        stack.enter_context(_noted(hub, kind, {**(args or {}), "dry_run": dry_run}))
        yield hub


@contextmanager
def _noted(hub: Hub, kind: str, args: Mapping[str, Any]) -> Iterator[None]:
    """The run stands in the ledger from its beginning, and as failed when an error ends it."""
    runs, env = hub.ledger.runs, hub.settings.env
    runs.start(hub.run_id, kind, env, hub.now, pid=os.getpid(), boot_id=boot_id(), args=args)
    try:
        yield
    except BaseException as error:
        runs.finish(hub.run_id, "failed", hub.now, {"error": type(error).__name__})
        raise


def load_rules(settings: Settings) -> rules.RuleBook:
    """The rule book of this environment. Raises Faults."""
    from audiencehub import rules
    from audiencehub.rules.language.catalog import Catalog

    return rules.load(
        settings.rules_folder,
        zone=settings.zone,
        currency=settings.company.currency,
        catalog=Catalog(settings.tables),
        root=settings.root,
    )


def check_options(settings: Settings) -> None:
    """Raises Faults naming every wrong option of every entry, at once."""
    faults: list[Fault] = []
    entries = [
        ("sources", name, one.connector, one.options) for name, one in settings.sources.items()
    ]
    entries += [
        ("destinations", name, one.connector, one.options)
        for name, one in settings.destinations.items()
    ]
    for section, name, kind, options in entries:
        try:
            _options(kind, options)
        except ConfigError as error:
            faults.append(_at(settings, section, name, error.message, error.hint))
        except ValidationError as error:
            for one in error.errors():
                where = ".".join(str(part) for part in one["loc"])
                faults.append(_at(settings, section, name, f"option {where}: {one['msg']}", ""))
    if faults:
        raise Faults(faults)


def _at(settings: Settings, section: str, name: str, message: str, hint: str) -> Fault:
    path = settings.root / "deployments" / f"{settings.env}.toml"
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    heads = (f"[{section}.{name}]", f"[{section}.{name}.", f'[{section}."{name}"')
    line = next((n for n, text in enumerate(lines, 1) if text.strip().startswith(heads)), 1)
    return Fault(f"deployments/{settings.env}.toml", line, f"{section}.{name}: {message}", hint)


def _options(name: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options as the connector's own model reads them, defaults filled in."""
    spec = connector.spec(name)
    if spec.options is None:
        return options
    model = connector.load(spec.options)
    secrets = set(spec.secrets)
    plain = {key: value for key, value in options.items() if key not in secrets}
    for key in secrets & set(options):
        if not isinstance(options[key], Mapping):
            raise ConfigError(
                f"{key} is written out.", hint=f'Refer to it: {key} = {{ env = "NAME" }}'
            )
    checked: BaseModel = model(**plain)
    return checked.model_dump()


def _context(hub: Hub, name: str, kind: str, options: Mapping[str, Any]) -> Context:
    return Context(
        name=name,
        options=_options(kind, options),
        secret=secret(hub.settings, name, options),
        now=hub.now,
        base_url=hub.endpoints.get(kind),
        root=hub.settings.root,
        custom=origins(hub.settings.custom, name),
    )


def _part(kind: str, part: str, path: str | None) -> Any:
    if path is None:
        raise ConfigError(
            f"The connector {kind} is no {part}.",
            hint="audiencehub connectors lists what each one can do",
        )
    return connector.load(path)


def open_source(hub: Hub, name: str) -> Source | Enricher:
    """The source (or enricher) of that settings entry; opening it calls nobody."""
    entry = hub.settings.sources[name]
    spec = connector.spec(entry.connector)
    made = _part(entry.connector, "source", spec.source or spec.enricher)
    found: Source | Enricher = made(_context(hub, name, entry.connector, entry.options))
    return found


def open_destination(hub: Hub, name: str) -> Destination:
    """The destination of that settings entry; opening it calls nobody."""
    entry = hub.settings.destinations[name]
    spec = connector.spec(entry.connector)
    made = _part(entry.connector, "destination", spec.destination)
    found: Destination = made(_context(hub, name, entry.connector, entry.options))
    return found


def abilities(settings: Settings, name: str, now: datetime) -> Capabilities | None:
    """What the destination of that settings entry can do, as its options have it; None where its
    connector has none. Calls nobody and asks for no credential. Raises ConfigError."""
    entry = settings.destinations[name]
    path = connector.spec(entry.connector).destination
    if path is None:
        return None
    context = Context(
        name=name,
        options=_options(entry.connector, entry.options),
        secret=secret(settings, name, entry.options),
        now=now,
        root=settings.root,
        custom=origins(settings.custom, name),
    )
    found: Destination = connector.load(path)(context)
    return found.can


def clock(settings: Settings, endpoints: Mapping[str, str], as_of: str | None) -> datetime:
    """The run's instant: the one asked for, else the sandbox's, else the machine's."""
    if as_of is not None:
        if any(one.mode == "live" for one in settings.destinations.values()):
            raise ConfigError(
                "--as-of is for the sandbox and dry runs.",
                hint='Leave it out, or use an environment without mode = "live"',
            )
        return instant(as_of, settings.zone)
    if settings.clock == "sandbox" and endpoints:
        from audiencehub.sandbox import process

        return process.now(endpoints)
    return machine_now()


def machine_now() -> datetime:
    """The machine's time: read here and nowhere else in the core."""
    return datetime.now(UTC)


def boot_id() -> str:
    """Which boot of the machine this is, so that a process id is not mistaken for an older one."""
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text("ascii").strip() if path.exists() else "unknown"


def sandbox_command(settings: Settings) -> list[str]:
    """How the fakes are started beside a run; they end when this process does."""
    return [
        sys.executable,
        "-m",
        "audiencehub.cli.main",
        "sandbox",
        "--env",
        settings.env,
        "--leash",
    ]
