"""A rule at an earlier date, one version against another, and what came afterwards: backtest."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from audiencehub.cli.common import AsJson, Env, console, emit, fold, say, verb
from audiencehub.cli.desk import Desk, desk
from audiencehub.cli.preview import Rule
from audiencehub.cli.rulebooks import book_at, book_of
from audiencehub.errors import ConfigError
from audiencehub.insight.movement import Cause, Movement, Mover, movement
from audiencehub.insight.outcomes import Group, Outcomes, outcomes
from audiencehub.insight.rewind import Mode, blind, known_since, rewind
from audiencehub.insight.trial import Connection, Trial
from audiencehub.ledger import Ledger
from audiencehub.rules import RuleBook
from audiencehub.settings import Settings, instant, load

Days = Annotated[int, typer.Option("--days", min=1, max=3650, help="How long to look afterwards")]


def register(app: typer.Typer) -> None:
    """Add `backtest`."""
    app.command()(backtest)


@verb
def backtest(
    rule: Rule,
    as_of: Annotated[
        str,
        typer.Option("--as-of", help="The date, for example 2026-05-16. [default: last run's]"),
    ] = "",
    against: Annotated[
        str, typer.Option("--against", help="A git revision: compare with the rule as it was there")
    ] = "",
    hindsight: Annotated[
        bool, typer.Option("--hindsight", help="What had happened by then, known or not")
    ] = False,
    days: Days = 90,
    people: Annotated[int, typer.Option("--sample", min=0, max=100, help="Movers to show")] = 3,
    env: Env = "sandbox",
    as_json: AsJson = False,
) -> None:
    """Whom a rule would have selected at a date, what a change of it moves, and what came after.

    Takes what the hub knew then; for a date before its first sync, what had happened by then.

    Examples:
      audiencehub backtest in_market_fintech --as-of 2026-05-16
      audiencehub backtest in_market_fintech --against HEAD
      audiencehub backtest in_market_fintech --as-of 2026-05-16 --against HEAD~1
      audiencehub backtest drafts/new_idea.yaml --as-of 2026-05-16 --days 30 --json
    """
    settings = load(env)
    book, name = book_of(settings, rule)
    before = _before(settings, book, name, against) if against else None
    with desk(settings) as here:
        clock = instant(as_of, settings.zone) if as_of else here.evaluated
        # A day ends at midnight; the run of that day knew it up to its own clock.
        if (
            clock.astimezone(settings.zone).date()
            == here.evaluated.astimezone(settings.zone).date()
        ):
            clock = min(clock, here.evaluated)
        if clock > here.evaluated:
            last = here.evaluated.astimezone(settings.zone)
            raise ConfigError(
                f"{as_of} lies after what the copy knows ({last:%Y-%m-%d %H:%M}).",
                hint=f"Use an earlier date, or: audiencehub preview {name}",
            )
        mode, since = _mode(here.connection, clock, hindsight)
        late = _late(settings, clock) if mode == "known" else []
        rewind(here.connection, settings.tables, clock, settings.zone.key, mode, late)
        answer = _Answer(settings, here, clock, mode, since, hindsight)
        answer.try_out(book, name, before, people, days)
    if as_json:
        emit({**answer.json(), "against": against or None})
    else:
        answer.show(against)


def _before(settings: Settings, book: RuleBook, name: str, revision: str) -> RuleBook:
    before = book_at(settings, revision)
    if name not in before.segments:
        raise ConfigError(
            f"{name} did not exist at {revision}.",
            hint="Use a later revision, or leave --against out",
        )
    old, new = before.segments[name].of, book.segments[name].of
    if old != new:
        raise ConfigError(
            f"{name} was of {old}s at {revision} and is of {new}s now.",
            hint="Compare versions of the same kind",
        )
    return before


def _mode(connection: Connection, clock: datetime, hindsight: bool) -> tuple[Mode, datetime | None]:
    """What was known, unless hindsight is asked for or the hub knew nothing yet."""
    since = known_since(connection)
    return ("hindsight" if hindsight or since is None or clock < since else "known"), since


def _late(settings: Settings, clock: datetime) -> list[int]:
    """Pulls of changes after the date: what they brought was not known then, however dated."""
    ledger = Ledger.open(settings.folder)
    try:
        later = ledger.manifests.after(0)
    finally:
        ledger.close()
    return [one.manifest_id for one in later if one.at > clock and not one.full]


class _Answer:
    """Everything that one backtest says."""

    def __init__(
        self,
        settings: Settings,
        here: Desk,
        clock: datetime,
        mode: Mode,
        since: datetime | None,
        asked: bool,
    ) -> None:
        self.settings, self.here, self.clock = settings, here, clock
        self.mode, self.since, self.asked = mode, since, asked
        self.movement: Movement | None = None

    def try_out(
        self, book: RuleBook, name: str, before: RuleBook | None, people: int, days: int
    ) -> None:
        """Evaluate, compare and look afterwards, on the copy that was set back."""
        connection = self.here.connection
        old = None
        if before is not None:
            old = Trial(connection, before, self.clock, apart=name)
            old.aside("old")
        new = Trial(connection, book, self.clock, apart=name)
        self.rule = book.segments[name]
        self.before = before.segments[name] if before is not None else None
        entity = self.rule.of
        found = new.counts(entity, {"total": "true", "size": new.holds(name)})
        self.size, self.total = found["size"], found["total"]
        if old is not None:
            self.movement = movement(old, new, name, people)
        self.blind = blind(connection, book, name, self.clock)
        heads = (
            f"SELECT {entity}_id AS id, {new.holds(name)} AS inside FROM {new.table(entity)} AS m"
        )
        self.outcomes = outcomes(
            connection, entity, heads, self.clock, self.here.evaluated, days, self.settings.zone
        )

    def json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "segment": self.rule.id,
            "label": self.rule.label,
            "of": self.rule.of,
            "version": self.rule.version,
            "as_of": self.clock.isoformat(),
            "mode": self.mode,
            "known_since": self.since.isoformat() if self.since else None,
            "size": self.size,
            "total": self.total,
            "share": self.size / self.total if self.total else 0.0,
            "blind": {table: first.isoformat() for table, first in self.blind.items()},
            "movement": self.movement.json() if self.movement else None,
            "version_before": self.before.version if self.before else None,
            "afterwards": self.outcomes.json(),
        }

    def show(self, against: str) -> None:
        """For a person."""
        local = self.clock.astimezone(self.settings.zone)
        say(f"[bold]{self.rule.label}[/] \\[{self.rule.id}] as of {local:%Y-%m-%d %H:%M}")
        fold(self._basis(), style="dim")
        console.print()
        share = self.size / self.total if self.total else 0.0
        say(f"[bold]{self.size:,}[/] of {self.total:,} {self.rule.of}s ({share:.1%})")
        if not self.total:
            say(f"There was no {self.rule.of} yet.\n  -> use a later date")
            return
        for table, first in self.blind.items():
            fold(
                f"No {table} is dated before {first:%Y-%m-%d}: what the rule asks of it could not "
                "be seen then.",
                style="yellow",
            )
        if self.movement is not None and self.before is not None:
            _movement(self.movement, self.before.version, self.rule.version, against)
        _outcomes(self.outcomes, self.rule.of)

    def _basis(self) -> str:
        if self.mode == "known":
            return "by what the hub knew then"
        if self.asked:
            return "with hindsight: by what had happened then; profiles as they are today"
        first = self.since.astimezone(self.settings.zone) if self.since else None
        when = f"before the hub's first sync ({first:%Y-%m-%d}), so " if first else ""
        return f"{when}with hindsight: by what had happened then; profiles as they are today"


def _movement(found: Movement, before: str, now: str, against: str) -> None:
    console.print()
    if before == now and not (found.enter or found.leave):
        say(f"The rule means the same at {against} (version {now}): nobody moves.")
        return
    what = f"version {before} → {now}" if before != now else "same rule, other traits or segments"
    fold(
        f"Against {against} ({what}): {found.enter:,} enter, {found.leave:,} leave, "
        f"{found.both:,} are in both",
        style="bold",
    )
    _causes("enter", found.entering, found.enter_sample)
    _causes("leave", found.leaving, found.leave_sample)


def _causes(verb_: str, causes: tuple[Cause, ...], people: tuple[Mover, ...]) -> None:
    if not causes and not people:
        return
    say(f"  why they {verb_}:")
    for cause in causes:
        fold(f"    {cause.count:>6,}  {cause} (line {cause.line})")
    for one in people:
        needs = f"   it would take: {'; and '.join(one.why)}" if one.why else ""
        fold(f"    such as {one.id}: {one.who}{needs}", style="dim")


def _outcomes(found: Outcomes, entity: str) -> None:
    console.print()
    if not found.days:
        say("Nothing has happened since: the copy ends on that day.")
        return
    short = f" ({found.asked} were asked for)" if found.days < found.asked else ""
    title = f"The {found.days} days after, {found.first} to {found.last}{short}"
    table = Table(title=title, title_justify="left", box=None)
    for place, head in enumerate(("", "members", "the rest", "members : rest")):
        table.add_column(head, justify="right" if place else "left")
    a, b = found.members, found.rest
    table.add_row(f"{entity}s", f"{a.heads:,}", f"{b.heads:,}", "")
    _pair(table, "orders per 100", 100 * a.per_head(a.orders), 100 * b.per_head(b.orders))
    _pair(table, "with an order, %", 100 * a.per_head(a.buyers), 100 * b.per_head(b.buyers))
    for currency in sorted({*a.revenue, *b.revenue}):
        _money(table, "revenue", currency, a, b)
    table.add_row("deals won", f"{a.deals_won:,}", f"{b.deals_won:,}", "")
    for currency in sorted({*a.won, *b.won}):
        table.add_row(
            f"won, {currency}",
            f"{a.won.get(currency, 0):,.2f}",
            f"{b.won.get(currency, 0):,.2f}",
            "",
        )
    _pair(table, "events per head", a.per_head(a.events), b.per_head(b.events))
    _pair(table, "active, %", 100 * a.per_head(a.active), 100 * b.per_head(b.active))
    console.print(table)
    if entity == "contact":
        say("Deals are those of the people's accounts, each once a side.", style="dim")


def _pair(table: Table, what: str, members: float, rest: float) -> None:
    ratio = f"{members / rest:.1f} ×" if rest and members else ""
    table.add_row(what, f"{members:,.1f}", f"{rest:,.1f}", ratio)


def _money(table: Table, what: str, currency: str, a: Group, b: Group) -> None:
    one, other = a.revenue.get(currency), b.revenue.get(currency)
    table.add_row(f"{what}, {currency}", f"{one or 0:,.2f}", f"{other or 0:,.2f}", "")
    _pair(
        table,
        f"{what} per head, {currency}",
        a.per_head(one) if one else 0.0,
        b.per_head(other) if other else 0.0,
    )
