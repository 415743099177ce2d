"""Quotas: what each destination's API still allowed when it last told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from audiencehub.ledger.db import Database
from audiencehub.ledger.stamps import instant, stamp
from audiencehub.model import Quota


@dataclass(frozen=True, slots=True)
class Reading:
    """A quota, and when it was read (UTC)."""

    quota: Quota
    at: datetime


class Quotas:
    """The quota table: one reading per destination, the latest."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def keep(self, destination: str, quota: Quota, at: datetime) -> Reading:
        """Remember this reading in place of the one before."""
        with self._db.transaction():
            self._db.run(
                "INSERT INTO quota VALUES(?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET"
                " name=excluded.name, unit=excluded.unit, allowed=excluded.allowed,"
                " remaining=excluded.remaining, resets=excluded.resets, at=excluded.at",
                (
                    destination,
                    quota.name,
                    quota.unit,
                    quota.limit,
                    quota.remaining,
                    quota.resets,
                    stamp(at),
                ),
            )
        return Reading(quota, at)

    def last(self, destination: str) -> Reading | None:
        """The latest reading, however old; None when it never told."""
        row = self._db.row(
            "SELECT name, allowed, remaining, resets, unit, at FROM quota WHERE destination=?",
            (destination,),
        )
        if row is None:
            return None
        name, allowed, remaining, resets, unit, at = row
        counted = cast(Literal["calls", "percent"], unit)
        return Reading(Quota(name, allowed, remaining, resets, counted), instant(at))
