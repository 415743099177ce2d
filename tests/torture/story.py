"""What one process lives through: the days that are left, each planned, approved and pushed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import duckdb

from audiencehub import connector
from audiencehub.canonical import TABLES
from audiencehub.errors import HubError
from audiencehub.hub import Hub
from audiencehub.ledger import Ledger
from audiencehub.settings import Company, Guards, Sandbox, Settings, SourceEntry
from audiencehub.steps.plan import plan
from audiencehub.steps.push import push
from tests.torture import company
from tests.torture.company import DAYS, PEOPLE, Day
from tests.torture.grounds import Ground

START = datetime(2026, 11, 16, 9, tzinfo=UTC)
FIELDS = {
    name: ", ".join(f'"{one.name}" VARCHAR' for one in TABLES[name].fields)
    for name in ("contact", "account")
}
DDL = (
    f"CREATE TABLE contact(contact_id INTEGER, account_id INTEGER, {FIELDS['contact']})",
    f"CREATE TABLE account(account_id INTEGER, {FIELDS['account']})",
    "CREATE TABLE record_map(source VARCHAR, source_id VARCHAR, entity VARCHAR,"
    " record_kind VARCHAR, id INTEGER)",
    "CREATE TABLE member(entity VARCHAR, id INTEGER, segment VARCHAR, since TIMESTAMP,"
    " reason VARCHAR)",
    'CREATE TABLE pull_stat(manifest_id BIGINT, source VARCHAR, stream VARCHAR, "table" VARCHAR,'
    " field VARCHAR, records BIGINT, filled BIGINT, uncleaned BIGINT)",
)
"""The tables that delivery reads. Made by hand: nothing of the product's is asked."""
QUIET_SYNCS = 2
"""Syncs without storm after which a place must hold what it should."""


@dataclass(frozen=True, slots=True)
class Activation:
    """Where a segment goes."""

    to: str
    kind: str
    name: str
    max_removals_share: float | None = None
    max_removals_count: int | None = None
    exclude: tuple[str, ...] = ()
    most: int | None = None
    use: str = "reach"


@dataclass(frozen=True, slots=True)
class Segment:
    """What delivery reads of a segment."""

    label: str
    activate: tuple[Activation, ...]
    of: str = "contact"
    version: str = "1a2b"
    experiment: None = None


@dataclass(slots=True)
class Life:
    """One process of a run: it goes on with the day that the last one had reached."""

    ground: Ground
    seed: int
    folder: Path
    attempt: int
    said: list[str] = field(default_factory=list)
    """The errors that ended a push, by their kind."""
    db: duckdb.DuckDBPyConnection | None = None

    @property
    def marker(self) -> Path:
        """Which day the world has come to; not the hub's own."""
        return self.folder / "day"

    def warehouse(self, day: Day) -> duckdb.DuckDBPyConnection:
        """The segments as they were evaluated that day."""
        self.db = self.db or opened(self.ground)
        evaluated(self.db, day)
        return self.db

    def live(self, sync: Callable[[Life, Day, int], None]) -> None:
        """Every day that is left, in the storm; then the last one again without it."""
        days = company.days(self.seed)
        done = int(self.marker.read_text()) if self.marker.exists() else 0
        for number in range(done, DAYS):
            self.marker.write_text(str(number))
            self._tried(sync, days[number], number)
        self.marker.write_text(str(DAYS))
        self.ground.storm(None)
        for _ in range(QUIET_SYNCS):
            self._tried(sync, days[-1], DAYS)
            if self.ground.look().holding == self.ground.holding(days[-1]):
                break
            self.said.append("again")

    def _tried(self, sync: Callable[[Life, Day, int], None], day: Day, number: int) -> None:
        try:
            sync(self, day, number)
        except HubError as error:
            self.said.append(type(error).__name__)


def small_batches(ground: Ground) -> None:
    """Several calls a day, in this process only."""
    kind = connector.load(connector.spec(ground.spot.connector).destination)
    kind.batch_size = lambda *_: ground.batch


def synced(life: Life, day: Day, number: int) -> None:
    """One run as a scheduler would make it, with a person who approves what is held."""
    ledger = Ledger.open(life.folder)
    db = life.warehouse(day)
    try:
        hub = hub_of(life, day, number, ledger, db)
        ledger.consent.record(decisions(day, hub.now))
        for one in plan(hub).held:
            ledger.plans.approve(one.plan_id, "ann", "as intended", hub.now)
        push(hub, life.ground.target)
    finally:
        ledger.close()


def hub_of(life: Life, day: Day, number: int, ledger: Ledger, db: object) -> Hub:
    """The hub of one run."""
    del day
    name, ground = life.ground.name, life.ground
    made = Settings(
        company=Company(name="Acme"),
        sandbox=Sandbox() if ground.url else None,
        sources={name: SourceEntry(connector=ground.spot.connector)},
        destinations={name: ground.entry()},
        guards=Guards(first_run="go", field_share=1.0, removals_count=3, adds_count=10**6),
    )
    goes = (Activation(name, ground.kind, "Warm"),)
    segments = {"warm": Segment("Warm", goes), "hot": Segment("Hot", goes)}
    if ground.kind == "list":
        del segments["hot"]
    return Hub(
        settings=made,
        ledger=ledger,
        warehouse=SimpleNamespace(connection=db),
        rules=SimpleNamespace(segments=segments),
        run_id=f"run{number}-{life.attempt}-{len(life.said)}",
        now=START + timedelta(days=number, minutes=life.attempt * 10 + len(life.said)),
        endpoints={ground.spot.connector: ground.url or "memory"},
        extra={"pause": lambda _: None},
    )


def opened(ground: Ground) -> duckdb.DuckDBPyConnection:
    """A warehouse with the people, in memory; opened in the process that uses it."""
    db = duckdb.connect(config={"threads": 1})
    db.execute(";".join(DDL))
    # One statement a table: DuckDB takes a row at a time where many are bound one by one.
    db.execute(
        "INSERT INTO record_map SELECT ?, unnest(?::VARCHAR[]), 'contact', 'contact',"
        " unnest(range(?))",
        [ground.name, list(ground.keys), PEOPLE],
    )
    return db


def evaluated(db: duckdb.DuckDBPyConnection, day: Day) -> None:
    """The addresses and the segments of that day, in place of those before."""
    db.execute("DELETE FROM contact; DELETE FROM member")
    db.execute(
        "INSERT INTO contact(contact_id, email) SELECT unnest(range(?)), unnest(?::VARCHAR[])",
        [PEOPLE, list(day.emails)],
    )
    ids = [(n, name) for name, of in (("warm", day.warm), ("hot", day.hot)) for n in sorted(of)]
    db.execute(
        "INSERT INTO member SELECT 'contact', unnest(?::INTEGER[]), unnest(?::VARCHAR[]), ?,"
        " 'pricing visits'",
        [[n for n, _ in ids], [name for _, name in ids], START.replace(tzinfo=None)],
    )


def decisions(day: Day, now: datetime) -> list[tuple[object, ...]]:
    """What everybody has said of being addressed, as a pull brings it."""
    return [
        (n, *need, "denied" if n in day.denied else "granted", "crm",
         now if n in day.denied else START - timedelta(days=1), None)
        for n in range(PEOPLE)
        for need in (("advertising", "ads"), ("marketing", "email"))
    ]  # fmt: skip
