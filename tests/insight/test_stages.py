"""Stage history of a ladder, from the membership log of a real ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from audiencehub.insight.stages import flow, histories
from audiencehub.ledger import Ledger
from audiencehub.rules.language.trait import Ladder, Rung

START = datetime(2026, 1, 1, tzinfo=UTC)
LADDER = Ladder(
    "stage",
    "Stage",
    "lifecycle",
    "contact",
    tuple(Rung(name, name.title(), f"stage.{name}") for name in ("customer", "lead")),
)


def move(ledger: Ledger, day: int, number: int, out: str, into: str) -> None:
    at = START + timedelta(days=day)
    ledger.runs.start(f"r{day}-{number}", "sync", "test", at, pid=1, boot_id="b", args={})
    left = [("contact", number, f"stage.{out}", "moved")] if out else []
    entered = [("contact", number, f"stage.{into}", "moved", "v1")]
    ledger.membership.record(f"r{day}-{number}", at, entered, left)


def test_history_follows_the_log(tmp_path):
    """Velocity and conversion between stages are figures about people who really moved."""
    ledger = Ledger.open(tmp_path / "home")
    move(ledger, 0, 1, "", "lead")
    move(ledger, 0, 2, "", "lead")
    move(ledger, 10, 1, "lead", "customer")
    move(ledger, 30, 2, "lead", "customer")
    move(ledger, 40, 2, "customer", "lead")

    found = histories(ledger, LADDER)
    told = flow(ledger, LADDER)
    ledger.close()

    assert [one.rung for one in found[1]] == ["lead", "customer"]
    assert [one.label for one in found[2]] == ["Lead", "Customer", "Lead"]
    assert found[1][0].left_at == found[1][1].entered_at == START + timedelta(days=10)
    assert found[1][1].left_at is None
    assert told.days == {"lead": 20.0, "customer": 10.0}
    assert told.moves == {("lead", "customer"): 2, ("customer", "lead"): 1}


def test_a_stretch_counts_who_left_in_it_and_keeps_how_long_they_had_been(tmp_path):
    """A report of the last months must not count old moves, nor forget when a stage began."""
    ledger = Ledger.open(tmp_path / "home")
    for number in (1, 2, 3):
        move(ledger, 0, number, "", "lead")
    move(ledger, 10, 1, "lead", "customer")
    move(ledger, 30, 2, "lead", "customer")
    since = START + timedelta(days=30)

    told = flow(ledger, LADDER, since)
    who = histories(ledger, LADDER, since)
    ledger.close()

    assert told.days == {"lead": 30.0}
    assert told.moves == {("lead", "customer"): 1}
    assert list(who) == [2]
