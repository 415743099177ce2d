"""The file: its modes, its promises, and what it refuses."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading

import apsw
import pytest

from audiencehub.errors import ConfigError, Stop
from audiencehub.ledger import Ledger, db, schema


def pragma(ledger, name):
    return ledger._db.row(f"PRAGMA {name}")[0]


def test_nobody_else_reads_it(tmp_path):
    """The ledger holds what people consented to; another user of the machine must not read it."""
    before = os.umask(0o022)
    try:
        ledger = Ledger.open(tmp_path / "home")
    finally:
        os.umask(before)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "home").iterdir()}
    assert {"ledger.sqlite", "ledger.sqlite-wal", "install.key"} <= modes.keys()
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700
    ledger.close()


def test_it_keeps_what_it_acknowledged(ledger):
    """Any weaker setting loses acknowledged writes in a power cut."""
    assert pragma(ledger, "journal_mode") == "wal"
    assert pragma(ledger, "synchronous") == 2
    assert pragma(ledger, "mmap_size") == 0


def test_old_sqlite_gets_no_wal(tmp_path, monkeypatch):
    """SQLite before 3.51.3 can corrupt a WAL with two connections."""
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.51.2")

    ledger = Ledger.open(tmp_path)

    assert pragma(ledger, "journal_mode") == "delete"
    assert pragma(ledger, "synchronous") == 3
    ledger.close()


@pytest.mark.fault(21)
def test_a_migration_that_fails_leaves_the_old_version(tmp_path, ledger, monkeypatch):
    """Half a migration is a ledger that no version can open."""
    broken = (*schema.MIGRATIONS, "CREATE TABLE extra(x); INSERT INTO nowhere VALUES(1)")
    monkeypatch.setattr(db, "MIGRATIONS", broken)
    with pytest.raises(apsw.SQLError):
        Ledger.open(tmp_path / "home")
    monkeypatch.undo()

    assert Ledger.open(tmp_path / "home").id == ledger.id
    assert ledger._db.row("SELECT count(*) FROM sqlite_schema WHERE name='extra'") == (0,)


def test_a_ledger_without_its_key_is_refused(tmp_path, ledger):
    """A new key in silence would make every sent identifier unreadable, and removals impossible."""
    (tmp_path / "home" / "install.key").unlink()

    with pytest.raises(ConfigError, match=r"install\.key"):
        Ledger.open(tmp_path / "home")


def test_sent_identifiers_cannot_be_read_from_the_file(tmp_path, ledger):
    """A stolen ledger must not be a list of people."""
    token = ledger.sealing.seal({"email": "ann@acme.example"})

    assert b"ann" not in token
    assert ledger.sealing.open(token) == {"email": "ann@acme.example"}
    assert ledger.sealing.digest({"a": "1"}) == ledger.sealing.digest({"a": "1"})
    assert ledger.sealing.digest({"a": "1"}) != ledger.sealing.digest({"a": "2"})


def test_all_or_nothing(ledger, now):
    """A failure inside a transaction must leave no half of it, an inner one included."""
    with pytest.raises(ZeroDivisionError), ledger.transaction():
        ledger.people.assign("contact", [("crm", "1", now)])
        raise ZeroDivisionError

    assert ledger.people.ids("contact") == {}
    with ledger.transaction():
        ledger.people.assign("contact", [("crm", "2", now)])
    assert ledger.people.ids("contact") == {("crm", "2"): 0}


def test_transactions_of_threads_do_not_mix(ledger, now):
    """Steps run in threads: one's rollback must not take another's rows with it."""

    def work(number):
        for turn in range(20):
            try:
                with ledger.transaction():
                    ledger.people.assign("contact", [("crm", f"{number}-{turn}", now)])
                    if turn % 2:
                        raise ValueError
            except ValueError:
                pass

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert sorted(ledger.people.ids("contact").values()) == list(range(40))


def test_another_process_reads_in_the_middle_of_a_write(tmp_path, ledger, now):
    """`explain` must work while a sync runs."""
    ledger.people.assign("contact", [("crm", "1", now)])
    code = (
        "import sys; from pathlib import Path; from audiencehub.ledger import Ledger;"
        "print(Ledger.open(Path(sys.argv[1])).people.ids('contact'))"
    )
    with ledger.transaction():
        ledger.people.assign("contact", [("crm", "2", now)])
        said = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "home")],
            capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": "."},
        )  # fmt: skip

    assert said.stdout.strip() == "{('crm', '1'): 0}"


def test_full_disk_is_said_in_plain_words(ledger, now):
    """A traceback of the database library tells RevOps nothing about what to do."""
    pages = ledger._db.row("PRAGMA page_count")[0]
    ledger._db.row(f"PRAGMA max_page_count={pages}")

    with pytest.raises(Stop, match="cannot be written"):
        ledger.people.assign("contact", [("crm", str(n), now) for n in range(5000)])

    ledger._db.row("PRAGMA max_page_count=1000000")
    assert ledger.people.ids("contact") == {}
