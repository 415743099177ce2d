"""`audiencehub`: the root of the command line."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping

import typer

from audiencehub.cli import door, unforeseen
from audiencehub.http import redact_every_record

VERBS: Mapping[str, tuple[str, ...]] = {
    "run": ("demo", "sync", "pull", "segment"),
    "delivery": ("plan", "approve", "apply", "push", "drift"),
    "rules": ("check", "test"),
    "preview": ("preview",),
    "ask": ("explain",),
    "backtest": ("backtest",),
    "hash": ("hash",),
    "serve": ("up", "deploy", "schedule"),
    "sandbox": ("sandbox",),
    "inspect": ("connectors", "doctor", "report", "quarantine"),
    "identity": ("identity",),
    "forget": ("forget",),
    "suppress": ("suppress",),
    "audit": ("audit",),
    "audiences": ("audiences", "follow"),
    "alerts": ("alerts",),
    "custody": ("adopt", "maintain"),
    "rebuild": ("rebuild",),
}
"""Modules of `audiencehub.cli` with the verbs each brings, in the order of the help."""

app = typer.Typer(
    name="audiencehub",
    help="Segments from your CRM, enrichment and activity; pushed as tags and lists, with proof.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback()
def _root() -> None:
    """Keeps a verb's name on the command line also where it is the only one loaded."""


def build(asked: str = "") -> typer.Typer:
    """The app with every verb; with those of one module when a verb of it is asked for, so that
    a lint does not wait for what a sync needs."""
    found = [name for name, verbs in VERBS.items() if asked in verbs]
    for name in found or VERBS:
        if name not in _built:
            _built.add(name)
            importlib.import_module(f"audiencehub.cli.{name}").register(app)
    return app


_built: set[str] = set()


def run() -> None:
    """The console script's entry."""
    redact_every_record()
    verb = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    with unforeseen.told_plainly(), door.entered(verb, sys.argv[1:]):
        build(verb)()


if __name__ == "__main__":
    run()
