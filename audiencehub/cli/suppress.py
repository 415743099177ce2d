"""The verb `suppress`: identifiers that may reach no destination, whatever rules say."""

from __future__ import annotations

import getpass
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from audiencehub.cli.common import AsJson, Env, emit, say, verb
from audiencehub.errors import ConfigError, Fault, Faults
from audiencehub.ledger import Ledger
from audiencehub.opening import machine_now
from audiencehub.privacy.forgotten import spelled
from audiencehub.settings import load

File = Annotated[
    Path | None,
    typer.Argument(metavar="FILE", help="An e-mail address or +phone number a line", exists=True),
]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(suppress)


@verb
def suppress(
    file: File = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the audit")] = "",
    lift: Annotated[bool, typer.Option("--lift", help="Take these off the list again")] = False,
    by: Annotated[str, typer.Option("--by", help="Who asks; else the system user")] = "",
    env: Env = "sandbox",
    as_json: AsJson = False,
) -> None:
    """People who may be sent nowhere, by e-mail or phone: with a file it is added to the list,
    without one the list is counted. Only keyed digests are kept; who appears later is met as well.

    The next plan takes them out of every destination first.

    Examples:
      audiencehub suppress
      audiencehub suppress do-not-contact.csv --reason "asked by letter" --by ann
    """
    settings = load(env)
    if file is not None and not reason.strip():
        raise ConfigError("A suppression needs a reason.", hint='Add --reason "why"')
    ledger = Ledger.open(settings.folder)
    try:
        told = _count(ledger) if file is None else _change(ledger, file, reason, by, lift)
    finally:
        ledger.close()
    if as_json:
        emit(told)
        return
    if file is not None:
        verbs = "taken off the list" if lift else "new on the list"
        say(f"{told['read']:,} read, {told['changed']:,} {verbs}.")
        say(f"The next plan acts on it: audiencehub plan --env {env}", style="dim")
    listed = ", ".join(f"{n:,} by {kind}" for kind, n in told["listed"].items()) or "nobody"
    say(f"On the list: {listed}.")
    for why, count in told["suppressed"].items():
        say(f"  {count:,} records suppressed: {why}", markup=False)


def _count(ledger: Ledger) -> dict[str, Any]:
    kinds = Counter(one.kind for one in ledger.consent.marks().values())
    return {"listed": dict(sorted(kinds.items())), "suppressed": ledger.consent.suppressed_for()}


def _change(ledger: Ledger, file: Path, reason: str, by: str, lift: bool) -> dict[str, Any]:
    who, now, kinds = by or getpass.getuser(), machine_now(), _read(file)
    marks = {ledger.sealing.mark(text): kind for text, kind in kinds.items()}
    if lift:
        changed, _ = ledger.consent.unmark(marks)
    else:
        changed = ledger.consent.mark(marks, reason, who, now)
    detail = {"reason": reason, "read": len(marks), "changed": changed}
    with ledger.transaction():
        ledger.audit.record(now, who, "unsuppress" if lift else "suppress", "list", detail)
    return {"read": len(marks), "changed": changed, **_count(ledger)}


def _read(file: Path) -> dict[str, str]:
    """Each identifier in the one spelling that is digested, and its kind. Raises Faults naming
    every line that is none, without quoting it."""
    faults, found = [], dict[str, str]()
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except (UnicodeDecodeError, OSError) as error:
        hint = "Save it as UTF-8 text"
        raise ConfigError(f"{file} cannot be read ({type(error).__name__}).", hint=hint) from None
    for number, line in enumerate(lines, 1):
        value = line.strip().strip('"')
        if not value or value.startswith("#"):
            continue
        kind = "email" if "@" in value else "phone"
        text = spelled(kind, value) if kind == "email" or value.startswith("+") else None
        if text is None or "," in value or (" " in value and kind == "email"):
            said = "is neither an e-mail address nor a phone number like +14155550100"
            faults.append(Fault(file.name, number, said, "One identifier a line"))
        else:
            found[text] = kind
    if faults:
        raise Faults(faults)
    return found
