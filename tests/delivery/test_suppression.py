"""The suppression list: identifiers that go nowhere, whoever they belong to and whenever."""

from __future__ import annotations

import typer
from toybench import LIST, NOW, TAGS, email, one, sent
from typer.testing import CliRunner

from audiencehub.cli import suppress
from audiencehub.ledger import Ledger
from audiencehub.privacy.forgotten import spelled
from audiencehub.settings import load
from tests.cli.small import project


def record(bench, person, source_id, **values):
    """One source record of a person."""
    names = ["source", "source_id", "record_key", "deleted", *values]
    marks = ", ".join("?" * len(names))
    bench.db.execute(
        f"INSERT INTO source_contact({', '.join(names)}) VALUES({marks})",
        ["crm", source_id, 1, False, *values.values()],
    )


def mark(bench, kind, value):
    return {bench.ledger.sealing.mark(spelled(kind, value)): kind}


def test_who_is_listed_leaves_every_destination_first_and_stays_out(bench):
    """A person on the list who keeps getting ads has asked in vain."""
    for person in range(4):
        record(bench, person, f"r{person}", email=email(person))
    bench.guards |= {"first_run": "go"}
    bench.member(warm=[1, 2, 3])
    bench.sync()
    bench.ledger.consent.mark(mark(bench, "email", f"  {email(2).upper()}"), "letter", "ann", NOW)

    planned = bench.plan()
    bench.sync()

    assert [p.kind for p in planned.plans if p.target == LIST] == ["consent", "change"]
    assert one(planned, LIST, "consent").removes == one(planned, TAGS, "consent").sets == 1
    assert bench.world.people("aud-warm") == sent(1, 3)
    assert bench.world.tags().keys() == {"r1", "r3"}
    assert one(bench.plan(), LIST).excluded == {"suppressed": 1}


def test_who_appears_later_is_met_by_any_of_their_identifiers(bench):
    """A list of people known today is worth nothing tomorrow."""
    bench.ledger.consent.mark(mark(bench, "email", "old@home.example"), "letter", "ann", NOW)
    bench.ledger.consent.mark(mark(bench, "phone", "+1 415 555 0100"), "letter", "ann", NOW)
    record(bench, 1, "r1", email="old@home.example", phone=None)
    record(bench, 2, "r2", email=email(2), phone="+14155550100")
    record(bench, 3, "r3", email=email(3), phone="+14155550199")
    bench.member(warm=[1, 2, 3])

    bench.sync()

    assert bench.world.people("aud-warm") == sent(3)
    assert bench.ledger.consent.suppressed_for() == {"letter": 2}


def run(folder, *words):
    app = typer.Typer()
    suppress.register(app)
    app.command()(lambda: None)
    return CliRunner().invoke(app, ["suppress", *words])


def test_the_verb_adds_counts_and_lifts_and_keeps_no_value(tmp_path, monkeypatch):
    """A do-not-contact list in clear beside the ledger is the leak it should prevent."""
    folder = project(tmp_path)
    monkeypatch.setenv("AUDIENCEHUB_HOME", str(folder))
    home = load("sandbox").folder
    home.mkdir(parents=True)
    file = folder / "list.txt"
    file.write_text('# by letter\nzebedia@acme.example\n"+14155550100"\n\nZEBEDIA@acme.example\n')

    added = run(folder, str(file), "--reason", "asked by letter", "--by", "ann")
    counted = run(folder)
    lifted = run(folder, str(file), "--reason", "a mistake", "--by", "ann", "--lift")

    assert "2 read, 2 new on the list." in added.output
    assert "On the list: 1 by email, 1 by phone." in counted.output
    assert "2 read, 2 taken off the list." in lifted.output
    assert "On the list: nobody." in lifted.output
    ledger = Ledger.open(home)
    assert [(a.who, a.what) for a in ledger.audit.entries()] == [
        ("ann", "unsuppress"),
        ("ann", "suppress"),
    ]
    ledger.close()
    kept = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"zebedia" not in kept.lower() and b"4155550100" not in kept


def test_wrong_lines_are_all_named_and_none_is_quoted(tmp_path, monkeypatch):
    """Half a list that was taken silently is a list that leaks."""
    folder = project(tmp_path)
    monkeypatch.setenv("AUDIENCEHUB_HOME", str(folder))
    load("sandbox").folder.mkdir(parents=True)
    file = folder / "list.csv"
    file.write_text("zebedia@acme.example\nMary Weiß,zebedia@acme.example\n0415 555\n")

    wrong = run(folder, str(file), "--reason", "x")
    silent = run(folder, str(file))

    assert wrong.exit_code == silent.exit_code == 2
    assert "list.csv:2" in wrong.output and "list.csv:3" in wrong.output
    assert "Weiß" not in wrong.output and "0415" not in wrong.output
    assert "needs a reason" in silent.output
