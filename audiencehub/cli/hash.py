"""`audiencehub hash`: one identifier as a platform wants it, or all platforms, for support."""

from __future__ import annotations

import json
from collections.abc import Mapping
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
would not get the value; of `all`, those that take the field, when none
would.

\b
Examples:
  audiencehub hash --platform meta --field email Mary@example.com
  audiencehub hash --platform google --field phone --country US 6505551212
  audiencehub hash --platform snap --field email --json Mary@example.com
  audiencehub hash --platform all --field email Mary@example.com
"""
ALL = "all"
_DEFAULT_ENV = "sandbox"


def register(app: typer.Typer) -> None:
    """Add the verb `hash` to the application."""
    app.command("hash", help=HELP)(hash_value)


def hash_value(
    value: Annotated[str, typer.Argument(metavar="VALUE", help="As the person or CRM wrote it.")],
    *,
    platform: Annotated[
        str, typer.Option("--platform", metavar="P", help=f"One of {', '.join(PLATFORMS)}; or all.")
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
    _one_of("--platform", platform, (*PLATFORMS, ALL))
    _one_of("--field", field, FIELDS)
    if country is not None and (len(country) != 2 or country_code(country) is None):
        raise typer.BadParameter("is no ISO 3166-1 code; write US, DE, GB", param_hint="--country")
    asked = [one for one in PLATFORMS if field in PLATFORMS[one]] if platform == ALL else [platform]
    found = {one: _identified(one, field, value, country, env) for one in asked}
    if as_json:
        documents = {one: _document(each) for one, each in found.items()}
        told = documents if platform == ALL else documents[platform]
        typer.echo(json.dumps(told, ensure_ascii=False))
    elif platform == ALL:
        _table(field, found)
    else:
        _show(platform, field, found[platform])
    if all(isinstance(one, Refused) for one in found.values()):
        raise typer.Exit(1)


def _identified(
    platform: str, field: str, value: str, country: str | None, env: str | None
) -> Identifier | Refused:
    rule = PLATFORMS[platform].get(field)
    unverified = rule is not None and rule.unverified and _allowed(platform, env)
    return identify(platform, field, value, country=country, unverified=unverified)


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


def _sent(platform: str, field: str, found: Identifier) -> dict[str, str]:
    """What goes out, by column where the platform has several for the field."""
    return meta.columns(field, found.sent) if platform == "meta" else {"": found.sent}


def _table(field: str, found: Mapping[str, Identifier | Refused]) -> None:
    """A line for each value that a platform gets: what is sent first, so that it can be copied."""
    console = Console(width=100, highlight=False, markup=False, soft_wrap=True)
    console.print(f"{'platform':<18}{'sent':<66}normalized")
    for platform, one in found.items():
        if isinstance(one, Refused):
            console.print(f"{platform:<18}refused: {one.reason}")
            continue
        for column, text in _sent(platform, field, one).items():
            plain = one.normalized if one.hashed else "as it stands"
            console.print(f"{f'{platform} {column}':<18}{text:<66}{plain}")


def _show(platform: str, field: str, found: Identifier | Refused) -> None:
    """Plain lines at most 100 wide, so that a hash can be copied whole."""
    console = Console(width=100, highlight=False, markup=False, soft_wrap=True)
    if isinstance(found, Refused):
        typer.echo(f"refused: {found.reason}")
        return
    lines = [("platform", platform), ("field", field), ("normalized", found.normalized)]
    sent = _sent(platform, field, found)
    lines += [(f"sent as {name}" if name else "sent", text) for name, text in sent.items()]
    lines += [("hashed", "yes, SHA-256" if found.hashed else "no, sent as it stands")]
    for name, text in lines:
        console.print(f"{name:<16}{text}")
