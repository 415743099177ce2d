"""Leases: one pusher per target, with a fence that stops one who wakes up late."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import apsw

from audiencehub.errors import Stop, Wait
from audiencehub.ledger.db import Database, connect
from audiencehub.ledger.process import alive, begun, boot_id, started

SILENT_AFTER = 90.0
"""Seconds without a beat after which a holder counts as frozen."""
BEAT_EVERY = 15.0
REQUEST_TIMEOUT = 30.0
"""How long a request of a frozen holder may still be on the wire."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to push one target; `fence` grows with every taking."""

    target: str
    holder: str
    fence: int
    taken_from: str | None
    """The frozen holder it was taken from, whose last request may still be under way."""


class Leases:
    """The lease table."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def take(self, target: str, run_id: str) -> Lease:
        """The lease of a target. Raises Wait with the holder's name when it is held by the living.

        It is taken over when the holder's process is gone, the machine was booted since, or it has
        not beaten for 90 seconds.
        """
        since = begun(os.getpid())
        told = f", since {since:%Y-%m-%d %H:%M:%S} UTC" if since else ""
        me = f"run {run_id} (pid {os.getpid()} on {socket.gethostname()}{told})"
        with self._db.transaction():
            row = self._db.row(
                "SELECT holder, pid, pid_started, boot_id, fence, beat_mono FROM lease"
                " WHERE target=?",
                (target,),
            )
            frozen = None
            if row and row[0] is not None and alive(row[1], row[2], row[3]):
                silent = time.monotonic() - float(row[5])
                if silent < SILENT_AFTER:
                    raise Wait(
                        f"{target} is being pushed by {row[0]}.",
                        hint="Wait for it to end, or stop that process; then push again",
                    )
                frozen = str(row[0])
            fence = int(row[4]) + 1 if row else 1
            self._db.run(
                "INSERT INTO lease VALUES(?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET"
                " holder=excluded.holder, pid=excluded.pid, pid_started=excluded.pid_started,"
                " boot_id=excluded.boot_id, fence=excluded.fence, beat_mono=excluded.beat_mono",
                (
                    target,
                    me,
                    os.getpid(),
                    started(os.getpid()),
                    boot_id(),
                    fence,
                    time.monotonic(),
                ),
            )
        return Lease(target, me, fence, frozen)

    def release(self, lease: Lease) -> None:
        """Let go; nothing when it was taken over meanwhile."""
        self._db.run(
            "UPDATE lease SET holder=NULL WHERE target=? AND fence=?", (lease.target, lease.fence)
        )

    def holder(self, target: str) -> str | None:
        """Who pushes a target now, or died while doing so."""
        row = self._db.row("SELECT holder FROM lease WHERE target=?", (target,))
        return None if row is None or row[0] is None else str(row[0])

    def check(self, lease: Lease) -> None:
        """Raises Stop when the lease was taken over. Writes nothing, and counts as no beat."""
        row = self._db.row(
            "SELECT 1 FROM lease WHERE target=? AND fence=? AND holder IS NOT NULL",
            (lease.target, lease.fence),
        )
        if row is None:
            raise self._lost(lease)

    @contextmanager
    def fenced(self, lease: Lease) -> Iterator[None]:
        """A transaction that counts as a beat. Raises Stop when the lease was taken over."""
        with self._db.transaction():
            held = self._db.run(
                "UPDATE lease SET beat_mono=? WHERE target=? AND fence=? AND holder IS NOT NULL",
                (time.monotonic(), lease.target, lease.fence),
            )
            if not held:
                raise self._lost(lease)
            yield

    @staticmethod
    def _lost(lease: Lease) -> Stop:
        return Stop(
            f"The lease of {lease.target} was taken over while this run stood still.",
            hint="Nothing more was written; run audiencehub sync again if nothing runs",
        )

    @contextmanager
    def held(self, target: str, run_id: str) -> Iterator[Lease]:
        """Take the lease, beat while the block runs, release it after."""
        lease = self.take(target, run_id)
        over = threading.Event()
        # A daemon: a thread that beats must never keep a dying run alive.
        beat = threading.Thread(target=self._beat, args=(lease, over), daemon=True)
        beat.start()
        try:
            yield lease
        finally:
            over.set()
            beat.join()
            self.release(lease)

    def _beat(self, lease: Lease, over: threading.Event) -> None:
        connection: apsw.Connection | None = None
        while not over.wait(BEAT_EVERY):
            # A busy ledger costs one beat; the next one comes long before the holder counts as
            # frozen.
            with suppress(apsw.BusyError):
                connection = connection or connect(self._db.path)
                connection.execute(
                    "UPDATE lease SET beat_mono=? WHERE target=? AND fence=?",
                    (time.monotonic(), lease.target, lease.fence),
                )
        if connection is not None:
            connection.close()
