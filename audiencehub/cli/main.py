"""`audiencehub`: the root of the command line."""

from __future__ import annotations

import importlib

import typer

from audiencehub.http import redact_every_record

GROUPS = (
    "run",
    "delivery",
    "rules",
    "ask",
    "hash",
    "serve",
    "sandbox",
    "inspect",
    "identity",
    "audit",
    "rebuild",
)
"""Modules of `audiencehub.cli` that bring verbs, in the order of the help."""

app = typer.Typer(
    name="audiencehub",
    help="Segments from your CRM, enrichment and activity; pushed as tags and lists, with proof.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def build() -> typer.Typer:
    """The app with every verb."""
    if not app.registered_commands:
        for name in GROUPS:
            importlib.import_module(f"audiencehub.cli.{name}").register(app)
    return app


def run() -> None:
    """The console script's entry."""
    redact_every_record()
    build()()


if __name__ == "__main__":
    run()
