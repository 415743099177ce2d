"""Backups of the ledger: whole, while others write, each verified before it counts.

By VACUUM INTO, which reads in one transaction: a copy of the file's bytes, made while it is open,
can be torn. The key beside the ledger is not part of it: who has a backup has nobody's identifiers.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import apsw

from audiencehub.errors import Stop
from audiencehub.ledger.db import Database, plainly

FOLDER = "backups"
DRAFT = "draft.tmp"


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup that was just made."""

    path: str
    size: int
    """Bytes."""
    kept: int
    """How many there are now, this one among them."""


def backups(folder: Path) -> list[Path]:
    """Every backup of the ledger in this folder, oldest first."""
    return sorted((folder / FOLDER).glob("ledger-*.sqlite"))


def backup(db: Database, at: datetime, keep: int) -> Backup:
    """Write a backup of mode 0600, dated by the clock, and let go all but the newest `keep`.

    Raises Stop when it cannot be written or does not verify; the older ones stay then.
    """
    folder = db.path.parent / FOLDER
    final = folder / f"ledger-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}.sqlite"
    draft = folder / DRAFT
    with plainly(db.path):
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            draft.unlink(missing_ok=True)
            # SQLite writes into an empty file as it is, with the mode that it has.
            os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            db.run("VACUUM INTO ?", (str(draft),))
            _verify(db, draft)
            _sync(draft)
            draft.rename(final)
            _sync(folder)
        except OSError as error:
            raise Stop(
                f"{final} cannot be written ({type(error).__name__}).",
                hint="Free space and check the disk, then: audiencehub maintain",
            ) from None
        finally:
            with suppress(OSError):
                draft.unlink()
    found = backups(db.path.parent)
    for old in found[: -max(1, keep)]:
        old.unlink(missing_ok=True)
    return Backup(str(final), final.stat().st_size, min(len(found), max(1, keep)))


def _verify(db: Database, path: Path) -> None:
    copy = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        whole = next(iter(copy.execute("PRAGMA integrity_check")))[0]
        version = next(iter(copy.execute("PRAGMA user_version")))
        same = version == db.row("PRAGMA user_version")
    finally:
        copy.close()
    if whole != "ok" or not same:
        raise Stop(
            "The backup of the ledger does not verify; it was thrown away.",
            hint="Run: audiencehub audit verify; then check the disk",
        )


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
