"""Backups of the ledger: whole whatever is written meanwhile, and known as older when put back."""

from __future__ import annotations

import shutil
import stat
import threading
from datetime import timedelta

import apsw
import pytest

from audiencehub.errors import Stop
from audiencehub.ledger import Ledger
from audiencehub.ledger.backup import backups


def test_it_is_whole_and_nobody_elses(tmp_path, ledger, now):
    """A backup that others can read is a leak, and one that does not open is none."""
    ledger.audit.record(now, "ann", "approve", "p1", {})

    made = ledger.backup(now, 3)

    (path,) = backups(tmp_path / "home")
    assert (str(path), path.name) == (made.path, "ledger-20261116T090000Z.sqlite")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert made.size == path.stat().st_size
    assert not list(path.parent.glob("*.key")), "the key beside a backup opens what it seals"
    copy = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    assert list(copy.execute("SELECT who FROM audit")) == [("ann",)]


def test_the_newest_are_kept(tmp_path, ledger, now):
    """Backups that are never let go fill the disk that the ledger needs."""
    for day in range(5):
        made = ledger.backup(now + timedelta(days=day), 3)

    assert made.kept == 3
    assert [path.name[7:15] for path in backups(tmp_path / "home")] == [
        "20261118", "20261119", "20261120",
    ]  # fmt: skip


def test_one_that_cannot_be_written_costs_none_of_the_others(tmp_path, ledger, now):
    """A full disk must not take yesterday's backup with it."""
    ledger.backup(now, 1)
    (tmp_path / "home" / "backups").chmod(0o700)
    (tmp_path / "home" / "backups" / "draft.tmp").mkdir()

    with pytest.raises(Stop, match="cannot be written"):
        ledger.backup(now + timedelta(days=1), 1)

    assert [path.name[7:15] for path in backups(tmp_path / "home")] == ["20261116"]


def test_what_is_written_meanwhile_is_in_it_whole_or_not(tmp_path, ledger, now):
    """A copy of half a transaction is a ledger that never was: the chain of the audit shows it."""
    over = threading.Event()

    def work():
        other = Ledger.open(tmp_path / "home")
        while not over.is_set():
            with other.transaction():
                for n in range(3):
                    other.audit.record(now, "ann", "approve", f"p{n}", {})
        other.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        paths = [ledger.backup(now + timedelta(minutes=n), 99).path for n in range(4)]
    finally:
        over.set()
        thread.join()

    for path in paths:
        home = tmp_path / "opened"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        shutil.copy(path, home / "ledger.sqlite")
        shutil.copy(tmp_path / "home" / "install.key", home)
        copy = Ledger.open(home)
        assert copy.audit.verify() == []
        assert copy.audit.check().rows % 3 == 0
        copy.close()


@pytest.mark.fault(20)
def test_put_back_it_is_known_as_older(tmp_path, now):
    """A backup is the usual way in which a ledger becomes an older one."""
    ledger = Ledger.open(tmp_path)
    for n in range(2):
        if n == 1:
            path = ledger.backup(now, 3).path
        ledger.delivery.sending("t", "b", 1, "r", [], {}, now)
        ledger.custody.stamp()
    ledger.close()
    for name in ("ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    shutil.copy(path, tmp_path / "ledger.sqlite")

    again = Ledger.open(tmp_path)

    assert again.custody.restored().cause == "rolled_back"
    again.close()
