"""A hub of very many people, with one list at one destination, and its vendor's fake watched."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from audiencehub import connector
from audiencehub.delivery.reach import reach
from audiencehub.hub import Hub
from audiencehub.ledger import Ledger
from audiencehub.rules.book import Activation
from audiencehub.sandbox.faults import HangUp
from audiencehub.sandbox.kit import VendorSandbox
from audiencehub.settings import Company as OurCompany
from audiencehub.settings import DestinationEntry, Guards, Sandbox, Settings, SourceEntry
from audiencehub.steps.plan import RunPlan, plan
from audiencehub.steps.push import Pushed, push
from audiencehub.warehouse.schema import statements
from tests.platforms import crowd
from tests.platforms.crowd import START
from tests.platforms.stands import Stand, stood

SEGMENT = "warm"
RESET, LATE = 0.1, 0.17
OPEN = Guards(
    first_run="go", field_share=1.0, removals_count=10**9, removals_share=1.0, adds_count=10**9,
    segment_to_none=False, reject_share=1.0,
)  # fmt: skip


@dataclass(frozen=True)
class Segment:
    """What delivery reads of a segment."""

    label: str
    activate: tuple[Activation, ...]
    of: str = "contact"
    version: str = "1a2b"
    experiment: None = None


class Watch:
    """In front of a fake: tells of every request, whole, before the fake hears of it and after."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.told: Callable[[str, str, bytes], None] = lambda *_: None
        self.answered: Callable[[], None] = lambda: None
        self.storm: random.Random | None = None
        """While there is one, one write in ten never arrives, and the answer to one in six is
        lost."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on when its body is there."""
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)

        async def replay() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        query = scope["query_string"].decode()
        self.told(scope["method"], f"{scope['path']}?{query}", body)
        fate = self.storm.random() if self.storm and scope["method"] != "GET" else 1.0
        if fate < RESET:
            raise HangUp
        held: list[Message] = []

        async def hold(message: Message) -> None:
            held.append(message)

        await self.app(scope, replay, hold)
        # Before the answer goes out: after it the hub, and the people, may do the next thing.
        self.answered()
        if fate < RESET + LATE:
            raise HangUp
        for message in held:
            await send(message)


@dataclass
class House:
    """The hub's parts over one stand, with doors to change the company between runs."""

    stand: Stand
    folder: Path
    people: int
    fake: VendorSandbox
    watch: Watch
    url: str
    ledger: Ledger
    db: duckdb.DuckDBPyConnection
    runs: int = 0
    progress: Callable[..., None] = lambda *_: None

    @property
    def target(self) -> str:
        """The list's id."""
        return f"{self.stand.connector}/list/{SEGMENT}"

    def hub(self) -> Hub:
        """The hub of another run, an hour after the last."""
        self.runs += 1
        name = self.stand.connector
        settings = Settings(
            company=OurCompany(name="Acme"),
            sandbox=Sandbox(),
            sources={name: SourceEntry(connector=name)},
            destinations={
                name: DestinationEntry(
                    connector=name, mode="sandbox", options=dict(self.stand.options)
                )
            },
            guards=OPEN,
        )
        goes = (Activation(name, "list", "Warm"),)
        return Hub(
            settings=settings,
            ledger=self.ledger,
            warehouse=SimpleNamespace(connection=self.db),
            rules=SimpleNamespace(segments={SEGMENT: Segment("Warm", goes)}),
            run_id=f"run{self.runs}",
            now=START + timedelta(hours=self.runs),
            endpoints={name: self.url},
            progress=self.progress,
            extra={"pause": lambda _: None},
        )

    def sync(self, between: Callable[[], None] = lambda: None) -> tuple[RunPlan, Pushed]:
        """Plan, let something happen, push."""
        hub = self.hub()
        planned = plan(hub)
        between()
        return planned, push(hub, self.target)

    def say(self, people: int | Iterable[int], status: str, minutes: int = 0) -> None:
        """One person, or these, grant or deny everything that a list may need."""
        when = START + timedelta(hours=self.runs, minutes=minutes)
        self.ledger.consent.record(
            (number, *need, status, "crm", when, None)
            for number in ([people] if isinstance(people, int) else people)
            for need in (("advertising", "ads"), ("marketing", "email"))
        )

    def left_out(self) -> dict[int, str]:
        """Who cannot be sent, each with why, as `audiencehub preview --left-out` tells it."""
        hub, name = self.hub(), self.stand.connector
        asked = reach(
            self.db, self.ledger, hub.settings, hub.rules, SEGMENT,
            {name: self.stand.can}, hub.now,
        )  # fmt: skip
        return dict(asked[0].left_out)

    def outcomes(self) -> set[str]:
        """What came of the batches, each in a word."""
        return {str(one) for (one,) in self.ledger.delivery._db.rows("SELECT outcome FROM reply")}

    def batches(self) -> int:
        """How many were answered or given up."""
        return len(self.ledger.delivery._db.rows("SELECT 1 FROM reply"))

    def held(self) -> list[str]:
        """Who is there, by the fake's own account, sorted."""
        return sorted(self.stand.held(self.fake))

    def names(self, people: Iterable[int]) -> list[str]:
        """What the fake must hold for these, sorted; of whom it can know nothing is not there."""
        good = (number for number in people if not crowd.is_bad(number))
        return sorted(self.stand.name(self.fake, number) for number in good)


@contextmanager
def house(stand: Stand, folder: Path, people: int) -> Iterator[House]:
    """A hub whose segment holds everybody, and a fake that holds nobody."""
    with ExitStack() as stack:
        url, fake, watch = stack.enter_context(stood(stand, Watch, people))
        ledger = Ledger.open(folder)
        stack.callback(ledger.close)
        db = warehouse(people)
        stack.callback(db.close)
        if stand.record:
            _recorded(db, stand, fake, people)
        yield House(stand, folder, people, fake, watch, url, ledger, db)


def small_batches(patch: pytest.MonkeyPatch, name: str, rows: int) -> None:
    """Several batches among few people."""
    kind = connector.load(str(connector.spec(name).destination))
    patch.setattr(kind, "batch_size", lambda *_: rows)


def warehouse(people: int) -> duckdb.DuckDBPyConnection:
    """Everybody in one segment, in memory."""
    db = duckdb.connect(config={"threads": 1})
    for statement in statements():
        db.execute(statement)
    numbers = range(people)
    db.execute(
        "INSERT INTO contact(contact_id, email, phone, first_name) SELECT unnest(range(?)),"
        " unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), 'Pat'",
        [people, [crowd.written(n) for n in numbers], [crowd.phone(n) for n in numbers]],
    )
    db.execute(
        "INSERT INTO member SELECT 'contact', range, ?, ?, 'pricing visits' FROM range(?)",
        [SEGMENT, START.replace(tzinfo=None), people],
    )
    return db


def _recorded(
    db: duckdb.DuckDBPyConnection, stand: Stand, fake: VendorSandbox, people: int
) -> None:
    """The CRM's record of everybody but the bad ones, who have none."""
    good = [number for number in range(people) if not crowd.is_bad(number)]
    db.execute(
        "INSERT INTO record_map(source, source_id, entity, record_kind, id)"
        " SELECT ?, unnest(?::VARCHAR[]), 'contact', 'contact', unnest(?::INTEGER[])",
        [stand.connector, [stand.name(fake, number) for number in good], good],
    )
