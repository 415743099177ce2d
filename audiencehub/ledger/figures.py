"""Figures: how large each list is at its platform, and how many were found, over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audiencehub.ledger.db import Database
from audiencehub.ledger.stamps import instant, stamp
from audiencehub.model import Figures


@dataclass(frozen=True, slots=True)
class Told:
    """What a platform told of one list at one time."""

    target: str
    at: datetime
    members: int
    """Whom the hub believed to be on it then."""
    figures: Figures


class FigureLog:
    """The figure table."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def keep(self, target: str, members: int, found: Figures, at: datetime) -> None:
        """Remember what was told; of the same instant the later word counts."""
        size, match = found.size or (None, None), found.match or (None, None)
        self._db.run(
            "INSERT INTO figure VALUES(?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET"
            " state=excluded.state, members=excluded.members, size_low=excluded.size_low,"
            " size_high=excluded.size_high, match_low=excluded.match_low,"
            " match_high=excluded.match_high, detail=excluded.detail",
            (target, stamp(at), found.state, members, *size, *match, found.detail),
        )

    def history(self, target: str, most: int) -> list[Told]:
        """The latest so many, the newest first."""
        return self._told("target=? ORDER BY at DESC LIMIT ?", (target, most))

    def latest(self) -> dict[str, Told]:
        """The last word of every target that was ever told of."""
        rows = self._told(
            "at=(SELECT max(at) FROM figure o WHERE o.target=figure.target) ORDER BY target", ()
        )
        return {one.target: one for one in rows}

    def _told(self, where: str, values: tuple[Any, ...]) -> list[Told]:
        found = self._db.rows(
            "SELECT target, at, members, state, size_low, size_high, match_low, match_high, detail"
            f" FROM figure WHERE {where}",
            values,
        )
        return [
            Told(
                target,
                instant(at),
                members,
                Figures(
                    state,
                    None if small is None else (small, large),
                    None if low is None else (low, high),
                    detail,
                ),
            )
            for target, at, members, state, small, large, low, high, detail in found
        ]
