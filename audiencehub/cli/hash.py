"""`audiencehub hash`: one identifier as an ad platform wants it, for support."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console

from audiencehub import settings
from audiencehub.errors import ConfigError
from audiencehub.privacy import FIELDS, PLATFORMS, Identifier, Refused, identify
from audiencehub.privacy.identifiers import UNVERIFIED
from audiencehub.privacy.normal import country_code
from audiencehub.privacy.platforms import meta

HELP = """Show the normalized value and the hash that a platform would get.

Nothing is sent or stored. Exits 1, with the reason, when the platform
would not get the value.

\b
Examples:
  audiencehub hash --platform meta --field email Mary@example.com
  audiencehub hash --platform google --field phone --country US 6505551212
  audiencehub hash --platform snap --field email --json Mary@example.com
"""
_DEFAULT_ENV = "sandbox"


def register(app: typer.Typer) -> None:
    """Add the verb `hash` to the application."""
    app.command("hash", help=HELP)(hash_value)


def hash_value(
    value: Annotated[str, typer.Argument(metavar="VALUE", help="As the person or CRM wrote it.")],
    *,
    platform: Annotated[
        str, typer.Option("--platform", metavar="P", help=f"One of {', '.join(PLATFORMS)}.")
    ],
    field: Annotated[
        str, typer.Option("--field", metavar="F", help=f"One of {', '.join(FIELDS)}.")
    ],
    country: Annotated[
        str | None,
        typer.Option("--country", metavar="CC", help="The person's country: a two-letter code."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    env: Annotated[
        str | None,
        typer.Option("--env", help="Whose settings allow unverified rules; default sandbox."),
    ] = None,
) -> None:
    """Print the identifier, or why it is refused (exit 1). Wrong arguments exit 2."""
    _one_of("--platform", platform, tuple(PLATFORMS))
    _one_of("--field", field, FIELDS)
    if country is not None and (len(country) != 2 or country_code(country) is None):
        raise typer.BadParameter("is no ISO 3166-1 code; write US, DE, GB", param_hint="--country")
    rule = PLATFORMS[platform].get(field)
    unverified = rule is not None and rule.unverified and _allowed(platform, env)
    found = identify(platform, field, value, country=country, unverified=unverified)
    if as_json:
        typer.echo(json.dumps(_document(found), ensure_ascii=False))
    elif isinstance(found, Refused):
        typer.echo(f"refused: {found.reason}")
    else:
        _show(platform, field, found)
    if isinstance(found, Refused):
        raise typer.Exit(1)


def _one_of(option: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise typer.BadParameter(f"must be one of {', '.join(known)}", param_hint=option)


def _allowed(platform: str, env: str | None) -> bool:
    """Whether a destination of the platform asks for unverified rules in its options."""
    try:
        entries = settings.load(env or _DEFAULT_ENV).destinations.values()
    except ConfigError as error:
        if env is None:  # hash works outside a project too, with what is verified
            return False
        raise typer.BadParameter(error.message, param_hint="--env") from None
    return any(
        entry.options.get(UNVERIFIED) is True
        for entry in entries
        if entry.connector.partition("_")[0] == platform
    )


def _document(found: Identifier | Refused) -> dict[str, str | bool]:
    if isinstance(found, Refused):
        return {"refused": found.reason}
    return {"normalized": found.normalized, "sent": found.sent, "hashed": found.hashed}


def _show(platform: str, field: str, found: Identifier) -> None:
    """Plain lines at most 100 wide, so that a hash can be copied whole."""
    console = Console(width=100, highlight=False, markup=False, soft_wrap=True)
    sent = meta.columns(field, found.sent) if platform == "meta" else {"sent": found.sent}
    lines = [("platform", platform), ("field", field), ("normalized", found.normalized)]
    lines += [(f"sent as {name}" if name != "sent" else name, text) for name, text in sent.items()]
    lines += [("hashed", "yes, SHA-256" if found.hashed else "no, sent as it stands")]
    for name, text in lines:
        console.print(f"{name:<16}{text}")
