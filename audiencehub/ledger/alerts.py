"""Alerts: the state of every subject, and each message until every channel has it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from audiencehub.ledger.db import Database
from audiencehub.ledger.stamps import instant, maybe, stamp


@dataclass(frozen=True, slots=True)
class Alert:
    """How a subject stands, and since when; only subjects that once were not in order."""

    subject: str
    """The kind, and its name: `source:hubspot`."""
    kind: str
    state: str
    """`warning`, `critical` or `recovered`."""
    since: datetime
    text: str
    do: str
    """An instruction; empty once recovered."""


@dataclass(frozen=True, slots=True)
class AlertMessage:
    """One change of one subject, as every channel is told it."""

    n: int
    env: str
    subject: str
    before: str
    state: str
    text: str
    do: str
    at: datetime


class Alerts:
    """The alert, alert_message and alert_delivery tables."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def states(self, env: str) -> dict[str, Alert]:
        """Every subject that ever changed, by subject."""
        found = self._db.rows(
            "SELECT subject, kind, state, since, text, do FROM alert WHERE env=? ORDER BY subject",
            (env,),
        )
        return {
            subject: Alert(subject, kind, state, instant(since), text, do)
            for subject, kind, state, since, text, do in found
        }

    def change(self, env: str, alert: Alert, before: str, channels: Collection[str]) -> int:
        """Keep the new state with its one message, which waits for each channel; its number."""
        with self._db.transaction():
            self._keep(env, alert)
            number = self._db.insert(
                "INSERT INTO alert_message(env, subject, before, state, text, do, at)"
                " VALUES(?,?,?,?,?,?,?)",
                (env, alert.subject, before, alert.state, alert.text, alert.do, stamp(alert.since)),
            )
            self._db.many(
                "INSERT INTO alert_delivery(channel, n) VALUES(?,?)",
                [(channel, number) for channel in sorted(channels)],
            )
        return number

    def reword(self, env: str, alert: Alert) -> None:
        """Keep newer counts of a state that stays; nobody is told."""
        self._keep(env, alert)

    def _keep(self, env: str, alert: Alert) -> None:
        self._db.run(
            "INSERT INTO alert VALUES(?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET"
            " state=excluded.state, since=excluded.since, text=excluded.text, do=excluded.do",
            (
                env,
                alert.subject,
                alert.kind,
                alert.state,
                stamp(alert.since),
                alert.text,
                alert.do,
            ),
        )

    def waiting(self, env: str, channel: str) -> list[AlertMessage]:
        """What a channel was not told yet, oldest first."""
        found = self._db.rows(
            "SELECT n, env, subject, before, state, text, do, at FROM alert_message"
            " JOIN alert_delivery USING(n) WHERE env=? AND channel=? AND sent_at IS NULL"
            " ORDER BY n",
            (env, channel),
        )
        return [
            AlertMessage(n, env, subject, before, state, text, do, instant(at))
            for n, env, subject, before, state, text, do, at in found
        ]

    def sent(self, channel: str, n: int, at: datetime) -> None:
        """The channel took the message."""
        self._db.run(
            "UPDATE alert_delivery SET sent_at=?, attempts=attempts+1 WHERE channel=? AND n=?",
            (stamp(at), channel, n),
        )

    def failed(self, channel: str, n: int) -> int:
        """The channel did not take it; how often that was so."""
        self._db.run(
            "UPDATE alert_delivery SET attempts=attempts+1 WHERE channel=? AND n=?", (channel, n)
        )
        found = self._db.row(
            "SELECT attempts FROM alert_delivery WHERE channel=? AND n=?", (channel, n)
        )
        return int(found[0]) if found else 0

    def forget_channels(self, env: str, kept: Collection[str]) -> None:
        """Let go of what waits for channels that are no longer set up."""
        marks = ",".join("?" * len(kept))
        self._db.run(
            f"DELETE FROM alert_delivery WHERE sent_at IS NULL AND channel NOT IN ({marks})"
            " AND n IN (SELECT n FROM alert_message WHERE env=?)",
            (*sorted(kept), env),
        )

    def evaluated(self, at: datetime | None = None) -> datetime | None:
        """When alerts were evaluated last; `at` notes that it is now."""
        if at is not None:
            self._db.run(
                "INSERT INTO meta VALUES('alerts_at', ?) ON CONFLICT DO UPDATE SET"
                " value=excluded.value",
                (stamp(at),),
            )
        found = self._db.row("SELECT value FROM meta WHERE key='alerts_at'")
        return maybe(found[0]) if found else None
