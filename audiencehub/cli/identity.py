"""Verbs about who is who: identity merges, suggestions, merge, unmerge, why."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from audiencehub.cli.common import AsJson, Env, console, emit, say, verb
from audiencehub.errors import ConfigError
from audiencehub.identity import suggest, why
from audiencehub.ledger import Ledger, Merge
from audiencehub.opening import machine_now
from audiencehub.settings import Settings, load
from audiencehub.warehouse.duckdb import open_published

Kind = Annotated[str, typer.Option("--of", help="contact or account")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept in the journal")]
By = Annotated[str | None, typer.Option("--by", help="Who says so; else the user of this shell")]
NEXT = "It takes effect with the next sync."


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    group = typer.Typer(
        help="Who was joined and why: look, join, part, and what else may be one person.",
        no_args_is_help=True,
    )
    for function in (merges, suggestions, merge, unmerge):
        group.command()(function)
    group.command("why")(why_verb)
    app.add_typer(group, name="identity")


@contextmanager
def _ledger(settings: Settings) -> Iterator[Ledger]:
    ledger = Ledger.open(settings.folder)
    try:
        yield ledger
    finally:
        ledger.close()


def _person(settings: Settings, entity: str, text: str) -> int:
    """The person that a number, a `source:record` or an e-mail address names."""
    connection, _ = open_published(settings.folder)
    try:
        return why.find(connection, entity, text)
    finally:
        connection.close()


def _who(by: str | None) -> str:
    return by or getpass.getuser()


@verb
def merges(
    entity: Kind = "contact",
    n: Annotated[int, typer.Option("--last", help="How many, newest first")] = 20,
    env: Env = "sandbox",
    as_json: AsJson = False,
) -> None:
    """The journal of merges, newest first: who was joined to whom, by what, and what was undone.

    Example: audiencehub identity merges --last 50
    """
    _entity(entity)
    with _ledger(load(env)) as ledger:
        rows = ledger.merges.all(entity, n)
    if as_json:
        emit([_shown(one) for one in rows])
        return
    if not rows:
        say("Nobody was joined to anybody.")
        return
    table = Table(title="Merges", title_justify="left")
    for head in ("merge", "into", "joined", "by", "at", "undone"):
        table.add_column(head)
    for one in rows:
        kinds = ", ".join(str(found["kind"]) for found in one.evidence) or one.rule
        table.add_row(
            str(one.merge_id), str(one.survivor), str(one.loser), kinds,
            _day(one.at), f"{_day(one.undone_at)} {one.undone_reason or ''}".strip(),
        )  # fmt: skip
    console.print(table)
    say("Take one back: audiencehub identity unmerge MERGE --reason …", style="dim")


@verb
def suggestions(
    entity: Kind = "contact",
    refresh: Annotated[bool, typer.Option("--refresh", help="Look for them anew")] = False,
    accept: Annotated[str | None, typer.Option(help="Two ids, 12-57: join these")] = None,
    reject: Annotated[str | None, typer.Option(help="Two ids: never suggest these again")] = None,
    by: By = None,
    env: Env = "sandbox",
    as_json: AsJson = False,
) -> None:
    """Who else may be one person. Nobody is joined unless you accept it.

    Example: audiencehub identity suggestions --refresh
    """
    settings, now = load(env), machine_now()
    if entity != "contact":
        raise ConfigError("Only contacts are suggested.", hint="Leave --of out")
    with _ledger(settings) as ledger:
        if refresh:
            connection, _ = open_published(settings.folder)
            try:
                suggest.refresh(connection, ledger, now)
            finally:
                connection.close()
        if accept:
            with ledger.transaction():
                ledger.candidates.decide(entity, *_pair(accept), "accepted", _who(by), now)
                ledger.merges.join(entity, *_pair(accept), _who(by), now, "suggestion accepted")
        if reject:
            ledger.candidates.decide(entity, *_pair(reject), "rejected", _who(by), now)
        rows = ledger.candidates.waiting(entity)
    if as_json:
        emit([{"ids": [r.low, r.high], "score": r.score, "agree": r.fields} for r in rows])
        return
    table = Table(title=f"{len(rows):,} suggestions", title_justify="left")
    for head in ("ids", "score", "agree in"):
        table.add_column(head)
    for one in rows[:50]:
        table.add_row(f"{one.low}-{one.high}", f"{one.score:.4f}", ", ".join(one.fields))
    console.print(table)
    say("Join two: audiencehub identity suggestions --accept IDS   Look first: identity why ID",
        style="dim")  # fmt: skip


def _pair(text: str) -> tuple[int, int]:
    one, _, other = text.partition("-")
    if not (one.isdigit() and other.isdigit() and one != other):
        raise ConfigError(f"{text!r} are not two ids.", hint="Write them as listed: 12-57")
    low, high = sorted((int(one), int(other)))
    return low, high


@verb
def merge(
    one: str,
    other: str,
    reason: Reason,
    entity: Kind = "contact",
    by: By = None,
    env: Env = "sandbox",
    as_json: AsJson = False,
) -> None:
    """Say that two persons are one. The one that was known first keeps its id.

    Example: audiencehub identity merge hubspot:101 salesforce:0035x --reason "same person, asked"
    """
    _entity(entity)
    settings, now = load(env), machine_now()
    low, high = (_person(settings, entity, text) for text in (one, other))
    with _ledger(settings) as ledger, ledger.transaction():
        merge_id = ledger.merges.join(entity, low, high, _who(by), now, reason)
        detail = {"merge": merge_id, "ids": sorted((low, high)), "reason": reason}
        ledger.audit.record(now, _who(by), "merge", entity, detail)
    if as_json:
        emit({"merge": merge_id, "ids": sorted((low, high))})
    else:
        say(f"Merge {merge_id} is noted. {NEXT}")


@verb
def unmerge(
    merge_id: int,
    reason: Reason,
    by: By = None,
    env: Env = "sandbox",
    as_json: AsJson = False,
) -> None:
    """Take a merge back. What a rule had joined stays apart until somebody joins it.

    Example: audiencehub identity unmerge 12 --reason "father and son"
    """
    now = machine_now()
    with _ledger(load(env)) as ledger, ledger.transaction():
        undone = ledger.merges.undo(merge_id, _who(by), now, reason)
        detail = {"merge": merge_id, "ids": [undone.survivor, undone.loser], "reason": reason}
        ledger.audit.record(now, _who(by), "unmerge", undone.entity, detail)
    if as_json:
        emit({"merge": merge_id, "ids": [undone.survivor, undone.loser], "rule": undone.rule})
    else:
        say(f"Merge {merge_id} is undone. {NEXT}")


@verb
def why_verb(
    person: str, entity: Kind = "contact", env: Env = "sandbox", as_json: AsJson = False
) -> None:
    """A person's records, the keys that join them, what was undone, and keys that joined nobody.

    PERSON is an id, source:record, or an e-mail address.
    Example: audiencehub identity why ann.lee@northwind.example
    """
    _entity(entity)
    settings = load(env)
    number = _person(settings, entity, person)
    connection, at = open_published(settings.folder)
    with _ledger(settings) as ledger:
        found = why.why(connection, ledger, entity, number)
    connection.close()
    if as_json:
        emit({**found, "as_of": at})
        return
    say(f"{entity} {found['id']}, as of {at:%Y-%m-%d %H:%M} UTC")
    for record in found["records"]:
        keys = ", ".join(record["keys"]) or "no key that counts"
        gone = " (gone at its source)" if record["deleted"] else ""
        say(f"  {record['own']:>8}  {record['source']}:{record['source_id']}{gone}  {keys}",
            markup=False)  # fmt: skip
    for title, rows in (("Merges", found["merges"]), ("Apart", found["apart"]),
                        ("Keys that joined nobody", found["conflicts"])):  # fmt: skip
        if rows:
            say(title)
        for row in rows:
            say("  " + "; ".join(f"{k} {v}" for k, v in row.items() if v), markup=False,
                soft_wrap=True)  # fmt: skip


def _entity(entity: str) -> None:
    if entity not in ("contact", "account"):
        raise ConfigError(f"{entity!r} is no kind of record.", hint="Use --of contact or account")


def _day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else ""


def _shown(one: Merge) -> dict[str, Any]:
    return {
        "merge": one.merge_id,
        "survivor": one.survivor,
        "loser": one.loser,
        "rule": one.rule,
        "evidence": list(one.evidence),
        "reason": one.reason,
        "by": one.actor,
        "at": one.at.isoformat(),
        "undone_at": one.undone_at.isoformat() if one.undone_at else None,
        "undone_by": one.undone_by,
        "undone_reason": one.undone_reason,
    }
