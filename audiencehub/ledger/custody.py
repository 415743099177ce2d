"""Custody: whether this ledger is the one that sent last, or an older copy of it put back.

The ledger counts an epoch with every batch it sends. The count stands outside of it too: in a
stamp beside it, and at destinations that can keep one. A ledger that is behind a count of its own,
or that stands beside another's, was lost or put back: what was sent since is unknown to it, so that
it must remove nobody until it has looked.
"""

from __future__ import annotations

import fcntl
import hmac
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from audiencehub.errors import Stop
from audiencehub.ledger.audit import Audit
from audiencehub.ledger.db import Database
from audiencehub.ledger.sealing import Sealing
from audiencehub.ledger.stamps import document, maybe, stamp

STAMP_FILE = "ledger.stamp"
GATE_FILE = "ledger.lock"
BESIDE = "the stamp beside it"
Cause = Literal["rolled_back", "other_ledger", "no_stamp"]
State = Literal["whole", "held", "additive"]
CAUSES: dict[Cause, str] = {
    "rolled_back": "it is an older copy: {witness} has seen batch {seen:,}, it knows of {own:,}",
    "other_ledger": "it is another one: {witness} belongs to a ledger that sent {seen:,} batches",
    "no_stamp": "it was put back without its stamp: it sent {own:,} batches elsewhere",
}


@dataclass(frozen=True, slots=True)
class Restore:
    """One time that the ledger was found lost or put back."""

    n: int
    cause: Cause
    own: int
    """Batches that this ledger knows of."""
    seen: int
    """Batches that the witness has seen."""
    witness: str
    at: datetime | None
    """When a run first took note; None until then."""

    @property
    def text(self) -> str:
        """What was found, for a person."""
        found = CAUSES[self.cause].format(witness=self.witness, seen=self.seen, own=self.own)
        return f"the ledger is not the one that sent last: {found}"


@dataclass(frozen=True, slots=True)
class _Stamp:
    ledger: str
    epoch: int
    audit: int | None
    genuine: bool


class Custody:
    """The epoch, its stamp, and how far each target is trusted since the last restore."""

    def __init__(self, db: Database, sealing: Sealing, audit: Audit) -> None:
        self._db, self._sealing, self._audit = db, sealing, audit
        self._path = db.path.parent / STAMP_FILE

    @property
    def epoch(self) -> int:
        """How many batches this ledger and those before it have sent, and restores they saw."""
        found = self._db.row("SELECT value FROM meta WHERE key='epoch'")
        return int(found[0]) if found else 0

    @property
    def mark(self) -> str:
        """What a destination keeps: `<twelve characters of the ledger's id>:<epoch>`."""
        return f"{self._name()}:{self.epoch}"

    def look(self) -> None:
        """Compare with the stamp; a restore goes on record, and the stamp follows the ledger."""
        with self._gate():
            seen = self._read()
            cause = self._cause(seen)
            if cause is not None:
                who = (seen.epoch, seen.ledger) if seen else (0, "")
                self._found(cause, who[0], BESIDE, short(who[1]))
                # Who held a lease when the copy was made does not hold it now.
                self._db.run("UPDATE lease SET holder=NULL")
            mine = seen is not None and seen.genuine and seen.ledger == self._id()
            self._audit.witnessed = seen.audit if seen and mine and cause is None else None
            sealed = self._audit.seal(anew=cause is not None)
            if self._audit.witnessed is None:
                self._audit.witnessed = sealed
            wanted = _Stamp(self._id(), self.epoch, self._audit.witnessed, True)
            if seen != wanted:
                self._write(wanted)

    def advance(self) -> None:
        """Count one more, inside the caller's transaction."""
        self._db.run("UPDATE meta SET value=CAST(value AS INTEGER)+1 WHERE key='epoch'")

    def stamp(self) -> None:
        """Let the stamp follow what was just committed. Raises Stop when it cannot."""
        try:
            with self._gate():
                seen, own = self._read(), self.epoch
                if seen is not None and seen.ledger != self._id():
                    raise Stop(
                        f"{self._path} belongs to another ledger by now.",
                        hint="Nothing was sent; look who replaced it, then: audiencehub adopt",
                    )
                if seen is None or seen.epoch < own:
                    self._write(_Stamp(self._id(), own, self._audit.witnessed, True))
        except OSError as error:
            raise Stop(
                f"{self._path} cannot be written ({type(error).__name__}); nothing was sent.",
                hint="Free space and check the disk, then run audiencehub sync: it resumes",
            ) from None

    def judge(self, mark: str | None, witness: str) -> bool:
        """Whether what a destination kept agrees with this ledger; else the restore is recorded."""
        ledger, _, epoch = (mark or "").partition(":")
        if not ledger or not epoch.isdecimal():
            return True
        if ledger == self._name() and int(epoch) <= self.epoch:
            return True
        if int(epoch) <= self._former(ledger):
            return True
        with self._gate():
            cause: Cause = "rolled_back" if ledger == self._name() else "other_ledger"
            self._found(cause, int(epoch), witness, ledger)
            self._write(_Stamp(self._id(), self.epoch, self._audit.witnessed, True))
        return False

    def restored(self) -> Restore | None:
        """The last time the ledger was found lost or put back."""
        found = self._db.row(
            "SELECT n, cause, own, seen, witness, at FROM restore ORDER BY n DESC LIMIT 1"
        )
        return Restore(*(*found[:5], maybe(found[5]))) if found else None

    def note(self, at: datetime, who: str) -> Restore | None:
        """Put restores that no run has seen yet into the audit; the last of them."""
        found = self.restored()
        if found is None or found.at is not None:
            return None
        with self._db.transaction():
            self._db.run("UPDATE restore SET at=? WHERE at IS NULL", (stamp(at),))
            detail = {"cause": found.cause, "own": found.own, "seen": found.seen}
            self._audit.record(at, who, "ledger restored", found.witness, detail)
        return found

    def state(self, target: str) -> State:
        """`whole`; `held`: nothing but consent removals may leave; `additive`: adds may too."""
        restored = self.restored()
        if restored is None:
            return "whole"
        found = self._db.row(
            "SELECT state FROM custody WHERE target=? AND restore=?", (target, restored.n)
        )
        if found is None:
            return "held"
        return "whole" if found[0] == "whole" else "additive"

    def settle(
        self, target: str, state: State, how: str, who: str, reason: str, at: datetime
    ) -> None:
        """Trust a target so far; `how`: read back, resynced, accepted, additive. In the audit."""
        restored = self.restored()
        with self._db.transaction():
            if restored is not None:
                self._db.run(
                    "INSERT INTO custody VALUES(?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET"
                    " restore=excluded.restore, state=excluded.state, how=excluded.how,"
                    " who=excluded.who, reason=excluded.reason, at=excluded.at",
                    (target, restored.n, state, how, who, reason, stamp(at)),
                )
            self._audit.record(at, who, "adopt", target, {"how": how, "reason": reason})

    def _cause(self, seen: _Stamp | None) -> Cause | None:
        if seen is None:
            return "no_stamp" if self.epoch else None
        if seen.ledger != self._id() or not seen.genuine:
            return "other_ledger" if seen.epoch or self.epoch else None
        return "rolled_back" if seen.epoch > self.epoch else None

    def _found(self, cause: Cause, seen: int, witness: str, ledger: str = "") -> None:
        """Record it; plans of before are void, and what they had not sent is not sent."""
        own = self.epoch
        with self._db.transaction():
            self._db.run(
                "INSERT INTO restore(cause, own, seen, witness) VALUES(?,?,?,?)",
                (cause, own, seen, witness),
            )
            self._db.run("UPDATE meta SET value=? WHERE key='epoch'", (str(max(own, seen) + 1),))
            if ledger:
                self._db.run(
                    "INSERT INTO former VALUES(?,?) ON CONFLICT DO UPDATE SET epoch=excluded.epoch",
                    (ledger, seen),
                )
            self._db.run(
                "UPDATE plan SET state='void', ended='the ledger was lost or put back'"
                " WHERE state IN ('open','applying')"
            )
            # A removal in doubt stays believed, and an add stays open: neither is said again.
            self._db.run(
                "UPDATE intent SET state='superseded', reason='ledger_restored'"
                " WHERE state='planned' OR (state IN ('sent','unknown') AND op='remove')"
            )

    def _former(self, ledger: str) -> int:
        """Up to which batch another ledger's count is known and was dealt with."""
        found = self._db.row("SELECT epoch FROM former WHERE ledger=?", (ledger,))
        return int(found[0]) if found else -1

    def _name(self) -> str:
        """This ledger's, as destinations keep it."""
        return short(self._id())

    def _id(self) -> str:
        found = self._db.row("SELECT value FROM meta WHERE key='uuid'")
        return str(found[0]) if found else ""

    def _read(self) -> _Stamp | None:
        try:
            text = self._path.read_text("utf-8")
        except FileNotFoundError:
            return None
        try:
            said = json.loads(text)
            body = {key: said[key] for key in ("ledger", "epoch", "audit")}
            mac = self._sealing.mac(document(["stamp", body]))
            genuine = hmac.compare_digest(mac, str(said["mac"]))
            return _Stamp(str(body["ledger"]), int(body["epoch"]), body["audit"], genuine)
        except (ValueError, KeyError, TypeError):
            return _Stamp("", 1, None, False)

    def _write(self, one: _Stamp) -> None:
        body = {"ledger": one.ledger, "epoch": one.epoch, "audit": one.audit}
        mac = self._sealing.mac(document(["stamp", body]))
        draft = self._path.with_name(f".{STAMP_FILE}.{os.getpid()}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump({**body, "mac": mac}, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)

    @contextmanager
    def _gate(self) -> Iterator[None]:
        """One at a time, over all processes; the same gate as that of migrations."""
        gate = os.open(Path(self._path.with_name(GATE_FILE)), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(gate, fcntl.LOCK_EX)
            yield
        finally:
            os.close(gate)


def short(ledger: str) -> str:
    """The name of a ledger as destinations keep it."""
    return ledger.replace("-", "")[:12]
