"""A small company to deliver: people with records and e-mails, segments, two toy vendors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import duckdb
from toys import World

from audiencehub.hub import Hub
from audiencehub.ledger import Ledger
from audiencehub.privacy.rule import sha256
from audiencehub.rules.book import Activation, Experiment
from audiencehub.settings import Company, DestinationEntry, Guards, Settings, SourceEntry
from audiencehub.steps.plan import plan
from audiencehub.steps.push import push
from audiencehub.warehouse.schema import statements

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
TAGS, LIST = "crm/contact/tags", "ads/list/warm"
GO = {
    "removals_count": 10**6, "adds_count": 10**6, "segment_to_none": False, "field_share": 1.0,
    "first_run": "go",
}  # fmt: skip


@dataclass(frozen=True)
class Segment:
    label: str
    of: str = "contact"
    version: str = "1a2b"
    activate: Sequence[Activation] = ()
    experiment: Experiment | None = None


@dataclass
class Bench:
    """The hub's parts, with doors to change the company between runs."""

    folder: Path
    guards: dict = field(default_factory=lambda: dict(GO))
    drift: str = "report"
    mode: str = "sandbox"
    people: int = 12
    runs: int = 0

    def __post_init__(self):
        self.world = World(self.folder / "world.sqlite")
        self.ledger = Ledger.open(self.folder)
        self.db = duckdb.connect()
        for statement in statements():
            self.db.execute(statement)
        self.segments = {
            "warm": Segment("Warm", activate=(
                Activation("crm", "tag", "Warm"), Activation("ads", "list", "Warm"))),
            "hot": Segment("Hot", activate=(Activation("crm", "tag", "Hot"),)),
        }  # fmt: skip
        rows = [["crm", f"r{n}", "contact", "contact", n] for n in range(self.people)]
        self.db.executemany("INSERT INTO record_map VALUES(?,?,?,?,?,NULL)", rows)
        self.db.executemany(
            "INSERT INTO contact(contact_id, email) VALUES(?,?)",
            [[n, email(n)] for n in range(self.people)],
        )
        if not self.world.records:
            empty = {"tags": [], "reason": ""}
            self.world.records.put({f"r{n}": dict(empty) for n in range(self.people)})
        self.grant(range(self.people))

    def grant(self, people, status="granted", at=NOW - timedelta(days=1)):
        self.ledger.consent.record(
            [(n, "advertising", "ads", status, "crm", at, None) for n in people]
        )

    def member(self, why="pricing visits", **segments):
        self.db.execute("DELETE FROM member")
        rows = [
            ["contact", n, name, NOW.replace(tzinfo=None), why]
            for name, ids in segments.items()
            for n in ids
        ]
        if rows:
            self.db.executemany("INSERT INTO member VALUES(?,?,?,?,?)", rows)

    def hub(self, **changes):
        self.runs += 1
        places = {
            "crm": DestinationEntry(
                connector="toy_crm", mode=self.mode, drift=self.drift, places=["contact"],
                options={"world": self.world},
            ),
            "ads": DestinationEntry(
                connector="toy_ads", mode=self.mode, options={"world": self.world}
            ),
        }  # fmt: skip
        settings = Settings(
            company=Company(name="Acme"),
            sources={"crm": SourceEntry(connector="toy_crm")},
            destinations=places,
            guards=Guards(**self.guards),
        )
        parts = {
            "settings": settings,
            "ledger": self.ledger,
            "warehouse": SimpleNamespace(connection=self.db),
            "rules": SimpleNamespace(segments=self.segments),
            "run_id": f"run{os.getpid()}-{self.runs}",
            "now": NOW + timedelta(hours=self.runs),
            "endpoints": {"toy_crm": "memory", "toy_ads": "memory"},
            "extra": {"pause": lambda _: None},
        }
        return Hub(**{**parts, **changes})

    def plan(self, **changes):
        return plan(self.hub(**changes))

    def sync(self, *targets, **changes):
        """Plan, then push every target of the plan (or those named); target to outcome."""
        hub = self.hub(**changes)
        planned = plan(hub)
        wanted = targets or dict.fromkeys(one.target for one in planned.plans)
        return {target: push(hub, target) for target in wanted}

    def close(self):
        self.ledger.close()
        self.world.close()
        self.db.close()


def email(n):
    return f"p{n}@acme.example"


def sent(*people):
    """The identifiers that a list holds for these people."""
    return {sha256(email(n)) for n in people}


def one(planned, target, kind="change"):
    """The plan of a target."""
    return next(p for p in planned.plans if p.target == target and p.kind == kind)
